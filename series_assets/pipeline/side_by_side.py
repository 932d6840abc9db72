"""Periods one after the other, or side by side in a process for each idle core, where it pays.

A process is forked, so it has all that was loaded before and needs nothing handed over but the
keys of its periods. What a period is made from does not depend on other periods, so the bytes are
the same either way.
"""

import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from series_assets.dagster.handles import Failed
from series_assets.dagster.resources import Progress
from series_assets.pipeline.idle_cores import idle_cores

Make = Callable[[str, Any, Progress], Any]

_SECONDS_A_PERIOD, _SECONDS_A_ROW = 0.02, 4e-6
"""What making records takes, about."""
_PAYS_FROM = 0.25
"""Seconds of work from which a process is worth its start (docs/performance.md)."""
_ROWS_AT_ONCE, _PROCESSES_AT_ONCE = 200_000, 8
"""What there is at the same time unless more is asked for: memory is a kilobyte a row, and some
60 MB a process."""
_DIE_WITH_PARENT = 1


def workers_for(periods: int, rows: int, wanted: int | None) -> int:
    """Return how many processes to use for so many periods of so many rows; 1 is none but ours.

    ``wanted`` is the setting; None lets the idle cores decide, within bounds.
    """
    if sys.platform != "linux" or multiprocessing.current_process().daemon:
        return 1
    if wanted is None:
        work = periods * (_SECONDS_A_PERIOD + rows * _SECONDS_A_ROW)
        bounds = (int(work / _PAYS_FROM), _ROWS_AT_ONCE // max(1, rows), _PROCESSES_AT_ONCE)
        wanted = min(idle_cores(), *bounds) if min(bounds) > 1 else 1
    return max(1, min(wanted, periods))


def made_one_by_one(
    given: Mapping[str, Any], make: Make, progress: Progress, where: str
) -> Iterator[tuple[str, Any]]:
    """Make each period's value, as ``made_side_by_side`` does, in this process."""
    for key in given:
        made = _attempt(make, key, given[key], progress, where)
        yield key, made
        if isinstance(made, Failed):
            return


def made_side_by_side(
    given: Mapping[str, Any], make: Make, progress: Progress, workers: int, where: str
) -> Iterator[tuple[str, Any]]:
    """Make each period's value in one of so many processes, in each one after the other.

    Yields partition key and value in the order of ``given``, and ends with the first Failed; one
    among what is given goes on in its place. What is made must be picklable. ``where`` names the
    series in messages.
    """
    staff: list[_Worker] = []
    try:
        _hire(staff, workers, lambda: _Worker(given, make, where))
        if staff:
            yield from _worked(given, staff, progress)
        else:
            yield from made_one_by_one(given, make, progress, where)
    finally:
        _dismiss(staff)


def _hire(staff: "list[_Worker]", workers: int, hired: "Callable[[], _Worker]") -> None:
    """Start the processes, or as many of them as the system allows."""
    thawed = not gc.get_freeze_count()
    gc.freeze()  # a collection in a worker would copy the memory that it shares with us
    try:
        with contextlib.suppress(OSError):
            for _ in range(workers):
                staff.append(hired())
    finally:
        if thawed:
            gc.unfreeze()


def _dismiss(staff: "list[_Worker]") -> None:
    for worker in staff:
        worker.process.kill()
    for worker in staff:
        worker.process.join()
        worker.channel.close()


def _worked(
    given: Mapping[str, Any], staff: "list[_Worker]", progress: Progress
) -> Iterator[tuple[str, Any]]:
    """Hand out the periods, and yield what was made of them in their order."""
    ready: dict[str, Any] = {}
    busy: dict[str, _Worker] = {}
    idle, waiting = list(staff), list(given)
    for key in given:
        while key not in ready:
            while waiting and idle:
                begun = waiting.pop(0)
                busy[begun] = idle.pop()
                busy[begun].begin(begun)
            for done in _heard(busy, progress, ready):
                worker = busy.pop(done)
                if isinstance(ready[done], Failed):  # nothing after it is wanted
                    waiting.clear()
                else:
                    idle.append(worker)
        made = ready.pop(key)
        yield key, made
        if isinstance(made, Failed):
            return


def _heard(busy: "Mapping[str, _Worker]", progress: Progress, ready: dict[str, Any]) -> list[str]:
    """Wait until a worker says something, pass it on, and return the keys that are done."""
    done = []
    keys = {worker.channel: key for key, worker in busy.items()}
    for channel in wait(list(keys)):
        key = keys[channel]  # type: ignore[index]
        try:
            kind, *content = busy[key].channel.recv()
        except (EOFError, OSError):
            kind, content = "made", [busy[key].died_at(key)]
        if kind == "made":
            [ready[key]] = content
            done.append(key)
        else:
            getattr(progress, kind)(*content)
    return done


def _attempt(make: Make, key: str, value: Any, progress: Progress, where: str) -> Any:
    """Return what is made of a period, or what went wrong with it, now or before."""
    if isinstance(value, Failed):
        return value
    try:
        return make(key, value, progress)
    except Exception as error:
        return Failed.by(error, f"{where}, period {key}")


class _Worker:
    """A process that makes periods, and the pipe on which it is told which and tells of them."""

    def __init__(self, given: Mapping[str, Any], make: Make, where: str) -> None:
        self._where = where
        fork = multiprocessing.get_context("fork")
        self.channel, theirs = fork.Pipe()
        # A daemon is ended with us at the latest, should nobody have come to dismiss it.
        self.process: BaseProcess = fork.Process(
            target=_work, args=(theirs, os.getpid(), where, make, given), daemon=True
        )
        try:
            self.process.start()
        except OSError:
            self.channel.close()
            raise
        finally:
            theirs.close()

    def begin(self, key: str) -> None:
        """Let it make the value of a period."""
        with contextlib.suppress(OSError):  # it is gone, which shows when it is listened to
            self.channel.send(key)

    def died_at(self, key: str) -> Failed:
        """Return what is to be told of a process that ended in the middle of a period."""
        self.process.join()
        code = self.process.exitcode or 0
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        if code == -signal.SIGKILL:
            how += ", as when the memory is used up"
        return Failed(
            f"{self._where}, period {key}: its process {how}; make it again, with "
            "SERIES_ASSETS_WORKERS=1 if it happens again",
            None,
        )


class _Told(Progress):
    """Passes on to the parent how far the work is."""

    def __init__(self, channel: "Connection[Any, Any]") -> None:
        self._channel = channel

    def reached(self, key: str, phase: str) -> None:
        """Take note that a phase begins."""
        self._channel.send(("reached", key, phase))

    def noted(self, text: str) -> None:
        """Take note of something that a user would want to know."""
        self._channel.send(("noted", text))


def _work(
    channel: "Connection[Any, Any]",
    parent: int,
    where: str,
    make: Make,
    given: Mapping[str, Any],
) -> None:
    """Make periods as long as their keys come; what runs in the worker."""
    # Nobody waits for what is made once the parent was killed.
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    progress = _Told(channel)
    while True:
        key = channel.recv()
        made = _attempt(make, key, given[key], progress, where)
        try:
            channel.send(("made", made))
        except Exception as error:  # it cannot be sent
            channel.send(("made", Failed.by(error, f"{where}, period {key}")))

"""Periods side by side, in a process for each idle core, where it pays.

A process is forked, so it starts with everything loaded and needs nothing handed over but the
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
from pathlib import Path
from typing import Any

from series_assets.handles import Failed
from series_assets.resources import Progress

Make = Callable[[str, Any, Progress], Any]

_SECONDS_A_PERIOD, _SECONDS_A_ROW = 0.02, 4e-6
"""What making records takes, about."""
_PAYS_FROM = 0.5
"""Seconds of work from which more processes are worth their start (docs/performance.md)."""
_ROWS_AT_ONCE = 200_000
"""Rows that are made at the same time unless more is asked for: each takes about a kilobyte."""
_DIE_WITH_PARENT = 1


def workers_for(periods: int, rows: int, wanted: int | None) -> int:
    """Return how many processes to use for so many periods of so many rows; 1 is none but ours.

    ``wanted`` is the setting; None lets the idle cores decide, as far as memory is not at stake.
    """
    if sys.platform != "linux" or multiprocessing.current_process().daemon:
        return 1
    if wanted is None:
        work = periods * (_SECONDS_A_PERIOD + rows * _SECONDS_A_ROW)
        most = _ROWS_AT_ONCE // max(1, rows) if work >= _PAYS_FROM else 1
        wanted = min(_idle_cores(), most) if most > 1 else 1
    return max(1, min(wanted, periods))


def _idle_cores() -> int:
    """Return how many cores are left to us, of which we ourselves keep one busy so far.

    The average of a minute still counts what has ended since, and a look at what runs now may
    fall on a busy moment: others are busy as far as both say so. Where the system does not tell,
    there is no idle one.
    """
    try:
        average, _, _, running, _ = Path("/proc/loadavg").read_text(encoding="ascii").split()
    except OSError:
        return 1
    others = min(float(average), int(running.split("/")[0])) - 1
    return max(1, len(os.sched_getaffinity(0)) - round(max(0.0, others)))


def made_side_by_side(
    given: Mapping[str, Any], make: Make, progress: Progress, workers: int, where: str
) -> Iterator[tuple[str, Any]]:
    """Make each period's value in one of so many processes, in each one after the other.

    Yields partition key and value in the order of ``given``, and ends with the first Failed.
    What is made must be picklable. ``where`` names the series in messages.
    """
    ready: dict[str, Any] = {}
    busy: dict[str, _Worker] = {}
    waiting = list(given)
    gc.freeze()  # a collection in a worker would copy the memory that it shares with us
    try:
        idle = [_Worker(given, make, where) for _ in range(workers)]
    finally:
        gc.unfreeze()
    try:
        for key in given:
            while key not in ready:
                while waiting and idle:
                    begun = waiting.pop(0)
                    busy[begun] = idle.pop()
                    busy[begun].begin(begun)
                for done in _heard(busy, progress, ready):
                    worker = busy.pop(done)
                    if isinstance(ready[done], Failed):
                        waiting.clear()
                        worker.stop()  # which may be gone
                    else:
                        idle.append(worker)
            yield key, ready[key]
            if isinstance(ready.pop(key), Failed):
                return
    finally:
        for worker in (*idle, *busy.values()):
            worker.stop()


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


class _Worker:
    """A process that makes periods, and the pipe on which it is told which and tells of them."""

    def __init__(self, given: Mapping[str, Any], make: Make, where: str) -> None:
        self._where = where
        fork = multiprocessing.get_context("fork")
        self.channel, theirs = fork.Pipe()
        self._process: BaseProcess = fork.Process(
            target=_work, args=(theirs, os.getpid(), where, make, given)
        )
        self._process.start()
        theirs.close()

    def begin(self, key: str) -> None:
        """Let it make the value of a period."""
        with contextlib.suppress(OSError):  # it is gone, which shows when it is listened to
            self.channel.send(key)

    def died_at(self, key: str) -> Failed:
        """Return what is to be told of a process that ended in the middle of a period."""
        self._process.join()
        code = self._process.exitcode or 0
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return Failed(
            f"{self._where}, period {key}: its process {how}, as when the memory is used up; make "
            "it again, with SERIES_ASSETS_WORKERS=1 if it happens again",
            None,
        )

    def stop(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        self._process.join()
        self.channel.close()


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
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent decides, and ends us
        signal.signal(number, signal.SIG_IGN)
    progress = _Told(channel)
    while True:
        key = channel.recv()
        try:
            made = make(key, given[key], progress)
        except Exception as error:
            made = Failed.by(error, f"{where}, period {key}")
        channel.send(("made", made))

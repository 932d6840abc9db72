"""Periods side by side, each in a process of its own, where cores are idle and it pays.

A process is forked, so it starts with everything loaded and needs nothing handed over. What a
period is made from does not depend on other periods, so the bytes are the same either way.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from series_assets.handles import Failed
from series_assets.resources import Progress

Make = Callable[[str, Any, Progress], Any]

_PAYS_FROM = 20_000
"""Rows of a period from which a process of its own is worth its start (docs/performance.md)."""
_DIE_WITH_PARENT = 1


def workers_for(periods: int, rows: int, wanted: int | None) -> int:
    """Return how many processes to use for so many periods of so many rows; 1 is none but ours.

    ``wanted`` is the setting; None lets the idle cores decide.
    """
    if sys.platform != "linux" or multiprocessing.current_process().daemon:
        return 1
    if wanted is None:
        wanted = _idle_cores() if rows >= _PAYS_FROM else 1
    return max(1, min(wanted, periods))


def _idle_cores() -> int:
    """Return how many cores are left to us; we ourselves have kept one busy so far."""
    others = max(0.0, os.getloadavg()[0] - 1)
    return max(1, len(os.sched_getaffinity(0)) - round(others))


def made_side_by_side(
    given: Mapping[str, Any], make: Make, progress: Progress, workers: int, where: str
) -> Iterator[tuple[str, Any]]:
    """Make each period's value in a process of its own, at most ``workers`` at once.

    Yields partition key and value in the order of ``given``, and ends with the first Failed.
    What is made must be picklable. ``where`` names the series in messages.
    """
    ready: dict[str, Any] = {}
    running: dict[str, _Child] = {}
    waiting = list(given)
    try:
        for key in given:
            while key not in ready:
                while waiting and len(running) < workers:
                    started = waiting.pop(0)
                    running[started] = _Child(started, given[started], make, where)
                for name in _heard(running, progress, ready):
                    running.pop(name).end()
            yield key, ready[key]
            if isinstance(ready.pop(key), Failed):
                return
    finally:
        for child in running.values():
            child.stop()


def _heard(running: "Mapping[str, _Child]", progress: Progress, ready: dict[str, Any]) -> list[str]:
    """Wait until a process says something, pass it on, and return the keys that are done."""
    done = []
    channels = {child.channel: key for key, child in running.items()}
    for channel in wait(list(channels)):
        key = channels[channel]  # type: ignore[index]
        try:
            kind, *content = running[key].channel.recv()
        except (EOFError, OSError):
            kind, content = "made", [running[key].died()]
        if kind == "made":
            [ready[key]] = content
            done.append(key)
        else:
            getattr(progress, kind)(*content)
    return done


class _Child:
    """A process that makes one period, and the pipe on which it tells of it."""

    def __init__(self, key: str, value: Any, make: Make, where: str) -> None:
        self._where = f"{where}, period {key}"
        fork = multiprocessing.get_context("fork")
        self.channel, theirs = fork.Pipe(duplex=False)
        self._process: BaseProcess = fork.Process(
            target=_work, args=(theirs, os.getpid(), self._where, make, key, value)
        )
        self._process.start()
        theirs.close()

    def died(self) -> Failed:
        """Return what is to be told of a process that ended without a word."""
        self._process.join()
        code = self._process.exitcode or 0
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return Failed(
            f"{self._where}: its process {how}, as when the memory is used up; make it again, "
            "with SERIES_ASSETS_WORKERS=1 if it happens again",
            None,
        )

    def end(self) -> None:
        """Wait for a process that has said its last."""
        self._process.join()
        self.channel.close()

    def stop(self) -> None:
        """End a process whose period is no longer wanted."""
        self._process.kill()
        self.end()


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
    channel: "Connection[Any, Any]", parent: int, where: str, make: Make, key: str, value: Any
) -> None:
    """Make one period; what runs in the child."""
    # Nobody waits for what is made once the parent was killed.
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        return
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent decides, and ends us
        signal.signal(number, signal.SIG_IGN)
    try:
        made = make(key, value, _Told(channel))
    except Exception as error:
        made = Failed.by(error, where)
    channel.send(("made", made))

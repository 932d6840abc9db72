"""The processes in which periods are generated, as a ``concurrent.futures.Executor``.

Tasks are module-level functions with picklable arguments. ``none`` is the caller's own process,
``processes:N`` are N forked ones, ``auto`` decides by idle cores and by the amount of work.
"""

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.pipeline.executor_names import SETTING, wanted_processes
from series_assets.pipeline.failures import PeriodError

_SECONDS_A_PERIOD, _SECONDS_A_ROW = 0.02, 4e-6
"""Roughly the time it takes to generate records."""
_PAYS_FROM = 0.25
"""Seconds of work that justify starting a process (docs/performance.md)."""
_ROWS_AT_ONCE, _PROCESSES_AT_ONCE = 400_000, 8
"""The limits of ``auto``: a row takes 0.7 kilobytes of memory, a process about 60 MB."""
_PR_SET_PDEATHSIG = 1


def workers_for(periods: int, rows: int, executor: str) -> int:
    """Return how many processes to use for so many periods of so many rows; 1: only this one.

    Raises ValueError for an unknown executor.
    """
    wanted = wanted_processes(executor)
    if not _can_fork():
        return 1
    if wanted:
        return max(1, min(wanted, periods))
    work = periods * (_SECONDS_A_PERIOD + rows * _SECONDS_A_ROW)
    most = min(int(work / _PAYS_FROM), _ROWS_AT_ONCE // max(1, rows), _PROCESSES_AT_ONCE, periods)
    return min(idle_cores(), most) if most > 1 else 1


def _can_fork() -> bool:
    return sys.platform == "linux" and not multiprocessing.current_process().daemon


@contextmanager
def start_workers(workers: int) -> Iterator["WorkerProcesses | None"]:
    """Provide processes, or as many as the system allows; None if it allows no second one.

    All of them are ended when the block is left, whatever they are doing.
    """
    if workers < 2:
        yield None
        return
    processes = WorkerProcesses(workers)
    try:
        yield processes if processes.count > 1 else None
    finally:
        processes.kill()


class WorkerProcesses(Executor):
    """Processes forked from this one, which share everything already loaded.

    Each is a pool of its own, so that if one dies, only its own task is lost.
    """

    def __init__(self, workers: int) -> None:
        self._pools: list[ProcessPoolExecutor] = []
        self._pids: list[int] = []
        self._busy: dict[int, int] = {}
        thawed = not gc.get_freeze_count()
        gc.freeze()  # garbage collection in a worker would copy memory shared with this process
        try:
            # Fewer processes than requested are better than none.
            with suppress(OSError, RuntimeError, BrokenProcessPool):
                for _ in range(workers):
                    self._start()
        except BaseException:
            self.kill()
            raise
        finally:
            if thawed:
                gc.unfreeze()

    def _start(self) -> None:
        pool = ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("fork"),
            initializer=_begin,
            initargs=(os.getpid(),),
        )
        try:
            pid = pool.submit(os.getpid).result()
        except BaseException:
            pool.shutdown(wait=False)
            raise
        self._pools.append(pool)
        self._pids.append(pid)

    @property
    def count(self) -> int:
        """The number of processes."""
        return len(self._pools)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call a function in the least busy process."""
        place = min(range(self.count), key=lambda one: self._busy.get(one, 0))
        future = self._pools[place].submit(fn, *args, **kwargs)
        self._busy[place] = self._busy.get(place, 0) + 1
        future.add_done_callback(partial(self._done, place))
        return future

    def _done(self, place: int, _: "Future[Any]") -> None:
        self._busy[place] -= 1

    def kill(self) -> None:
        """End all processes at once, and wait until they have ended."""
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin(parent: int) -> None:
    """Prepare a worker: it ends with its parent, which alone handles interrupts."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def result_of(future: "Future[Any]", series: Series, period: Period) -> Any:
    """Return the result of a task; if its process died, the error names the period.

    Raises PeriodError, or what the task raised.
    """
    try:
        return future.result()
    except BrokenProcessPool:
        raise PeriodError(
            "its process was killed, possibly because memory ran out",
            f"generate it again, with {SETTING}=none if the problem persists",
            series=series.name,
            period=period.key,
        ) from None


def idle_cores() -> int:
    """Return how many of the cores that this process may use are idle, including its own.

    Measured by what other processes used since the last call, or since this module was loaded.
    """
    global _last_usage
    now = _Usage()
    elapsed = max(now.at - _last_usage.at, _MIN_INTERVAL)
    others = (now.others - _last_usage.others) / elapsed
    if now.at - _last_usage.at >= _MIN_INTERVAL:
        _last_usage = now
    return max(1, available_cores() - round(max(0.0, others)))


def available_cores() -> int:
    """Return how many cores this process may use: its affinity, and the quota of a container."""
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    for files in _QUOTAS:
        with suppress(OSError, ValueError):
            text = " ".join(Path(name).read_text(encoding="ascii") for name in files)
            quota, period = map(int, text.split())  # "max" is no number: there is no limit
            if quota > 0 and period > 0:
                return max(1, min(cores, ceil(quota / period)))
    return cores


_QUOTAS = (
    ("/sys/fs/cgroup/cpu.max",),
    ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)
"""The files that state a quota, in the two versions of Linux's control groups."""


_MIN_INTERVAL = 0.2
"""Seconds after which usage is meaningful: the system counts in hundredths."""


class _Usage:
    """CPU seconds that other processes have used so far; 0 if the system does not say."""

    def __init__(self) -> None:
        self.at = time.monotonic()
        self.others = 0.0
        with suppress(OSError):
            first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
            user, nice, system, _, _, *more = (int(ticks) for ticks in first.split()[1:9])
            busy = (user + nice + system + sum(more)) / os.sysconf("SC_CLK_TCK")
            self.others = busy - sum(os.times()[:4])


_last_usage = _Usage()

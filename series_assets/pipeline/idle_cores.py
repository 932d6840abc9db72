"""How many cores are idle: what other processes used in the time that just went by."""

import contextlib
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_LONG_ENOUGH = 0.2
"""Seconds after which what was used tells something: the system counts in hundredths."""


def idle_cores() -> int:
    """Return how many cores are left to us, ours included.

    By what others have used since this was last asked, or since the module was loaded, and by
    the quota of a container. Where the system does not tell, only ours is left.
    """
    now, then = _usage(), _seen[-1]
    if now is None or then is None:
        return 1
    if now.at - then.at >= _LONG_ENOUGH:
        _seen[-1] = now
    others = (now.all - then.all - (now.ours - then.ours)) / max(now.at - then.at, _LONG_ENOUGH)
    left = len(os.sched_getaffinity(0)) - round(max(0.0, others))
    return max(1, min(left, _quota()))


@dataclass(frozen=True)
class _Usage:
    """Seconds of all cores that were used until a moment, by all processes and by ours."""

    at: float
    all: float
    ours: float


def _usage() -> _Usage | None:
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    except OSError:
        return None
    user, nice, system, _, _, *more = (int(ticks) for ticks in first.split()[1:9])
    busy = (user + nice + system + sum(more)) / os.sysconf("SC_CLK_TCK")
    return _Usage(time.monotonic(), busy, sum(os.times()[:4]))


_seen = [_usage()]


def _quota() -> int:
    """Return how many cores a container lets us use; very many where there is no limit."""
    with contextlib.suppress(OSError, ValueError):  # no such file, or no limit in it
        quota, period = map(int, Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split())
        return math.ceil(quota / period)
    return sys.maxsize

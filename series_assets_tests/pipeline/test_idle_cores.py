"""How many cores are left: by what other processes use, and by what a container is allowed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from series_assets.pipeline import idle_cores


@pytest.mark.parametrize(
    ("everybody", "ours", "idle"),
    [
        (1.0, 1.0, 8),
        (1.9, 1.8, 8),  # threads of our own
        (2.1, 1.0, 7),
        (4.2, 1.0, 5),
        (4.2, 0.0, 4),
        (8.0, 0.0, 1),
    ],
)
def test_idle_cores_are_those_that_others_leave(
    monkeypatch: pytest.MonkeyPatch, everybody: float, ours: float, idle: int
) -> None:
    """By what was used in a second, of eight cores."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(idle_cores, "_quota", lambda: 64)
    monkeypatch.setattr(idle_cores, "_seen", [idle_cores._Usage(5.0, 100.0, 10.0)])
    now = idle_cores._Usage(6.0, 100.0 + everybody, 10.0 + ours)
    monkeypatch.setattr(idle_cores, "_usage", lambda: now)
    assert idle_cores.idle_cores() == idle


def test_what_others_use_is_seen() -> None:
    """Of the real system: all cores busy, none of it by us."""
    cores = len(os.sched_getaffinity(0))
    spin = [sys.executable, "-c", "import sys; print(flush=True)\nwhile True: pass"]
    others = [subprocess.Popen(spin, stdout=subprocess.PIPE) for _ in range(cores)]
    try:
        for other in others:
            assert other.stdout is not None
            other.stdout.readline()
        idle_cores._seen[-1] = idle_cores._usage()
        time.sleep(1)
        assert idle_cores.idle_cores() <= max(1, cores // 2)
    finally:
        for other in others:
            other.kill()
            other.communicate()


@pytest.mark.parametrize(("told", "cores"), [("250000 100000", 3), ("max 100000", sys.maxsize)])
def test_a_container_has_no_more_cores_than_its_quota(
    monkeypatch: pytest.MonkeyPatch, told: str, cores: int
) -> None:
    """However many the machine has; a part of one counts."""
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: told)
    assert idle_cores._quota() == cores


def test_where_the_system_tells_nothing_no_core_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a sandbox without /proc."""

    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert idle_cores.idle_cores() == 1

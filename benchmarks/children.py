"""Running a program as a process of its own, and what it took."""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO

CHECKOUT = Path(__file__).parents[1]
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Taken:
    """What a process took, its own children included."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    """``ru_maxrss`` in MB: of the largest process where there were several."""
    printed: str


@dataclass(frozen=True)
class Child:
    """A program to be measured, and what has to be done before each time."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    before: Callable[[], None] = lambda: None

    def run(self) -> Taken:
        """Run it once. Raises RuntimeError with what it printed where it fails."""
        self.before()
        begun = time.perf_counter()
        process = self._begun(subprocess.PIPE)
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        lasted = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        self._check(process, printed)
        kilo = 1 if sys.platform == "darwin" else 1024
        peak = usage.ru_maxrss * kilo / 1e6
        return Taken(lasted, usage.ru_utime + usage.ru_stime, peak, printed)

    def watched(self, every: float = 0.02) -> Taken:
        """Run it once; the peak is that of all its processes together.

        What several of them share is counted once. They are looked at each ``every`` seconds, which
        takes time of its own. Only Linux reports it; elsewhere the peak is 0. Raises RuntimeError,
        as ``run``.
        """
        self.before()
        begun, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with tempfile.TemporaryFile("w+") as printed:
            process, peak = self._begun(printed), 0
            while process.poll() is None:
                peak = max(peak, sum(map(_share_of_memory, _with_children(process.pid))))
                time.sleep(every)
            lasted, after = (
                time.perf_counter() - begun,
                resource.getrusage(resource.RUSAGE_CHILDREN),
            )
            printed.seek(0)
            text = printed.read()
            self._check(process, text)
        cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        return Taken(lasted, cpu, peak * 1024 / 1e6, text)

    def _check(self, process: "subprocess.Popen[str]", printed: str) -> None:
        if process.returncode:
            raise RuntimeError(f"{' '.join(self.arguments)} failed:\n{printed}")

    def _begun(self, output: "int | IO[str]") -> "subprocess.Popen[str]":
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SERIES_ASSETS", "DAGST"))}
        return subprocess.Popen(
            self.arguments,
            env={**kept, "PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "ignore"}
            | dict(self.environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )


def _with_children(process: int) -> list[int]:
    """Return a process and all that it started, by their ids."""
    found = [process]
    for listed in Path(f"/proc/{process}/task").glob("*/children"):
        children: list[str] = []
        with contextlib.suppress(OSError):  # it has ended meanwhile
            children = listed.read_text(encoding="ascii").split()
        for child in children:
            found += _with_children(int(child))
    return found


def _share_of_memory(process: int) -> int:
    """Return the memory of a process in KiB, of what it shares with others only its share."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return 0


def command(*arguments: str) -> list[str]:
    """Return the arguments that run ``series-assets`` of this checkout."""
    return [sys.executable, "-m", "series_assets", *arguments]


def program(name: str, *arguments: str | Path) -> list[str]:
    """Return the arguments that run a program of the benchmark."""
    return [sys.executable, str(_HERE / f"{name}.py"), *map(str, arguments)]


def seconds_in(taken: Taken) -> dict[str, float]:
    """Return what a program of the benchmark printed: seconds by name, in its last line."""
    said: dict[str, float] = json.loads(taken.printed.splitlines()[-1])
    return said


def interleaved(children: Mapping[str, Child], times: int) -> dict[str, Taken]:
    """Run each child so many times, by turns, and return the medians by name.

    Medians are taken of each figure by itself; what is printed is that of the last time.
    """
    runs: dict[str, list[Taken]] = {name: [] for name in children}
    for turn in range(times):
        order = list(children) if turn % 2 == 0 else list(children)[::-1]
        for name in order:
            runs[name].append(children[name].run())
    return {
        name: Taken(
            median(one.seconds for one in taken),
            median(one.cpu_seconds for one in taken),
            median(one.peak_mb for one in taken),
            taken[-1].printed,
        )
        for name, taken in runs.items()
    }

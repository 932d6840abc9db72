"""A real Dask scheduler with workers on this machine, and a series for them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from series_assets.core.plan.series import Series
from series_assets_tests.builders import a_series, a_specification, a_user_input


def sharded(**metadata: Any) -> Series:
    """Return a series of three periods in four shards, with a history."""
    specification = a_specification(number_of_rows=80, **metadata)
    own = a_user_input(shards=4, num_datasets=3, manifest=True, truth={"write": ["scd2"]})
    return a_series(specification, own)


@dataclass
class Cluster:
    """A scheduler with workers of one process each."""

    file: Path
    """Where the scheduler writes its address."""
    environment: Mapping[str, str]
    """Environment variables of the workers, in addition to those of this process."""
    address: str = ""
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def executor(self) -> str:
        """The value of the executor setting."""
        return f"dask:{self.address}"

    def add_worker(self) -> None:
        """Start a worker with two threads, as a typical one has several."""
        self._start("worker", "--scheduler-file", str(self.file), "--no-nanny", "--nthreads", "2")

    def kill_worker(self) -> None:
        """Kill the worker that was added last."""
        process = self.processes.pop()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def wait_for(self, workers: int) -> None:
        """Wait until the scheduler knows this number of workers."""
        import distributed

        with distributed.Client(self.address, set_as_default=False) as client:
            until = time.monotonic() + 60
            while len(client.nthreads()) != workers:
                assert time.monotonic() < until, client.nthreads()
                time.sleep(0.1)

    def start_scheduler(self) -> None:
        """Start the scheduler, and wait until it has an address."""
        self._start("scheduler", "--port", "0", "--scheduler-file", str(self.file))
        until = time.monotonic() + 60
        while not self.file.exists() or not self.file.read_text():
            assert self.processes[0].poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        self.address = json.loads(self.file.read_text())["address"]

    def _start(self, *words: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words, "--host", "127.0.0.1", "--no-dashboard"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self.environment},
        )
        self.processes.append(process)


@contextmanager
def dask_cluster(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """Run a scheduler and two workers during the block."""
    cluster = Cluster(folder / "scheduler.json", environment or {})
    try:
        cluster.start_scheduler()
        cluster.add_worker()
        cluster.add_worker()
        cluster.wait_for(2)
        yield cluster
    finally:
        for process in reversed(cluster.processes):
            process.kill()
            process.wait()

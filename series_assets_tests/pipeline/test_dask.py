"""Parts on the workers of a real Dask scheduler: the same bytes, whatever becomes of a worker."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from series_assets.core.errors import GenerationError, InputError, RequestError
from series_assets.core.plan.series import Series
from series_assets.interface import generate
from series_assets.pipeline.executors import result_of
from series_assets.pipeline.failures import PeriodError
from series_assets.pipeline.progress import FinishedPhase, Progress
from series_assets.settings import from_environment
from series_assets_tests.builders import a_series, a_specification, a_user_input, files_in


def sharded(**metadata: Any) -> Series:
    """Return a series of three periods in four shards."""
    specification = a_specification(number_of_rows=80, **metadata)
    return a_series(specification, a_user_input(shards=4, num_datasets=3, manifest=True))


@dataclass
class Cluster:
    """A scheduler with workers of one process each."""

    address: str
    file: Path
    processes: list["subprocess.Popen[bytes]"]

    @property
    def executor(self) -> str:
        """What the setting is called."""
        return f"dask:{self.address}"

    def add_worker(self) -> None:
        """Start a worker, with two threads, as one of its own would have several."""
        self.processes.append(
            _start("worker", "--scheduler-file", str(self.file), "--no-nanny", "--nthreads", "2")
        )

    def wait_for(self, workers: int) -> None:
        """Wait until so many workers are known to the scheduler."""
        import distributed

        with distributed.Client(self.address, set_as_default=False) as client:
            until = time.monotonic() + 60
            while len(client.nthreads()) != workers:
                assert time.monotonic() < until, client.nthreads()
                time.sleep(0.1)


def _start(*words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *words, "--host", "127.0.0.1", "--no-dashboard"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Start a scheduler and two workers on this machine."""
    file = tmp_path_factory.mktemp("cluster") / "scheduler.json"
    scheduler = _start("scheduler", "--port", "0", "--scheduler-file", str(file))
    cluster = Cluster("", file, [scheduler])
    try:
        until = time.monotonic() + 60
        while not file.exists() or not file.read_text():
            assert scheduler.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        cluster.address = json.loads(file.read_text())["address"]
        cluster.add_worker()
        cluster.add_worker()
        cluster.wait_for(2)
        yield cluster
    finally:
        for process in reversed(cluster.processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the files that this process alone makes."""
    folder = tmp_path_factory.mktemp("expected")
    generate(sharded(), folder, executor="none")
    return files_in(folder)


def test_a_cluster_makes_the_same_bytes(
    cluster: Cluster, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    """And leaves nothing temporary."""
    generate(sharded(), tmp_path, executor=cluster.executor)
    assert files_in(tmp_path) == expected
    assert not (tmp_path / ".runs").exists()


class _KillsAWorker(Progress):
    """Kills one of the workers as soon as a part is done."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.killed = cluster, False

    def finished(self, result: FinishedPhase) -> None:
        """Kill the last worker, once."""
        if not self.killed:
            self.killed = True
            process = self.cluster.processes.pop()
            os.kill(process.pid, signal.SIGKILL)
            process.wait()


def test_the_work_of_a_worker_that_is_killed_goes_to_another(
    cluster: Cluster, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    """The bytes are those of an undisturbed run."""
    kills = _KillsAWorker(cluster)
    generate(sharded(), tmp_path, executor=cluster.executor, progress=kills)
    assert kills.killed
    assert files_in(tmp_path) == expected
    cluster.add_worker()
    cluster.wait_for(2)


def test_a_part_that_fails_on_a_worker_is_named(cluster: Cluster, tmp_path: Path) -> None:
    """As it would be in this process."""
    series = sharded()
    series.specification["columns"]["region"]["original_values"] = "from_nowhere"
    messages = []
    for place, executor in (("here", "none"), ("there", cluster.executor)):
        with pytest.raises(GenerationError) as caught:
            generate(series, tmp_path / place, executor=executor)
        messages.append(str(caught.value))
    # Which of the parts is first to fail is left to the workers.
    here, there = (re.sub(r"shard \d", "shard N", message) for message in messages)
    assert here == there
    assert here.startswith("demo, period 2024-01-01, shard N of 4")


def test_a_series_that_is_not_sharded_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    """Its reference table is a database of one machine."""
    with pytest.raises(RequestError) as caught:
        generate(a_series(), tmp_path, executor=cluster.executor)
    assert str(caught.value) == (
        f"SERIES_ASSETS_EXECUTOR is {cluster.executor}, but this series has one shard and keeps "
        "its entities in SQLite, which the workers of a cluster cannot share; set shards: 2 or "
        "more in its user input, or use processes:N"
    )
    assert files_in(tmp_path) == {}


def test_a_scheduler_that_does_not_answer_is_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is generated."""
    from series_assets.pipeline import dask_workers

    monkeypatch.setattr(dask_workers, "_TIMEOUT", 0.5)
    with pytest.raises(RequestError) as caught:
        generate(sharded(), tmp_path, executor="dask:tcp://127.0.0.1:9")
    assert str(caught.value) == (
        "no Dask scheduler answers at tcp://127.0.0.1:9: Timed out trying to connect to "
        "tcp://127.0.0.1:9 after 0.5 s; start one there, or set SERIES_ASSETS_EXECUTOR to another "
        "executor"
    )


def test_workers_that_are_lost_for_good_are_an_error_of_the_part() -> None:
    """Dask gives up a part after some workers have died of it."""
    from distributed.scheduler import KilledWorker

    future: Future[Any] = Future()
    series = sharded().parts[1]
    future.set_exception(KilledWorker("part", SimpleNamespace(address="tcp://127.0.0.1:1"), 3))
    with pytest.raises(PeriodError) as caught:
        result_of(future, series, series.calendar.period(1))
    assert str(caught.value).startswith(
        "demo, period 2024-02-01, shard 2 of 4: its Dask workers were lost: "
    )


@pytest.mark.parametrize("name", ["dask:", "dask:host:8786", "dask:tcp://host", "dask:tcp://a b:1"])
def test_an_address_that_cannot_be_is_refused(name: str) -> None:
    """With the form that it has."""
    with pytest.raises(InputError) as caught:
        from_environment({"SERIES_ASSETS_EXECUTOR": name})
    assert str(caught.value) == (
        f"SERIES_ASSETS_EXECUTOR: '{name}' is not known; use auto, none, processes:2 (or another "
        "number), or dask:tcp://HOST:PORT"
    )
    known = from_environment({"SERIES_ASSETS_EXECUTOR": "dask:tcp://Host:8786"})
    assert known.executor == "dask:tcp://Host:8786"

"""Processes behind one interface: usual results, errors that name the period, no orphans."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from series_assets.core.errors import GenerationError
from series_assets.pipeline import executors
from series_assets.pipeline.executors import WorkerProcesses, result_of, start_workers, workers_for
from series_assets_tests.builders import a_series

FIRST = a_series().calendar.period(0)


def square(number: int) -> int:
    """Return the square of a number."""
    return number * number


def die(with_signal: int) -> None:
    """End the process that runs this."""
    os.kill(os.getpid(), with_signal)


def stumble() -> None:
    """Fail with a message that has a remedy."""
    raise GenerationError("a stone")


def is_running(process: int) -> bool:
    """Return whether a process is running, and not a zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(*processes: int) -> None:
    """Wait until none of the processes runs."""
    until = time.monotonic() + 30
    while any(map(is_running, processes)):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_work_is_done_in_other_processes_of_which_none_is_left() -> None:
    """Each takes its share, and all end with the block."""
    with start_workers(3) as processes:
        assert processes is not None
        assert [one.result() for one in map(processes.submit, [square] * 5, range(5))] == [
            0,
            1,
            4,
            9,
            16,
        ]
        begun = [processes.submit(time.sleep, 0.2) for _ in range(3)]
        pids = {processes.submit(os.getpid).result() for _ in begun}
        assert os.getpid() not in pids
    assert not multiprocessing.active_children()


def test_one_process_is_ours() -> None:
    """No process is forked for it."""
    with start_workers(1) as processes:
        assert processes is None


def test_a_process_that_dies_is_an_error_that_names_the_period() -> None:
    """With the remedy; other processes continue."""
    with start_workers(2) as processes:
        assert processes is not None
        slow = processes.submit(time.sleep, 0.5)
        dead: Future[Any] = processes.submit(die, signal.SIGKILL)
        with pytest.raises(GenerationError) as caught:
            result_of(dead, a_series(), FIRST)
        assert str(caught.value) == (
            "demo, period 2024-01-01: its process was killed, possibly because memory ran out; "
            "generate it again, with SERIES_ASSETS_EXECUTOR=none if the problem persists"
        )
        assert slow.result() is None


def test_what_a_task_raises_comes_as_it_is() -> None:
    """With its type and message."""
    with start_workers(2) as processes:
        assert processes is not None
        with pytest.raises(GenerationError, match=r"^a stone$"):
            result_of(processes.submit(stumble), a_series(), FIRST)


@pytest.mark.parametrize(("allowed", "count"), [(0, 0), (1, 0), (2, 2)])
def test_fewer_processes_do_where_the_system_allows_no_more(
    monkeypatch: pytest.MonkeyPatch, allowed: int, count: int
) -> None:
    """If only one process can be forked, the work is done in this one."""
    forks, fork = iter(range(9)), os.fork

    def forked() -> int:
        if next(forks) >= allowed:
            raise BlockingIOError("Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr("os.fork", forked)
    with start_workers(3) as processes:
        assert (processes.count if processes else 0) == count
    assert not multiprocessing.active_children()


def test_processes_are_ended_in_the_middle_of_their_work() -> None:
    """Without waiting for them."""
    begun = time.monotonic()
    with start_workers(2) as processes:
        assert processes is not None
        pids = [processes.submit(os.getpid).result() for _ in range(2)]
        for _ in range(2):
            processes.submit(time.sleep, 60)
    assert time.monotonic() - begun < 30
    wait_until_gone(*pids)


def die_while_sending() -> bytes:
    """Return a result of which this process sends only a half."""

    def send_half(connection: Connection, content: Any) -> None:
        os.write(connection.fileno(), bytes(content)[:500])
        die(signal.SIGKILL)

    Connection._send = send_half  # type: ignore[attr-defined]
    return b"x" * 1000


@pytest.mark.parametrize("place", [0, 1])
def test_a_process_that_dies_while_it_sends_a_result_is_noticed(place: int) -> None:
    """Whichever it is: no other process keeps its pipe open."""
    with start_workers(2) as processes:
        assert processes is not None
        for _ in range(place):
            processes.submit(time.sleep, 60)
        with pytest.raises(BrokenProcessPool):
            processes.submit(die_while_sending).result(timeout=20)


def test_a_process_that_has_died_gets_no_more_work() -> None:
    """The others do it; without any, each task has its error."""
    with start_workers(2) as processes:
        assert processes is not None
        _, second = processes._pids
        with pytest.raises(BrokenProcessPool):
            processes.submit(die, signal.SIGKILL).result()
        assert {processes.submit(os.getpid).result() for _ in range(4)} == {second}
        for _ in range(2):
            with pytest.raises(BrokenProcessPool):
                processes.submit(die, signal.SIGKILL).result()


PROGRAM = """
import os, signal, sys, time
from series_assets.pipeline.executors import RunningTasks, start_workers
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it may be ignored
with start_workers(2) as processes:
    tasks = RunningTasks(processes)
    for _ in range(2):
        tasks.submit("task", time.sleep, 60)
    print(*processes._pids, flush=True)
    tasks.next_finished()
"""


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_their_parent(ended_by: int) -> None:
    """On Ctrl-C, and if the parent is killed."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with program:
        assert program.stdout and program.stderr
        pids = list(map(int, program.stdout.readline().split()))
        assert len(pids) == 2 and all(map(is_running, pids))
        program.send_signal(ended_by)
        try:
            assert program.wait(timeout=30) != 0
        finally:
            program.kill()
        if ended_by == signal.SIGINT:
            assert "KeyboardInterrupt" in program.stderr.read()
    wait_until_gone(*pids)


INTERRUPTED = """
import os, signal, sys, threading
from series_assets.pipeline.executors import RunningTasks, start_workers

signal.signal(signal.SIGINT, signal.default_int_handler)
taken, interrupted_at = 0, 0

def interrupt(frame, event, argument):
    global taken
    if event == "return" and frame.f_code is threading.Condition.__enter__.__code__:
        taken += 1
        if taken == interrupted_at:
            signal.raise_signal(signal.SIGINT)
    return interrupt

def run():
    with start_workers(2) as processes:
        tasks = RunningTasks(processes)
        for label in range(3):
            tasks.submit(label, os.getpid)
        for _ in range(3):
            label, future = tasks.next_finished()
            future.result()

sys.settrace(interrupt)
while taken >= interrupted_at:
    taken, interrupted_at = 0, interrupted_at + 1
    try:
        run()
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_an_interrupt_never_keeps_a_lock() -> None:
    """Wherever the program takes one: a pool that needs it would never end."""
    program = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert program.stderr == "" and program.stdout.count("interrupted") >= 8


@pytest.mark.parametrize(
    ("periods", "rows", "executor", "workers"),
    [
        (10, 1_000, "auto", 1),  # starting a process takes longer than the work
        (10, 1_000, "none", 1),
        (10, 1_000, "processes:4", 4),
        (3, 1_000, "processes:4", 3),
        (60, 100, "auto", 4),  # small ones, but many
        (4, 50_000, "auto", 3),
        (1_000, 100, "auto", 8),  # each process needs memory
        (10, 100_000, "auto", 4),  # more would take much memory at once
        (10, 400_000, "auto", 1),
        (10, 400_000, "processes:4", 4),  # unless asked for
        (1, 50_000, "auto", 1),  # one period needs one process
    ],
)
def test_how_many_processes(
    monkeypatch: pytest.MonkeyPatch, periods: int, rows: int, executor: str, workers: int
) -> None:
    """If all eight cores are idle."""
    monkeypatch.setattr(executors, "idle_cores", lambda: 8)
    assert workers_for(periods, rows, executor) == workers


def test_an_executor_that_means_nothing_is_refused() -> None:
    """With the valid values."""
    with pytest.raises(ValueError, match="'dusk' is not known; use auto, none, processes:N or d"):
        workers_for(1, 1, "dusk")


@pytest.mark.parametrize(
    ("seconds", "cores", "idle"), [(0.0, 8, 8), (3.1, 8, 5), (20.0, 8, 1), (0.4, 1, 1)]
)
def test_idle_cores_are_those_that_others_leave(
    monkeypatch: pytest.MonkeyPatch, seconds: float, cores: int, idle: int
) -> None:
    """By the usage of other processes in the last second, within the allowed cores."""

    class Before:
        at, others = 5.0, 100.0

    class Now:
        at, others = 6.0, 100.0 + seconds

    monkeypatch.setattr(executors, "_last_usage", Before)
    monkeypatch.setattr(executors, "_Usage", Now)
    monkeypatch.setattr(executors, "available_cores", lambda: cores)
    assert executors.idle_cores() == idle


@pytest.mark.parametrize(
    ("files", "most"),
    [
        ({"cpu.max": "max 100000\n"}, 10**6),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"quota": "-1\n", "period": "100000\n"}, 10**6),
        ({"quota": "50000\n", "period": "100000\n"}, 1),
        ({}, 10**6),
    ],
)
def test_a_container_limits_the_cores(
    files: dict[str, str], most: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The quota of a control group, in both versions, is respected."""
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    names = (("cpu.max",), ("quota", "period"))
    paths = tuple(tuple(str(tmp_path / name) for name in group) for group in names)
    monkeypatch.setattr(executors, "_QUOTAS", paths)
    assert executors.available_cores() == min(most, len(os.sched_getaffinity(0)))


def test_the_processes_are_an_executor_like_any_other() -> None:
    """``map`` works too, so that another kind of executor can replace them."""
    processes = WorkerProcesses(2)
    try:
        assert list(processes.map(square, range(4))) == [0, 1, 4, 9]
    finally:
        processes.kill()

"""Periods in processes of their own: the same bytes, the same messages, nobody left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from series_assets.core.errors import GenerationError, InputError
from series_assets.core.records import as_text, combine
from series_assets.dagster import ops
from series_assets.dagster.generating import Request, generate_series
from series_assets.dagster.handles import Failed
from series_assets.dagster.resources import Progress
from series_assets.engine import libraries
from series_assets.engine.run import generate_new_records
from series_assets.pipeline.side_by_side import (
    made_one_by_one,
    made_side_by_side,
    workers_for,
)
from series_assets.settings import from_environment
from series_assets.storage import files, sqlite
from series_assets_tests.builders import a_series, a_user_input, files_in


class Heard(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def reached(self, key: str, phase: str) -> None:
        """Keep it."""
        self.told.append((key, phase))

    def noted(self, text: str) -> None:
        """Keep it."""
        self.told.append((text,))


def all_of(given: dict[str, Any], make: Any, workers: int = 2) -> list[tuple[str, Any]]:
    """Return what is made of a series called demo."""
    return list(made_side_by_side(given, make, Heard(), workers, "demo"))


def test_values_come_in_order_from_other_processes() -> None:
    """However long each takes; a process that is done goes on with the next period."""

    def make(key: str, value: float, _: Progress) -> tuple[str, int]:
        time.sleep(value)
        return key, os.getpid()

    made = all_of({"a": 0.3, "b": 0.0, "c": 0.1, "d": 0.0}, make)
    assert [key for key, _ in made] == ["a", "b", "c", "d"]
    assert [value[0] for _, value in made] == ["a", "b", "c", "d"]
    workers = [value[1] for _, value in made]
    assert len(set(workers) | {os.getpid()}) == 3
    assert workers[1:] == workers[1:2] * 3  # the first one is busy with the first period


def test_a_process_goes_on_with_what_it_has() -> None:
    """Nothing is loaded anew for the next period."""
    made_here: list[str] = []

    def make(key: str, value: int, _: Progress) -> list[str]:
        made_here.append(key)
        return made_here

    assert all_of({"a": 1, "b": 2, "c": 3}, make, 1)[-1] == ("c", ["a", "b", "c"])
    assert not made_here


def test_what_is_told_of_progress_reaches_the_parent() -> None:
    """Phases and notes."""
    heard = Heard()

    def make(key: str, value: int, progress: Progress) -> int:
        progress.reached(key, "new records")
        progress.noted(f"{key} has {value}")
        return value

    made = list(made_side_by_side({"a": 1, "b": 2}, make, heard, 2, "demo"))
    assert made == [("a", 1), ("b", 2)]
    for key, value in made:
        own = [told for told in heard.told if told[0].startswith(key)]
        assert own == [(key, "new records"), (f"{key} has {value}",)]


def test_a_failure_ends_it_after_the_periods_before() -> None:
    """Those after it are not waited for."""
    begun = time.monotonic()

    def make(key: str, value: float, _: Progress) -> str:
        time.sleep(value)
        if key == "b":
            raise GenerationError("demo, period b: a stone")
        return key

    made = all_of({"a": 0.5, "b": 0.0, "c": 60.0, "d": 60.0}, make)
    assert made == [("a", "a"), ("b", Failed("demo, period b: a stone", None))]
    assert time.monotonic() - begun < 30


def test_what_nobody_expected_is_told_with_its_trace() -> None:
    """As where it happens in the process itself."""

    def make(key: str, value: int, _: Progress) -> float:
        return 1 / value

    [(_, failed)] = all_of({"a": 0, "b": 1}, make)
    assert failed.message == (
        "demo, period a: failed unexpectedly: ZeroDivisionError: division by zero"
    )
    assert "in make" in failed.trace


def test_a_process_that_is_killed_is_told_with_what_to_do() -> None:
    """As the system does where memory runs out."""

    def make(key: str, value: int, _: Progress) -> int:
        if key == "b":
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    made = all_of({"a": 1, "b": 2, "c": 3}, make)
    assert made[0] == ("a", 1)
    assert made[1][1].message == (
        "demo, period b: its process was ended by signal 9, as when the memory is used up; make "
        "it again, with SERIES_ASSETS_WORKERS=1 if it happens again"
    )


def test_a_process_that_ends_otherwise_is_told_as_such() -> None:
    """Memory has nothing to do with it."""

    def make(key: str, value: int, _: Progress) -> None:
        os._exit(3)

    [(_, failed)] = all_of({"a": 1}, make)
    assert failed.message == (
        "demo, period a: its process ended with code 3; make it again, with "
        "SERIES_ASSETS_WORKERS=1 if it happens again"
    )


def test_nothing_is_begun_after_a_failure(tmp_path: Path) -> None:
    """While the periods before it are waited for."""

    def make(key: str, value: float, _: Progress) -> str:
        (tmp_path / key).touch()
        time.sleep(value)
        if key == "b":
            raise GenerationError("a stone")
        return key

    made = all_of({"a": 0.5, "b": 0.0, "c": 0.0, "d": 0.0}, make)
    assert [key for key, _ in made] == ["a", "b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_what_failed_before_goes_on_in_its_place() -> None:
    """As where the periods are made one after the other."""
    earlier = Failed("too few", None)
    given = {"a": 1, "b": earlier, "c": 3}

    def make(key: str, value: Any, _: Progress) -> int:
        return int(value)

    assert all_of(given, make) == [("a", 1), ("b", earlier)]
    assert list(made_one_by_one(given, make, Heard(), "demo")) == [("a", 1), ("b", earlier)]


def test_what_cannot_be_sent_is_told_as_such() -> None:
    """Not as a process that was ended."""

    def make(key: str, value: int, _: Progress) -> Any:
        return lambda: value

    [(_, failed)] = all_of({"a": 1}, make)
    assert failed.message.startswith("demo, period a: failed unexpectedly: ")
    assert "pickle" in failed.message


@pytest.mark.parametrize("started", [0, 1])
def test_fewer_processes_do_where_the_system_allows_no_more(
    monkeypatch: pytest.MonkeyPatch, started: int
) -> None:
    """Or none at all: then the periods are made here."""
    forks = iter(range(9))
    fork = os.fork

    def forked() -> int:
        if next(forks) >= started:
            raise BlockingIOError("Resource temporarily unavailable")
        return fork()

    def make(key: str, value: int, _: Progress) -> int:
        return os.getpid()

    monkeypatch.setattr("os.fork", forked)
    made = all_of({"a": 1, "b": 2}, make, 3)
    assert [key for key, _ in made] == ["a", "b"]
    assert ({pid for _, pid in made} == {os.getpid()}) is (not started)
    assert not multiprocessing.active_children()


def test_an_interrupt_while_the_processes_are_ended_leaves_none(tmp_path: Path) -> None:
    """Not even where it comes at the worst moment; the program ends all the same."""
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from multiprocessing.process import BaseProcess
from series_assets.dagster.resources import Progress
from series_assets.pipeline.side_by_side import made_side_by_side
killed = BaseProcess.kill
def interrupted(process):
    os.kill(os.getpid(), signal.SIGINT)
    killed(process)
BaseProcess.kill = interrupted
def make(key, value, progress):
    os.write(1, b"%d\\n" % os.getpid())
    return value
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it may be ignored
list(made_side_by_side(dict.fromkeys("abcd", 1), make, Progress(), 3, "demo"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert "KeyboardInterrupt" in done.stderr
    pids = set(map(int, done.stdout.split()))
    assert pids
    assert not [pid for pid in pids if _is_running(pid)]


def test_a_process_has_all_libraries_from_the_start(tmp_path: Path) -> None:
    """Loaded once, before it was forked, and not again by each."""
    libraries.load()
    series, before = a_series(), set(sys.modules)

    def make(key: str, value: int, _: Progress) -> list[str]:
        plan = series.plan(0)
        assert plan.new is not None
        source, scratch = tmp_path / "exhibit.db", tmp_path / f"{key}.db"
        sqlite.copy_for_run(source, scratch, plan.new.specification)
        texts = as_text(generate_new_records(plan, scratch).records)
        files.write_csv(tmp_path / f"{key}.csv", texts)
        combine([files.read_csv(tmp_path / f"{key}.csv")], 1)
        heavy = ("exhibit", "sklearn", "scipy", "series_assets")
        return [name for name in set(sys.modules) - before if name.split(".")[0] in heavy]

    sqlite.ensure(tmp_path / "exhibit.db")
    assert all_of({"a": 1, "b": 2}, make) == [("a", []), ("b", [])]


def test_children_end_with_their_parent() -> None:
    """Also where the parent is killed."""
    theirs, ours = os.pipe()

    def make(key: str, value: int, _: Progress) -> None:
        os.write(ours, f"{os.getpid()}\n".encode())
        time.sleep(60)

    parent = os.fork()
    if not parent:
        try:
            all_of({"a": 1, "b": 2}, make)
        finally:
            os._exit(0)
    told = b""
    while told.count(b"\n") < 2:
        told += os.read(theirs, 100)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    for child in map(int, told.split()):
        until = time.monotonic() + 30
        while _is_running(child):
            assert time.monotonic() < until
            time.sleep(0.01)


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_bytes_are_the_same_with_any_number_of_workers(tmp_path: Path, workers: int) -> None:
    """Also more workers than periods."""
    folder = tmp_path / str(workers)
    generate_series(Request(a_series(), folder, workers=workers))
    generate_series(Request(a_series(), tmp_path / "plain"))
    assert files_in(folder) == files_in(tmp_path / "plain")
    assert not (folder / ".runs").exists()


def test_a_failure_side_by_side_reads_as_it_does_alone(tmp_path: Path) -> None:
    """Message and files."""
    told = {}
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        (folder / "demo" / "dataset_3.csv").mkdir(parents=True)
        with pytest.raises(GenerationError) as failure:
            generate_series(Request(a_series(), folder, workers=workers))
        told[workers] = str(failure.value).replace(str(folder), "")
        assert not (folder / ".runs").exists()
    assert told[1] == told[3]
    assert files_in(tmp_path / "1") == files_in(tmp_path / "3")


@pytest.mark.parametrize(
    ("periods", "rows", "wanted", "workers"),
    [
        (10, 1_000, None, 1),  # a start costs more than they take
        (10, 1_000, 4, 4),
        (3, 1_000, 4, 3),
        (60, 100, None, 4),  # small ones, but many
        (4, 50_000, None, 3),
        (1_000, 100, None, 8),  # each takes memory of its own
        (10, 50_000, None, 4),  # more would take much memory at once
        (10, 200_000, None, 1),
        (10, 200_000, 4, 4),  # unless asked for
        (1, 50_000, None, 1),  # one period needs no company
    ],
)
def test_how_many_workers(
    monkeypatch: pytest.MonkeyPatch, periods: int, rows: int, wanted: int | None, workers: int
) -> None:
    """Where all of eight cores are idle."""
    monkeypatch.setattr("series_assets.pipeline.side_by_side.idle_cores", lambda: 8)
    assert workers_for(periods, rows, wanted) == workers


@pytest.mark.parametrize("part", ["the draw", "the existing records"])
def test_a_failure_of_an_earlier_op_reads_as_it_does_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """It is what the last op of a dataset is given for its period."""
    place = {
        "the draw": "series_assets.dagster.ops._drawn",
        "the existing records": "series_assets.dagster.ops._made_existing",
    }[part]
    function = {"the draw": ops._drawn, "the existing records": ops._made_existing}[part]

    def failing(series: Any, plan: Any, *more: Any) -> Any:
        if plan.k == 2:
            raise GenerationError("a stone")
        return function(series, plan, *more)

    monkeypatch.setattr(place, failing)
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        with pytest.raises(GenerationError, match=r"^demo, period 2024-03-01: a stone$"):
            generate_series(Request(a_series(), folder, workers=workers))
    assert files_in(tmp_path / "1") == files_in(tmp_path / "3")


@pytest.mark.parametrize(("text", "workers"), [("", None), ("auto", None), ("1", 1), ("12", 12)])
def test_the_setting(text: str, workers: int | None) -> None:
    """A number, or auto."""
    assert from_environment({"SERIES_ASSETS_WORKERS": text}).workers == workers


@pytest.mark.parametrize("text", ["two", "0", "-1", "1.5"])
def test_a_setting_that_means_nothing_is_refused(text: str) -> None:
    """With what would do."""
    with pytest.raises(InputError) as refused:
        from_environment({"SERIES_ASSETS_WORKERS": text})
    assert str(refused.value) == (
        f"SERIES_ASSETS_WORKERS: '{text}' is no number of periods to make at once; use 1, 2, … "
        "or auto"
    )


def test_the_series_needs_no_more_than_its_periods(tmp_path: Path) -> None:
    """A series of one period is made as ever."""
    series = a_series(user_input=a_user_input(num_datasets=1))
    made = generate_series(Request(series, tmp_path, workers=4))
    assert [path.name for path in made] == ["dataset_1.csv"]

"""Runs from the command line that an instance records, and how interrupted ones end."""

import os
import signal
import time
from pathlib import Path
from typing import Any, NoReturn

import dagster as dg
import pytest

from series_assets.core.errors import GenerationError
from series_assets.dagster.recorded_run import generate_recorded
from series_assets.pipeline.progress import Progress
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, a_specification


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an instance."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return folder


def _generate(folder: Path) -> None:
    series = a_series(a_specification(number_of_rows=20))
    generate_recorded(series, series.calendar.periods[:1], Workspace(folder), Progress())


def test_a_run_that_is_interrupted_before_it_starts_is_canceled(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the sensor would wait for it."""

    def interrupted(job: dg.JobDefinition, instance: Any, run_id: str, **_: Any) -> NoReturn:
        instance.create_run_for_job(job, run_id=run_id)
        raise KeyboardInterrupt

    monkeypatch.setattr(dg.JobDefinition, "execute_in_process", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _generate(tmp_path / "data")
    with dg.DagsterInstance.get() as instance:
        [run] = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.CANCELED


@pytest.mark.parametrize(
    ("raised", "expected"), [(KeyboardInterrupt, KeyboardInterrupt), (ValueError, GenerationError)]
)
def test_a_run_that_fails_before_its_first_step_says_why(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    raised: type[BaseException],
    expected: type[BaseException],
) -> None:
    """An interrupt is one, and any other failure has its message."""

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise raised("no resource")

    monkeypatch.setattr("dagster._core.executor.in_process.inner_plan_execution_iterator", fail)
    with pytest.raises(expected) as caught:
        _generate(tmp_path / "data")
    if expected is GenerationError:
        assert "the run failed unexpectedly: ValueError: no resource" in str(caught.value)


class _Interrupted(Progress):
    """Interrupts a run at the beginning of its second period."""

    def reached(self, key: str, phase: str) -> None:
        """Raise what Ctrl-C does."""
        if key == "2024-02-01":
            raise KeyboardInterrupt


def test_after_an_interrupt_nothing_more_is_generated(home: Path, tmp_path: Path) -> None:
    """Not even the periods before, of which a failure would leave the rest to be done."""
    series = a_series(a_specification(number_of_rows=20))
    with pytest.raises(KeyboardInterrupt):
        generate_recorded(series, series.calendar.periods, Workspace(tmp_path), _Interrupted())
    with dg.DagsterInstance.get() as instance:
        assert len(instance.get_runs()) == 1


class _Freed:
    """An object that is interrupted while Python frees it, which ignores the exception."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)


class _InterruptedWhileFreeing(Progress):
    """Interrupts a run where Python ignores it, at the beginning of its second period."""

    def reached(self, key: str, phase: str) -> None:
        """Free an object."""
        if key == "2024-02-01":
            _Freed()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_ignores_ends_the_run(home: Path, tmp_path: Path) -> None:
    """When the next phase begins."""
    series = a_series(a_specification(number_of_rows=20))
    progress = _InterruptedWhileFreeing()
    with pytest.raises(KeyboardInterrupt):
        generate_recorded(series, series.calendar.periods, Workspace(tmp_path), progress)


class _Children(Progress):
    """Notes the processes that this one has started at the beginning of each phase."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def reached(self, key: str, phase: str) -> None:
        """Note them."""
        for task in Path("/proc/self/task").iterdir():
            self.found += (task / "children").read_text(encoding="ascii").split()


def test_a_step_starts_no_processes(home: Path, tmp_path: Path) -> None:
    """They would get the Ctrl-C of a terminal too, and print tracebacks."""
    series = a_series(a_specification(number_of_rows=20))
    before = _Children()
    before.reached("", "")
    during = _Children()
    generate_recorded(series, series.calendar.periods[:1], Workspace(tmp_path), during)
    assert set(during.found) == set(before.found)

"""Runs from the command line that an instance records, and how interrupted ones end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import dagster as dg
import pytest

from series_assets.core.errors import GenerationError
from series_assets.dagster.recorded_run import generate_recorded
from series_assets.pipeline.progress import Progress
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, a_specification, a_user_input, write_series


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


def test_an_interrupt_from_the_terminal_is_one_line(home: Path, tmp_path: Path) -> None:
    """It reaches all processes of a group, of which none prints a traceback."""
    long = a_user_input(num_datasets=60)
    write_series(tmp_path / "series", a_specification(number_of_rows=2_000), long)
    settings = {
        "SERIES_ASSETS_SERIES_DIR": str(tmp_path / "series"),
        "SERIES_ASSETS_DATA_DIR": str(tmp_path / "data"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from series_assets.__main__ import run; run()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "generate", "demo", "--quiet"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | settings,
    ) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "data" / "demo" / "new_records" / "dataset_2.csv").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        _, shown = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in shown
    assert shown.splitlines()[-1] == "interrupted; run it again to generate what is missing"

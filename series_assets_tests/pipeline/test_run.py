"""A range of periods: the same bytes for any number of processes, and after any failure."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.plan.series import Plan, Series
from series_assets.interface import generate
from series_assets.pipeline import dataset, new_records
from series_assets.pipeline.progress import PHASES, FinishedPhase, Progress
from series_assets_tests.builders import a_series, a_user_input, files_in
from series_assets_tests.thorough import thorough

EXECUTORS = ("none", "processes:3")
THIRD = "2024-03-01"


class RecordingProgress(Progress):
    """A progress that records what is reported."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, str]] = []
        self.results: list[FinishedPhase] = []
        self.notes: list[str] = []

    def reached(self, key: str, phase: str) -> None:
        """Record a phase."""
        self.phases.append((key, phase))

    def finished(self, result: FinishedPhase) -> None:
        """Record the result of a phase."""
        self.results.append(result)

    def noted(self, text: str) -> None:
        """Record a note."""
        self.notes.append(text)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the files of a series generated period by period in this process."""
    folder = tmp_path_factory.mktemp("expected")
    generate(a_series(), folder, executor="none")
    return files_in(folder)


@pytest.mark.parametrize("workers", [2, *thorough(5)])
def test_the_bytes_are_the_same_in_any_number_of_processes(
    tmp_path: Path, expected: dict[str, bytes], workers: int
) -> None:
    """Also with more processes than periods, and without temporary files left."""
    generate(a_series(), tmp_path, executor=f"processes:{workers}")
    assert files_in(tmp_path) == expected
    assert not (tmp_path / ".runs").exists()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_each_phase_of_each_period_is_reported_once(tmp_path: Path, executor: str) -> None:
    """So that a progress bar reaches its end; in one process in the order of periods."""
    series, heard = a_series(), RecordingProgress()
    generate(series, tmp_path, executor=executor, progress=heard)
    wanted = [(key, phase) for key in series.calendar.keys for phase in PHASES]
    assert sorted(heard.phases) == sorted(wanted)
    assert executor != "none" or heard.phases == wanted
    assert sorted((one.period.key, one.phase) for one in heard.results) == sorted(wanted)
    [third] = [one for one in heard.results if (one.period.key, one.phase) == (THIRD, "dataset")]
    assert str(third) == (
        f"dataset 3 of 4: {THIRD}, 20 new and 40 existing rows, {third.seconds:.1f} s"
    )


def _failing(function: Any, error: Exception) -> Any:
    def failing(series: Series, plan: Plan, *more: Any) -> Any:
        if plan.period.key == THIRD:
            raise error
        return function(series, plan, *more)

    return failing


@pytest.mark.each_value
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    ("module", "part"),
    [
        (new_records, "make_new_records"),
        (new_records, "write_new_records"),
        (dataset, "make_dataset"),
    ],
)
def test_the_periods_before_a_failure_are_complete(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expected: dict[str, bytes],
    module: ModuleType,
    part: str,
    executor: str,
) -> None:
    """Whichever part fails; once it is fixed, the rest follows with the same bytes."""
    broken = _failing(getattr(module, part), GenerationError("a stone"))
    with monkeypatch.context() as patch:
        patch.setattr(module, part, broken)
        with pytest.raises(GenerationError, match=rf"^demo, period {THIRD}: a stone$"):
            generate(a_series(), tmp_path, executor=executor)
    generated = files_in(tmp_path)
    for number in (1, 2):
        for name in (f"dataset_{number}.csv", f"new_records/dataset_{number}.csv"):
            assert generated[f"demo/{name}"] == expected[f"demo/{name}"]
    assert "demo/dataset_3.csv" not in generated
    assert not (tmp_path / ".runs").exists()
    generate(a_series(), tmp_path, f"{THIRD}..2024-04-01", executor=executor)
    assert files_in(tmp_path) == expected


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_unexpected_error_names_the_period_and_keeps_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    """Equally from another process."""
    broken = _failing(new_records.make_new_records, ZeroDivisionError("division by zero"))
    monkeypatch.setattr(new_records, "make_new_records", broken)
    with pytest.raises(GenerationError) as caught:
        generate(a_series(), tmp_path, executor=executor)
    assert str(caught.value) == (
        f"demo, period {THIRD}: failed unexpectedly: ZeroDivisionError: division by zero"
    )
    assert "in failing" in caught.value.trace  # type: ignore[attr-defined]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_place_that_is_taken_fails_its_period_alone(tmp_path: Path, executor: str) -> None:
    """For a folder in place of the dataset, message and files are the same either way."""
    (tmp_path / "demo" / "dataset_3.csv").mkdir(parents=True)
    with pytest.raises(GenerationError) as caught:
        generate(a_series(), tmp_path, executor=executor)
    where = f"demo, period {THIRD}: {tmp_path}/demo/dataset_3.csv: cannot be written: "
    assert str(caught.value).startswith(where)
    assert (tmp_path / "demo" / "dataset_2.csv").is_file()


def test_a_range_needs_the_periods_before_it(tmp_path: Path) -> None:
    """The message says which to generate first, and nothing is left behind."""
    with pytest.raises(RequestError, match=r"first generate 2024-01-01\.\.2024-02-01"):
        generate(a_series(), tmp_path, THIRD)
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_series_of_one_period(tmp_path: Path, executor: str) -> None:
    """It is generated like any other."""
    series = a_series(user_input=a_user_input(num_datasets=1))
    generated = generate(series, tmp_path, executor=executor)
    assert [path.name for path in generated] == ["dataset_1.csv"]


def test_records_in_memory_are_those_of_the_files(tmp_path: Path) -> None:
    """Records passed between phases equal those that a consumer reads."""
    from series_assets.pipeline.workspace import Workspace

    series, workspace = a_series(), Workspace(tmp_path)
    generate(series, tmp_path, executor="none")
    period = series.calendar.period(1)
    with workspace.scratch() as folder:
        new = new_records.make_new_records(series, series.plan(1), workspace, folder)
        whole = dataset.make_dataset(series, series.plan(1), new.texts, workspace, folder)
    read = workspace.read_new_records(series, period)
    assert new.texts is not None
    assert new.texts == read
    assert whole.texts.column_names == read.column_names

"""A period that fails in the middle of a range: earlier ones count, and a retry continues."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from series_assets.core.errors import GenerationError
from series_assets.core.plan.series import Series
from series_assets.dagster.build import build_definitions
from series_assets.dagster.recorded_run import generate_recorded
from series_assets.interface import generate
from series_assets.pipeline.progress import Progress
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, files_in
from series_assets_tests.thorough import thorough

ALL = ("new_records", "reference_table", "dataset")
FIRST, SECOND, THIRD, FOURTH = KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")


class FailOnce(Progress):
    """A progress that fails in one phase of one period while it is set to."""

    def __init__(self, key: str, phase: str, error: Exception) -> None:
        self.place = (key, phase)
        self.error: Exception | None = error
        self.passed: list[tuple[str, str]] = []
        """What was begun before, in its order."""

    def reached(self, key: str, phase: str) -> None:
        """Fail in that phase."""
        if (key, phase) == self.place and self.error:
            raise self.error
        self.passed.append((key, phase))


class FailingSeries:
    """A series that fails, its folder and an instance that records its runs."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance, progress: Progress) -> None:
        self.folder = folder
        self.instance = instance
        workspace = Workspace(folder)
        self.definitions = build_definitions(
            [a_series()], {"workspace": workspace, "progress": progress}
        )

    def materialize(
        self, first: str, last: str, assets: tuple[str, ...] = ALL
    ) -> list[dg.DagsterEvent]:
        """Materialize a range in one run and return the failures of its steps."""
        result = self.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey(["demo", asset]) for asset in assets],
            tags={
                "dagster/asset_partition_range_start": first,
                "dagster/asset_partition_range_end": last,
            },
            raise_on_error=False,
        )
        return [event for event in result.all_events if event.is_step_failure]

    def recorded_partitions(self, asset: str) -> list[str]:
        """Return the partitions recorded as materialized, sorted."""
        return sorted(self.instance.get_materialized_partitions(dg.AssetKey(["demo", asset])))

    @property
    def files(self) -> dict[str, bytes]:
        """All files except the database."""
        return files_in(self.folder)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that keeps its records in a folder, as that of a webserver does."""
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield instance


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the complete series, from an undisturbed run."""
    folder = tmp_path_factory.mktemp("expected")
    generate(series=a_series(), data_dir=folder)
    return files_in(folder)


def of_first(files: dict[str, bytes], count: int) -> dict[str, bytes]:
    """Return the files of the first datasets."""
    names = {f"dataset_{number}" for number in range(1, count + 1)}
    return {path: data for path, data in files.items() if Path(path).name.split(".")[0] in names}


@pytest.mark.parametrize(
    ("phase", "finished"),
    [
        ("dataset", {"new_records": 4, "reference_table": 4, "dataset": 2}),
        *thorough(
            ("new records", {"new_records": 2, "reference_table": 0, "dataset": 0}),
            ("reference table", {"new_records": 4, "reference_table": 2, "dataset": 0}),
        ),
    ],
)
def test_the_periods_before_a_failure_are_made_and_a_retry_goes_on(
    tmp_path: Path,
    instance: dg.DagsterInstance,
    expected: dict[str, bytes],
    phase: str,
    finished: dict[str, int],
) -> None:
    """They are recorded and on disk, and a run of the missing ones completes the series."""
    progress = FailOnce(THIRD, phase, GenerationError("a stone"))
    stage = FailingSeries(tmp_path / "data", instance, progress)
    [failure] = stage.materialize(FIRST, FOURTH)
    reported = failure.step_failure_data.user_failure_data
    assert reported is not None
    assert reported.description == "demo, period 2024-03-01: a stone"
    assert {asset: len(stage.recorded_partitions(asset)) for asset in ALL} == finished
    for asset in ALL:
        assert stage.recorded_partitions(asset) == list(KEYS[: finished[asset]])
    assert not (stage.folder / ".runs").exists()
    datasets = {path for path in stage.files if path.startswith("demo/dataset_") and ".csv" in path}
    assert len(datasets) == finished["dataset"]
    assert stage.files.items() <= expected.items()

    progress.error = None
    for asset in ALL:
        missing = [key for key in KEYS if key not in stage.recorded_partitions(asset)]
        if missing:
            assert stage.materialize(missing[0], missing[-1], (asset,)) == []
    assert stage.files == expected


@pytest.mark.thorough
def test_partitions_before_a_failure_are_not_stale(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """Dagster has its data versions, as after a successful run."""
    progress = FailOnce(THIRD, "dataset", GenerationError("a stone"))
    stage = FailingSeries(tmp_path / "data", instance, progress)
    assert stage.materialize(FIRST, FOURTH)
    graph = stage.definitions.resolve_asset_graph()
    statuses = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    key = dg.AssetKey(["demo", "dataset"])
    found = [statuses.get_status(key, partition) for partition in KEYS]
    assert found == [StaleStatus.FRESH] * 2 + [StaleStatus.MISSING] * 2


@pytest.mark.thorough
def test_partitions_before_a_failure_have_their_metadata(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """Each has its own numbers."""
    progress = FailOnce(THIRD, "dataset", GenerationError("a stone"))
    stage = FailingSeries(tmp_path / "data", instance, progress)
    stage.materialize(FIRST, FOURTH)
    records = instance.fetch_materializations(dg.AssetKey(["demo", "dataset"]), 10).records
    reported = {
        record.partition_key: record.asset_materialization.metadata["existing_rows"].value
        for record in records
        if record.asset_materialization
    }
    assert reported == {FIRST: 0, SECOND: 40}


def test_an_unexpected_error_has_its_period_and_traceback(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """The message has the period, the metadata the traceback."""
    progress = FailOnce(SECOND, "dataset", ZeroDivisionError("by nothing"))
    stage = FailingSeries(tmp_path / "data", instance, progress)
    [failure] = stage.materialize(FIRST, THIRD)
    reported = failure.step_failure_data.user_failure_data
    assert reported is not None
    assert reported.description == (
        "demo, period 2024-02-01: failed unexpectedly: ZeroDivisionError: by nothing"
    )
    assert "in reached" in str(reported.metadata["traceback"].value)


def recorded(series: Series, folder: Path, progress: Progress) -> None:
    """Generate a series as the command line does with DAGSTER_HOME."""
    generate_recorded(series, series.calendar.periods, Workspace(folder), progress)


def not_recorded(series: Series, folder: Path, progress: Progress) -> None:
    """Generate a series as the command line does without DAGSTER_HOME."""
    generate(series, folder, progress=progress)


@pytest.mark.thorough
@pytest.mark.each_value
@pytest.mark.parametrize("make", [recorded, not_recorded])
@pytest.mark.parametrize("phase", ["new records", "dataset"])
def test_the_command_line_finishes_the_periods_before_a_failure(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expected: dict[str, bytes],
    phase: str,
    make: Callable[[Series, Path, Progress], None],
) -> None:
    """Their datasets are usable, whichever part failed; none is generated twice."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    progress = FailOnce(THIRD, phase, GenerationError("a stone"))
    with pytest.raises(GenerationError, match=r"^demo, period 2024-03-01: a stone$"):
        make(a_series(), tmp_path / "data", progress)
    generated = files_in(tmp_path / "data")
    assert of_first(generated, 2) == of_first(expected, 2)
    assert not any(path.startswith("demo/dataset_3.csv") for path in generated)
    assert len(progress.passed) == len(set(progress.passed))

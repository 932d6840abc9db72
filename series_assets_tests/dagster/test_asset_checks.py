"""The asset checks in a real Dagster instance: the results recorded for each partition."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from series_assets.checks.rules import RULES, rules_of
from series_assets.core.plan.series import Series
from series_assets.dagster.build import build_definitions
from series_assets.interface import generate
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, files_in

FIRST, SECOND, THIRD, FOURTH = KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
DATASET = dg.AssetKey(["demo", "dataset"])
NAMES = (
    "same_columns",
    "counts",
    "identifiers",
    "repetitions",
    "static_columns",
    "dates",
    "fresh_values",
)


def range_of(first: str, last: str) -> dict[str, str]:
    """Return the tags of a run of a range."""
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }


class Bench:
    """A data folder and a Dagster instance to generate and check a series in."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance, series: Series) -> None:
        self.folder = folder
        self.instance = instance
        workspace = Workspace(folder)
        self.job = build_definitions(
            [series], {"workspace": workspace}
        ).resolve_implicit_global_asset_job_def()

    def make(self, **how: Any) -> dg.ExecuteInProcessResult:
        """Generate and check periods; all must succeed."""
        return self.job.execute_in_process(instance=self.instance, **how)

    def check(self, *names: str, **how: Any) -> dg.ExecuteInProcessResult:
        """Run only the checks."""
        keys = {dg.AssetCheckKey(DATASET, name) for name in names}
        job = self.job.get_subset(asset_selection=set(), asset_check_selection=keys)
        return job.execute_in_process(instance=self.instance, **how)

    def recorded(self, name: str) -> list[Any]:
        """Return the executions of a check, the newest first."""
        storage = self.instance.event_log_storage
        return list(
            storage.get_asset_check_execution_history(dg.AssetCheckKey(DATASET, name), limit=50)
        )

    def statuses(self, name: str) -> dict[str | None, str]:
        """Return the result of the last execution of a check, by partition."""
        return {one.partition: one.status.value for one in reversed(self.recorded(name))}

    def spoil(self, number: int) -> None:
        """Write a date of a dataset in another form."""
        path = self.folder / "demo" / f"dataset_{number}.csv"
        text = path.read_text(encoding="utf-8")
        day = f"2024-{number:02}-05"
        assert day in text
        path.write_text(text.replace(day, f"05/{number:02}/2024"), encoding="utf-8")


@contextmanager
def bench_in(folder: Path) -> Iterator[Bench]:
    """Yield a data folder and an instance with its own database, both in a folder."""
    overrides = {"telemetry": {"enabled": False}}
    with (
        pytest.MonkeyPatch.context() as patch,
        dg.DagsterInstance.local_temp(str(folder), overrides=overrides) as instance,
    ):
        patch.delenv("DAGSTER_HOME", raising=False)
        patch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
        yield Bench(folder / "data", instance, a_series())


@pytest.fixture(scope="module")
def folder_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a range of all four periods was generated and checked, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    with bench_in(folder) as bench:
        result = bench.make(tags=range_of(FIRST, FOURTH))
    assert len(result.get_asset_check_evaluations()) == 4 * len(NAMES)
    return folder


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An empty data folder and an instance with its own database."""
    with bench_in(tmp_path) as bench:
        yield bench


@pytest.fixture
def checked_bench(folder_made: Path, tmp_path: Path) -> Iterator[Bench]:
    """The same, after a run that generated and checked all four periods."""
    shutil.copytree(folder_made, tmp_path, dirs_exist_ok=True)
    with bench_in(tmp_path) as bench:
        yield bench


def test_every_rule_of_a_series_is_a_check_on_its_dataset() -> None:
    """With a description; no other asset has checks."""
    graph = build_definitions([a_series()]).resolve_asset_graph()
    assert {(key.asset_key, key.name) for key in graph.asset_check_keys} == {
        (DATASET, name) for name in NAMES
    }
    for key in graph.asset_check_keys:
        node = graph.get(key)
        assert node.description == RULES[key.name]
        assert not node.blocking
    assert rules_of(a_series()) == NAMES


def test_definitions_can_be_built_without_checks() -> None:
    """As the command line does."""
    definitions = build_definitions([a_series()], checks=False)
    assert not definitions.resolve_asset_graph().asset_check_keys


def test_loading_the_definitions_imports_no_library_for_data() -> None:
    """Nor the readers that the checks need."""
    program = (
        "import sys, series_assets.definitions; "
        "print([name for name in ('numpy', 'pandas', 'pyarrow', 'exhibit') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_materializing_one_partition_checks_it(bench: Bench) -> None:
    """The result is recorded for the partition and refers to its materialization."""
    result = bench.make(partition_key=FIRST)
    assert len(result.get_asset_check_evaluations()) == len(NAMES)
    for name in NAMES:
        assert bench.statuses(name) == {FIRST: "SUCCEEDED"}
        evaluation = bench.recorded(name)[0].evaluation
        target = evaluation.target_materialization_data
        assert target is not None and target.run_id == result.run_id
        assert evaluation.severity == dg.AssetCheckSeverity.ERROR


def test_a_passing_check_shows_the_examined_rows(checked_bench: Bench) -> None:
    """The number of rows examined, and a sentence."""
    evaluation = checked_bench.recorded("counts")[-2].evaluation
    assert evaluation.description == "60 rows, none wrong"
    assert {key: value.value for key, value in evaluation.metadata.items()} == {
        "period": SECOND,
        "rows_checked": 60,
        "rows_failed": 0,
        "new_rows_requested": 20,
        "new_rows_delivered": 20,
        "existing_rows_requested": 40,
        "existing_rows_delivered": 40,
        "fraction_of_new_requested": "1/3",
    }


def test_a_range_in_one_run_has_a_result_for_each_partition(checked_bench: Bench) -> None:
    """No result stays planned, and none is without a partition."""
    for name in NAMES:
        assert checked_bench.statuses(name) == dict.fromkeys(KEYS, "SUCCEEDED")
        targets = [
            one.evaluation.target_materialization_data for one in checked_bench.recorded(name)
        ]
        assert len({target.storage_id for target in targets}) == 4


@pytest.mark.thorough
def test_a_middle_range_leaves_the_other_results_alone(checked_bench: Bench) -> None:
    """Also when partitions are regenerated one by one or in ranges."""
    checked_bench.make(tags=range_of(SECOND, THIRD))
    found = checked_bench.recorded("dates")
    assert [one.partition for one in found] == [THIRD, SECOND, FOURTH, THIRD, SECOND, FIRST]


def test_a_failing_check_has_examples_and_fails_no_run(checked_bench: Bench) -> None:
    """With examples as a table; the other partitions of the range pass."""
    checked_bench.spoil(3)
    result = checked_bench.check("dates", tags=range_of(FIRST, FOURTH))
    assert result.success
    assert checked_bench.statuses("dates") == {
        FIRST: "SUCCEEDED",
        SECOND: "SUCCEEDED",
        THIRD: "FAILED",
        FOURTH: "SUCCEEDED",
    }
    evaluation = checked_bench.recorded("dates")[1].evaluation
    assert evaluation.partition == THIRD
    spoilt = (
        (checked_bench.folder / "demo/dataset_3.csv")
        .read_text(encoding="utf-8")
        .count("05/03/2024")
    )
    assert evaluation.metadata["rows_failed"].value == spoilt
    table = evaluation.metadata["examples"]
    assert [column.name for column in table.schema.columns] == [
        "identifier",
        "column",
        "found",
        "expected",
    ]
    assert 0 < len(table.records) <= 5
    assert {record.data["found"] for record in table.records} == {"05/03/2024"}
    assert evaluation.description.startswith(f"{spoilt} of 60 rows wrong, such as ")


def test_a_regenerated_dataset_passes_again(checked_bench: Bench) -> None:
    """The latest result counts."""
    checked_bench.spoil(3)
    checked_bench.check("dates", partition_key=THIRD)
    assert checked_bench.statuses("dates")[THIRD] == "FAILED"
    checked_bench.make(partition_key=THIRD, asset_selection=[DATASET])
    assert checked_bench.statuses("dates")[THIRD] == "SUCCEEDED"


@pytest.mark.thorough
def test_one_asset_alone_is_checked_only_if_it_is_the_dataset(bench: Bench) -> None:
    """And not even then, if checks are deselected."""
    bench.make(partition_key=FIRST)
    new_records = dg.AssetKey(["demo", "new_records"])
    result = bench.make(partition_key=FIRST, asset_selection=[new_records])
    assert not result.get_asset_check_evaluations()
    result = bench.make(partition_key=FIRST, asset_selection=[DATASET])
    assert len(result.get_asset_check_evaluations()) == len(NAMES)
    job = bench.job.get_subset(asset_selection={DATASET}, asset_check_selection=set())
    result = job.execute_in_process(instance=bench.instance, partition_key=FIRST)
    assert not result.get_asset_check_evaluations()


@pytest.mark.thorough
def test_checks_without_a_partition_cover_all_periods(bench: Bench) -> None:
    """Each period has its result, and one summarizes all of them."""
    bench.check("dates", "counts")
    assert bench.statuses("dates") == {None: "FAILED"}
    evaluation = bench.recorded("dates")[0].evaluation
    assert evaluation.description == "there is no dataset yet; materialize a period first"

    bench.make(tags=range_of(FIRST, THIRD))
    bench.check("dates", "counts")
    assert bench.statuses("counts")[None] == "SUCCEEDED"
    assert bench.recorded("counts")[-1].status.value == "FAILED"
    bench.spoil(2)
    bench.check("dates", "counts")
    assert bench.statuses("dates") == {
        None: "FAILED",
        FIRST: "SUCCEEDED",
        SECOND: "FAILED",
        THIRD: "SUCCEEDED",
    }
    [overall] = [one for one in bench.recorded("dates")[:4] if one.partition is None]
    assert overall.evaluation.description == f"does not hold in 1 of 3 periods: {SECOND}"


def test_a_missing_file_fails_the_check_with_the_remedy(checked_bench: Bench) -> None:
    """The run itself succeeds."""
    path = checked_bench.folder / "demo" / "dataset_2.csv"
    path.unlink()
    assert checked_bench.check("counts", partition_key=SECOND).success
    evaluation = checked_bench.recorded("counts")[0].evaluation
    assert not evaluation.passed
    assert evaluation.description == f"{path} is missing; generate dataset of {SECOND}"
    assert dict(evaluation.metadata) == {"period": dg.TextMetadataValue(SECOND)}


@pytest.mark.thorough
def test_checks_leave_the_files_as_they_are(checked_bench: Bench) -> None:
    """They only read."""
    before = files_in(checked_bench.folder)
    checked_bench.check(*NAMES, tags=range_of(FIRST, FOURTH))
    assert files_in(checked_bench.folder) == before
    assert {path.name for path in checked_bench.folder.iterdir()} == {"demo", "exhibit.db"}


def test_the_command_line_checks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It only generates periods; ``series-assets check`` does the rest."""
    checked: list[object] = []
    monkeypatch.setattr(
        "series_assets.dagster.asset_checks.check_periods", lambda *given: checked.append(given)
    )
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    generate(series=a_series(), data_dir=tmp_path)
    assert checked == []

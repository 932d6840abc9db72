"""The assets ``state``, ``truth`` and ``manifest`` write the files of the command line."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from series_assets.core.errors import GenerationError
from series_assets.core.plan.series import Series
from series_assets.dagster.assets import NAMES, code_version, keys_of, names_of
from series_assets.dagster.build import build_definitions
from series_assets.dagster.handles import StateSnapshot
from series_assets.dagster.partitions import partitions_of
from series_assets.dagster.recorded_run import generate_recorded
from series_assets.dagster.sensors import next_request
from series_assets.interface import generate, truth
from series_assets.pipeline.progress import Progress
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, a_user_input, files_in
from series_assets_tests.thorough import thorough

FIRST, SECOND, THIRD, FOURTH = KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
PAGE = (Path(__file__).parents[2] / "docs" / "ground-truth.md").read_text(encoding="utf-8")
[RECIPE] = re.findall(
    r"^`defs/deliveries.py`:\n\n```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE
)
HISTORY = ("state", "truth", "manifest")
ALL = (*NAMES, *HISTORY)
TRUTH = {"order_by": "date", "write": ["scd2"]}


def history_series(**keys: Any) -> Series:
    """Return a series with a history and manifests."""
    return a_series(user_input=a_user_input(**{"truth": TRUTH, "manifest": True} | keys))


class FailsOnce(Progress):
    """A progress that fails in one phase of one period while ``error`` is set."""

    def __init__(self, key: str, phase: str) -> None:
        self.place = (key, phase)
        self.error: Exception | None = GenerationError("no space left")

    def reached(self, key: str, phase: str) -> None:
        """Fail in that phase."""
        if (key, phase) == self.place and self.error:
            raise self.error


class Bench:
    """A data folder and a Dagster instance to materialize assets in."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance
        self.progress: Progress | None = None

    def definitions(self, series: Series) -> dg.Definitions:
        """Return the definitions of a series in this folder."""
        resources = {"workspace": Workspace(self.folder), "progress": self.progress}
        return build_definitions([series], resources)

    def run(
        self,
        first: str,
        last: str | None = None,
        assets: tuple[str, ...] = ALL,
        series: Series | None = None,
        besides: dg.Definitions | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Materialize assets of one partition, or of a range in one run."""
        definitions = self.definitions(series or history_series())
        selection = keys_of("demo", names=assets)
        if besides:
            definitions = dg.Definitions.merge(definitions, besides)
            selection += [asset.key for asset in besides.assets or []]  # type: ignore[union-attr]
        tags = {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last or "",
        }
        return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=selection,
            partition_key=None if last else first,
            tags=tags if last else None,
            raise_on_error=False,
        )

    def refusal(self, *args: Any, **kwargs: Any) -> str:
        """Run what must fail, and return the reason that the UI shows."""
        result = self.run(*args, **kwargs)
        [failed] = [event for event in result.all_events if event.is_step_failure]
        failure = failed.step_failure_data.user_failure_data
        assert failure is not None, failed.step_failure_data.error
        return str(failure.description)

    def recorded(self, asset: str) -> list[str]:
        """Return the partitions recorded as materialized, sorted."""
        return sorted(self.instance.get_materialized_partitions(dg.AssetKey(["demo", asset])))

    def metadata(self, asset: str, key: str) -> dict[str, Any]:
        """Return the values of a partition's metadata."""
        wanted = dg.AssetRecordsFilter(dg.AssetKey(["demo", asset]), asset_partitions=[key])
        [record] = self.instance.fetch_materializations(wanted, 1).records
        assert record.asset_materialization is not None
        entries = record.asset_materialization.metadata
        return {name: entry.value for name, entry in entries.items()}

    @property
    def files(self) -> dict[str, bytes]:
        """All files except the database."""
        return files_in(self.folder)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A folder and an instance for one test."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Bench(tmp_path / "data", instance)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the command line."""
    folder = tmp_path_factory.mktemp("expected")
    generate(history_series(), folder)
    return files_in(folder)


@pytest.fixture(scope="module")
def ranged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Any]]:
    """All periods in one run, with its result. Tests only read it."""
    with dg.DagsterInstance.ephemeral() as instance:
        bench = Bench(tmp_path_factory.mktemp("ranged"), instance)
        yield bench, bench.run(FIRST, FOURTH)


def test_one_run_over_a_range_has_the_bytes_of_the_command_line(
    ranged: tuple[Bench, Any], expected: dict[str, bytes]
) -> None:
    """Each partition of each asset is recorded once, and the check of each period passes."""
    bench, result = ranged
    assert result.success
    assert bench.files == expected
    for asset in ALL:
        assert bench.recorded(asset) == list(KEYS)
    checks = {
        one.partition: one.passed
        for one in result.get_asset_check_evaluations()
        if one.check_name == "truth"
    }
    assert checks == dict.fromkeys(KEYS, True)


def test_partition_by_partition_and_asset_by_asset_have_the_same_bytes(
    bench: Bench, expected: dict[str, bytes]
) -> None:
    """Complete periods first, then one asset at a time, as a backfill selects them."""
    for key in KEYS[:2]:
        assert bench.run(key).success
    for asset in ALL:
        assert bench.run(THIRD, FOURTH, (asset,)).success
    assert bench.files == expected


@pytest.mark.thorough
def test_a_period_can_be_materialized_again(bench: Bench, expected: dict[str, bytes]) -> None:
    """The manifest is removed first and written last; later periods stay current."""
    assert bench.run(FIRST, FOURTH).success
    assert bench.run(SECOND, assets=("dataset", "state")).success
    assert "demo/dataset_2.manifest.json" not in bench.files
    assert bench.run(SECOND, assets=("truth", "manifest")).success
    assert bench.files == expected
    assert bench.run(FOURTH, assets=HISTORY).success


def test_a_period_whose_predecessor_is_missing_is_refused(bench: Bench) -> None:
    """The message says what to materialize first; nothing is written."""
    assert bench.run(FIRST, FOURTH, NAMES).success
    assert bench.run(FIRST, assets=("state",)).success
    before = bench.files
    assert bench.refusal(THIRD, assets=("state",)) == (
        "demo, period 2024-03-01: its states follow from those before it, but the states of "
        "2024-02-01 are missing, or were generated from another version of the two files or of an "
        "earlier period; first run series-assets generate demo --periods 2024-02-01, or "
        "materialize state "
        "of these partitions"
    )
    assert "the states of 2024-02-01 are missing" in bench.refusal(SECOND, assets=("truth",))
    assert bench.run(SECOND, FOURTH, ("state", "truth")).success
    assert "dataset_1.manifest.json is missing" in bench.refusal(SECOND, assets=("manifest",))
    assert {path for path in bench.files if path not in before} == {
        f"demo/truth/{kind}_{number}.csv"
        for kind in ("changes", "cells", "scd2")
        for number in (2, 3, 4)
    }


@pytest.mark.thorough
@pytest.mark.parametrize("phase", ["truth", *thorough("state", "manifest")])
def test_periods_before_a_failure_count_and_another_run_completes_the_series(
    bench: Bench, expected: dict[str, bytes], phase: str
) -> None:
    """Downstream assets are skipped, as after any failure."""
    bench.progress = stumbling = FailsOnce(THIRD, phase)
    assert bench.refusal(FIRST, FOURTH) == "demo, period 2024-03-01: no space left"
    place = ALL.index(phase)
    counts = [4 if one < place else 2 if one == place else 0 for one in range(len(ALL))]
    assert [len(bench.recorded(asset)) for asset in ALL] == counts
    assert bench.files.items() <= expected.items()
    stumbling.error = None
    assert bench.run(THIRD, FOURTH, (phase,)).success
    assert bench.run(FIRST, FOURTH, ALL[place:]).success
    assert bench.files == expected


_RETRIED: dict[str, Any] = {}
"""The resources of the re-executed job, which Dagster rebuilds in this process."""


def retried_job(phase: str) -> dg.JobDefinition:
    """Return the job of the series, which materializes all of its assets.

    Dagster keeps one for each ``phase``, with its resources.
    """
    del phase
    return build_definitions([history_series()], _RETRIED).resolve_job_def("demo")


@pytest.mark.thorough
@pytest.mark.parametrize("phase", ["state", *thorough("truth", "manifest")])
def test_a_run_is_re_executed_from_its_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: dict[str, bytes], phase: str
) -> None:
    """Successful steps are not repeated; all partitions are recorded, with the same bytes."""
    stumbling = FailsOnce(THIRD, phase)
    monkeypatch.setitem(_RETRIED, "workspace", Workspace(tmp_path / "data"))
    monkeypatch.setitem(_RETRIED, "progress", stumbling)
    job = dg.build_reconstructable_job(__name__, "retried_job", reconstructable_args=(phase,))
    place = ALL.index(phase)
    tags = {
        "dagster/asset_partition_range_start": FIRST,
        "dagster/asset_partition_range_end": FOURTH,
    }
    with dg.DagsterInstance.ephemeral() as instance:
        failed = dg.execute_job(job, instance, tags=tags)
        assert not failed.success
        stumbling.error = None
        options = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
        again = dg.execute_job(job, instance, tags=tags, reexecution_options=options)
        assert again.success
        begun = {event.step_key for event in again.all_events if event.is_step_start}
        done = {name for name in ALL if any(f"demo__{name}." in str(key) for key in begun)}
        assert done == set(ALL[place:])
        for asset in ALL:
            found = instance.get_materialized_partitions(dg.AssetKey(["demo", asset]))
            assert sorted(found) == list(KEYS)
    assert files_in(tmp_path / "data") == expected


@pytest.mark.thorough
@pytest.mark.parametrize("phase", ["state", *thorough("dataset", "manifest")])
def test_recorded_runs_of_the_command_line_complete_the_periods_before_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: dict[str, bytes], phase: str
) -> None:
    """As runs without Dagster do."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    series, workspace, progress = (
        history_series(),
        Workspace(tmp_path / "data"),
        FailsOnce(THIRD, phase),
    )
    with pytest.raises(GenerationError, match=r"^demo, period 2024-03-01: no space left$"):
        generate_recorded(series, series.calendar.periods, workspace, progress)
    generated = files_in(tmp_path / "data")
    wanted = {path for path in expected if Path(path).name.split(".")[0][-2:] in ("_1", "_2")}
    assert {path: generated.get(path) for path in wanted} == {
        path: expected[path] for path in wanted
    }
    progress.error = None
    generate_recorded(series, series.calendar.periods, workspace, progress)
    assert files_in(tmp_path / "data") == expected


def test_a_series_without_the_keys_has_the_assets_of_before(bench: Bench) -> None:
    """With the same code versions and checks; the report depends on its dataset alone."""
    series = a_series()
    assert names_of(series) == NAMES
    graph = bench.definitions(series).resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {
        "demo/new_records",
        "demo/reference_table",
        "demo/dataset",
        "demo/report",
    }
    assert "truth" not in {check.name for check in graph.asset_check_keys}
    assert graph.get(dg.AssetKey(["demo", "report"])).parent_keys == {
        dg.AssetKey(["demo", "dataset"])
    }
    for asset in NAMES:
        assert code_version(history_series(), asset) == code_version(series, asset)


@pytest.mark.thorough
def test_a_series_with_manifests_alone_has_that_asset(bench: Bench) -> None:
    """Without a history, and with the bytes of the command line."""
    series = history_series(truth=None)
    assert names_of(series) == (*NAMES, "manifest")
    assert bench.run(FIRST, SECOND, names_of(series), series).success
    generate(series, bench.folder.parent / "other", f"{FIRST}..{SECOND}")
    assert bench.files == files_in(bench.folder.parent / "other")


def test_the_truth_block_affects_only_code_versions_of_the_history() -> None:
    """Other settings make the history stale, but no dataset."""
    one, other = history_series(), history_series(truth=TRUTH | {"track": ["region"]})
    written = history_series(truth=TRUTH | {"cells": False})
    for asset in NAMES:
        assert code_version(one, asset) == code_version(other, asset)
    for asset in HISTORY:
        assert code_version(one, asset) != code_version(other, asset)
    assert code_version(one, "state") == code_version(written, "state")
    assert code_version(one, "truth") != code_version(written, "truth")


def test_metadata_has_operations_versions_and_ties(ranged: tuple[Bench, Any]) -> None:
    """As numbers that the UI plots, with files, lineage and columns."""
    bench, _ = ranged
    state, log = bench.metadata("state", SECOND), bench.metadata("truth", SECOND)
    own = json.loads(bench.files["demo/dataset_2.manifest.json"])["series"]
    for name, count in own["operations"].items():
        assert state[f"{name}_rows"] == log[f"{name}_rows"] == count
    assert (state["dataset_number"], state["versions_opened"], state["ties"]) == (2, 60, 0)
    assert state["dagster/table_name"] == "demo_states"
    assert log["dagster/row_count"] == 60
    files = [Path(record.data["file"]).name for record in log["files"].records]
    assert files == ["changes_2.csv", "cells_2.csv", "scd2_2.csv"]
    columns = [column.name for column in log["dagster/column_schema"].columns]
    header = bench.files["demo/truth/changes_2.csv"].decode().splitlines()[0]
    assert columns == header.split(",")
    dataset = dg.AssetKey(["demo", "dataset"])
    deps = state["dagster/column_lineage"].deps_by_column
    assert deps["region"] == [dg.TableColumnDep(dataset, "region")]
    manifest = bench.metadata("manifest", SECOND)
    assert manifest["manifest"]["series"] == own
    assert manifest["parent"] == own["parent"]


@pytest.mark.thorough
def test_assets_downstream_get_what_they_are_annotated_with(bench: Bench) -> None:
    """The current state, the change log and the path of the manifest."""
    series, found = history_series(), dict[str, Any]()

    @dg.asset(
        partitions_def=partitions_of(series),
        ins={name: dg.AssetIn(["demo", name]) for name in HISTORY},
    )
    def consumer(state: pd.DataFrame, truth: pd.DataFrame, manifest: Path) -> None:
        found.update(state=state, truth=truth, manifest=manifest)

    @dg.asset(partitions_def=partitions_of(series), ins={"state": dg.AssetIn(["demo", "state"])})
    def historian(state: StateSnapshot) -> None:
        found["history"] = state.history(profile="dbt")

    besides = dg.Definitions(assets=[consumer, historian])
    assert bench.run(FIRST, SECOND, ALL).success
    assert bench.run(SECOND, assets=(), besides=besides).success
    pd.testing.assert_frame_equal(found["state"], truth(series, bench.folder, "scd1", SECOND))
    dbt = truth(series, bench.folder, "scd2", SECOND, profile="dbt")
    pd.testing.assert_frame_equal(found["history"], dbt)
    log = truth(series, bench.folder, "changes", SECOND)
    log = log[log["dataset"] == 2].drop(columns="dataset").reset_index(drop=True)
    pd.testing.assert_frame_equal(found["truth"], log)
    assert json.loads(found["manifest"].read_text())["name"] == "demo-2"
    missing = bench.refusal(THIRD, assets=(), besides=dg.Definitions(assets=[consumer]))
    assert missing.startswith("demo, period 2024-03-01: ") or "2024-03-01" in missing


def test_the_sensor_requests_a_period_until_its_last_asset_is_there(bench: Bench) -> None:
    """A dataset alone does not complete a period with a history."""
    series = history_series()
    keys = keys_of("demo", names=names_of(series))
    assert bench.run(FIRST).success
    assert bench.run(SECOND, assets=ALL[:-1]).success
    request = next_request(series, keys, bench.instance)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == SECOND
    assert bench.run(SECOND, assets=("manifest",)).success
    request = next_request(series, keys, bench.instance)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == THIRD


def test_the_job_of_the_series_makes_all_of_a_period(bench: Bench) -> None:
    """The sensor requests this job."""
    job = bench.definitions(history_series()).resolve_job_def("demo")
    assert job.execute_in_process(partition_key=FIRST, instance=bench.instance).success
    assert [bench.recorded(asset) for asset in ALL] == [[FIRST]] * len(ALL)
    [sensor] = bench.definitions(history_series()).sensors or []
    context = dg.build_sensor_context(instance=bench.instance)
    assert isinstance(sensor, dg.SensorDefinition)
    request = sensor(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == SECOND


def test_the_report_shows_what_the_rows_of_each_period_did(ranged: tuple[Bench, Any]) -> None:
    """In a plot that series without a history do not have."""
    bench, _ = ranged
    result = bench.run(FIRST, assets=("report",))
    assert result.success
    [record] = bench.instance.fetch_materializations(dg.AssetKey(["demo", "report"]), 1).records
    assert record.asset_materialization is not None
    plot = record.asset_materialization.metadata["plot_operations"]
    assert str(plot.value).startswith("![What the rows of each period did](data:image/png;base64,")
    page = (bench.folder / "demo" / "report.html").read_text("utf-8")
    assert "What the rows of each period did" in page
    (bench.folder / "demo" / "report.html").unlink()


def test_the_sensor_of_the_docs_waits_for_manifests(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dataset without one is not loaded, a complete one once, and a changed one again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deliveries.py").write_text(RECIPE.replace("data/claims", "data/demo"), "utf-8")
    spec = importlib.util.spec_from_file_location("deliveries", tmp_path / "deliveries.py")
    assert spec is not None and spec.loader is not None
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)

    def requests() -> list[Any]:
        context = dg.build_sensor_context(instance=bench.instance)
        return list(recipe.deliveries(context))

    assert bench.run(FIRST, assets=ALL[:-1]).success
    assert requests() == []
    assert bench.run(FIRST, assets=("manifest",)).success
    [request] = requests()
    assert [one.run_key for one in requests()] == [request.run_key]
    assert dg.materialize([recipe.loaded], run_config=request.run_config).success
    path = tmp_path / "data" / "demo" / "dataset_1.manifest.json"
    path.write_text(path.read_text("utf-8").replace("demo-1", "other"), "utf-8")
    assert [one.run_key for one in requests()] != [request.run_key]

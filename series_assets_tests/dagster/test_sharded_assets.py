"""The assets of a sharded series: files of the command line, metadata of all parts, inputs."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.dagster.build import build_definitions
from series_assets.dagster.handles import (
    RecordsFile,
    ReferenceTableSnapshot,
    StateSnapshot,
    handle_of,
)
from series_assets.dagster.partitions import partitions_of
from series_assets.interface import generate, truth
from series_assets.pipeline.workspace import Workspace
from series_assets.storage.files import read_records
from series_assets_tests.builders import a_series, a_user_input, files_in
from series_assets_tests.materialize import materialize

FIRST, LAST = "2024-01-01", "2024-03-01"
ASSETS = ("new_records", "reference_table", "dataset", "state", "truth", "manifest")
KEYS = tuple(f"demo/{asset}" for asset in ASSETS)


def sharded() -> Series:
    """Return a series of three periods in three shards, with a history."""
    return a_series(None, a_user_input(shards=3, num_datasets=3, manifest=True, truth={}))


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, dg.DagsterInstance, dg.ExecuteInProcessResult]]:
    """A data folder, an instance, and the run of all periods that filled it."""
    folder = tmp_path_factory.mktemp("made")
    definitions = build_definitions([sharded()], {"workspace": Workspace(folder)})
    with dg.DagsterInstance.ephemeral() as instance:
        yield folder, instance, materialize(definitions, instance, *KEYS, first=FIRST, last=LAST)


def test_the_files_are_those_of_the_command_line(run: Any, tmp_path: Path) -> None:
    """With any number of processes."""
    folder, _, result = run
    assert result.success
    generate(sharded(), tmp_path, executor="processes:2")
    assert files_in(folder) == files_in(tmp_path)


def test_metadata_are_about_all_parts(run: Any) -> None:
    """Numbers are sums, files those of each part."""
    folder, instance, _ = run

    def shown(asset: str) -> dict[str, Any]:
        return _shown(instance, asset)

    dataset = shown("dataset")
    assert dataset["parts"] == 3
    assert (dataset["new_rows"], dataset["existing_rows"]) == (20, 40)
    assert dataset["dagster/row_count"] == 60
    assert dataset["entities"] == read_records(folder / "demo" / "dataset_3")["id"].nunique()
    assert dataset["earlier_entities"] == 80
    [event] = [one for one in run[2].get_asset_materialization_events() if _is_last(one)]
    table = event.materialization.metadata["files"]
    assert isinstance(table, dg.TableMetadataValue)
    files = [record.data["file"] for record in table.records]
    assert files == [str(folder / "demo" / "dataset_3" / f"part-000{n}.csv") for n in (1, 2, 3)]
    assert shown("new_records")["dagster/row_count"] == 20
    table = shown("reference_table")
    assert (table["new_entities"], table["total_entities"]) == (20, 100)
    assert shown("manifest")["rows"] == 60


def _shown(instance: dg.DagsterInstance, asset: str) -> dict[str, Any]:
    """Return what is shown of the last period of an asset."""
    wanted = dg.AssetRecordsFilter(dg.AssetKey(["demo", asset]), asset_partitions=[LAST])
    [record] = instance.fetch_materializations(wanted, limit=1).records
    facts = record.asset_materialization.metadata
    return {name: entry.value for name, entry in facts.items()}


def test_metadata_of_a_history_are_about_all_parts(run: Any) -> None:
    """Operations are added up; states and files are those of each part."""
    folder, instance, _ = run
    log = truth(sharded(), folder, "changes")
    log = log[log["dataset"] == 3]
    places = {"state": folder / "demo" / "states", "truth": folder / "demo" / "truth" / "changes_3"}
    for asset, lines in (("state", 60), ("truth", 60)):
        facts = _shown(instance, asset)
        assert (facts["parts"], facts["dagster/row_count"]) == (3, lines)
        found = {name: facts[f"{name}_rows"] for name in set(log["op"])}
        assert found == dict(log["op"].value_counts())
        assert facts["versions_opened"] == log["op"].isin(["insert", "update"]).sum()
        assert facts["path"] == str(places[asset])
        assert "dagster/table_name" not in facts
        records, _ = facts["files"]
        files = [record.data["file"] for record in records]
        names = [f"part-000{n}" for n in (1, 2, 3)]
        if asset == "state":
            assert files == [str(places[asset] / "period_3" / f"{n}.parquet") for n in names]
        else:
            kinds = ("changes_3", "cells_3")
            place = folder / "demo" / "truth"
            assert files == [str(place / kind / f"{n}.csv") for n in names for kind in kinds]
    (first, *_), _ = _shown(instance, "truth")["first_rows"]
    assert first.data["part"] == "1"
    assert first.data["id"] == log["id"].iloc[0]


def _is_last(event: dg.DagsterEvent) -> bool:
    is_dataset = event.asset_key == dg.AssetKey(["demo", "dataset"])
    return is_dataset and event.partition == LAST


def test_its_checks_and_its_report_read_all_parts(run: Any) -> None:
    """All rules hold, and the report counts the rows of all shards."""
    folder, instance, result = run
    evaluations = result.get_asset_check_evaluations()
    assert {one.passed for one in evaluations} == {True}
    assert {one.partition for one in evaluations} == {"2024-01-01", "2024-02-01", "2024-03-01"}
    definitions = build_definitions([sharded()], {"workspace": Workspace(folder)})
    generated = materialize(definitions, instance, "demo/report")
    [event] = generated.get_asset_materialization_events()
    facts = event.materialization.metadata
    assert facts["rows_delivered"].value == 180
    assert facts["entities"].value == 100
    (folder / "demo" / "report.html").unlink()


_OF = {ReferenceTableSnapshot: "reference_table", StateSnapshot: "state"}


@pytest.mark.parametrize(
    "annotation", [pd.DataFrame, Path, RecordsFile, ReferenceTableSnapshot, StateSnapshot]
)
def test_an_input_gets_all_parts(run: Any, annotation: Any) -> None:
    """As one data frame, as the folder, or to be read one by one."""
    folder, instance, _ = run
    asset = _OF.get(annotation, "dataset")
    got: list[Any] = []

    def reader(records: Any) -> None:
        got.append(records)

    reader.__annotations__ = {"return": None, "records": annotation}
    definitions = dg.Definitions.merge(
        build_definitions([sharded()], {"workspace": Workspace(folder)}),
        dg.Definitions(
            assets=[
                dg.asset(
                    ins={"records": dg.AssetIn(key=["demo", asset])},
                    partitions_def=partitions_of(sharded()),
                )(reader)
            ]
        ),
    )
    assert materialize(definitions, instance, "reader", first=LAST).success
    [given] = got
    place = folder / "demo" / "dataset_3"
    if annotation is pd.DataFrame:
        assert given["id"].tolist() == read_records(place)["id"].tolist()
    elif annotation is Path:
        assert given == place
    elif annotation is RecordsFile:
        frames = [part.load() for part in given.parts()]
        assert [len(frame) for frame in frames] == [7 + 14, 7 + 13, 6 + 13]
    elif annotation is StateSnapshot:
        pd.testing.assert_frame_equal(given.load(), truth(sharded(), folder, "scd1"))
    else:
        assert len(given.load()) == 100


def test_the_change_log_of_all_parts_is_an_input(run: Any) -> None:
    """As one frame, or part by part."""
    folder, _, _ = run
    handle = handle_of(sharded(), "truth", sharded().calendar.period(2), Workspace(folder))
    assert isinstance(handle, RecordsFile)
    log = truth(sharded(), folder, "changes")
    wanted = log[log["dataset"] == 3].drop(columns="dataset").reset_index(drop=True)
    pd.testing.assert_frame_equal(handle.load(), wanted, check_dtype=False)
    assert [len(part.load()) for part in handle.parts()] == [21, 20, 19]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"row,op\n1,insert,2\n", "cannot be read: "),
        (b"row,op\n1,insert\n", "has other columns than the series: without id, without part, "),
    ],
)
def test_a_damaged_change_log_is_named_with_what_to_do(
    run: Any, tmp_path: Path, content: bytes, problem: str
) -> None:
    """As damaged records are."""
    shutil.copytree(run[0], tmp_path, dirs_exist_ok=True)
    period = sharded().calendar.period(2)
    handle = handle_of(sharded(), "truth", period, Workspace(tmp_path))
    part = handle.path() / "part-02.csv"
    part.write_bytes(content)
    with pytest.raises(RequestError) as refused:
        handle.load()
    assert str(refused.value).startswith(f"{part} {problem}")
    assert str(refused.value).endswith(f"; materialize truth of {period.key} again")

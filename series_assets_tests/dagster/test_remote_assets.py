"""Assets whose data is on object storage: generated, checked, reported and read like others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from series_assets.dagster.build import build_definitions
from series_assets.dagster.handles import RecordsFile
from series_assets.dagster.partitions import partitions_of
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, a_user_input
from series_assets_tests.materialize import materialize
from series_assets_tests.thorough import thorough

FIRST, LAST = "2024-01-01", "2024-02-01"
ASSETS = ("new_records", "reference_table", "dataset", "state", "truth", "manifest")
KEYS = tuple(f"demo/{asset}" for asset in ASSETS)


@pytest.fixture(scope="module", params=[2, *thorough(1)])
def remote_run(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[dg.Definitions, dg.DagsterInstance]]:
    """A series of one or two shards in this process's memory, its definitions and its run."""
    shards = int(request.param)
    series = a_series(None, a_user_input(shards=shards, num_datasets=2, manifest=True, truth={}))
    workspace = Workspace(f"memory://assets/{shards}")
    definitions = build_definitions([series], {"workspace": workspace})
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(definitions, instance, *KEYS, first=FIRST, last=LAST)
        assert result.success
        assert {one.passed for one in result.get_asset_check_evaluations()} == {True}
        yield definitions, instance


def _given(remote_run: Any, annotation: Any) -> Any:
    definitions, instance = remote_run
    got: list[Any] = []

    def reader(records: Any) -> None:
        got.append(records)

    reader.__annotations__ = {"return": None, "records": annotation}
    asset = dg.asset(
        ins={"records": dg.AssetIn(key=["demo", "dataset"])},
        partitions_def=partitions_of(a_series(None, a_user_input(num_datasets=2))),
    )(reader)
    both = dg.Definitions.merge(definitions, dg.Definitions(assets=[asset]))
    result = materialize(both, instance, "reader", first=LAST)
    if result.success:
        return got[0]
    [failed] = [event for event in result.all_events if event.is_step_failure]
    failure = failed.step_failure_data.user_failure_data
    assert failure is not None, failed.step_failure_data.error
    return failure.description


def test_an_input_is_read_from_there(remote_run: Any) -> None:
    """As a data frame or by its handle; a pathlib.Path is refused with the alternative."""
    assert len(_given(remote_run, pd.DataFrame)) == 60
    handle = _given(remote_run, RecordsFile)
    assert sum(len(part.load()) for part in handle.parts()) == 60
    assert _given(remote_run, Path) == (
        f"{handle.path()} is on object storage, which has no pathlib.Path; annotate the input "
        "pandas.DataFrame, or RecordsFile, whose path() is a UPath"
    )


def test_metadata_and_report_name_places_there(remote_run: Any) -> None:
    """As URLs."""
    definitions, instance = remote_run
    assert materialize(definitions, instance, "demo/report").success
    for asset in ("dataset", "reference_table", "state", "truth", "report"):
        [record] = instance.fetch_materializations(dg.AssetKey(["demo", asset]), limit=1).records
        path = record.asset_materialization.metadata["path"].value
        assert path.startswith("memory:"), (asset, path)

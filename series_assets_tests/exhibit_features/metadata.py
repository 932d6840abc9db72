"""The metadata that Dagster shows of a partition of a series."""

from pathlib import Path
from typing import Any

import dagster as dg

from series_assets.dagster.build import build_definitions
from series_assets.pipeline.workspace import Workspace
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_user_input, write_series

FIRST, SECOND = "2024-01-01", "2024-02-01"


def metadata_of(folder: Path, specification: dict[str, Any], asset: str) -> dict[str, Any]:
    """Generate two periods and return the metadata of an asset in the second one."""
    series = load_series(write_series(folder, specification, a_user_input(num_datasets=2)))
    workspace = Workspace(folder / "data")
    job = build_definitions(
        [series], {"workspace": workspace}
    ).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        for key in (FIRST, SECOND):
            assert job.execute_in_process(instance=instance, partition_key=key).success
        event = instance.get_latest_materialization_event(dg.AssetKey(["demo", asset]))
        assert event is not None and event.asset_materialization is not None
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}

"""Materializing assets of any definitions in this process, as tests of users' projects do."""

import dagster as dg


def materialize(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    *assets: str,
    first: str | None = None,
    last: str | None = None,
) -> dg.ExecuteInProcessResult:
    """Materialize assets in one run: of one partition, of a range, or without partitions."""
    tags = {
        "dagster/asset_partition_range_start": first or "",
        "dagster/asset_partition_range_end": last or "",
    }
    return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(asset.split("/")) for asset in assets],
        partition_key=None if last else first,
        tags=tags if last else None,
        raise_on_error=False,
    )

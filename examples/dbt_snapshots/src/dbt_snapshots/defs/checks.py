"""Checks that compare both histories with that of a correct pipeline."""

import dagster as dg

from dbt_snapshots.places import DATA, SERIES, WAREHOUSE
from series_assets import scd2_check


def verified(snapshot: str) -> dg.AssetChecksDefinition:
    """Return the check of a snapshot."""
    return scd2_check(
        asset=dg.AssetKey(snapshot),
        series=SERIES,
        data_dir=DATA,
        table=f"duckdb:///{WAREHOUSE}#main.{snapshot}",
        profile="dbt",
        additional_deps=[dg.AssetKey(["school", "state"])],
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return a check for each snapshot; the second fails."""
    return dg.Definitions(asset_checks=[verified("pupil_history"), verified("pupil_history_wrong")])

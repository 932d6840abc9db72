"""dbt takes a snapshot of each delivered file, one file after the other."""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

from dbt_snapshots.places import DATA, DBT, SERIES, WAREHOUSE
from series_assets import series_partitions

PARTITIONS = series_partitions(SERIES)
PROJECT = DbtProject(DBT)
if not PROJECT.manifest_path.exists():
    PROJECT.preparer.prepare(PROJECT)  # dbt parse
PROJECT.prepare_if_dev()


def start_at(period: str) -> None:
    """Prepare the warehouse for the file of a period.

    With the first period the history starts again. Later periods have to follow the one that was
    loaded last, as dbt takes snapshots forwards only. Raises dagster.Failure if they do not.
    """
    keys = list(PARTITIONS.get_partition_keys())
    if period == keys[0]:
        WAREHOUSE.unlink(missing_ok=True)
        return
    last = None
    if WAREHOUSE.exists():
        with duckdb.connect(WAREHOUSE, read_only=True) as connection:
            query = "SELECT max(dbt_valid_from)::DATE::TEXT FROM pupil_history"
            [last] = connection.sql(query).fetchall()[0]
    if last != keys[keys.index(period) - 1]:
        raise dg.Failure(
            f"{period} does not follow {last or 'an empty warehouse'}, which was loaded last; "
            f"materialize all partitions from {keys[0]} on",
            allow_retries=False,
        )


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    partitions_def=PARTITIONS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def history(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Run ``dbt build`` with the file of each period, the first one first."""
    every, chosen = list(PARTITIONS.get_partition_keys()), sorted(context.partition_keys)
    start_at(chosen[0])
    for key in chosen:
        file = DATA / "school" / f"dataset_{every.index(key) + 1}.csv"
        given = {"dataset": str(file), "loaded_at": key}
        build = dbt.cli(["build", "--vars", json.dumps(given)], context=context)
        if key == chosen[-1]:
            yield from build.stream()  # Dagster takes one event for each asset and run
        else:
            build.wait()


@dg.definitions
def defs() -> dg.Definitions:
    """Return the dbt assets and the command line that they run."""
    return dg.Definitions(assets=[history], resources={"dbt": DbtCliResource(PROJECT)})

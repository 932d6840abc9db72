"""Every customer so far with the latest town and tier: a table that each dataset updates."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import dagster as dg
import pandas as pd

from series_assets import series_partitions

PARTITIONS = series_partitions(Path(__file__).parent / "customers")

_TABLES = """
CREATE TABLE IF NOT EXISTS customer (
    customer_id TEXT PRIMARY KEY, born TEXT, town TEXT, tier TEXT, first_seen TEXT, last_seen TEXT
);
CREATE TABLE IF NOT EXISTS loaded (period TEXT PRIMARY KEY);
"""

# A period that is loaded again never takes back what a later one brought.
_UPSERT = """
INSERT INTO customer VALUES (:customer_id, :born, :town, :tier, :period, :period)
ON CONFLICT (customer_id) DO UPDATE
SET town = excluded.town, tier = excluded.tier, last_seen = excluded.last_seen
WHERE excluded.last_seen >= customer.last_seen
"""


class Warehouse(dg.ConfigurableResource):
    """The SQLite database that the dimension is kept in."""

    path: str

    def load(self, period: str, before: Sequence[str], orders: pd.DataFrame) -> dict[str, int]:
        """Update the customers with the orders of a period, all of them or none.

        Returns how many are new, were known, and exist so far. Raises dagster.Failure unless all
        periods ``before`` are loaded.
        """
        latest = orders.sort_values(["ordered_on", "amount"]).drop_duplicates(
            "customer_id", keep="last"
        )
        rows = latest.assign(born=latest["born"].dt.strftime("%Y-%m-%d"), period=period)
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executescript(_TABLES)
            connection.execute("BEGIN IMMEDIATE")
            loaded = {key for (key,) in connection.execute("SELECT period FROM loaded")}
            if missing := [key for key in before if key not in loaded]:
                raise dg.Failure(
                    f"{period} builds on {', '.join(missing)}, not loaded yet; materialize those "
                    "partitions of this asset first",
                    allow_retries=False,
                )
            columns = ["customer_id", "born", "town", "tier", "period"]
            connection.executemany(_UPSERT, rows[columns].to_dict("records"))
            connection.execute("INSERT OR IGNORE INTO loaded VALUES (?)", [period])
            [new] = connection.execute(
                "SELECT count(*) FROM customer WHERE first_seen = ?", [period]
            ).fetchone()
            [so_far] = connection.execute(
                "SELECT count(*) FROM customer WHERE first_seen <= ?", [period]
            ).fetchone()
        return {"new": new, "known": len(rows) - new, "so_far": so_far}


@dg.asset(
    partitions_def=PARTITIONS,
    ins={"dataset": dg.AssetIn(key=["customers", "dataset"])},
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def customer_dimension(
    context: dg.AssetExecutionContext, warehouse: Warehouse, dataset: dict[str, pd.DataFrame]
) -> None:
    """Every customer so far, with the town and tier of the latest order."""
    keys = PARTITIONS.get_partition_keys()
    for key in sorted(dataset):
        counts = warehouse.load(key, keys[: keys.index(key)], dataset[key])
        context.add_asset_metadata(counts, partition_key=key)


@dg.definitions
def defs() -> dg.Definitions:
    """Return the asset and its database, ``warehouse.db`` where Dagster was started."""
    return dg.Definitions(
        assets=[customer_dimension], resources={"warehouse": Warehouse(path="warehouse.db")}
    )

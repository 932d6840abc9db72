"""The tables of a series: its reference table and its states, wherever they are kept.

SQLite holds both, or Parquet does: for shards and for object storage.
"""

from typing import TYPE_CHECKING

from series_assets.core.plan.series import Series
from series_assets.storage.layout import Layout
from series_assets.storage.remote import is_remote

if TYPE_CHECKING:
    from series_assets.storage.entities import ReferenceTable
    from series_assets.storage.states import States, StateTable


def reference_table(series: Series, layout: Layout) -> "ReferenceTable":
    """Return the reference table of a series, or of a shard, whose files have this layout."""
    if layout.keeps_parquet:
        from series_assets.storage.parquet_reference_table import (
            ParquetReferenceTable,
            ShardedReferenceTable,
        )

        return (ShardedReferenceTable if series.is_sharded else ParquetReferenceTable)(
            series, layout
        )
    from series_assets.storage.reference_table import SqliteReferenceTable

    return SqliteReferenceTable(series, layout)


def all_reference_tables(series: Series, layout: Layout) -> "tuple[ReferenceTable, ...]":
    """Return the reference tables of either kind that a series may have had, for removal."""
    from series_assets.storage.parquet_reference_table import ParquetReferenceTable
    from series_assets.storage.reference_table import SqliteReferenceTable

    parquet = ParquetReferenceTable(series, layout)
    if is_remote(layout.folder):
        return (parquet,)
    return SqliteReferenceTable(series, layout), parquet


def states_of(series: Series, layout: Layout) -> "States":
    """Return the states of a series, or of a shard, whose files have this layout."""
    if layout.keeps_parquet:
        from series_assets.storage.parquet_states import ParquetStateTable, ShardedStates

        return (ShardedStates if series.is_sharded else ParquetStateTable)(series, layout)
    from series_assets.storage.sqlite_states import SqliteStateTable

    return SqliteStateTable(series, layout)


def state_table(series: Series, layout: Layout) -> "StateTable":
    """Return the table of states of a series that is not divided, or of one shard."""
    [table] = states_of(series, layout).parts
    return table


def all_states_of(series: Series, layout: Layout) -> "tuple[States, ...]":
    """Return the states of either kind that a series may have had, for removal."""
    from series_assets.storage.parquet_states import ParquetStateTable
    from series_assets.storage.sqlite_states import SqliteStateTable

    parquet = ParquetStateTable(series, layout)
    if is_remote(layout.folder):
        return (parquet,)
    return SqliteStateTable(series, layout), parquet

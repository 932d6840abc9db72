"""Where the states of a series are kept: in SQLite, or in Parquet.

Parquet is for shards and for object storage, as it is for the reference table.
"""

from series_assets.core.plan.series import Series
from series_assets.storage.layout import Layout
from series_assets.storage.remote import is_remote
from series_assets.storage.states import States


def states_of(series: Series, layout: Layout) -> States:
    """Return the states of a series, or of a shard, whose files have this layout."""
    if series.is_sharded:
        from series_assets.storage.sharded_states import ShardedStates

        return ShardedStates(series, layout)
    if layout.keeps_parquet:
        from series_assets.storage.parquet_states import ParquetStateTable

        return ParquetStateTable(series, layout)
    from series_assets.storage.sqlite_states import SqliteStateTable

    return SqliteStateTable(series, layout)


def all_states_of(series: Series, layout: Layout) -> tuple[States, ...]:
    """Return the states of either kind that a series may have had, for removal."""
    from series_assets.storage.parquet_states import ParquetStateTable
    from series_assets.storage.sqlite_states import SqliteStateTable

    parquet = ParquetStateTable(series, layout)
    if is_remote(layout.folder):
        return (parquet,)
    return SqliteStateTable(series, layout), parquet

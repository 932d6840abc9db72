"""Where the reference table of a series is kept: in SQLite, or in Parquet.

Parquet is for shards and for object storage.
"""

from series_assets.core.plan.series import Series
from series_assets.storage.entities import ReferenceTable
from series_assets.storage.layout import Layout
from series_assets.storage.remote import is_remote


def reference_table(series: Series, layout: Layout) -> ReferenceTable:
    """Return the reference table of a series, or of a shard, whose files have this layout."""
    if series.is_sharded:
        from series_assets.storage.sharded_reference_table import ShardedReferenceTable

        return ShardedReferenceTable(series, layout)
    if layout.keeps_parquet:
        from series_assets.storage.parquet_reference_table import ParquetReferenceTable

        return ParquetReferenceTable(series, layout)
    from series_assets.storage.reference_table import SqliteReferenceTable

    return SqliteReferenceTable(series, layout)


def all_reference_tables(series: Series, layout: Layout) -> tuple[ReferenceTable, ...]:
    """Return the reference tables of either kind that a series may have had, for removal."""
    from series_assets.storage.parquet_reference_table import ParquetReferenceTable
    from series_assets.storage.reference_table import SqliteReferenceTable

    parquet = ParquetReferenceTable(series, layout)
    if is_remote(layout.folder):
        return (parquet,)
    return SqliteReferenceTable(series, layout), parquet

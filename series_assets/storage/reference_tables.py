"""Where the reference table of a series is kept: in SQLite, or in Parquet."""

from series_assets.core.plan.series import Series
from series_assets.storage.entities import ReferenceTable
from series_assets.storage.layout import Layout


def reference_table(series: Series, layout: Layout) -> ReferenceTable:
    """Return the reference table of a series whose files have this layout."""
    from series_assets.storage.reference_table import SqliteReferenceTable

    return SqliteReferenceTable(series, layout)

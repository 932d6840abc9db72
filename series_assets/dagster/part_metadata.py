"""What Dagster shows of a partition of a sharded series: numbers of all parts, their files."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import dagster as dg

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.dagster.columns import column_types
from series_assets.dagster.history_metadata import of_history, of_states
from series_assets.dagster.metadata import (
    Metadata,
    contents_of,
    of_period,
    table_of_files,
)
from series_assets.storage.layout import Layout
from series_assets.storage.tables import reference_table

if TYPE_CHECKING:
    from series_assets.pipeline.part_facts import PeriodOfParts


def part_metadata(
    series: Series,
    asset: str,
    period: Period,
    result: "PeriodOfParts",
    layout: Layout,
    counts: Mapping[int, int],
) -> Metadata:
    """Return what is shown of a period of an asset; ``counts`` are the entities by period."""
    new, existing = series.counts(period.k)
    number, parts = period.number, layout.parts
    metadata = {**of_period(period), "parts": len(parts)}
    if asset == "state":
        return metadata | of_states(series, period, result.fold, layout)
    if asset == "truth":
        return metadata | of_history(series, period, result.fold, layout)
    shown: dict[str, Metadata] = {
        "new_records": {
            "path": dg.MetadataValue.path(str(layout.new_records(number))),
            "rows_requested": new,
            "files": table_of_files(part.new_records(number) for part in parts),
        },
        "reference_table": {
            "path": dg.MetadataValue.path(str(reference_table(series, layout).place)),
            "new_entities": result.new_entities,
            "total_entities": sum(count for k, count in counts.items() if k <= period.k),
            "files": table_of_files(part.entities(number) for part in parts),
        },
        "dataset": {
            "path": dg.MetadataValue.path(str(layout.dataset(number))),
            "new_rows": result.new_rows,
            "existing_rows": result.existing_rows,
            "new_rows_requested": new,
            "existing_rows_requested": existing,
            "earlier_entities": sum(count for k, count in counts.items() if k < period.k),
            "files": table_of_files(part.dataset(number) for part in parts),
        },
    }
    summary = result.summary
    metadata |= shown[asset]
    if asset != "reference_table":
        metadata["dagster/row_count"] = summary.rows if summary else 0
        metadata["entities"] = summary.entities if summary else 0
    return metadata | (contents_of(series, summary, column_types(series)) if summary else {})

"""What Dagster shows of a partition of ``state``, ``truth`` and ``manifest``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.dagster.columns import history_schema
from series_assets.dagster.metadata import Metadata, of_period, table_of, table_of_files
from series_assets.storage.layout import Layout

if TYPE_CHECKING:
    from series_assets.core.truth.fold import Fold
    from series_assets.pipeline.state import PeriodFold

_FIRST_ROWS = 5


def state_metadata(
    series: Series, period: Period, folded: "PeriodFold", layout: Layout
) -> Metadata:
    """Return what is shown of the states that a period leaves."""
    return {
        "path": dg.MetadataValue.path(str(layout.database)),
        **of_period(period),
        "dagster/table_name": series.states_table,
        "dagster/row_count": folded.fold.states.num_rows,
        **_of_fold(folded.fold),
        "dataset_hash": f"sha256:{folded.content}",
    }


def truth_metadata(
    series: Series, period: Period, folded: "PeriodFold", layout: Layout
) -> Metadata:
    """Return what is shown of the files of a period's history."""
    log, schema = folded.fold.changes, history_schema(series, "truth")
    rows = log.slice(0, _FIRST_ROWS).to_pylist()
    return {
        "path": dg.MetadataValue.path(str(layout.changes(period.number))),
        **of_period(period),
        "dagster/row_count": log.num_rows,
        **_of_fold(folded.fold),
        "changed_values": folded.fold.cells.num_rows,
        "first_rows": table_of(
            dict.fromkeys(log.column_names, "text"),
            [["" if value is None else str(value) for value in row.values()] for row in rows],
        ),
        "dagster/column_schema": schema,
        "files": table_of_files(layout.truth_files(period.number)),
    }


def manifest_metadata(period: Period, path: Path) -> Metadata:
    """Return what is shown of a manifest."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    resources, part = content["resources"], content["series"]
    facts: Metadata = {
        "path": dg.MetadataValue.path(str(path)),
        **of_period(period),
        "rows": part["rows"],
        "entities": part["entities"],
        "dataset_bytes": sum(one["bytes"] for one in resources),
        "manifest": dg.MetadataValue.json(content),
    }
    if len(resources) == 1:
        facts["dataset_hash"] = resources[0]["hash"]
    if part["parent"]:
        facts["parent"] = part["parent"]
    return facts


def _of_fold(fold: "Fold") -> Metadata:
    """Return the operations that occur, as numbers that the UI plots over the partitions."""
    counts = {f"{name}_rows": count for name, count in fold.operations.items()}
    return {**counts, "versions_opened": fold.versions, "ties": fold.ties}

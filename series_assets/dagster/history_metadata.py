"""What Dagster shows of a partition of ``state``, ``truth`` and ``manifest``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.dagster.columns import history_schema
from series_assets.dagster.metadata import (
    Metadata,
    of_period,
    table_of,
    table_of_files,
)
from series_assets.storage.layout import Layout
from series_assets.storage.tables import states_of

if TYPE_CHECKING:
    from series_assets.pipeline.facts import FoldSummary


def state_metadata(
    series: Series, period: Period, fold: "FoldSummary", layout: Layout, content: str = ""
) -> Metadata:
    """Return what is shown of the states that a period, or all its parts, leave.

    ``content`` is the SHA-256 of the only file that they come from.
    """
    metadata: Metadata = {
        **of_period(period, series),
        **({} if layout.keeps_parquet else {"dagster/table_name": series.states_table}),
        "path": dg.MetadataValue.path(str(states_of(series, layout).place)),
        "dagster/row_count": fold.states,
        **_of_fold(fold),
    }
    if layout.keeps_parquet:
        paths = [part.states(period.number) for part in layout.parts]
        metadata["files"] = table_of_files(paths)
    return metadata | ({"dataset_hash": f"sha256:{content}"} if content else {})


def truth_metadata(series: Series, period: Period, fold: "FoldSummary", layout: Layout) -> Metadata:
    """Return what is shown of the files of a period's history, those of all parts."""
    paths = [path for part in layout.parts for path in part.truth_files(period.number)]
    return {
        **of_period(period, series),
        "path": dg.MetadataValue.path(str(layout.changes(period.number))),
        "dagster/row_count": fold.lines,
        **_of_fold(fold),
        "changed_values": fold.changed_values,
        "first_rows": table_of(dict.fromkeys(fold.columns, "text"), fold.first),
        "dagster/column_schema": history_schema(series, "truth"),
        "files": table_of_files(paths),
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


def _of_fold(fold: "FoldSummary") -> Metadata:
    """Return the operations that occur, as numbers that the UI plots over the partitions."""
    counts = {f"{name}_rows": count for name, count in fold.operations.items()}
    return {**counts, "versions_opened": fold.versions, "ties": fold.ties}

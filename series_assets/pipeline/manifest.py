"""The manifest of a period: written after all of its other files, removed before they change."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from series_assets.core.manifest import combined_manifest, manifest_of
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.pipeline.state import read_dataset, recorded_fold
from series_assets.pipeline.work import Work
from series_assets.pipeline.workspace import Workspace
from series_assets.storage import files
from series_assets.storage.manifests import require_manifest_before


def write_manifest(
    series: Series,
    period: Period,
    operations: Sequence[Mapping[str, int]],
    workspace: Workspace,
    folder: Path,
    texts: pa.Table | None = None,
) -> Path:
    """Write the manifest of a period whose other files are in place, and return its path.

    ``operations`` say how many rows of each part did what to the history, where the series has one;
    without them it is looked up. ``texts`` is what the dataset contains, which else is read from
    it; ``folder`` is for temporary files.

    Raises RequestError where the dataset, the states or the manifest before are missing or come
    from other contents.
    """
    layout = workspace.layout(series)
    parent = require_manifest_before(series, layout, period)
    found = iter(operations)
    parts = []
    for part in series.parts:  # of which one is in memory at a time
        counted = None
        if series.truth:
            counted = next(found, None)
            if counted is None:
                counted = recorded_fold(part, period, workspace).fold.operations
        parts.append(_manifest_of(part, period, workspace, counted, parent, texts))
    manifest = combined_manifest(parts) if series.is_sharded else parts[0]
    prepared = folder / f"manifest_{period.number}.json"
    files.write_text(prepared, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    target = layout.manifest(period.number)
    with workspace.exclusive_access():
        files.replace(prepared, target)
    return target


def withdraw_manifest(work: Work, period: Period) -> None:
    """Remove the manifest of a period that is about to change: it says that all is complete."""
    with work.workspace.exclusive_access():
        files.remove(work.workspace.layout(work.series).manifest(period.number))


def _manifest_of(
    series: Series,
    period: Period,
    workspace: Workspace,
    operations: Mapping[str, int] | None,
    parent: str | None,
    texts: pa.Table | None,
) -> dict[str, Any]:
    """Return the manifest of a dataset, or of a shard's part of it."""
    content = read_dataset(series, period, workspace)
    rows = files.parse_table(content) if texts is None else texts
    return manifest_of(series, period, content, rows, operations, parent)

"""Marks in Parquet files that a series keeps for itself: what such a file was generated from.

A file of the reference table, or of the table of states, holds rows of one period of one shard. Its
metadata has the mark, a JSON object, which is written and replaced together with the rows.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.plan.series import Series
from series_assets.storage import files
from series_assets.storage.layout import Layout
from series_assets.storage.remote import is_remote

if TYPE_CHECKING:
    import pyarrow as pa

Mark = dict[str, Any]
_NAME = b"series_assets"


def with_mark(table: "pa.Table", mark: Mark) -> "pa.Table":
    """Return a table with a mark in its metadata."""
    return table.replace_schema_metadata({_NAME: json.dumps(mark)})


def read_mark(path: Path, whole: str) -> Mark | None:
    """Return the mark in a file, which is a part of ``whole``; None where there is no file.

    Raises GenerationError for a file that is unreadable or has no mark.
    """
    from pyarrow import parquet

    try:
        with path.open("rb") as stream:
            metadata = parquet.read_metadata(stream).metadata or {}
        mark: Mark = json.loads(metadata[_NAME])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError) as error:
        raise unreadable(path, whole, error) from error
    return mark


def unreadable(path: Path, whole: str, error: Exception) -> GenerationError:
    """Return the error for a file that cannot be read as a part of ``whole``."""
    reason = "series_assets did not write it" if isinstance(error, KeyError) else str(error)
    return GenerationError(
        f"cannot be read as a part of {whole}: {' '.join(reason.split())[:200]}",
        "remove it and regenerate its period",
        file=path,
    )


def check_series(mark: Mark, series: Series, layout: Layout) -> None:
    """Refuse the mark of another series. Raises RequestError."""
    if mark["series"] != series.name:
        raise RequestError(
            f"holds the files of the series '{mark['series']}'",
            "choose another folder for this series, or remove those files first",
            file=layout.folder,
        )


def remove_marked(paths: Sequence[Path], place: Path) -> bool:
    """Remove files, and the folders up to ``place`` that are then empty; return if there were any.

    Raises GenerationError.
    """
    for path in paths:
        files.remove(path)
    if is_remote(place):
        return bool(paths)
    for folder in sorted({path.parent for path in paths}, reverse=True):
        files.remove_if_empty(folder)
    if paths:
        files.remove_if_empty(place)
    return bool(paths)

"""Summarizes a table of text: number of rows, missing values, first rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_FIRST_ROWS = 5


@dataclass(frozen=True)
class RecordSummary:
    """A summary of a table."""

    rows: int
    entities: int
    """The number of distinct values of the first uuid column."""
    missing: Mapping[str, int]
    """The number of missing values by column, in the order of the columns."""
    first: tuple[Mapping[str, str | None], ...]
    """The first rows, as text."""


def summarize_records(texts: "pa.Table", identifier: str) -> RecordSummary:
    """Summarize a table of text; ``identifier`` is the column that identifies entities."""
    import pyarrow.compute as pc

    return RecordSummary(
        rows=len(texts),
        entities=pc.count_distinct(texts[identifier], mode="only_valid").as_py(),
        missing={name: texts[name].null_count for name in texts.column_names},
        first=tuple(texts.slice(length=_FIRST_ROWS).to_pylist()),
    )

"""Summarizes a table of text: number of rows, missing values, first rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

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


def summarize_records(texts: "pd.DataFrame", identifier: str) -> RecordSummary:
    """Summarize a frame of text; ``identifier`` is the column that identifies entities."""
    missing = texts.isna().sum()
    return RecordSummary(
        rows=len(texts),
        entities=int(texts[identifier].nunique()),
        missing={str(name): int(count) for name, count in missing.items()},
        first=tuple(texts.head(_FIRST_ROWS).to_dict("records")),
    )

"""What is in a table, in short: how many rows, what is missing, its first rows.

From the text that a consumer reads; how a distribution looks is in ``profiles``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_FIRST = 5
"""How many rows are shown of a table."""


@dataclass(frozen=True)
class RecordSummary:
    """A table in short."""

    rows: int
    entities: int
    """How many different identifiers stand in the first uuid column."""
    missing: Mapping[str, int]
    """Missing values by column, in the columns' order."""
    first: tuple[Mapping[str, str | None], ...]
    """The first rows, as text."""


def summarize_records(texts: "pd.DataFrame", identifier: str) -> RecordSummary:
    """Return a frame of text in short; ``identifier`` is the column that tells entities apart."""
    missing = texts.isna().sum()
    return RecordSummary(
        rows=len(texts),
        entities=int(texts[identifier].nunique()),
        missing={str(name): int(count) for name, count in missing.items()},
        first=tuple(texts.head(_FIRST).to_dict("records")),
    )

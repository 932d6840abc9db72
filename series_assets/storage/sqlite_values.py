"""Conversion of values to SQLite and back, with their types.

Columns have no declared type, so SQLite stores numbers as numbers, and text, with leading zeros, as
text. Dates and booleans, which SQLite lacks, are stored as text.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from series_assets.core.records import column_from_text, frame_of_columns, texts_of


def to_sqlite(column: "pd.Series[Any]") -> list[Any]:
    """Return the values as SQLite stores them: int, float, text or None."""
    if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column.dtype):
        return texts_of(column).tolist()
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()


def from_sqlite(values: Sequence[Any], kind: str) -> "pd.Series[Any]":
    """Return stored values as a typed column; ``kind`` as ``column_kinds`` gives it."""
    types = set(map(type, values)) - {type(None)}
    if types <= {str}:
        return column_from_text(pd.Series(values, dtype=object), kind)
    if types == {int}:
        return pd.Series(values, dtype="Int64")
    if types == {float}:
        return pd.Series(values, dtype="float64")
    return pd.Series(values, dtype=object)


def typed_frame(
    columns: Mapping[str, Sequence[Any]], kinds: Mapping[str, str], rows: NDArray[np.int64]
) -> pd.DataFrame:
    """Return some rows of stored columns as a typed frame; a column without a kind is ``any``."""
    typed = {
        name: from_sqlite(values, kinds.get(name, "any")).take(rows).reset_index(drop=True)
        for name, values in columns.items()
    }
    return frame_of_columns(typed, pd.Index(list(columns)))

"""How the values of the data are kept in SQLite, so that they come back as what they were.

A column without a declared type keeps numbers as numbers and text, with its leading zeros, as
text. Days and truth values, which SQLite lacks, are declared.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from series_assets.core.records import typed_column


def declared(column: "pd.Series[Any]") -> str:
    """Return the type that the column is declared with."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "DATE"
    return "BOOLEAN" if pd.api.types.is_bool_dtype(column.dtype) else ""


def stored(column: "pd.Series[Any]") -> list[Any]:
    """Return the values as SQLite keeps them: int, float, text or None."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        days = column.dt.strftime("%Y-%m-%d").astype(object)
        return [None if pd.isna(day) else day for day in days]
    values = column.astype(object).tolist()
    truth = pd.api.types.is_bool_dtype(column.dtype)
    return [None if pd.isna(value) else int(value) if truth else value for value in values]


def restored(values: Sequence[Any], type_: str, kind: str) -> "pd.Series[Any]":
    """Return stored values as a typed column; ``kind`` tells what a column without values is."""
    known = [value for value in values if value is not None]
    if not known:
        return typed_column(list(values), kind)
    if type_ == "DATE":
        return pd.to_datetime(pd.Series(values, dtype=object), format="%Y-%m-%d")
    if type_ == "BOOLEAN":
        flags = [None if value is None else bool(value) for value in values]
        return pd.Series(flags, dtype=bool if len(known) == len(values) else "boolean")
    if all(isinstance(value, int) for value in known):
        return pd.Series(values, dtype="Int64")
    if all(isinstance(value, float) for value in known):
        return pd.Series(values, dtype="float64")
    return pd.Series(values, dtype=object)

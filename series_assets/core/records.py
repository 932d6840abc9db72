"""Records as tables: their text, their types, who is new among them, how they are combined.

The text of a value is what a consumer reads in a CSV (section 8), and is made here once; from
then on records travel as text, so that a dataset holds the very characters of its parts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WHOLE = re.compile(r"-?(0|[1-9]\d*)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with each value as its text (``str``), None where it is missing.

    Days are ISO without a time, floats the shortest text that reads back the same.
    """
    columns = {name: _texts(frame[name]) for name in frame.columns}
    return pd.DataFrame(columns, columns=frame.columns, dtype=object)


def _texts(column: "pd.Series[Any]") -> list[str | None]:
    values = column
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        days = values.to_numpy(dtype="datetime64[ns]")
        whole = days.astype("datetime64[D]")
        if (np.isnat(days) | (days == whole)).all():
            texts = whole.astype(str).tolist()
            return [None if text == "NaT" else text for text in texts]
    return [_text(value) for value in values.tolist()]


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float | np.floating):
        return None if value != value else repr(float(value))
    if isinstance(value, datetime):
        midnight = value.time() == datetime.min.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value).removeprefix("0 days ")
    return str(value)


def typed(texts: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return a frame of text with its values as what they are, the inverse of ``as_text``.

    ``kinds`` as ``specification.column_kinds`` gives them; a column it lacks is ``any``.
    """
    columns = {
        name: typed_column(texts[name].tolist(), kinds.get(name, "any")) for name in texts.columns
    }
    return pd.DataFrame(columns, columns=texts.columns)


def typed_column(values: Sequence[str | None], kind: str) -> "pd.Series[Any]":
    """Return the values as Int64, float64, datetime64, boolean, or text where nothing else fits.

    A column is only read as something else than text where its text would come out the same.
    """
    text = pd.Series(values, dtype=object)
    known = [value for value in values if value is not None]
    if kind == "text" or not known:
        return _empty_of(kind, text) if not known else text
    if all(_WHOLE.fullmatch(value) and value != "-0" and len(value) < 19 for value in known):
        return pd.Series([None if v is None else int(v) for v in values], dtype="Int64")
    try:
        numbers = [float("nan") if v is None else float(v) for v in values]
        same = (
            v is None or (n == n and repr(n) == v) for v, n in zip(values, numbers, strict=True)
        )
        if all(same):
            return pd.Series(numbers, dtype="float64")
    except ValueError:
        pass
    if all(_DAY.fullmatch(value) for value in known):
        days = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
        if (days.notna() == text.notna()).all():  # else some are days that pandas cannot hold
            return days
    if set(known) <= {"True", "False"}:
        flags = [None if v is None else v == "True" for v in values]
        return pd.Series(flags, dtype=bool if None not in flags else "boolean")
    return text


def _empty_of(kind: str, text: "pd.Series[Any]") -> "pd.Series[Any]":
    dtypes = {"integer": "Int64", "real": "float64", "date": "datetime64[ns]"}
    return text.astype(dtypes[kind]) if kind in dtypes else text


def first_rows(identifiers: Sequence[str | None]) -> "NDArray[np.int64]":
    """Return the places of the rows in which an entity occurs for the first time.

    Rows without an identifier are no entity's (section 6).
    """
    column = pd.Series(identifiers, dtype=object)
    return np.flatnonzero(column.notna() & ~column.duplicated()).astype(np.int64)


def combine(parts: Iterable[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Return the parts (frames of text) as one, shuffled, in the columns of the first (section 7).

    There is at least one part; all have the same columns in some order.
    """
    from sklearn.utils import shuffle

    parts = list(parts)
    whole = pd.concat([part[parts[0].columns] for part in parts], ignore_index=True)
    return shuffle(whole, random_state=seed).reset_index(drop=True)

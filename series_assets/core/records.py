"""Converts records to text and back, and combines the parts of a dataset.

Each value is converted once to the text that a CSV has (section 8); from then on records are passed
on as text, so that a dataset has exactly the characters of its parts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.spec.column_types import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Patterns for pyarrow, in which ``$`` matches only at the end of the text.
_INTEGER = r"^(0|[1-9][0-9]{0,17}|-[1-9][0-9]{0,16})$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with each value as text, None where it is missing.

    Days are ISO without a time, floats the shortest text that parses to the same number.
    """
    return frame_of_columns({name: texts_of(frame[name]) for name in frame}, frame.columns)


def as_delivered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame as read from a CSV: as text, where an empty text is a missing value."""
    texts = as_text(frame)
    for name in texts.columns:
        empty = texts[name].eq("").to_numpy()
        if empty.any():
            texts[name] = texts[name].where(~empty, None)
    return texts


def frame_of_columns(columns: Mapping[Any, Any], names: "pd.Index[Any]") -> pd.DataFrame:
    """Return a frame of columns in the order of ``names``."""
    # Passing the names to the constructor would copy value by value.
    frame = pd.DataFrame(columns)
    frame.columns = names
    return frame


def texts_of(column: "pd.Series[Any]") -> "NDArray[np.object_]":
    """Return the values of a column as ``as_text`` converts them; vectorized where possible."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _take(texts_of(column.cat.categories.to_series()), column.cat.codes.to_numpy())
    if pd.api.types.is_datetime64_any_dtype(dtype):
        days = column.to_numpy(dtype="datetime64[ns]")
        if (np.isnat(days) | (days == days.astype("datetime64[D]"))).all():
            codes, uniques = pd.factorize(days)
            return _take(uniques.astype("datetime64[D]").astype(str), codes)
    elif isinstance(dtype, np.dtype) and dtype.kind == "f" and dtype.itemsize <= 8:
        return _float_texts(column.to_numpy(dtype=np.float64))
    elif pd.api.types.is_integer_dtype(dtype):
        return _objects(pa.array(column, from_pandas=True).cast(pa.string()))
    elif pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        texts: NDArray[np.object_] = column.to_numpy(dtype=object, copy=True)
        texts[column.isna().to_numpy()] = None
        return texts
    texts = np.empty(len(column), dtype=object)
    texts[:] = [_text(value) for value in column.tolist()]
    return texts


def _take(values: "NDArray[Any]", codes: "NDArray[Any]") -> "NDArray[np.object_]":
    """Return ``values[codes]``, with None for each code -1."""
    with_none = np.empty(len(values) + 1, dtype=object)  # the last one is None
    with_none[:-1] = values
    texts: NDArray[np.object_] = with_none[codes]
    return texts


def _float_texts(numbers: "NDArray[np.float64]") -> "NDArray[np.object_]":
    """Return the ``repr`` of floats, None for NaN."""
    found, rest = _plain_float_texts(numbers)
    texts = _objects(found)
    texts[rest] = [repr(number) for number in numbers[rest].tolist()]
    return texts


def _plain_float_texts(numbers: "NDArray[np.float64]") -> "tuple[pa.Array, NDArray[np.bool_]]":
    """Return the ``repr`` of floats of medium size from pyarrow, and a mask of the others.

    pyarrow's digits are those of Python, but it uses exponents for other sizes, and writes whole
    numbers without a point.
    """
    size = np.abs(numbers)
    plain = ((size >= 1e-4) & (size < 1e10)) | (size == 0)
    found = pa.array(numbers, mask=~plain).cast(pa.string())
    zero = pc.if_else(pc.match_substring(found, "."), "", ".0")
    return pc.binary_join_element_wise(found, zero, ""), ~plain & ~np.isnan(numbers)


def _objects(texts: pa.Array) -> "NDArray[np.object_]":
    """Return the texts as Python strings, shared where equal, None where missing."""
    return np.array(texts.to_pandas(), dtype=object)


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
    """Return a frame of text as typed values, the inverse of ``as_text``.

    ``kinds`` is as from ``specification.column_kinds``; a column that it lacks is ``any``.
    """
    columns = {
        name: column_from_text(texts[name], kinds.get(name, "any")) for name in texts.columns
    }
    return frame_of_columns(columns, texts.columns)


def column_from_text(
    values: "Sequence[str | None] | pd.Series[Any]", kind: str
) -> "pd.Series[Any]":
    """Return the values as Int64, float64, datetime64 or boolean if that preserves their text.

    Else they stay text.
    """
    text = pd.Series(values, dtype=object)
    if kind == "text" and text.notna().any():
        return text
    coded = pa.array(text, pa.string(), from_pandas=True).dictionary_encode()
    known = coded.dictionary
    if not len(known):
        return _empty_of(kind, text)
    # Parse each distinct text once; ``codes`` has its position, -1 for a missing value.
    codes = coded.indices.fill_null(-1).to_numpy()
    if pc.all(pc.match_substring_regex(known, _INTEGER)).as_py():
        numbers = known.cast(pa.int64()).to_numpy()
        return pd.Series(pd.arrays.IntegerArray(np.append(numbers, 1)[codes], codes < 0))
    floats = _read_floats(known)
    if floats is not None:
        return pd.Series(np.append(floats, np.nan)[codes])
    if pc.all(pc.match_substring_regex(known, _DAY)).as_py():
        days = pd.to_datetime(known.to_pandas(), format="%Y-%m-%d", errors="coerce")
        if days.notna().all():  # else some are out of pandas' range
            return pd.Series(np.append(days.to_numpy(), np.datetime64("NaT"))[codes])
    if len(known) <= 2 and set(known.to_pylist()) <= {"True", "False"}:
        flags = np.append(pc.equal(known, "True").to_numpy(zero_copy_only=False), False)[codes]
        if (codes < 0).any():
            return pd.Series(pd.arrays.BooleanArray(flags, codes < 0))
        return pd.Series(flags)
    return text


def _read_floats(known: pa.Array) -> "NDArray[np.float64] | None":
    """Return the texts as floats; None unless all are floats in their ``repr`` form."""
    try:
        numbers: NDArray[np.float64] = known.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    if np.isnan(numbers).any():
        return None
    found, rest = _plain_float_texts(numbers)
    if not pc.all(pc.equal(found, known), min_count=0).as_py():  # the others are null there
        return None
    others = zip(numbers[rest].tolist(), known.filter(pa.array(rest)).to_pylist(), strict=True)
    return numbers if all(repr(number) == text for number, text in others) else None


def _empty_of(kind: str, text: "pd.Series[Any]") -> "pd.Series[Any]":
    dtype = KINDS[kind].dtype
    return text.astype(dtype) if dtype else text


def first_row_positions(
    identifiers: "Sequence[str | None] | pd.Series[Any]",
) -> "NDArray[np.int64]":
    """Return the positions of the first row of each entity; rows without identifier have none."""
    column = pd.Series(identifiers, dtype=object)
    return np.flatnonzero(column.notna() & ~column.duplicated()).astype(np.int64)


def combine(parts: Iterable[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Return the parts, frames of text with the same columns, as one shuffled frame (section 7).

    Its columns are in the order of the first part.
    """
    parts = list(parts)
    names = parts[0].columns
    order = shuffled_positions(sum(map(len, parts)), seed)
    columns = {
        name: np.concatenate([part[name].to_numpy(dtype=object) for part in parts])[order]
        for name in names
    }
    return frame_of_columns(columns, names)


def shuffled_positions(count: int, seed: int) -> "NDArray[np.int64]":
    """Return the positions 0 to ``count - 1`` in the order of ``sklearn.utils.shuffle``.

    Importing scikit-learn takes longer than generating thousands of rows.
    """
    order = np.arange(count)
    np.random.RandomState(seed).shuffle(order)
    return order

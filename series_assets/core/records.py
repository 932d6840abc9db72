"""Converts records to text and back, and combines the parts of a dataset.

Each value is converted once to the text that a CSV has (section 8); from then on records are passed
on as columns of text, so that a dataset has exactly the characters of its parts. They are Arrow
tables, which are written without visiting each value again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.arrays import one_array
from series_assets.core.spec.column_types import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Patterns for pyarrow, in which ``$`` matches only at the end of the text.
_INTEGER = r"^(0|[1-9][0-9]{0,17}|-[1-9][0-9]{0,16})$"
_LOOKED_AT = 1000
"""Values by which a column is judged to have many equal ones."""
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with each value as text, None where it is missing.

    Days are ISO without a time, floats the shortest text that parses to the same number.
    """
    return frame_of_columns({name: texts_of(frame[name]) for name in frame}, frame.columns)


def as_delivered(frame: pd.DataFrame) -> pa.Table:
    """Return the frame as read from a CSV: as text, where an empty text is a missing value."""
    columns = {str(name): delivered_array(frame[name]) for name in frame.columns}
    return pa.table(columns)


def delivered_array(column: "pd.Series[Any]") -> pa.Array:
    """Return a column as read from a CSV."""
    texts = text_array(column)
    empty = pc.equal(pc.binary_length(texts), 0)
    if not pc.any(empty).as_py():
        return texts
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts)


def frame_of_columns(columns: Mapping[Any, Any], names: "pd.Index[Any]") -> pd.DataFrame:
    """Return a frame of columns in the order of ``names``."""
    # Passing the names to the constructor would copy value by value.
    frame = pd.DataFrame(columns)
    frame.columns = names
    return frame


def texts_of(column: "pd.Series[Any]") -> "NDArray[np.object_]":
    """Return the values of a column as ``as_text`` converts them: Python strings, or None."""
    if _is_text(column):
        texts: NDArray[np.object_] = column.to_numpy(dtype=object, copy=True)
        texts[column.isna().to_numpy()] = None
        return texts
    if _has_arrow_texts(column):
        return _objects(text_array(column))
    texts = np.empty(len(column), dtype=object)
    texts[:] = [_text(value) for value in column.tolist()]
    return texts


def text_array(column: "pd.Series[Any]") -> pa.Array:
    """Return the values of a column as ``as_text`` converts them; vectorized where possible."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        known = text_array(column.cat.categories.to_series())
        return known.take(pa.array(codes, mask=codes < 0))
    if _are_days(column):
        return pa.array(column.to_numpy(dtype="datetime64[D]")).cast(pa.string())
    if _are_floats(dtype):
        return _float_texts(column.to_numpy(dtype=np.float64))
    if pd.api.types.is_integer_dtype(dtype):
        return pa.array(column, from_pandas=True).cast(pa.string())
    if _is_text(column):
        return pa.array(column, pa.string(), from_pandas=True)
    return pa.array([_text(value) for value in column.tolist()], pa.string())


def _has_arrow_texts(column: "pd.Series[Any]") -> bool:
    dtype = column.dtype
    is_plain = _are_floats(dtype) or pd.api.types.is_integer_dtype(dtype)
    return is_plain or isinstance(dtype, pd.CategoricalDtype) or _are_days(column)


def _are_days(column: "pd.Series[Any]") -> bool:
    """Return whether a column has dates without a time."""
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        return False
    days = column.to_numpy(dtype="datetime64[ns]")
    return bool((np.isnat(days) | (days == days.astype("datetime64[D]"))).all())


def _are_floats(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind == "f" and dtype.itemsize <= 8


def _is_text(column: "pd.Series[Any]") -> bool:
    if column.dtype != object and not isinstance(column.dtype, pd.StringDtype):
        return False
    return pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")


def _float_texts(numbers: "NDArray[np.float64]") -> pa.Array:
    """Return the ``repr`` of floats, null for NaN."""
    found, rest = _plain_float_texts(numbers)
    if not rest.any():
        return found
    others = pa.array([repr(number) for number in numbers[rest].tolist()], pa.string())
    return pc.replace_with_mask(found, pa.array(rest), others)


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
    """Return the texts as Python strings, shared where many are equal, None where missing."""
    first = texts.slice(0, _LOOKED_AT)
    many_equal = pc.count_distinct(first).as_py() < len(first) // 2
    return np.array(texts.to_pandas(deduplicate_objects=many_equal), dtype=object)


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


def typed(texts: pd.DataFrame | pa.Table, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return columns of text as typed values, the inverse of ``as_text``.

    ``kinds`` is as from ``specification.column_kinds``; a column that it lacks is ``any``.
    """
    names = texts.column_names if isinstance(texts, pa.Table) else texts.columns
    columns = {name: column_from_text(texts[name], kinds.get(name, "any")) for name in names}
    return frame_of_columns(columns, pd.Index(names))


def column_from_text(
    values: "Sequence[str | None] | pd.Series[Any] | pa.Array | pa.ChunkedArray", kind: str
) -> "pd.Series[Any]":
    """Return the values as Int64, float64, datetime64 or boolean if that preserves their text.

    Else they stay text.
    """
    if kind == "text":
        objects = _as_objects(values)
        if objects.notna().any():
            return objects
    texts = _as_array(values)
    coded = texts.dictionary_encode()
    known = coded.dictionary
    if not len(known):
        return _empty_of(kind, _as_objects(values))
    # Parse each distinct text once; ``codes`` has its position, -1 for a missing value.
    codes = coded.indices.fill_null(-1).to_numpy()
    if kind == "date" and (days := _read_days(known)) is not None:
        return pd.Series(np.append(days, np.datetime64("NaT"))[codes])
    if pc.all(pc.match_substring_regex(known, _INTEGER)).as_py():
        numbers = known.cast(pa.int64()).to_numpy()
        return pd.Series(pd.arrays.IntegerArray(np.append(numbers, 1)[codes], codes < 0))
    floats = _read_floats(known)
    if floats is not None:
        return pd.Series(np.append(floats, np.nan)[codes])
    if (days := _read_days(known)) is not None:
        return pd.Series(np.append(days, np.datetime64("NaT"))[codes])
    if len(known) <= 2 and set(known.to_pylist()) <= {"True", "False"}:
        flags = np.append(pc.equal(known, "True").to_numpy(zero_copy_only=False), False)[codes]
        if (codes < 0).any():
            return pd.Series(pd.arrays.BooleanArray(flags, codes < 0))
        return pd.Series(flags)
    return _as_objects(values)


def _as_array(values: Any) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        return one_array(values)
    if isinstance(values, pa.Array):
        return values
    return pa.array(pd.Series(values, dtype=object), pa.string(), from_pandas=True)


def _as_objects(values: Any) -> "pd.Series[Any]":
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return pd.Series(_objects(values), dtype=object)
    return pd.Series(values, dtype=object)


def _read_days(known: pa.Array) -> "NDArray[np.datetime64] | None":
    """Return the texts as days; None unless all are days in pandas' range."""
    if not pc.all(pc.match_substring_regex(known, _DAY)).as_py():
        return None
    try:
        days: NDArray[np.datetime64] = known.cast(pa.date32()).cast(pa.timestamp("ns")).to_numpy()
    except pa.ArrowInvalid:
        return None
    return days


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
    identifiers: "Sequence[str | None] | pd.Series[Any] | pa.Array | pa.ChunkedArray",
) -> "NDArray[np.int64]":
    """Return the positions of the first row of each entity; rows without identifier have none."""
    coded = _as_array(identifiers).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy()
    if len(coded.dictionary) == len(codes):  # each row has an entity of its own
        return np.arange(len(codes), dtype=np.int64)
    # Codes count up in the order in which identifiers occur first.
    is_first = codes > np.maximum.accumulate(np.append(-1, codes))[:-1]
    return np.flatnonzero(is_first).astype(np.int64)


def combine(parts: Iterable[pa.Table], seed: int) -> pa.Table:
    """Return the parts, tables of text with the same columns, as one shuffled table (section 7).

    Its columns are in the order of the first part.
    """
    parts = list(parts)
    names = parts[0].column_names
    order = pa.array(shuffled_positions(sum(len(part) for part in parts), seed))
    columns = {
        name: pa.chunked_array([c for part in parts for c in part[name].chunks], pa.string())
        .combine_chunks()
        .take(order)
        for name in names
    }
    return pa.table(columns)


def shuffled_positions(count: int, seed: int) -> "NDArray[np.int64]":
    """Return the positions 0 to ``count - 1`` in the order of a shuffled dataset (section 7)."""
    from sklearn.utils import shuffle  # takes longer to import than small datasets to generate

    order: NDArray[np.int64] = shuffle(np.arange(count), random_state=seed)
    return order

"""Values of both sides as numbers: equal values have equal codes, whatever their types are.

Numbers are compared by value, days as days, truth values as such, everything else as text. NULL,
NaN, NaT and the empty text are missing and have the code -1.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.core.errors import InvalidValueError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_NUMBER = r"^[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|(?i:inf(inity)?))$"
_WHOLE = r"^[+-]?[0-9]{1,18}$"
_DAY = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})$"
_MIDNIGHT = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]00:00(:00(\.0+)?)?( ?(Z|UTC|[+-]00(:?00)?))?$"
_FLAG = r"(?i)^(true|false|1|0|1\.0|0\.0)$"

MISSING_WORDS = {"nan", "none", "null", "nat", "n/a", "na", "<na>", "nil", "undefined", "\\n", "-"}
"""Texts that programs write for a missing value by mistake, in lower case."""


@dataclass(frozen=True)
class Coded:
    """A column of both sides as codes."""

    ours: Ints
    theirs: Ints
    our_numbers: Floats | None = None
    """The values themselves where they are numbers, for a tolerance; NaN where there is none."""
    their_numbers: Floats | None = None


def coded(
    ours: pa.ChunkedArray, theirs: pa.ChunkedArray, kind: str, tolerance: float = 0.0
) -> Coded:
    """Return a column of both sides as codes.

    ``ours`` is text as in a CSV, ``theirs`` has any type, ``kind`` is a key of ``KINDS``. With a
    ``tolerance``, numbers that near to an expected one get its code. Raises InvalidValueError
    where the type of ``theirs`` holds no single values.
    """
    mine, other = plain(ours), plain(theirs)
    kind = _kind_of(mine, other, kind)
    if kind == "number":
        return _numbers(mine, other, tolerance)
    texts = {"date": _days, "flag": _flags}.get(kind, _texts)
    return _by_text(texts(mine), texts(other))


def shown(column: pa.ChunkedArray, row: int) -> str:
    """Return a value as a report shows it."""
    value = column[row].as_py()
    return "nothing" if value is None or value == "" or value != value else str(value)


def flags(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Tell where a column of truth values is true; what is missing is not.

    Raises InvalidValueError where a value is neither true nor false.
    """
    texts = pc.utf8_trim_whitespace(_flags(plain(column)))
    texts = pc.replace_substring_regex(texts, r"(?i)^(t|y|yes)$", "true")
    texts = pc.replace_substring_regex(texts, r"(?i)^(f|n|no)$", "false")
    other = texts.filter(pc.invert(pc.is_in(texts, pa.array(["true", "false", None]))))
    if len(other):
        raise InvalidValueError(
            f"holds '{other[0].as_py()}', which is neither true nor false", "use true and false"
        )
    found: NDArray[np.bool_] = (
        pc.equal(texts, "true").fill_null(False).to_numpy(zero_copy_only=False)
    )
    return found


def plain(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array without encodings; all sorts of text as one type."""
    parts = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    if isinstance(column.type, pa.DictionaryType):
        parts = [part.dictionary_decode() for part in parts]
    type_ = parts[0].type if parts else column.type
    if pa.types.is_null(type_) or not _is_basic(type_):
        try:
            parts = [part.cast(pa.string()) for part in parts]
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            raise InvalidValueError(
                f"holds values of the type {type_}, which cannot be compared",
                "leave it out, or convert it to text",
            ) from None
        type_ = pa.string()
    found = pa.concat_arrays(parts) if parts else pa.array([], type_)
    if pa.types.is_floating(type_):
        found = pc.if_else(pc.is_nan(found), pa.scalar(None, type_), found)
    if pa.types.is_string(type_):
        found = pc.if_else(pc.equal(found, ""), pa.scalar(None, type_), found)
    return found


def _is_basic(type_: pa.DataType) -> bool:
    types = pa.types
    return any(
        test(type_)
        for test in (
            types.is_string,
            types.is_integer,
            types.is_floating,
            types.is_decimal,
            types.is_boolean,
            types.is_date,
            types.is_timestamp,
        )
    )


def _kind_of(ours: pa.Array, theirs: pa.Array, kind: str) -> str:
    """Return how the values are compared: ``number``, ``date``, ``flag`` or ``text``."""
    if kind in ("integer", "real"):
        return "number"
    if pa.types.is_boolean(theirs.type):
        return "flag"
    if kind != "any":
        return kind
    for pattern, found in ((_NUMBER, "number"), (_DAY, "date"), (r"^(True|False)$", "flag")):
        if _all_match(ours, pattern):
            return found
    return "text"


def _all_match(texts: pa.Array, pattern: str) -> bool:
    found = pc.all(pc.match_substring_regex(texts, pattern), min_count=1).as_py()
    return bool(found)


def _numbers(ours: pa.Array, theirs: pa.Array, tolerance: float) -> Coded:
    whole = _integers(ours, theirs)
    mine, other = _floats(ours), _floats(theirs)
    if whole is not None and not tolerance:
        return _split(whole[0], whole[1], mine, other)
    count = len(ours)
    values = np.concatenate([mine, other])
    codes, known = pd.factorize(values)
    codes = codes.astype(np.int64)
    texts = np.flatnonzero(np.isnan(values))
    if len(texts):  # a value that is no number is compared as its text
        words = pa.concat_arrays([_texts(ours), _texts(theirs)]).take(pa.array(texts))
        coded_words = words.dictionary_encode().indices.fill_null(-1).to_numpy()
        codes[texts] = np.where(coded_words < 0, -1, coded_words + len(known))
    found = Coded(codes[:count], codes[count:], mine, other)
    return _snapped(found, tolerance) if tolerance else found


def _integers(ours: pa.Array, theirs: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Return both sides as int64, which are exact where floats are not; None where some are not."""
    found = []
    for side in (ours, theirs):
        if pa.types.is_string(side.type) and side.null_count < len(side):
            if not _all_match(side, _WHOLE):
                return None
        elif not _is_whole(side.type) and side.null_count < len(side):
            return None
        try:
            found.append(side.cast(pa.int64()))
        except pa.ArrowInvalid:
            return None
    return found[0], found[1]


def _is_whole(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or (pa.types.is_decimal(type_) and type_.scale == 0))


def _split(ours: pa.Array, theirs: pa.Array, mine: Floats, other: Floats) -> Coded:
    found = _by_text(ours, theirs)
    return Coded(found.ours, found.theirs, mine, other)


def _floats(column: pa.Array) -> Floats:
    """Return a column as floats, NaN where it has no number."""
    if pa.types.is_string(column.type):
        matches = pc.match_substring_regex(column, _NUMBER)
        column = pc.if_else(matches, column, pa.scalar(None, pa.string()))
    elif pa.types.is_decimal(column.type):  # pyarrow does not cast it to the nearest float
        column = column.cast(pa.string())
    elif pa.types.is_boolean(column.type):
        column = column.cast(pa.int64())
    elif pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return np.full(len(column), np.nan)
    numbers: Floats = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers


def _snapped(found: Coded, tolerance: float) -> Coded:
    """Return the codes with each of their numbers as the nearest expected one, if it is near."""
    mine, other = found.our_numbers, found.their_numbers
    assert mine is not None and other is not None
    known, first = np.unique(mine[~np.isnan(mine)], return_index=True)
    if not len(known):
        return found
    code_of = found.ours[np.flatnonzero(~np.isnan(mine))[first]]
    above = np.clip(np.searchsorted(known, other), 0, len(known) - 1)
    below = np.maximum(above - 1, 0)
    with np.errstate(invalid="ignore"):  # infinite numbers have no difference
        nearer = np.abs(known[below] - other) < np.abs(known[above] - other)
        nearest = np.where(nearer, below, above)
        near = np.abs(known[nearest] - other) <= tolerance
    return Coded(found.ours, np.where(near, code_of[nearest], found.theirs), mine, other)


def _by_text(ours: pa.Array, theirs: pa.Array) -> Coded:
    """Return the codes of two arrays of one type."""
    codes = pa.concat_arrays([ours, theirs]).dictionary_encode().indices.fill_null(-1)
    numbers = codes.to_numpy(zero_copy_only=False).astype(np.int64)
    return Coded(numbers[: len(ours)], numbers[len(ours) :])


def _texts(column: pa.Array) -> pa.Array:
    """Return values as text; whole floats (a column of integers with gaps) as integers."""
    if pa.types.is_floating(column.type):
        texts = column.cast(pa.float64()).cast(pa.string())
        return pc.replace_substring_regex(texts, r"\.0+$", "")
    if pa.types.is_decimal(column.type):
        texts = [None if value is None else f"{value:f}" for value in column.to_pylist()]
        bare = [t and (t.rstrip("0").rstrip(".") if "." in t else t) for t in texts]
        return pa.array(bare, pa.string())
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return _days(column)
    return column.cast(pa.string())


def _days(column: pa.Array) -> pa.Array:
    """Return values as text, those at midnight as days."""
    return pc.replace_substring_regex(column.cast(pa.string()), _MIDNIGHT, r"\1")


def _flags(column: pa.Array) -> pa.Array:
    """Return truth values as ``true`` and ``false``, all else as text."""
    texts = column.cast(pa.string())
    is_flag = pc.match_substring_regex(texts, _FLAG)
    is_true = pc.match_substring_regex(texts, r"(?i)^(true|1|1\.0)$")
    return pc.if_else(is_flag, pc.if_else(is_true, "true", "false"), texts)

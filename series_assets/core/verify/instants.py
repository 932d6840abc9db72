"""Times of both sides as microseconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.core.errors import InvalidValueError
from series_assets.core.verify.values import MISSING_WORDS, plain

Ints = NDArray[np.int64]
OPEN = int(np.iinfo(np.int64).max)
"""The end of a current version."""
MISSING = int(np.iinfo(np.int64).min)
"""A beginning that the table lacks."""
DAY = 86_400_000_000
"""A day in microseconds."""
FAR = 340_000 * DAY
"""An end after that day, in the year 2900, stands for no end."""
_ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$"
)
_SPANS = {
    DAY: "day",
    DAY // 24: "hour",
    DAY // 1440: "minute",
    1_000_000: "second",
    1_000: "millisecond",
    1: "microsecond",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instants(column: pa.ChunkedArray, missing: int) -> Ints:
    """Return the times of a column; a time without a zone is UTC, a whole number is as it is.

    Raises InvalidValueError where a value is no time.
    """
    values = plain(column)
    if pa.types.is_string(values.type):
        values = _parsed(values)
    elif pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("us"))
    elif pa.types.is_timestamp(values.type):
        unit = pa.timestamp("us", values.type.tz)
        values = values.cast(unit, safe=False)
    elif pa.types.is_boolean(values.type):
        raise InvalidValueError("holds booleans, not times")
    numbers = values.cast(pa.int64(), safe=False).fill_null(missing)
    found: Ints = numbers.to_numpy(zero_copy_only=False)
    return found


def holds_numbers(column: pa.ChunkedArray) -> bool:
    """Tell whether a column has numbers, such as sequences, in place of times."""
    type_ = column.type
    is_number = pa.types.is_integer(type_) or pa.types.is_floating(type_)
    return bool(is_number or pa.types.is_decimal(type_)) and column.null_count < len(column)


def instant_of(text: str) -> int:
    """Return a time that is given as text. Raises InvalidValueError."""
    return int(instants(pa.chunked_array([pa.array([text])]), MISSING)[0])


def formatted(value: int) -> str:
    """Return a time as a report shows it: a day where it is midnight."""
    if value in (OPEN, MISSING):
        return "nothing"
    try:
        moment = _EPOCH + timedelta(microseconds=int(value))
    except OverflowError:
        return str(value)
    text = moment.strftime("%Y-%m-%d %H:%M:%S")
    if moment.microsecond:
        text += f".{moment.microsecond:06d}"
    return text.removesuffix(" 00:00:00")


def _parsed(texts: pa.Array) -> pa.Array:
    texts = pc.replace_substring_regex(texts, r" ?UTC$", "Z")
    texts = pc.replace_substring_regex(texts, r"(\.[0-9]{6})[0-9]+", r"\1")
    fits = pc.match_substring_regex(texts, _TIME)
    if not pc.all(fits, min_count=0).as_py():
        _refuse(texts.filter(pc.invert(fits))[0].as_py())
    zoned = pc.match_substring_regex(texts, r"[0-9]" + _ZONE)
    zoned = pc.and_(zoned, pc.greater(pc.utf8_length(texts), 10))
    none = pa.scalar(None, pa.string())
    try:
        plain = pc.if_else(zoned, none, texts).cast(pa.timestamp("us"))
        utc = pc.if_else(zoned, texts, none).cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid as error:
        _refuse(str(error).split("'")[1] if "'" in str(error) else "a value")
    return pc.coalesce(plain, utc.cast(pa.int64()).cast(pa.timestamp("us")))


def _refuse(text: str) -> None:
    remedy = "use ISO 8601 times"
    if text.strip().lower() in MISSING_WORDS:
        remedy = "leave a missing time empty, or write NULL to a database"
    raise InvalidValueError(f"holds '{text}', which is not a time", remedy)


def length(span: int) -> str:
    """Return a span of one or more microseconds in words, such as ``1.5 hours``."""
    for size, name in _SPANS.items():
        count = round(span / size, 1)
        if 1 <= count < 1000 and count * size == span:
            return f"{count:g} {name}{'s' if count != 1 else ''}"
    size = next(size for size in _SPANS if span >= size)
    return f"about {round(span / size, 1):g} {_SPANS[size]}s"

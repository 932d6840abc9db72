"""Several columns of text as one, so that a state takes one value in SQLite instead of many.

Binding and reading a value costs more than comparing it: with a column for each tracked column the
table of states took several times as long.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SEPARATOR, _MISSING, _ESCAPE = "\x1f", "\x1e", "\x1b"
_ESCAPED = ((_ESCAPE, f"{_ESCAPE}b"), (_MISSING, f"{_ESCAPE}e"), (_SEPARATOR, f"{_ESCAPE}u"))


def pack(columns: Sequence[pa.Array]) -> pa.Array:
    """Return one text for each row of some columns, whose values are cast to text."""
    texts = [_escape(column.cast(pa.string())) for column in columns]
    return pc.binary_join_element_wise(
        *texts, _SEPARATOR, null_handling="replace", null_replacement=_MISSING
    )


def unpack(packed: pa.Array, width: int) -> list[pa.Array]:
    """Return the so many columns that were packed, as text."""
    count = len(packed)
    flat = pc.list_flatten(pc.split_pattern(packed, _SEPARATOR))
    if len(flat) != width * count:
        raise ValueError("the packed columns are others")
    places = (pa.array(np.arange(count) * width + place) for place in range(width))
    return [_unescape(flat.take(place)).cast(pa.string()) for place in places]


def _escape(texts: pa.Array) -> pa.Array:
    if _has_any(texts, (sign for sign, _ in _ESCAPED)):
        for sign, instead in _ESCAPED:
            texts = pc.replace_substring(texts, sign, instead)
    return texts


def _unescape(texts: pa.Array) -> pa.Array:
    if _has_any(texts, _MISSING):
        texts = pc.if_else(pc.equal(texts, _MISSING), None, texts)
    if _has_any(texts, _ESCAPE):
        for sign, instead in reversed(_ESCAPED):
            texts = pc.replace_substring(texts, instead, sign)
    return texts


def _has_any(texts: pa.Array, signs: Iterable[str]) -> bool:
    """Return whether any of the signs may occur: all texts are looked through at once."""
    *_, content = texts.buffers()
    found = content.to_pybytes() if content else b""
    return any(sign.encode() in found for sign in signs)

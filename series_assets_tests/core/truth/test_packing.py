"""Packing several columns into one, and unpacking them."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.truth.packing import pack, unpack

_SIGNS = st.sampled_from(["", "a", "é", "b", "e", "u", "\x1b", "\x1e", "\x1f", ",", "\n"])
_TEXTS = st.none() | st.lists(_SIGNS, max_size=3).map("".join)
_ROWS = st.lists(st.tuples(_TEXTS, _TEXTS, _TEXTS), max_size=5)


@given(_ROWS)
def test_whatever_is_packed_is_unpacked(
    rows: list[tuple[str | None, str | None, str | None]],
) -> None:
    """Missing values, empty ones, and the very signs that separate them."""
    columns = [pa.array([row[i] for row in rows], pa.string()) for i in range(3)]
    assert unpack(pack(columns), 3) == columns


def test_other_columns_are_noticed() -> None:
    """Two packed columns cannot be unpacked as three."""
    packed = pack([pa.array(["a"]), pa.array(["b"])])
    with pytest.raises(ValueError, match="the packed columns are others"):
        unpack(packed, 3)

"""Arrow's columns as single arrays."""

import pyarrow as pa

from series_assets.core.arrays import joined, one_array


def test_a_column_of_one_chunk_is_not_copied() -> None:
    """Of several chunks, or none, it is one array as well."""
    array = pa.array(["a", None])
    assert one_array(array) is array
    assert one_array(pa.chunked_array([array])).buffers()[2] == array.buffers()[2]
    assert one_array(pa.chunked_array([array, array])).to_pylist() == ["a", None] * 2
    assert one_array(pa.chunked_array([], pa.string())) == pa.array([], pa.string())


def test_arrays_are_joined() -> None:
    """Empty ones are left out, so that the only one with values is not copied."""
    array, none = pa.array([1, None]), pa.array([], pa.int64())
    assert joined([none, array, none], pa.int64()) is array
    assert joined([array, none, array], pa.int64()).to_pylist() == [1, None] * 2
    assert joined([], pa.int64()) == none

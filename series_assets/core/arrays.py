"""Arrow's columns as single arrays."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Dagster's definitions load this module, and no library for data.
    import pyarrow as pa


def one_array(column: "pa.Array | pa.ChunkedArray") -> "pa.Array":
    """Return a column as one array; unlike ``combine_chunks``, without copying a single chunk."""
    import pyarrow as pa

    if isinstance(column, pa.Array):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def joined(arrays: "Sequence[pa.Array]", type_: "pa.DataType") -> "pa.Array":
    """Return arrays of a type one behind the other, without copying the only one with values."""
    import pyarrow as pa

    filled = [array for array in arrays if len(array)]
    if len(filled) == 1:
        return filled[0]
    return pa.concat_arrays([pa.array([], type_), *filled])

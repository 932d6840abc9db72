"""Records of text as typed Arrow columns, and back: what ``format: parquet`` delivers.

A type follows from the specification alone, never from the values of a period, so that all files of
a series have one schema.
"""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.arrays import one_array
from series_assets.core.errors import GenerationError
from series_assets.core.plan.derived_columns import calculated_kinds
from series_assets.core.plan.series import Series
from series_assets.core.spec.column_types import DERIVED_KIND
from series_assets.core.spec.expressions import values

_TYPES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "date": pa.date32(),
    "any": pa.string(),
}
_NAMES = {pa.int64(): "a whole number", pa.float64(): "a number", pa.date32(): "a date"}


def types_of(series: Series) -> dict[str, pa.DataType]:
    """Return the type of each output column: string, int64, double or date32.

    A derived column is double or string, by what its calculation gives.
    """
    calculated = calculated_kinds(series.specification)
    types = {name: _TYPES[kind] for name, kind in series.kinds.items()}
    for name, kind in series.kinds.items():
        if kind == DERIVED_KIND and calculated.get(name) == values.NUMBER:
            types[name] = pa.float64()
    return types


def typed_table(texts: pa.Table, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Return columns of text in the given types; a column that ``types`` lacks stays text.

    Raises GenerationError for a value that its column's type does not have.
    """
    columns = {}
    for name in texts.column_names:
        column = one_array(texts[name])
        type_ = types.get(name, pa.string())
        try:
            columns[name] = _typed(column, type_)
        except pa.ArrowInvalid:
            raise GenerationError(
                f"its column '{name}' has the value {_misfit(column, type_)!r}, which is not "
                f"{_NAMES[type_]}, so that it does not fit into a Parquet file",
                "use format: csv, or correct the column",
            ) from None
    return pa.table(columns)


def text_table(records: pa.Table) -> pa.Table:
    """Return typed columns as text, the inverse of ``typed_table``; missing values are null."""
    return pa.table({name: _texts(one_array(records[name])) for name in records.column_names})


def _typed(texts: pa.Array, type_: pa.DataType) -> pa.Array:
    if type_ != pa.int64():
        return texts.cast(type_)
    try:
        return texts.cast(type_)
    except pa.ArrowInvalid:  # a column with gaps may have whole numbers with a point
        return texts.cast(pa.float64()).cast(type_)


def _misfit(texts: pa.Array, type_: pa.DataType) -> str | None:
    """Return the first value that does not fit into a type."""
    for value in pc.unique(texts):
        try:
            _typed(pa.array([value.as_py()], pa.string()), type_)
        except pa.ArrowInvalid:
            return str(value.as_py())
    return None


def _texts(column: pa.Array) -> pa.Array:
    if pa.types.is_floating(column.type):
        from series_assets.core.records import text_array  # and with it pandas

        return text_array(column.to_pandas())
    return column.cast(pa.string())

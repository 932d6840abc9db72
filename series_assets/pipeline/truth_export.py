"""The expected history with types: as a frame, as CSV and as Parquet."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.core.records import column_from_text
from series_assets.core.truth.profiles import INSTANTS, PROFILES
from series_assets.core.typed_records import typed_table as fixed_table
from series_assets.core.typed_records import types_of
from series_assets.storage import files


def frame_of(series: Series, table: pa.Table, profile: str) -> pd.DataFrame:
    """Return what ``truth.expected`` found as a typed frame.

    Columns of the data have the types that ``RecordsFile.load`` gives them, whole numbers are
    Int64, times datetime64 (with a time zone in profiles that have one).
    """
    typed = typed_table(series, table, profile)
    frame: pd.DataFrame = typed.to_pandas(
        types_mapper={pa.int64(): pd.Int64Dtype()}.get, date_as_object=False
    )
    for name in table.column_names:
        if name in series.kinds:
            frame[name] = column_from_text(table[name].to_pandas(), series.kinds[name])
    return frame


def write_expected(series: Series, tables: Iterable[pa.Table], profile: str, target: Path) -> None:
    """Write what ``truth.expected_parts`` yields as CSV or Parquet, by the suffix of the file.

    One part is in memory at a time; in Parquet each is a row group. Raises RequestError for another
    suffix, GenerationError where it cannot be written.
    """
    suffix = target.suffix.lower()
    if suffix == ".csv":
        files.write_tables(target, tables)
    elif suffix == ".parquet":
        typed = (typed_table(series, table, profile) for table in tables)
        files.write_row_groups(target, typed)
    else:
        raise RequestError("is neither CSV nor Parquet", "name it .csv or .parquet", file=target)


def typed_table(series: Series, table: pa.Table, profile: str) -> pa.Table:
    """Return what ``truth.expected`` found with types instead of texts.

    Types of the data follow from the values; of a sharded series from the specification, so that
    all parts have one schema.
    """
    one = PROFILES[profile]
    times = {"since", one.valid_from, one.valid_to}
    fixed = types_of(series) if series.is_sharded else {}
    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if name in fixed:
            column = fixed_table(table.select([name]), fixed)[name]
        elif name in series.kinds:
            column = _typed(column, series.kinds[name])
        elif name in times:
            column = _instants(column, INSTANTS[one.instants])
        columns[name] = column
    return pa.table(columns)


def _typed(column: pa.Array, kind: str) -> pa.Array:
    found = pa.array(column_from_text(column.to_pandas(), kind), from_pandas=True)
    return found.cast(pa.date32()) if pa.types.is_timestamp(found.type) else found


def _instants(column: pa.Array, type_: pa.DataType) -> pa.Array:
    days = pc.utf8_slice_codeunits(column, 0, 10).cast(pa.date32())
    if type_ == pa.date32():
        return days
    return days.cast(pa.timestamp("us")).cast(type_)

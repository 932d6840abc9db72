"""Records in the format of their series: CSV, which is text, or Parquet, which has types."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.plan.series import Series
from series_assets.core.typed_records import text_table, typed_table, types_of
from series_assets.storage import files


def in_format(series: Series, texts: pa.Table) -> pa.Table:
    """Return records as they are read back from a file of the series, as text.

    In a CSV, whole numbers that a derived column calculates have no point, whether or not others
    in their part are missing. Raises GenerationError for a value that does not fit its type in
    Parquet.
    """
    if series.user_input.format == "csv":
        for name in series.whole_columns.intersection(texts.column_names):
            whole = pc.replace_substring_regex(texts[name], r"^(-?[0-9]+)\.0$", r"\1")
            texts = texts.set_column(texts.column_names.index(name), name, whole)
        return texts
    return text_table(typed_table(texts, types_of(series)))


def write_records(path: Path, series: Series, texts: pa.Table) -> None:
    """Write records, given as text, in the format of their series. Raises GenerationError."""
    if series.user_input.format == "csv":
        files.write_table(path, texts)
    else:
        files.write_parquet(path, typed_table(texts, types_of(series)), compression="zstd")

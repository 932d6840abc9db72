"""Reading the files of a series, and writing each of them atomically (contract, 8).

Their paths are in ``layout``.
"""

import contextlib
import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from series_assets.core.arrays import one_array
from series_assets.core.errors import GenerationError, RequestError
from series_assets.storage.layout import is_inner_folder
from series_assets.storage.remote import explain_remote_errors, is_remote, put

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CSV, PARQUET = ".csv", ".parquet"
"""The suffixes of files of records."""
_PARQUET_MARK = b"PAR1"
_TO_QUOTE = (b",", b'"', b"\r", b"\n")
_ROWS_AT_ONCE = 50_000
"""Rows that are formatted at once: a string of pyarrow holds at most 2 GB."""


def write_table(path: Path, table: "pa.Table") -> None:
    """Write an Arrow table as CSV: UTF-8, a header, LF, quotes only where needed.

    Missing values are empty, booleans ``true`` and ``false``. Quotes are needed around values with
    a comma, a quote or a line break, and where an empty value would be an empty line.
    """
    write_tables(path, [table])


def write_tables(path: Path, tables: Iterable["pa.Table"]) -> None:
    """Write tables of the same columns one below the other, as ``write_table``.

    One is in memory at a time.
    """
    with _open_atomically(path) as stream:
        for place, table in enumerate(tables):
            _write_lines(stream, table, header=not place)


def _write_lines(stream: Any, table: "pa.Table", *, header: bool = True) -> None:
    import pyarrow as pa

    columns = _as_text(table)
    if header:
        stream.write(_lines([pa.array([name], pa.string()) for name in columns]))
    for start in range(0, table.num_rows, _ROWS_AT_ONCE):
        batch = slice(start, start + _ROWS_AT_ONCE)
        stream.write(_lines([column[batch] for column in columns.values()]))


def write_parquet(
    path: Path, table: "pa.Table", *, compression: str = "snappy", dictionaries: bool = True
) -> None:
    """Write an Arrow table as Parquet; no clock or host is in its metadata.

    Without ``dictionaries`` of values it is read and written faster, and larger.
    """
    from pyarrow import parquet

    with _open_atomically(path) as stream:
        parquet.write_table(table, stream, compression=compression, use_dictionary=dictionaries)


def write_row_groups(path: Path, tables: Iterable["pa.Table"]) -> None:
    """Write tables of one schema as the row groups of a Parquet file, one in memory at a time."""
    from pyarrow import parquet

    with contextlib.ExitStack() as opened:
        stream, writer = opened.enter_context(_open_atomically(path)), None
        for table in tables:
            if writer is None:
                writer = opened.enter_context(parquet.ParquetWriter(stream, table.schema))
            writer.write_table(table)


def csv_of(table: "pa.Table", *, header: bool = True) -> str:
    """Return what ``write_table`` writes; also without the header."""
    stream = io.BytesIO()
    _write_lines(stream, table, header=header)
    return stream.getvalue().decode()


def _as_text(table: "pa.Table") -> "dict[str, pa.Array]":
    """Return the columns as text, or with a type that is written as its text would be."""
    import pyarrow as pa

    written_as_text = (pa.string(), pa.int64(), pa.bool_())
    columns = {}
    for name in table.column_names:
        column = one_array(table[name])
        columns[name] = column if column.type in written_as_text else column.cast(pa.string())
    return columns


def _lines(columns: "Sequence[pa.Array]") -> Any:
    """Return the lines of a CSV as bytes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    single = len(columns) == 1
    if not single and (lines := _unquoted_lines(columns)) is not None:
        return lines
    cells = [_cells(column.cast(pa.string()), single) for column in columns]
    rows = pc.binary_join_element_wise(*cells, ",", null_handling="replace")
    return _content(pc.binary_join_element_wise(rows, "", "\n"))


def _unquoted_lines(columns: "Sequence[pa.Array]") -> "pa.Buffer | None":
    """Return the lines of a CSV in which no value needs quotes; None where one does.

    pyarrow's writer takes a third of the time, but quotes either all texts or none.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    table = pa.table(list(columns), [str(place) for place in range(len(columns))])
    stream = pa.BufferOutputStream()
    options = arrow.WriteOptions(include_header=False, quoting_style="none")
    try:
        arrow.write_csv(table, stream, options)
    except pa.ArrowInvalid:
        return None
    return stream.getvalue()


def _content(texts: "pa.Array") -> Any:
    """Return all texts, concatenated, as UTF-8."""
    import pyarrow as pa

    if texts.offset:  # the buffers of a slice hold all texts
        texts = pa.concat_arrays([texts, pa.array([], pa.string())])
    _, _, content = texts.buffers()
    return content.to_pybytes() if content else b""


def _cells(texts: "pa.Array", single: bool) -> "pa.Array":
    """Return the texts of a column, quoted where needed; missing ones stay missing."""
    import pyarrow.compute as pc

    content = _content(texts)
    if any(mark in content for mark in _TO_QUOTE):
        doubled = pc.replace_substring(texts, '"', '""')
        quoted = pc.binary_join_element_wise('"', doubled, '"', "")
        marks = "|".join(mark.decode() for mark in _TO_QUOTE)
        texts = pc.if_else(pc.match_substring_regex(texts, marks), quoted, texts)
    if single:
        texts = texts.fill_null("")
        texts = pc.if_else(pc.equal(texts, ""), '""', texts)
    return texts


def read_records(path: Path) -> "pd.DataFrame":
    """Return the records in a file, or in all parts of a folder, as text, None where missing.

    Raises OSError or ValueError where a file is not a table.
    """
    import pyarrow as pa

    parts = parts_in(path) if path.is_dir() else [path]
    return pa.concat_tables(map(read_table, parts)).to_pandas()


@contextlib.contextmanager
def explain_read_errors(path: Path, remedy: str) -> Iterator[None]:
    """Raise RequestError about ``path``, with a remedy, for a file that a block cannot read."""
    try:
        yield
    except FileNotFoundError:
        raise RequestError("is missing", remedy, file=path, colon=False) from None
    except (OSError, ValueError, KeyError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        if isinstance(error, KeyError):
            reason = f"it does not have exactly one column {reason}"
        elif isinstance(error, UnicodeDecodeError):
            reason = "it is not UTF-8"
        raise RequestError(f"cannot be read: {reason}", remedy, file=path, colon=False) from error


def parts_in(folder: Path) -> list[Path]:
    """Return the files of all parts of a dataset in their order."""
    return sorted(path for path in folder.glob("part-*") if path.suffix in (CSV, PARQUET))


def read_table(path: Path, columns: Sequence[str] | None = None) -> "pa.Table":
    """Return the given columns of a CSV or Parquet file, or all, as text, null where missing.

    Raises KeyError for a column that does not occur exactly once, OSError or ValueError where the
    file is not a table.
    """
    if path.suffix == PARQUET:
        with path.open("rb") as stream:
            return _texts_of_parquet(stream, columns)
    # Opened once: another run may replace the file at any time.
    with path.open(encoding="utf-8", newline="") as stream:
        return _parsed(stream, columns)


def parse_table(content: bytes, columns: Sequence[str] | None = None) -> "pa.Table":
    """Return the table in the bytes of a CSV or a Parquet file, as ``read_table`` does."""
    if content.startswith(_PARQUET_MARK) and content.endswith(_PARQUET_MARK):
        return _texts_of_parquet(io.BytesIO(content), columns)
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="") as stream:
        return _parsed(stream, columns)


def _parsed(stream: io.TextIOWrapper, columns: Sequence[str] | None) -> "pa.Table":
    from pyarrow import csv as arrow
    from pyarrow import string

    names = _header(stream)
    # pyarrow removes a byte order mark from the first name.
    known = [*names, names[0].removeprefix("\ufeff")]
    wanted = names if columns is None else list(columns)
    for name in wanted:
        if columns is not None and names.count(name) != 1:
            raise KeyError(name)
    stream.seek(0)
    table = arrow.read_csv(
        stream.buffer,
        read_options=arrow.ReadOptions(use_threads=False),
        parse_options=arrow.ParseOptions(newlines_in_values=True),
        convert_options=arrow.ConvertOptions(
            column_types=dict.fromkeys(known, string()),
            include_columns=None if columns is None else wanted,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return table.rename_columns(wanted)


def _texts_of_parquet(stream: Any, columns: Sequence[str] | None) -> "pa.Table":
    from pyarrow import parquet

    from series_assets.core.typed_records import text_table

    file = parquet.ParquetFile(stream)
    names = file.schema_arrow.names
    for name in columns or ():
        if names.count(name) != 1:
            raise KeyError(name)
    table = file.read(None if columns is None else list(columns), use_threads=False)
    return text_table(table if columns is None else table.select(list(columns)))


def read_header(path: Path) -> list[str]:
    """Return the names of the columns in a CSV or Parquet file. Raises OSError or ValueError."""
    if path.suffix == PARQUET:
        from pyarrow import parquet

        with path.open("rb") as content:
            names: list[str] = parquet.read_schema(content).names
        return names
    with path.open(encoding="utf-8", newline="") as stream:
        return _header(stream)


def _header(stream: TextIO) -> list[str]:
    names = next(csv.reader(stream), None)
    if names is None:
        raise ValueError("it is empty")
    return names


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, atomically. Raises GenerationError."""
    with _open_atomically(path) as stream:
        stream.write(text.encode())


def replace(source: Path, target: Path) -> None:
    """Move a finished file to its place, atomically. Raises GenerationError, for a link too.

    To object storage it is put; the object appears whole.
    """
    if is_remote(target):
        put(source, target)
        return
    _refuse_links(target)
    with explain_write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def remove(path: Path) -> None:
    """Remove a file if it exists. Raises GenerationError where that is impossible."""
    with explain_write_errors(path), explain_remote_errors(path, "cannot be removed"):
        if path.exists():
            if not is_remote(path):
                _refuse_links(path)
            path.unlink()


def remove_if_empty(folder: Path) -> None:
    """Remove a folder on disk, unless it is a link, not there, or has something in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def _refuse_links(target: Path) -> None:
    """Refuse to write through a link in the place of a series' file or folder."""
    places = [target, target.parent]
    while is_inner_folder(places[-1].name):
        places.append(places[-1].parent)
    for place in places:
        if place.is_symlink():
            raise GenerationError(
                "is a link, which is not followed to write or to replace anything",
                "move the link away, or use the folder that it leads to as the data folder, "
                "then run it again",
                file=place,
            )


@contextlib.contextmanager
def _open_atomically(path: Path) -> Iterator[io.BufferedWriter]:
    """Open a temporary file beside ``path`` that replaces it when the block ends without error."""
    _refuse_links(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Raise GenerationError about ``path`` for an OSError in a block that writes it."""
    try:
        yield
    except OSError as error:
        remedy = "make room or make the folder writable, or choose another one, then run it again"
        if isinstance(error, IsADirectoryError):
            remedy = "move that folder away, then run it again"
        problem = f"cannot be written: {error.strerror or error}"
        raise GenerationError(problem, remedy, file=path) from error

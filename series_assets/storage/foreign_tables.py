"""Tables of other people's pipelines: CSV, Parquet, SQLite and DuckDB, read and never written."""

import csv
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from series_assets.core.errors import RequestError, did_you_mean
from series_assets.storage import files
from series_assets.storage.sqlite import quoted, reading_address

FORMS = "a .csv or .parquet file, sqlite:///FILE#TABLE or duckdb:///FILE#SCHEMA.TABLE"
_ADDRESS = re.compile(r"(?P<kind>sqlite|duckdb):///(?P<file>[^#]+)#(?P<table>.+)")


def read_foreign_table(address: str | Path) -> pa.Table:
    """Return the table at an address, see ``FORMS``; a CSV has text alone.

    Of ``sqlite`` and ``duckdb`` addresses, the path begins behind the third slash, so that an
    absolute one has four. Raises RequestError where there is no such table.
    """
    text = str(address)
    found = _ADDRESS.fullmatch(text)
    if found:
        reader = {"sqlite": _sqlite_table, "duckdb": _duckdb_table}[found["kind"]]
        path = Path(found["file"])
        if not path.is_file():
            raise RequestError("does not exist", "check the path", file=path, colon=False)
        table = reader(path, found["table"])
    elif re.match(r"(sqlite|duckdb):", text):
        raise RequestError("--table is not an address of a table", f"use {FORMS}", file=text)
    else:
        table = _file_table(Path(text))
    _refuse_repeats(table.column_names, text)
    return table


def any_table(table: Any) -> tuple[pa.Table, str]:
    """Return a table, given itself or by its address, and how messages call it.

    Raises RequestError where it is none.
    """
    if isinstance(table, str | Path):
        return read_foreign_table(table), str(table)
    return as_arrow(table), "the table"


def read_loads(path: Path) -> tuple[tuple[str, str], ...]:
    """Return the periods and the beginnings of their loads in a CSV. Raises RequestError."""
    table = _file_table(path)
    wanted = ["period", "loaded_at"]
    if not set(wanted) <= set(table.column_names):
        raise RequestError(
            "--loads needs the columns period and loaded_at",
            "give the first day of each period, and when its load began",
            file=path,
        )
    columns = [
        ["" if one is None else str(one) for one in table[name].to_pylist()] for name in wanted
    ]
    return tuple(zip(*columns, strict=True))


def as_arrow(table: Any) -> pa.Table:
    """Return a table of pandas, Arrow, Polars or DuckDB as one of Arrow.

    Columns of pandas with values of several types become text. Raises RequestError for what is no
    table, or has two columns of a name.
    """
    if isinstance(table, pd.DataFrame):
        _refuse_repeats([str(name) for name in table.columns])
        return pa.table({str(name): _column_of(table[name]) for name in table.columns})
    given = type(table).__name__
    if hasattr(table, "to_arrow"):  # Polars: else its text has a type that few functions know
        table = table.to_arrow()
    if not isinstance(table, pa.Table) and not hasattr(table, "__arrow_c_stream__"):
        raise RequestError(
            f"--table is {given}, which is not a table",
            f"give a data frame, an Arrow table, or {FORMS}",
        )
    found = pa.table(table)
    _refuse_repeats(found.column_names)
    return found


def _refuse_repeats(names: Sequence[str], file: str = "") -> None:
    for name in names:
        if names.count(name) > 1:
            raise RequestError(
                f"--table has the column '{name}' twice", "rename one of them", file=file
            )


def _column_of(column: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return _mixed(column.astype(object).where(column.notna(), None).tolist())


def _mixed(values: list[Any]) -> pa.Array:
    """Return values of several types as an array of text."""
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _file_table(path: Path) -> pa.Table:
    readers: Mapping[str, Callable[[Path], pa.Table]] = {
        ".csv": _csv_table,
        ".parquet": _parquet_table,
    }
    if path.suffix.lower() not in readers:
        raise RequestError("--table is not a table that can be read", f"use {FORMS}", file=path)
    try:
        return readers[path.suffix.lower()](path)
    except FileNotFoundError:
        raise RequestError("does not exist", "check the path", file=path, colon=False) from None
    except UnicodeDecodeError:
        problem, remedy = "is not text in UTF-8", "save it as CSV in UTF-8"
        raise RequestError(problem, remedy, file=path, colon=False) from None
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise RequestError(f"cannot be read: {_reason(error)}", file=path, colon=False) from error


def _csv_table(path: Path) -> pa.Table:
    table = files.read_table(path)
    first, *others = table.column_names
    for sign, word in ((";", "semicolons"), ("\t", "tabs")):
        if not others and sign in first:
            problem = f"has cells separated by {word}"
            raise RequestError(problem, "save it with commas", file=path, colon=False)
    return table.rename_columns([first.removeprefix("\ufeff"), *others])  # as Excel writes it


def _parquet_table(path: Path) -> pa.Table:
    with path.open("rb") as stream:
        return parquet.read_table(stream, use_threads=False)


def _sqlite_table(path: Path, name: str) -> pa.Table:
    try:
        with closing(sqlite3.connect(reading_address(path), uri=True)) as connection:
            known = connection.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
            ).fetchall()
            _require(path, name, [one for (one,) in known])
            cursor = connection.execute(f"SELECT * FROM {quoted(name)}")
            names = [one[0] for one in cursor.description]
            rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise RequestError(f"cannot be read: {_reason(error)}", file=path, colon=False) from error
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    arrays = []
    for column in columns:
        values = list(column)
        try:
            arrays.append(pa.array(values))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            arrays.append(_mixed(values))
    return pa.table(arrays, names=names)


def _duckdb_table(path: Path, name: str) -> pa.Table:
    try:
        import duckdb
    except ImportError:
        raise RequestError(
            "this table needs DuckDB, which is not installed",
            "pip install 'series_assets[duckdb]'",
            file=path,
        ) from None
    schema, _, table = name.rpartition(".")
    with (
        files.explain_read_errors(path, "make sure that it can be read"),
        path.open("rb") as stream,
    ):
        is_ours = stream.read(12)[8:] == b"DUCK"
    if not is_ours:  # DuckDB would download what it lacks to read the file of another program
        problem, remedy = "is not a DuckDB database", "for one of SQLite, use sqlite:///FILE#TABLE"
        raise RequestError(problem, remedy, file=path, colon=False)
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            known = connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2"
            ).fetchall()
            both = (schema or "main", table)
            _require(path, ".".join(both), [".".join(one) for one in known])
            place = ".".join(map(quoted, both))
            # The name of the method has changed with versions of DuckDB; the protocol has not.
            return pa.table(connection.sql(f"SELECT * FROM {place}"))
    except duckdb.Error as error:
        remedy = "close other programs that have it open" if "lock" in str(error).lower() else ""
        raise RequestError(
            f"cannot be read: {_reason(error)}", remedy, file=path, colon=False
        ) from error


def _require(path: Path, name: str, known: list[str]) -> None:
    if name not in known:
        raise RequestError(f"there is no table '{name}'{did_you_mean(name, known)}", file=path)


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]

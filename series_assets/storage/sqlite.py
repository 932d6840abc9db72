"""SQLite databases: creating and opening them, transactions, and moving many rows at once.

Copies for a run of Exhibit are in ``scratch_database``, reference tables in ``reference_table``.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from series_assets.core.errors import GenerationError
from series_assets.storage.files import explain_write_errors
from series_assets.storage.paths import installed_database, is_pipe_or_device

_PATIENCE = 60
"""Seconds to wait for another process that is writing."""
_ROWS_TOGETHER, _MOST_PARAMETERS = 32, 999
"""The rows that one statement inserts, and the parameters that any SQLite accepts in one."""
_ROWS_FETCHED = 1000
_DISK_ERRORS = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
)


def is_database(path: Path) -> bool:
    """Return whether a file is an SQLite database, or empty, by its first bytes."""
    with path.open("rb") as stream:
        head = stream.read(16)
    return head in (b"", b"SQLite format 3\x00")


def check_readable(database: Path) -> None:
    """Raise GenerationError where a file cannot be read as a database."""
    with open_database(database, read_only=True) as connection:
        table_names(connection)


def create_if_missing(database: Path, scratch: Path | None = None) -> None:
    """Create the database as a copy of Exhibit's own where none exists, atomically.

    A temporary file is written in the folder ``scratch``, by default beside the database. Two
    processes may do so at once: both then use the same copy.
    """
    if database.exists():
        return
    temporary = (scratch or database.parent) / f".{database.name}.{os.getpid()}.part"
    with explain_write_errors(database), explain_sqlite_errors(database):
        database.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(installed_database(), temporary)
            with contextlib.closing(sqlite3.connect(temporary)) as connection:
                _use_wal(connection)
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            try:
                os.link(temporary, database)
            except FileExistsError:
                pass
            except OSError:  # a file system without hard links
                temporary.replace(database)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def open_database(
    database: Path, *, read_only: bool = False, scratch: bool = False
) -> Iterator[sqlite3.Connection]:
    """Open a database, with explicit transactions; a new one is created in WAL mode.

    An existing one keeps its mode, and reading leaves no files beside it. A ``scratch`` database is
    used by one process only and need not survive a crash, so it has no journal file. Raises
    GenerationError for SQLite's errors, also for those of the block.
    """
    if is_pipe_or_device(database):
        raise GenerationError(
            "is a pipe or a device, not a database", "move it away", file=database
        )
    with explain_sqlite_errors(database):
        if read_only:
            _require_file(database)
            _roll_back(database)
        with _keep_wal_files(database) if read_only else contextlib.nullcontext():
            is_new = not database.exists()
            address = reading_address(database) if read_only else address_of(database, "rwc")
            with _connect(address) as connection:
                if scratch:
                    connection.execute("PRAGMA journal_mode = MEMORY")
                    connection.execute("PRAGMA synchronous = OFF")
                elif is_new and not read_only:
                    _use_wal(connection)
                else:
                    connection.execute("PRAGMA schema_version").fetchone()  # is it a database?
                yield connection


@contextlib.contextmanager
def explain_sqlite_errors(database: Path) -> Iterator[None]:
    """Raise GenerationError about ``database`` for SQLite's errors in a block."""
    try:
        yield
    except sqlite3.Error as error:
        raise _as_generation_error(error, database) from error


@contextlib.contextmanager
def _connect(address: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(address, timeout=_PATIENCE, isolation_level=None, uri=True)
    with contextlib.closing(connection):
        yield connection


def _require_file(database: Path) -> None:
    try:
        database.stat()
    except FileNotFoundError:
        remedy = "generate all periods again, which gives the same data"
        raise GenerationError("is missing", remedy, file=database) from None
    except OSError:
        return  # SQLite says why


def _roll_back(database: Path) -> None:
    """Undo an unfinished write of a program that was killed, which read-only access cannot do."""
    if not database.with_name(f"{database.name}-journal").exists():
        return
    address = address_of(database, "rw")
    # The reader reports any error.
    with contextlib.suppress(sqlite3.OperationalError), _connect(address) as connection:
        table_names(connection)


@contextlib.contextmanager
def _keep_wal_files(database: Path) -> Iterator[None]:
    """Keep the files beside a database in WAL mode as long as a reader needs them.

    SQLite creates and removes them with connections that may write, never with one for reading.
    """
    if not _is_wal(database) or _cannot_be_written(database):
        yield
        return
    with _connect(address_of(database, "rw")) as connection:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        yield


def reading_address(database: Path) -> str:
    """Return the URI for reading a database, also where nothing can be written."""
    has_no_wal = not database.with_name(database.name + "-wal").exists()
    address = address_of(database, "ro")
    if has_no_wal and _is_wal(database) and _cannot_be_written(database):
        return f"{address}&immutable=1"
    return address


def _is_wal(database: Path) -> bool:
    try:
        with database.open("rb") as stream:
            return stream.read(20)[18:] == b"\x02\x02"
    except OSError:  # SQLite reports it
        return False


def _cannot_be_written(database: Path) -> bool:
    return not (os.access(database, os.W_OK) and os.access(database.resolve().parent, os.W_OK))


def _use_wal(connection: sqlite3.Connection) -> None:
    """Use WAL mode, unless another process is using the database at the moment.

    The change would then fail or wait; without WAL mode writers wait for each other too.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if _code(error) != sqlite3.SQLITE_BUSY:
            raise
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE * 1000}")


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code of an error; 0 if it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _as_generation_error(error: sqlite3.Error, database: Path) -> GenerationError:
    code = _code(error)
    if code == sqlite3.SQLITE_BUSY:
        return GenerationError(
            f"another program has been using it for more than {_PATIENCE} seconds",
            "close that program or wait until it is done, then run it again",
            file=database,
        )
    remedy = ""
    if code in _DISK_ERRORS:
        remedy = "make sure that it and its folder can be written and have space, then run it again"
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        remedy = (
            "it is damaged or not a database: restore it from a backup or, if it held nothing "
            "of your own, remove it and regenerate all periods, which gives the same data"
        )
    return GenerationError(f"SQLite reports: {error}", remedy, file=database)


def address_of(database: Path, mode: str) -> str:
    """Return a file URI for SQLite, which allows any character in the path."""
    return f"file:{quote(str(database.resolve()))}?mode={mode}"


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run a block in a transaction, in which no other process can write."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk has already ended it
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read everything in a block from one state of the database."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def table_names(
    connection: sqlite3.Connection, schema: str = "main", *, views: bool = False
) -> list[str]:
    """Return the tables of a database by their creation, with its ``views`` if wanted."""
    types = "('table', 'view')" if views else "('table')"
    rows = connection.execute(
        f"SELECT name FROM {quoted(schema)}.sqlite_master WHERE type IN {types} "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
    )
    return [name for (name,) in rows]


def column_names(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return the columns of a table or view in the main database; none where it does not exist."""
    return [name for _, name, *_ in connection.execute(f"PRAGMA table_info({quoted(table)})")]


def insert_rows(
    connection: sqlite3.Connection, statement: str, rows: Iterable[Sequence[Any]], columns: int
) -> None:
    """Insert rows of so many columns; ``statement`` ends before the marks of the values.

    Several rows share a statement, which takes three quarters of the time of one each.
    """
    marks = f" ({', '.join('?' * columns)})"
    together = max(1, min(_ROWS_TOGETHER, _MOST_PARAMETERS // columns))
    values, rest = chain.from_iterable(rows), list[Any]()

    def batches() -> Iterator[tuple[Any, ...]]:
        size = columns * together
        while len(batch := tuple(islice(values, size))) == size:
            yield batch
        rest.extend(batch)

    connection.executemany(f"{statement}{','.join([marks] * together)}", batches())
    connection.executemany(f"{statement}{marks}", zip(*[iter(rest)] * columns, strict=True))


def fetch_columns(cursor: sqlite3.Cursor) -> list[list[Any]]:
    """Return all rows of a query as columns.

    They are transposed in batches that fit into the processor's cache, which takes two thirds of
    the time of doing so at once.
    """
    columns: list[list[Any]] = [[] for _ in cursor.description]
    while rows := cursor.fetchmany(_ROWS_FETCHED):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    return columns

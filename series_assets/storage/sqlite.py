"""The SQLite database of a series: made on first use, opened, and copied for a run of Exhibit.

The tables that existing records are drawn from are in ``reference_table``.
"""

import contextlib
import importlib.util
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from series_assets.core.errors import GenerationError
from series_assets.core.spec.specification import Specification, is_select
from series_assets.storage.files import explain_write_errors
from series_assets.storage.paths import is_pipe_or_device

if TYPE_CHECKING:
    import pandas as pd

_PATIENCE = 60
"""Seconds to wait for another process that is writing."""
_OF_THE_DISK = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
)


def installed_database() -> Path:
    """Return the database that ships with Exhibit, which is never written; imports nothing."""
    found = importlib.util.find_spec("exhibit")
    assert found is not None and found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "db" / "exhibit.db"


def is_database(path: Path) -> bool:
    """Tell whether a file is an SQLite database, by its first bytes; an empty one may become it."""
    with path.open("rb") as stream:
        head = stream.read(16)
    return head in (b"", b"SQLite format 3\x00")


def check_readable(database: Path) -> None:
    """Raise GenerationError where a file cannot be read as a database."""
    with open_database(database, read_only=True) as connection:
        table_names(connection)


def create_if_missing(database: Path, scratch: Path | None = None) -> None:
    """Create the database as a copy of Exhibit's own where there is none yet.

    It is put together in the folder ``scratch``, by default beside its place, and appears whole.
    Of two processes that do so at once, one copy stays and both use it.
    """
    if database.exists():
        return
    beside = (scratch or database.parent) / f".{database.name}.{os.getpid()}.part"
    with explain_write_errors(database), explain_sqlite_errors(database):
        database.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(installed_database(), beside)
            with contextlib.closing(sqlite3.connect(beside)) as connection:
                _use_wal(connection)
            with beside.open("rb+") as stream:
                os.fsync(stream.fileno())
            try:
                os.link(beside, database)
            except FileExistsError:
                pass
            except OSError:  # a file system without hard links
                beside.replace(database)
        finally:
            beside.unlink(missing_ok=True)


@contextlib.contextmanager
def open_database(
    database: Path, *, read_only: bool = False, scratch: bool = False
) -> Iterator[sqlite3.Connection]:
    """Open a database, transactions begun explicitly; one that is made by this is in WAL mode.

    One that is there keeps its mode, and reading leaves no files beside it. A scratch one is
    nobody else's and need not outlive a crash: it writes nothing beside itself.
    What SQLite complains of leaves as a GenerationError that names the file.
    """
    if is_pipe_or_device(database):
        raise GenerationError(
            "is a pipe or a device, not a database", "move it away", file=database
        )
    with explain_sqlite_errors(database):
        if read_only:
            _roll_back(database)
        with _reading(database) if read_only else contextlib.nullcontext():
            is_new = not database.exists()
            address = reading_address(database) if read_only else address_of(database, "rwc")
            connection = sqlite3.connect(address, timeout=_PATIENCE, isolation_level=None, uri=True)
            with contextlib.closing(connection):
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
    """Turn what SQLite complains of into a message about the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise _complaint(error, database) from error


def _roll_back(database: Path) -> None:
    """Undo what a program that was killed had half written; who only reads is not allowed to."""
    if not database.with_name(f"{database.name}-journal").exists():
        return
    with contextlib.suppress(sqlite3.OperationalError):  # then the reader says what is wrong
        address = address_of(database, "rw")
        connection = sqlite3.connect(address, timeout=_PATIENCE, isolation_level=None, uri=True)
        with contextlib.closing(connection):
            table_names(connection)


@contextlib.contextmanager
def _reading(database: Path) -> Iterator[None]:
    """Keep what a reader of a database in WAL mode needs beside it, for as long as it reads.

    SQLite removes it when the last connection ends that may write; one for reading never does.
    """
    if not _is_wal(database) or _cannot_be_written(database):
        yield
        return
    address = address_of(database, "rw")
    with contextlib.closing(sqlite3.connect(address, timeout=_PATIENCE, uri=True)) as connection:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        yield


def reading_address(database: Path) -> str:
    """Return the URI under which a database is read, also where nothing can be written."""
    alone = not database.with_name(database.name + "-wal").exists()
    address = address_of(database, "ro")
    if alone and _is_wal(database) and _cannot_be_written(database):
        return f"{address}&immutable=1"
    return address


def _is_wal(database: Path) -> bool:
    try:
        with database.open("rb") as stream:
            return stream.read(20)[18:] == b"\x02\x02"
    except OSError:  # told by SQLite
        return False


def _cannot_be_written(database: Path) -> bool:
    return not (os.access(database, os.W_OK) and os.access(database.resolve().parent, os.W_OK))


def _use_wal(connection: sqlite3.Connection) -> None:
    """Use WAL mode, unless somebody is just using the database in another; then that does too.

    The change would fail or wait; what is done in the other mode waits for its turn as it should.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if _code(error) != sqlite3.SQLITE_BUSY:
            raise
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE * 1000}")


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's code of an error, without what it adds about its kind; 0 if it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _complaint(error: sqlite3.Error, database: Path) -> GenerationError:
    """Return what SQLite says of a database as an error of ours."""
    code = _code(error)
    if code == sqlite3.SQLITE_BUSY:
        return GenerationError(
            f"another program has been using it for more than {_PATIENCE} seconds",
            "close that program or wait until it is done, then run it again",
            file=database,
        )
    remedy = ""
    if code in _OF_THE_DISK:
        remedy = "see that it and its folder can be written and have space, then run it again"
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        remedy = (
            "it is damaged, or something else: put it back from a backup, or, if it held nothing "
            "of your own, remove it and make all periods again, which gives the same data"
        )
    return GenerationError(f"SQLite says: {error}", remedy, file=database)


def address_of(database: Path, mode: str) -> str:
    """Return a file URI, in which any character of a path can be written."""
    return f"file:{quote(str(database.resolve()))}?mode={mode}"


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all of a block or nothing of it; no other process writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read all of a block from the database as it is at one moment."""
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
    """Return the tables of a database, in the order they were made, with its views if wanted."""
    types = "('table', 'view')" if views else "('table')"
    rows = connection.execute(
        f"SELECT name FROM {quoted(schema)}.sqlite_master WHERE type IN {types} "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
    )
    return [name for (name,) in rows]


def copy_for_run(database: Path, scratch: Path, specification: Specification) -> None:
    """Make ``scratch`` a database with what a run of the specification may read.

    Those are the tables that its columns name and the values that Exhibit keeps for them; all
    of the user's tables where an SQL statement may name any. Reference tables stay behind, and
    tables of states: they may be long, and what is drawn from them is handed over in memory.
    """
    scratch.unlink(missing_ok=True)
    with (
        open_database(database, read_only=True),
        open_database(scratch, scratch=True) as connection,
    ):
        connection.execute("ATTACH ? AS source", (reading_address(database),))
        known = table_names(connection, "source", views=True)
        views = set(known) - set(table_names(connection, "source"))
        with transaction(connection):
            for name in known:
                if _is_wanted(name, known, specification):
                    _copy_table(connection, name, database if name in views else None)


def _is_wanted(name: str, known: list[str], specification: Specification) -> bool:
    base = name.removesuffix("_periods")
    ours = base.endswith(("_reference", "_states"))
    if ours and {base, f"{base}_periods"} <= set(known):
        return False
    columns = specification["columns"].values()
    sets = [str(column.get("anonymising_set") or "") for column in columns]
    if any(map(is_select, sets)):
        return True
    named = {text.split(".")[0] for text in sets} | {column.get("h3_table") for column in columns}
    return name in named or name.startswith(f"temp_{specification['metadata'].get('id')}_")


def _copy_table(connection: sqlite3.Connection, name: str, of_view: Path | None = None) -> None:
    """Copy one table from the attached source, in the order it has there.

    Of a view, what it shows in the database ``of_view``: within the bounds of an SQL set.
    """
    table = quoted(name)
    columns = connection.execute(f"PRAGMA source.table_info({table})").fetchall()
    declared = ", ".join(f"{quoted(column)} {type_}" for _, column, type_, *_ in columns)
    connection.execute(f"CREATE TABLE main.{table} ({declared})")
    names = ", ".join(quoted(column[1]) for column in columns)
    if of_view is None:
        connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM source.{table}")
        return
    from series_assets.storage import sql_guard

    try:
        rows = sql_guard.run(of_view, f"SELECT {names} FROM {table}")
    except sql_guard.StatementError as error:
        problem = f"its view '{name}' {error.problem}"
        raise GenerationError(problem, error.remedy, file=of_view) from None
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO main.{table} ({names}) VALUES ({marks})", rows)


def copy_renamed(source: Path, target: Path, prefix: str, new_prefix: str) -> bool:
    """Copy the tables that begin with ``prefix`` into ``target``, renamed; tell whether any did.

    Without such tables ``target`` is left alone; else it is made where there is none.
    """
    with open_database(source, read_only=True) as connection:
        names = [name for name in table_names(connection) if name.startswith(prefix)]
    if not names:
        return False
    create_if_missing(target)
    with open_database(target) as connection:
        connection.execute("ATTACH ? AS source", (address_of(source, "ro"),))
        with transaction(connection):
            for name in names:
                _copy_table(connection, name)
                renamed = new_prefix + name.removeprefix(prefix)
                connection.execute(f"DROP TABLE IF EXISTS main.{quoted(renamed)}")
                connection.execute(f"ALTER TABLE main.{quoted(name)} RENAME TO {quoted(renamed)}")
    return True


def write_frame(database: Path, name: str, frame: "pd.DataFrame") -> None:
    """Put a frame into a scratch database as a table of that name, in place of any other."""
    with open_database(database, scratch=True) as connection, transaction(connection):
        connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
        names = ", ".join(map(quoted, frame.columns))
        connection.execute(f"CREATE TABLE {quoted(name)} ({names})")
        rows = zip(*(frame[column].tolist() for column in frame.columns), strict=True)
        marks = ", ".join("?" * len(frame.columns))
        connection.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", rows)

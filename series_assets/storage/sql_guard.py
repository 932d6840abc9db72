"""Restricting the SQL of anonymising sets to reading, with deterministic functions.

A specification may come from a stranger, so SQLite's authorizer checks each statement before it
runs, and its running time and result are limited.
"""

import contextlib
import functools
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from series_assets.core.errors import GenerationError
from series_assets.storage.sqlite import open_database, quoted

MAX_SECONDS = 60
MAX_ROWS, MAX_CHARACTERS, MAX_VALUE_BYTES = 5_000_000, 500_000_000, 1_000_000
"""Limits of one statement: its running time, the rows and characters of its result, one value."""

_TIME_FUNCTIONS = frozenset(("date", "time", "datetime", "julianday", "unixepoch", "strftime"))
_OTHER_FUNCTIONS = """
    abs char coalesce concat concat_ws format glob hex if ifnull iif instr length like likelihood
    likely lower ltrim max min nullif octet_length printf quote replace round rtrim sign soundex
    substr substring trim typeof unhex unicode unlikely upper
    avg count group_concat median string_agg sum total
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank
    row_number
    acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10
    log2 mod pi pow power radians sin sinh sqrt tan tanh trunc
    -> ->> json json_array json_array_length json_each json_extract json_group_array
    json_group_object json_insert json_object json_patch json_quote json_remove json_replace
    json_set json_tree json_type json_valid
"""
_FUNCTIONS = _TIME_FUNCTIONS | frozenset(_OTHER_FUNCTIONS.split())
_NONDETERMINISTIC = ("random", "randomblob", "changes", "total_changes", "last_insert_rowid")
_CLOCK = ("current_date", "current_time", "current_timestamp")
_READS = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)
_STATEMENT_ERRORS = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_MISMATCH,
)
_ZONES = ("localtime", "utc")
_NO_DATE = re.compile(r"\b(date|time|datetime|julianday|unixepoch)\s*\(\s*\)", re.IGNORECASE)
_NO_TABLE = re.compile(r"no such table: (?:main\.)?(.+)", re.DOTALL)
_LITERAL = re.compile(r"'(now|localtime|utc)'", re.IGNORECASE)


class StatementError(GenerationError):
    """A statement that is not allowed; the problem continues a sentence about it."""

    missing_table: str | None = None
    """The table that the database lacks, if that is the only problem."""


class _Guard:
    """Authorizes what statements do on one connection, and records the first refusal."""

    def __init__(self) -> None:
        self.refused: StatementError | None = None
        self.functions: set[str] = set()

    def refuse(self, problem: str, remedy: str) -> int:
        self.refused = self.refused or StatementError(problem, remedy)
        return sqlite3.SQLITE_DENY

    def authorize(self, action: int, first: str | None, second: str | None, *_: Any) -> int:
        """Return whether SQLite may do what a statement asks for."""
        if action == sqlite3.SQLITE_FUNCTION:
            return self._function((second or "").lower())
        if action not in _READS:
            return self.refuse("does more than read", "use a single SELECT")
        if action == sqlite3.SQLITE_READ and (first or "").lower().startswith(
            ("sqlite_", "pragma_", "dbstat")
        ):
            return self.refuse(f"reads {first}, which is internal to SQLite", "name tables of data")
        return sqlite3.SQLITE_OK

    def _function(self, name: str) -> int:
        self.functions.add(name)
        if name in _FUNCTIONS:
            return sqlite3.SQLITE_OK
        if name in _CLOCK:
            return self.refuse(
                f"uses {name.upper()}, so that its result would differ from day to day",
                "write the date or time itself",
            )
        if name in _NONDETERMINISTIC:
            return self.refuse(
                f"calls {name}(), so that its result would differ from run to run", "leave it out"
            )
        return self.refuse(f"calls {name}(), which is not an allowed function", "leave it out")

    def time_function(self, name: str) -> Callable[..., Any]:
        """Return one of SQLite's date functions, without access to the clock or the time zone."""

        def checked(*values: Any) -> Any:
            texts = [_as_sqlite_reads(value) for value in values]
            formats = 1 if name == "strftime" else 0
            clock = {"now", "subsec", "subsecond"}
            if len(values) <= formats or clock.intersection(texts[: 1 + formats]):
                self.refuse(*_depends_on_now(name))
            elif zone := next((text for text in texts if text in _ZONES), None):
                self.refuse(*_depends_on_zone(zone))
            else:
                return _stock_time(name, values)
            raise ValueError(str(self.refused))

        return checked


def run(database: Path, statement: str) -> list[tuple[Any, ...]]:
    """Return the rows of a statement.

    Raises StatementError where it is not allowed, or SQLite cannot run it.
    """
    rows: list[tuple[Any, ...]] = []
    characters = 0
    with _guarded(database) as (connection, _):
        for row in connection.execute(statement):
            rows.append(row)
            characters += sum(len(cell) for cell in row if isinstance(cell, str | bytes))
            if len(rows) > MAX_ROWS or characters > MAX_CHARACTERS:
                raise StatementError(
                    f"returns more than {MAX_ROWS:,} rows or {MAX_CHARACTERS:,} characters",
                    "narrow it down with WHERE or DISTINCT",
                )
    return rows


def check(database: Path, statement: str, temporary: dict[str, list[str]]) -> None:
    """Prepare a statement without running it.

    ``temporary`` has the tables that Exhibit creates during a run, with their columns. Raises
    StatementError as ``run`` does.
    """
    with _guarded(database, temporary) as (connection, guard):
        connection.execute(f"EXPLAIN {statement}").close()
        if used := sorted(guard.functions & _TIME_FUNCTIONS):
            if match := _NO_DATE.search(statement):
                raise StatementError(*_depends_on_now(match[1].lower()))
            if match := _LITERAL.search(statement):
                word = match[1].lower()
                problem = _depends_on_now(used[0]) if word == "now" else _depends_on_zone(word)
                raise StatementError(*problem)


@contextlib.contextmanager
def _guarded(
    database: Path, temporary: dict[str, list[str]] | None = None
) -> Iterator[tuple[sqlite3.Connection, _Guard]]:
    """Open a database for one statement. Raises StatementError for errors of the statement."""
    guard, until = _Guard(), time.monotonic() + MAX_SECONDS
    with open_database(database, read_only=True) as connection:
        for table, columns in (temporary or {}).items():
            names = ", ".join(map(quoted, columns))
            connection.execute(f"CREATE TEMP TABLE {quoted(table)} ({names})")
        for name in _TIME_FUNCTIONS:
            connection.create_function(name, -1, guard.time_function(name), deterministic=True)
        # SQLite declares these as tables on first use, which the authorizer would refuse.
        connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')").close()
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.set_authorizer(guard.authorize)
        connection.set_progress_handler(lambda: time.monotonic() > until, 10_000)
        try:
            yield connection, guard
        except (sqlite3.Error, sqlite3.Warning) as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) not in _STATEMENT_ERRORS:
                raise
            raise (guard.refused or _as_statement_error(error)) from None


def _as_statement_error(error: Exception) -> StatementError:
    """Return SQLite's error about a statement; no other function reads SQLite's messages."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_INTERRUPT:
        remedy = "narrow it down with WHERE or DISTINCT"
        return StatementError(f"takes longer than {MAX_SECONDS} seconds", remedy)
    if code == sqlite3.SQLITE_TOOBIG:
        return StatementError(f"makes a value of more than {MAX_VALUE_BYTES:,} bytes", "shorten it")
    if "one statement" in str(error):
        return StatementError("is more than one statement", "use a single SELECT")
    problem = f"cannot be run: SQLite reports: {error}"
    other = StatementError(problem, "check its tables, columns and spelling")
    if match := _NO_TABLE.search(str(error)):
        other.missing_table = match[1]
    return other


def _depends_on_now(name: str) -> tuple[str, str]:
    return (
        f"asks {name}() for the current time, so that its result would differ from day to day",
        "write the date or time itself",
    )


def _depends_on_zone(word: str) -> tuple[str, str]:
    return (
        f"uses '{word}', so that its result would differ from one time zone to another",
        "leave it out",
    )


def _as_sqlite_reads(value: Any) -> str:
    """Return a value as SQLite's date functions read it: text up to a null character."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text.split("\0")[0].strip().lower()


@functools.lru_cache(maxsize=10_000)
def _stock_time(name: str, values: tuple[Any, ...]) -> Any:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        marks = ", ".join("?" * len(values))
        (result,) = connection.execute(f"SELECT {name}({marks})", values).fetchone()
    return result

"""What a SELECT in an anonymising set may do: read, with functions that give the same every time.

A specification may come from a stranger. SQLite itself is asked what a statement would do, before
it does it; how long it may take and how much it may return has bounds.
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

SECONDS = 60
"""How long one statement may take."""
ROWS, CHARACTERS, CELL = 5_000_000, 500_000_000, 1_000_000
"""How many rows it may return, how much text in all of them, and how many bytes in one value."""

_TIMES = frozenset(("date", "time", "datetime", "julianday", "unixepoch", "strftime"))
_COMPUTING = """
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
_FUNCTIONS = _TIMES | frozenset(_COMPUTING.split())
_DIFFERING = ("random", "randomblob", "changes", "total_changes", "last_insert_rowid")
_OF_THE_CLOCK = ("current_date", "current_time", "current_timestamp")
_READS = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)
_OF_STATEMENTS = (
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
    """A statement that an anonymising set may not have; its text goes on from the statement."""

    lacking: str | None = None
    """The table that the statement needs and the database lacks, if that is all."""


class _Guard:
    """Watches one connection, and remembers what it refused."""

    def __init__(self) -> None:
        self.refused: StatementError | None = None
        self.functions: set[str] = set()

    def refuse(self, problem: str, remedy: str) -> int:
        self.refused = self.refused or StatementError(problem, remedy)
        return sqlite3.SQLITE_DENY

    def authorize(self, action: int, first: str | None, second: str | None, *_: Any) -> int:
        """Answer SQLite's question whether a statement may do something."""
        if action == sqlite3.SQLITE_FUNCTION:
            return self._function((second or "").lower())
        if action not in _READS:
            return self.refuse("does more than read", "leave a SELECT alone")
        if action == sqlite3.SQLITE_READ and (first or "").lower().startswith(
            ("sqlite_", "pragma_", "dbstat")
        ):
            return self.refuse(f"reads {first}, which is SQLite's own", "name tables of data")
        return sqlite3.SQLITE_OK

    def _function(self, name: str) -> int:
        self.functions.add(name)
        if name in _FUNCTIONS:
            return sqlite3.SQLITE_OK
        if name in _OF_THE_CLOCK:
            return self.refuse(
                f"uses {name.upper()}, so that its result would differ from day to day",
                "write the date or time itself",
            )
        if name in _DIFFERING:
            return self.refuse(
                f"calls {name}(), so that its result would differ from run to run", "leave it out"
            )
        return self.refuse(
            f"calls {name}(), which is none of the functions that it may use", "leave it out"
        )

    def time_function(self, name: str) -> Callable[..., Any]:
        """Return a date function of SQLite's that knows neither clock nor time zone."""

        def checked(*values: Any) -> Any:
            texts = [_as_sqlite_reads(value) for value in values]
            if len(values) <= (name == "strftime") or {"now", "subsec", "subsecond"} & set(
                texts[: 1 + (name == "strftime")]
            ):
                self.refuse(*_of_now(name))
            elif zone := next((text for text in texts if text in _ZONES), None):
                self.refuse(*_of_zone(zone))
            else:
                return _stock_time(name, values)
            raise ValueError(str(self.refused))

        return checked


def run(database: Path, statement: str) -> list[tuple[Any, ...]]:
    """Return the rows of a statement.

    Raises StatementError where it does what it may not, or SQLite cannot run it.
    """
    rows: list[tuple[Any, ...]] = []
    characters = 0
    with _guarded(database) as (connection, _):
        for row in connection.execute(statement):
            rows.append(row)
            characters += sum(len(cell) for cell in row if isinstance(cell, str | bytes))
            if len(rows) > ROWS or characters > CHARACTERS:
                raise StatementError(
                    f"returns more than {ROWS:,} rows or {CHARACTERS:,} characters",
                    "narrow it down with WHERE or DISTINCT",
                )
    return rows


def check(database: Path, statement: str, beside: dict[str, list[str]]) -> None:
    """Have SQLite prepare a statement, without running it.

    ``beside`` names the tables that Exhibit puts there meanwhile, with their columns.
    Raises StatementError as ``run`` does.
    """
    with _guarded(database, beside) as (connection, guard):
        connection.execute(f"EXPLAIN {statement}").close()
        if used := sorted(guard.functions & _TIMES):
            if found := _NO_DATE.search(statement):
                raise StatementError(*_of_now(found[1].lower()))
            if found := _LITERAL.search(statement):
                word = found[1].lower()
                raise StatementError(*(_of_now(used[0]) if word == "now" else _of_zone(word)))


@contextlib.contextmanager
def _guarded(
    database: Path, beside: dict[str, list[str]] | None = None
) -> Iterator[tuple[sqlite3.Connection, _Guard]]:
    """Open a database for one statement; what SQLite says of it leaves as StatementError."""
    guard, until = _Guard(), time.monotonic() + SECONDS
    with open_database(database, read_only=True) as connection:
        for table, columns in (beside or {}).items():
            names = ", ".join(map(quoted, columns))
            connection.execute(f"CREATE TEMP TABLE {quoted(table)} ({names})")
        for name in _TIMES:
            connection.create_function(name, -1, guard.time_function(name), deterministic=True)
        # SQLite declares these as tables on first use, which the guard would take for writing.
        connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')").close()
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.set_authorizer(guard.authorize)
        connection.set_progress_handler(lambda: time.monotonic() > until, 10_000)
        try:
            yield connection, guard
        except (sqlite3.Error, sqlite3.Warning) as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) not in _OF_STATEMENTS:
                raise
            raise (guard.refused or _complaint(error)) from None


def _complaint(error: Exception) -> StatementError:
    """Return what SQLite has against a statement; the one place that reads SQLite's messages."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_INTERRUPT:
        remedy = "narrow it down with WHERE or DISTINCT"
        return StatementError(f"takes longer than {SECONDS} seconds", remedy)
    if code == sqlite3.SQLITE_TOOBIG:
        return StatementError(f"makes a value of more than {CELL:,} bytes", "shorten it")
    if "one statement" in str(error):
        return StatementError("is more than one statement", "leave a single SELECT")
    complaint = StatementError(
        f"cannot be run: SQLite says: {error}", "see its tables, columns and spelling"
    )
    if lacking := _NO_TABLE.search(str(error)):
        complaint.lacking = lacking[1]
    return complaint


def _of_now(name: str) -> tuple[str, str]:
    return (
        f"asks {name}() for the present moment, so that its result would differ from day to day",
        "write the date or time itself",
    )


def _of_zone(word: str) -> tuple[str, str]:
    return (
        f"uses '{word}', so that its result would differ from one time zone to another",
        "leave it out",
    )


def _as_sqlite_reads(value: Any) -> str:
    """Return a value as SQLite's date functions read it: text up to a zero byte."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text.split("\0")[0].strip().lower()


@functools.lru_cache(maxsize=10_000)
def _stock_time(name: str, values: tuple[Any, ...]) -> Any:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        marks = ", ".join("?" * len(values))
        (result,) = connection.execute(f"SELECT {name}({marks})", values).fetchone()
    return result

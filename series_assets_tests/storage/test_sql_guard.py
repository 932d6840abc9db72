"""SQL statements of an untrusted specification only read, within limits."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from series_assets.core.errors import GenerationError
from series_assets.storage import sql_guard
from series_assets_tests.exhibit_features.checked_series import database_with_tables

_RUN_TO_RUN = "so that its result would differ from run to run; leave it out"
_DAY_TO_DAY = "so that its result would differ from day to day; write the date or time itself"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a database with a table of days."""
    days = [{"sex": "F", "day": "2020-02-29"}, {"sex": "M", "day": "2021-03-01"}]
    return database_with_tables(tmp_path / "own.db", days=days)


def refused(function: Callable[..., object], *arguments: object) -> str:
    """Return the message of a refusal."""
    with pytest.raises(sql_guard.StatementError) as caught:
        function(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("SELECT random()", f"calls random(), {_RUN_TO_RUN}"),
        ("SELECT day FROM days ORDER BY RANDOM()", f"calls random(), {_RUN_TO_RUN}"),
        ("SELECT hex(randomblob(8))", f"calls randomblob(), {_RUN_TO_RUN}"),
        ("SELECT changes()", f"calls changes(), {_RUN_TO_RUN}"),
        ("SELECT last_insert_rowid()", f"calls last_insert_rowid(), {_RUN_TO_RUN}"),
        (
            "SELECT zeroblob(4000000000)",
            "calls zeroblob(), which is not an allowed function; leave it out",
        ),
        (
            "SELECT load_extension('x')",
            "calls load_extension(), which is not an allowed function; leave it out",
        ),
        ("SELECT CURRENT_DATE", f"uses CURRENT_DATE, {_DAY_TO_DAY}"),
        ("SELECT current_timestamp", f"uses CURRENT_TIMESTAMP, {_DAY_TO_DAY}"),
        ("SELECT date('now')", f"asks date() for the current time, {_DAY_TO_DAY}"),
        ("SELECT DateTime ( 'NOW' )", f"asks datetime() for the current time, {_DAY_TO_DAY}"),
        ("SELECT julianday()", f"asks julianday() for the current time, {_DAY_TO_DAY}"),
        (
            "SELECT datetime(day, 'localtime') FROM days",
            "uses 'localtime', so that its result would differ from one time zone to another; "
            "leave it out",
        ),
        (
            "SELECT day FROM days; DROP TABLE days",
            "is more than one statement; use a single SELECT",
        ),
        (
            "SELECT * FROM pragma_database_list",
            "does more than read; use a single SELECT",
        ),
        (
            "SELECT name FROM sqlite_master",
            "reads sqlite_master, which is internal to SQLite; name tables of data",
        ),
        (
            "SELECT month FROM days",
            "cannot be run: SQLite reports: no such column: month; check its tables, columns and "
            "spelling",
        ),
    ],
)
def test_what_a_statement_may_not_do(own: Path, statement: str, why: str) -> None:
    """Non-deterministic results, writing and loading are refused, in checks and at run time."""
    before = own.read_bytes()
    assert refused(sql_guard.check, own, statement, {}) == why
    assert refused(sql_guard.run, own, statement) == why
    assert own.read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM days",
        "INSERT INTO days VALUES ('F', '2000-01-01')",
        "ATTACH 'other.db' AS other",
        "PRAGMA user_version = 7",
        "CREATE TEMP TABLE more (a)",
        "VACUUM INTO 'other.db'",
    ],
)
def test_other_statements_are_refused(
    own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, statement: str
) -> None:
    """Only SELECT is run, even if another statement were to get here."""
    monkeypatch.chdir(tmp_path)
    before = own.read_bytes()
    assert refused(sql_guard.run, own, statement)
    assert own.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["own.db"]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("SELECT date('n' || 'ow')", f"asks date() for the current time, {_DAY_TO_DAY}"),
        ("SELECT date(x'6e6f77')", f"asks date() for the current time, {_DAY_TO_DAY}"),
        ("SELECT date('now' || char(0))", f"asks date() for the current time, {_DAY_TO_DAY}"),
        ("SELECT strftime('%s')", f"asks strftime() for the current time, {_DAY_TO_DAY}"),
        (
            "SELECT strftime('%s', lower('NOW'))",
            f"asks strftime() for the current time, {_DAY_TO_DAY}",
        ),
        (
            "SELECT datetime(day, 'local' || 'time') FROM days",
            "uses 'localtime', so that its result would differ from one time zone to another; "
            "leave it out",
        ),
    ],
)
def test_the_current_time_at_run_time_is_refused(own: Path, statement: str, why: str) -> None:
    """A date function that gets the current time at run time is stopped."""
    assert refused(sql_guard.run, own, statement) == why


def test_a_view_may_do_no_more(own: Path) -> None:
    """A view must not call what a statement must not call."""
    with closing(sqlite3.connect(own)) as connection, connection:
        connection.execute("CREATE VIEW odd AS SELECT sex, random() AS day FROM days")
        connection.execute("CREATE VIEW late AS SELECT date(day, '+1 day') AS day FROM days")
    why = refused(sql_guard.check, own, "SELECT day FROM odd", {})
    assert why == f"calls random(), {_RUN_TO_RUN}"
    assert sql_guard.run(own, "SELECT day FROM late") == [("2020-03-01",), ("2021-03-02",)]


@pytest.mark.parametrize(
    ("bound", "statement", "why"),
    [
        (
            {"MAX_SECONDS": 0.2},
            "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
            " SELECT i FROM n)",
            "takes longer than 0.2 seconds; narrow it down with WHERE or DISTINCT",
        ),
        (
            {"MAX_ROWS": 3},
            "SELECT a.day FROM days a, days b",
            "returns more than 3 rows or 500,000,000 characters; narrow it down with WHERE or "
            "DISTINCT",
        ),
        (
            {"MAX_CHARACTERS": 15},
            "SELECT day FROM days",
            "returns more than 5,000,000 rows or 15 characters; narrow it down with WHERE or "
            "DISTINCT",
        ),
        (
            {},
            "SELECT replace(printf('%90000d', 1), ' ', '0123456789abcdef')",
            "makes a value of more than 1,000,000 bytes; shorten it",
        ),
    ],
)
def test_bounds(
    own: Path,
    monkeypatch: pytest.MonkeyPatch,
    bound: dict[str, float],
    statement: str,
    why: str,
) -> None:
    """A statement that takes too long or returns too much is stopped with a message."""
    for name, value in bound.items():
        monkeypatch.setattr(sql_guard, name, value)
    assert refused(sql_guard.run, own, statement) == why


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT upper(sex) || '!' FROM days", [("F!",), ("M!",)]),
        ("SELECT date(day, 'start of month') FROM days", [("2020-02-01",), ("2021-03-01",)]),
        ("SELECT strftime('%Y', day), 1.5, NULL FROM days LIMIT 1", [("2020", 1.5, None)]),
        ("SELECT value FROM json_each('[1, 2]')", [(1,), (2,)]),
        ("SELECT row_number() OVER (ORDER BY day) FROM days", [(1,), (2,)]),
        ("SELECT day FROM days WHERE day LIKE '2020%' /* now */ -- random()", [("2020-02-29",)]),
        (
            "SELECT i FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 3)"
            " SELECT i FROM n)",
            [(1,), (2,), (3,)],
        ),
    ],
)
def test_what_a_statement_may_do(own: Path, statement: str, rows: list[tuple[object, ...]]) -> None:
    """Deterministic functions, finite recursion and comments have SQLite's own results."""
    sql_guard.check(own, statement, {})
    assert sql_guard.run(own, statement) == rows
    with closing(sqlite3.connect(own)) as connection:
        assert connection.execute(statement).fetchall() == rows


def test_tables_that_are_there_meanwhile(own: Path) -> None:
    """The check knows temporary tables that exist only during a run, and their columns."""
    statement = 'SELECT temp_demo."a b", day FROM temp_demo JOIN days'
    sql_guard.check(own, statement, {"temp_demo": ["a b"]})
    assert "no such table: temp_demo" in refused(sql_guard.check, own, statement, {})


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """The message is about the file, not about the statement."""
    (tmp_path / "own.db").write_bytes(b"no database at all" * 200)
    with pytest.raises(GenerationError) as caught:
        sql_guard.check(tmp_path / "own.db", "SELECT 1", {})
    assert not isinstance(caught.value, sql_guard.StatementError)
    assert str(caught.value).startswith(f"{tmp_path / 'own.db'}: SQLite reports: ")

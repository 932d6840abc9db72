"""The database is created once and opened safely."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from series_assets.core.errors import GenerationError
from series_assets.storage import scratch_database, sqlite
from series_assets_tests.storage.databases import a_database, contents, drawing_from, names, rows


def test_the_database_is_made_as_a_copy_of_the_installed_one(tmp_path: Path) -> None:
    """On first use, in new folders, and without other files."""
    path = tmp_path / "data" / "exhibit.db"
    sqlite.create_if_missing(path)
    assert contents(path) == contents(sqlite.installed_database())
    assert list(path.parent.iterdir()) == [path]


def test_a_database_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    """It may have the reference tables of years."""
    path = a_database(tmp_path / "exhibit.db", "CREATE TABLE mine (a)")
    before = path.read_bytes()
    sqlite.create_if_missing(path)
    assert path.read_bytes() == before


@pytest.mark.thorough
def test_processes_that_make_it_at_once_all_end_with_the_same_one(tmp_path: Path) -> None:
    """One copy remains, no process fails, and no temporary file is left."""
    path = tmp_path / "exhibit.db"
    code = (
        "import sys; from pathlib import Path; from series_assets.storage import sqlite; "
        "sys.stdin.read(1); sqlite.create_if_missing(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(path)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b".")
        process.stdin.flush()
    ended = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * 4, ended
    assert list(tmp_path.iterdir()) == [path]
    assert contents(path) == contents(sqlite.installed_database())


def test_a_database_that_cannot_be_created_is_reported_with_the_remedy(tmp_path: Path) -> None:
    """A path below a file is a user's mistake, and reported as one."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(GenerationError, match=r"exhibit\.db: cannot be written: .* run it again"):
        sqlite.create_if_missing(tmp_path / "taken" / "exhibit.db")


def test_the_installed_database_is_found_without_importing_exhibit() -> None:
    """It is in the package and has Exhibit's tables."""
    assert {"birds", "mountains", "patients"} <= set(names(sqlite.installed_database()))


@pytest.mark.parametrize(
    ("content", "is_one"),
    [(b"", True), (b"SQLite format 3\x00 and more", True), (b"id,sex\n1,F\n", False)],
)
def test_a_database_is_known_by_its_first_bytes(
    tmp_path: Path, content: bytes, is_one: bool
) -> None:
    """An empty file may become a database; a CSV may not."""
    path = tmp_path / "file"
    path.write_bytes(content)
    assert sqlite.is_database(path) is is_one


def test_an_opened_database_is_in_wal_mode(tmp_path: Path) -> None:
    """Readers do not wait for writers."""
    path = tmp_path / "some.db"
    with sqlite.open_database(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]


def test_errors_of_sqlite_name_the_file(tmp_path: Path) -> None:
    """Users never see a raw sqlite3 error."""
    path = tmp_path / "some.db"
    with pytest.raises(GenerationError) as caught, sqlite.open_database(path) as connection:
        connection.execute("SELECT * FROM ghosts")
    assert str(caught.value) == f"{path}: SQLite reports: no such table: ghosts"


def test_a_database_opened_only_for_reading_is_not_written(tmp_path: Path) -> None:
    """It is neither created nor changed to another mode."""
    path = a_database(tmp_path / "some.db", "CREATE TABLE t (a)")
    before = path.read_bytes()
    with sqlite.open_database(path, read_only=True) as connection:
        assert sqlite.table_names(connection) == ["t"]
    with (
        pytest.raises(GenerationError, match="attempt to write a readonly database"),
        sqlite.open_database(path, read_only=True) as connection,
    ):
        connection.execute("INSERT INTO t VALUES (1)")
    assert path.read_bytes() == before
    with (
        pytest.raises(GenerationError, match=r"none\.db: is missing; generate all periods again"),
        sqlite.open_database(tmp_path / "none.db", read_only=True),
    ):
        pass
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a b.db", "a?b.db", "a#b.db", "100%.db", "Zoë.db"])
def test_a_database_may_have_any_name(tmp_path: Path, name: str) -> None:
    """Special characters of URLs have no meaning in its path."""
    path = tmp_path / name
    with sqlite.open_database(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    scratch_database.copy_for_run(
        path, tmp_path / f"scratch {name}", drawing_from("SELECT a FROM t")
    )
    assert names(tmp_path / f"scratch {name}") == ["t"]


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """Also if the fault shows only when it is opened."""
    path = tmp_path / "some.db"
    path.write_text("not a database, " * 100)
    with pytest.raises(GenerationError) as caught, sqlite.open_database(path):
        pass
    assert str(caught.value).startswith(
        f"{path}: SQLite reports: file is not a database; it is damaged"
    )


def test_a_transaction_does_all_or_nothing(tmp_path: Path) -> None:
    """Anything that ends it early, even an interrupt, undoes its changes."""
    path = a_database(tmp_path / "some.db", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    with sqlite.open_database(path) as connection:
        with pytest.raises(KeyboardInterrupt), sqlite.transaction(connection):
            connection.execute("DELETE FROM t")
            connection.execute("CREATE TABLE u (a)")
            raise KeyboardInterrupt
        with sqlite.transaction(connection):
            connection.execute("INSERT INTO t VALUES (2)")
    assert rows(path, "SELECT a FROM t") == [(1,), (2,)]
    assert names(path) == ["t"]


@pytest.mark.parametrize("name", ["plain", "two words", 'a "b" c', "select", "Zoë 東京", "a;b--"])
def test_any_name_can_be_an_identifier_of_sql(tmp_path: Path, name: str) -> None:
    """A quoted name has no other meaning."""
    path = tmp_path / "some.db"
    with sqlite.open_database(path) as connection:
        connection.execute(f"CREATE TABLE {sqlite.quoted(name)} ({sqlite.quoted(name)})")
        assert sqlite.table_names(connection) == [name]


def test_tables_are_listed_as_they_were_made_without_those_of_sqlite(tmp_path: Path) -> None:
    """SQLite's own tables start with sqlite_; a user's may be similar."""
    path = a_database(
        tmp_path / "some.db",
        "CREATE TABLE zebra (a INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE TABLE sqlitely (a)",
        "CREATE TABLE aardvark (a)",
    )
    with sqlite.open_database(path) as connection:
        assert sqlite.table_names(connection) == ["zebra", "sqlitely", "aardvark"]


OPENING = """
import sys
from pathlib import Path
from series_assets.storage import sqlite

print("ready", flush=True)
for place in sys.stdin.read().split():
    with sqlite.open_database(Path(place)) as connection:
        assert sqlite.table_names(connection) == ["t"]
"""


def test_a_database_that_a_killed_run_left_is_opened_by_many_at_once(tmp_path: Path) -> None:
    """One of them recovers the log, and the others wait."""
    path = tmp_path / "left.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE t (a)")
        connection.executemany("INSERT INTO t VALUES (zeroblob(?))", [(400,)] * 20_000)
        connection.commit()
        places = [tmp_path / f"{number}.db" for number in range(16)]
        for place in places:
            for ending in ("", "-wal"):
                shutil.copyfile(f"{path}{ending}", f"{place}{ending}")
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPENING],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("\n".join(map(str, places)))
    for process in started:
        assert process.stdin
        process.stdin.close()
    for process in started:
        assert process.stdout
        process.stdout.close()
        process.wait(timeout=60)
    assert [process.returncode for process in started] == [0] * 4


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_database_that_is_there_keeps_its_mode(tmp_path: Path, mode: str) -> None:
    """Reading and writing change no setting of a user's database, and leave no files."""
    path = a_database(tmp_path / "some.db", f"PRAGMA journal_mode = {mode}", "CREATE TABLE t (a)")
    with sqlite.open_database(path) as connection:
        connection.execute("INSERT INTO t VALUES (1)")
    assert list(tmp_path.iterdir()) == [path]
    with sqlite.open_database(path, read_only=True) as connection:
        assert connection.execute("SELECT a FROM t").fetchall() == [(1,)]
        connection.execute("CREATE TEMP TABLE u (a)")
    assert list(tmp_path.iterdir()) == [path]
    scratch_database.copy_for_run(path, tmp_path / "scratch.db", drawing_from("SELECT a FROM t"))
    assert {one.name for one in tmp_path.iterdir()} == {"some.db", "scratch.db"}
    assert rows(path, "PRAGMA journal_mode") == [(mode,)]


def test_a_database_that_is_made_is_in_wal_mode(tmp_path: Path) -> None:
    """Readers do not wait for writers; no other file is beside it."""
    sqlite.create_if_missing(tmp_path / "exhibit.db")
    assert list(tmp_path.iterdir()) == [tmp_path / "exhibit.db"]
    assert rows(tmp_path / "exhibit.db", "PRAGMA journal_mode") == [("wal",)]


def test_a_database_is_read_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only folder suffices, also in WAL mode; no file appears."""
    path = a_database(tmp_path / "some.db", "PRAGMA journal_mode = WAL", "CREATE TABLE t (a)")
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.W_OK)
    with sqlite.open_database(path, read_only=True) as connection:
        assert sqlite.table_names(connection) == ["t"]
        assert list(tmp_path.iterdir()) == [path]
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_program_half_wrote_is_undone_by_who_only_reads(tmp_path: Path) -> None:
    """A database in delete mode is rolled back to its state before the change."""
    own = tmp_path / "own.db"
    write = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('CREATE TABLE t (x)'); c.execute('INSERT INTO t VALUES (1)')\n"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN')\n"
        "c.executemany('INSERT INTO t VALUES (?)', (('y' * 900,) for _ in range(5000)))\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", write, str(own)], check=False)
    assert (tmp_path / "own.db-journal").stat().st_size
    with sqlite.open_database(own, read_only=True) as connection:
        assert connection.execute("SELECT COUNT(*) FROM t").fetchone() == (1,)

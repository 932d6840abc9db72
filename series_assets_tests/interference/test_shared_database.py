"""A database that several series or other programs use: runs wait for it, or report the lock."""

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_user_input, files_in, write_series
from series_assets_tests.interference.runs import (
    GENERATE_ALL,
    Runs,
    Snapshot,
    assert_succeeded,
    csv_files,
    error_message,
    reference_rows,
    small_specification,
)
from series_assets_tests.thorough import thorough

_BLOCKING_SECONDS = 1
"""Seconds after which a run has reached the point at which it has to wait."""


def create_database(path: Path, mode: str) -> Path:
    """Create a user's database, in a journal mode."""
    shutil.copyfile(installed_database(), path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    return path


@pytest.fixture(params=["WAL", *thorough("DELETE")])
def user_database(request: pytest.FixtureRequest, tmp_path: Path, runs: Runs) -> Path:
    """A user's database, which both series of the test name in their user input."""
    database = create_database(tmp_path / "own.db", request.param)
    runs.series_dir = tmp_path / "series"
    inputs = a_user_input(exhibit_db_path=str(database))
    write_series(runs.series_dir, small_specification(), inputs)
    write_series(runs.series_dir, small_specification(id="second"), inputs, name="second")
    return database


def test_two_series_on_one_database(runs: Runs, user_database: Path, undisturbed: Snapshot) -> None:
    """Each has its own tables, and waits for the other when both want to write."""
    for result in runs.run_concurrently([GENERATE_ALL, ("generate", "second", "--quiet")]):
        assert_succeeded(result)
    generated = Snapshot.read(runs.data, user_database)
    demo = {path: data for path, data in generated.files.items() if path.startswith("demo/")}
    assert demo.keys() == undisturbed.files.keys()
    csv = {path for path in demo if path.endswith(".csv")}
    assert all(demo[path] == undisturbed.files[path] for path in csv)
    assert generated.rows["demo_reference"] == undisturbed.rows["demo_reference"]
    assert generated.rows["second_reference"] == undisturbed.rows["demo_reference"]


def test_a_long_read_does_not_block_a_run(
    runs: Runs, user_database: Path, undisturbed: Snapshot
) -> None:
    """The reader still sees the old contents; with a WAL journal, the run need not wait for it."""
    with closing(sqlite3.connect(user_database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT name FROM sqlite_master").fetchall()
        in_wal = reader.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
        runs.start([GENERATE_ALL])
        time.sleep(_BLOCKING_SECONDS)
        assert reader.execute("SELECT name FROM sqlite_master").fetchall() == before
        if not in_wal:  # without a WAL, a writer has to wait for readers
            reader.execute("COMMIT")
        [result] = runs.runner.results()
        assert_succeeded(result)
    assert csv_files(files_in(runs.data)) == csv_files(undisturbed.files)


@pytest.mark.thorough
def test_a_run_waits_for_another_writer(
    runs: Runs, user_database: Path, undisturbed: Snapshot
) -> None:
    """It continues as soon as the other program has committed."""
    with closing(sqlite3.connect(user_database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("CREATE TABLE mine (a)")
        runs.start([GENERATE_ALL])
        time.sleep(_BLOCKING_SECONDS)
        writer.execute("COMMIT")
        [result] = runs.runner.results()
        assert_succeeded(result)
    assert csv_files(files_in(runs.data)) == csv_files(undisturbed.files)


@pytest.mark.parametrize("lock", ["IMMEDIATE", *thorough("EXCLUSIVE")])
def test_a_run_gives_up_if_another_writer_takes_too_long(
    runs: Runs, user_database: Path, undisturbed: Snapshot, lock: str
) -> None:
    """The message names the database; nothing is recorded, and a later run succeeds."""
    with closing(sqlite3.connect(user_database, isolation_level=None)) as writer:
        writer.execute(f"BEGIN {lock}")
        message = error_message(runs.run(patience=1))
        writer.execute("ROLLBACK")
    assert message == (
        f"{user_database}: another program has been using it for more than 1 seconds; close that "
        "program or wait until it is done, then run it again"
    )
    assert reference_rows(user_database) == {}
    assert not (runs.data / ".runs").exists()
    assert_succeeded(runs.run())
    assert csv_files(files_in(runs.data)) == csv_files(undisturbed.files)

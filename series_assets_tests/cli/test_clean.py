"""``series-assets clean``: what it removes and what it keeps."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_specification, a_user_input, files_in, write_series
from series_assets_tests.cli.commands import (
    KEYS,
    call,
    loose,
    refuse,
    succeed,
    tables,
)


@pytest.fixture
def two_series(tmp_path: Path) -> Path:
    """Two generated series in one data folder, which it returns."""
    for name, seed in (("demo", 0), ("other", 1)):
        write_series(tmp_path / "series", a_specification(random_seed=seed), name=name)
        succeed("generate", name, "--periods", f"{KEYS[0]}..{KEYS[1]}")
    return tmp_path / "data"


def test_clean_removes_the_files_and_the_table_of_its_series_only(two_series: Path) -> None:
    """Other series, lookup tables, the database and the user's own files stay."""
    own = two_series / "demo" / "notes.txt"
    own.write_text("mine")
    shipped = tables(installed_database())
    others = files_in(two_series / "other")
    assert succeed("clean", "demo", "--yes") == "removed 7 files and the reference table\n"
    assert files_in(two_series / "demo") == {"notes.txt": b"mine"}
    assert files_in(two_series / "other") == others
    left = sorted([*shipped, "other_reference", "other_reference_periods"])
    assert tables(two_series / "exhibit.db") == left
    own.unlink()
    succeed("clean", "demo", "--yes")
    assert not (two_series / "demo").exists()
    succeed("generate", "other", "--periods", KEYS[2])


def test_clean_leaves_files_whose_names_merely_begin_alike(two_series: Path) -> None:
    """A user's copy of a dataset is not a file of the series."""
    copies = [
        two_series / "demo" / "dataset_1_checked.csv",
        two_series / "demo" / "dataset_final.csv",
        two_series / "demo" / "new_records" / "dataset_1 (copy).csv",
    ]
    for path in copies:
        path.write_text("mine")
    succeed("clean", "demo", "--yes")
    assert [path.exists() for path in copies] == [True, True, True]


def test_clean_leaves_folders_and_links_under_the_names_of_its_files(two_series: Path) -> None:
    """Neither links, nor their targets, nor folders are removed."""
    folder, precious = two_series / "demo", two_series.parent / "precious.csv"
    precious.write_text("mine")
    (folder / "dataset_8.csv").mkdir()
    (folder / "dataset_8.csv" / "mine.txt").write_text("mine")
    (folder / "dataset_9.csv").symlink_to(precious)
    assert succeed("clean", "demo", "--yes") == "removed 7 files and the reference table\n"
    assert sorted(path.name for path in folder.iterdir()) == ["dataset_8.csv", "dataset_9.csv"]
    assert (folder / "dataset_8.csv" / "mine.txt").read_text() == precious.read_text() == "mine"


@pytest.mark.parametrize("place", ["demo", "demo/new_records"])
def test_clean_does_not_follow_a_folder_that_is_a_link(two_series: Path, place: str) -> None:
    """Nothing is removed, the table stays, and the message names the link."""
    away = two_series.parent / "away"
    (two_series / place).rename(away)
    (two_series / place).symlink_to(away)
    before = files_in(two_series), files_in(away)
    result = call("clean", "demo", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        f"{two_series / place}: is a link, which is not followed to remove anything; remove the "
        "files where it leads by hand, and then the link\n"
    )
    assert (files_in(two_series), files_in(away)) == before
    assert "demo_reference" in tables(two_series / "exhibit.db")


def test_clean_can_be_repeated_after_a_file_that_could_not_be_removed(
    two_series: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the file; the table is removed last."""
    stuck, unlink = two_series / "demo" / "dataset_2.csv", Path.unlink

    def refusing(self: Path, missing_ok: bool = False) -> None:
        if self == stuck:
            raise PermissionError(1, "Operation not permitted")
        unlink(self, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refusing)
        result = call("clean", "demo", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        f"{stuck}: cannot be removed: Operation not permitted; the reference table is still there; "
        "make sure that the file can be removed, then run this again\n"
    )
    assert "demo_reference" in tables(two_series / "exhibit.db")
    assert "and the reference table" in succeed("clean", "demo", "--yes")
    assert not (two_series / "demo").exists()


def test_clean_removes_nothing_where_it_cannot_remove_all(
    two_series: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only folder is noticed before the first file is removed."""
    before, closed = files_in(two_series), two_series / "demo" / "new_records"
    monkeypatch.setattr(os, "access", lambda path, mode: path != closed)
    result = call("clean", "demo", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        f"{closed}: its files cannot be removed: the folder cannot be written; nothing was "
        "removed; make it writable, then run this again\n"
    )
    assert files_in(two_series) == before


def test_clean_can_take_over_the_table_of_a_series_whose_folder_is_gone(two_series: Path) -> None:
    """Only with an option; then the series can be regenerated."""
    database = two_series / "exhibit.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE demo_reference_periods SET owner = 'gone/demo'")
    for command in (["generate", "demo", "--periods", KEYS[0]], ["clean", "demo", "--yes"]):
        assert "gone/demo, which no longer exists" in refuse(*command)
    succeed("clean", "demo", "--yes", "--take-over")
    assert "demo_reference" not in tables(database)
    succeed("generate", "demo", "--periods", KEYS[0])


def test_a_dropped_reference_table_can_be_made_again(two_series: Path) -> None:
    """The message says what to generate, and that works."""
    before = files_in(two_series)
    with closing(sqlite3.connect(two_series / "exhibit.db")) as connection, connection:
        connection.execute("DROP TABLE demo_reference")
    assert "nothing is recorded yet" in refuse("generate", "demo", "--periods", KEYS[1])
    succeed("generate", "demo", "--periods", f"{KEYS[0]}..{KEYS[1]}")
    assert files_in(two_series) == before


def test_clean_asks_first(two_series: Path) -> None:
    """If the answer is no, everything stays."""
    before = files_in(two_series)
    result = call("clean", "demo", typed="n\n")
    assert result.exit_code == 1
    assert (
        f"Remove 7 files of demo in {two_series / 'demo'}, and its reference table in "
        f"{two_series / 'exhibit.db'}? [y/N]: n" in result.output
    )
    assert files_in(two_series) == before
    assert "demo_reference" in tables(two_series / "exhibit.db")
    assert "removed 7 files and the reference table" in succeed("clean", "demo", typed="y\n")
    assert not (two_series / "demo").exists()


def test_clean_removes_datasets_that_a_shorter_series_no_longer_has(
    tmp_path: Path, two_series: Path
) -> None:
    """They were its files when they were generated."""
    longer = write_series(tmp_path / "series", user_input=a_user_input(num_datasets=1))
    assert longer.exists()
    succeed("clean", "demo", "--yes")
    assert not (two_series / "demo").exists()


def test_a_series_that_was_cleaned_can_be_made_again(two_series: Path) -> None:
    """From the start, with the same bytes."""
    before = files_in(two_series)
    succeed("clean", "demo", "--yes")
    assert refuse("generate", "demo", "--periods", KEYS[1]).startswith(
        "demo, period 2024-02-01 samples from all periods before it, but nothing is recorded yet"
    )
    succeed("generate", "demo", "--periods", f"{KEYS[0]}..{KEYS[1]}")
    assert files_in(two_series) == before


def test_cleaning_what_was_never_made_is_no_fault(tmp_path: Path) -> None:
    """And creates nothing."""
    write_series(tmp_path / "series")
    assert succeed("clean", "demo", "--yes") == "removed 0 files\n"
    assert not (tmp_path / "data").exists()


def test_clean_refuses_the_table_of_another_series(tmp_path: Path) -> None:
    """No file is removed either."""
    shutil.copyfile(installed_database(), tmp_path / "shared.db")
    named = a_user_input(exhibit_db_path=str(tmp_path / "shared.db"))
    place = write_series(tmp_path / "series", user_input=named)
    succeed(*loose(place, tmp_path / "out"))
    (tmp_path / "data" / "demo").mkdir(parents=True)
    dataset = tmp_path / "data" / "demo" / "dataset_1.csv"
    dataset.write_text("")
    assert refuse("clean", "demo", "--yes") == (
        f"{tmp_path / 'shared.db'}: its table demo_reference belongs to the series whose files are "
        f"in {tmp_path / 'out'}; name another database as exhibit_db_path, or give this series "
        "another name"
    )
    assert dataset.exists()
    assert "demo_reference" in tables(tmp_path / "shared.db")

"""``series-assets validate``: the faults and warnings that it reports."""

from pathlib import Path

import pytest

from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.cli.commands import an_impossible_specification, call, refuse, succeed


def test_validate_reports_every_fault_of_every_series(tmp_path: Path) -> None:
    """Of both files, at once; valid series are listed as such."""
    write_series(tmp_path / "series", name="good")
    write_series(
        tmp_path / "series",
        a_specification(uuid_columns=["ghost"]),
        a_user_input(fraction_of_new=2, num_datasets=0),
        name="bad",
    )
    result = call("validate")
    assert result.exit_code == 2
    assert result.stdout == "good: valid\n"
    assert result.stderr.splitlines() == [
        "bad/specification.yml: metadata.uuid_columns names 'ghost', which is not under columns; "
        "take it off the list, or add the column",
        "bad/user_input.yml: num_datasets 0 is too small; use 1 or more",
        "bad/user_input.yml: fraction_of_new 2 is not between 0 and 1; write it as 1/3, 0.25, 0 "
        "or 1; 2% is 0.02",
    ]


def test_validate_looks_at_the_named_series_only(tmp_path: Path) -> None:
    """Another broken series does not affect the result."""
    for name in ("one", "two"):
        write_series(tmp_path / "series", name=name)
    write_series(tmp_path / "series", user_input=a_user_input(period="hours"), name="bad")
    assert succeed("validate", "two") == "two: valid\n"
    assert succeed("validate", "two", "one") == "two: valid\none: valid\n"
    assert call("validate", "bad").exit_code == 2


def test_validate_generates_nothing(tmp_path: Path) -> None:
    """Neither a data folder nor a database."""
    write_series(tmp_path / "series")
    succeed("validate")
    assert [path.name for path in tmp_path.iterdir()] == ["series"]


def test_validate_tries_what_only_shows_when_it_is_computed(tmp_path: Path) -> None:
    """A calculation that pandas cannot do is reported without generating anything."""
    write_series(tmp_path / "series", an_impossible_specification(), name="bad")
    write_series(tmp_path / "series", name="good")
    result = call("validate")
    assert result.exit_code == 2
    assert result.stdout == "good: valid\n"
    assert result.stderr.startswith(
        "bad/specification.yml: bad, period 2024-01-01 (new records): the derived column "
        "'(sex / amount)' cannot be computed: TypeError"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["series"]


@pytest.mark.parametrize("command", ["validate", "generate"])
def test_a_missing_table_is_reported(tmp_path: Path, command: str) -> None:
    """Before anything runs, with the file that names it."""
    specification = a_specification()
    specification["columns"]["region"]["anonymising_set"] = "wards"
    write_series(tmp_path / "series", specification)
    assert refuse(command, "demo") == (
        "demo/specification.yml: columns.region.anonymising_set 'wards' needs the table 'wards', "
        f"which {tmp_path / 'data' / 'exhibit.db'} lacks; name the database that has it with "
        "exhibit_db_path in user_input.yml, or add it there"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["series"]


@pytest.mark.parametrize("command", [["validate"], ["generate", "demo"]])
def test_an_invalid_database_is_reported(tmp_path: Path, command: list[str]) -> None:
    """With its path and the remedy."""
    write_series(tmp_path / "series")
    database = tmp_path / "data" / "exhibit.db"
    database.parent.mkdir()
    database.write_text("hello" * 1000)
    result = call(*command)
    assert result.exit_code
    assert result.stderr.rstrip("\n") == (
        f"{database}: SQLite reports: file is not a database; it is damaged or not a database: "
        "restore it from a backup or, if it held nothing of your own, remove it and regenerate "
        "all periods, which gives the same data"
    )
    database.unlink()
    succeed("generate", "demo", "--quiet")


@pytest.mark.parametrize("command", ["validate", "generate", "clean"])
def test_a_series_that_is_not_there_is_answered_with_the_nearest(
    tmp_path: Path, command: str
) -> None:
    """Most often it is a typing mistake."""
    write_series(tmp_path / "series")
    write_series(tmp_path / "series", name="other")
    folder = tmp_path / "series"
    reported = refuse(command, "dmeo")
    assert reported == f"there is no series 'dmeo' in {folder}; did you mean 'demo'?"
    assert (
        refuse(command, "xyz") == f"there is no series 'xyz' in {folder}; known here: demo, other"
    )


def test_naming_the_installed_database_is_a_warning(tmp_path: Path) -> None:
    """The series is still valid."""
    named = a_user_input(exhibit_db_path=str(installed_database()))
    write_series(tmp_path / "series", user_input=named)
    result = call("validate")
    assert result.exit_code == 0
    assert result.stdout == "demo: valid\n"
    assert result.stderr == (
        "warning: demo/user_input.yml: exhibit_db_path names the database that ships with Exhibit, "
        "which is never written; a copy in the data folder is used\n"
    )

"""Series are found by their folders, and faults are reported file by file."""

import re
import shutil
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from series_assets.core.errors import InputError
from series_assets.core.plan.series import Series
from series_assets.interface import generate
from series_assets.storage.loading import (
    BrokenSeries,
    InstalledDatabaseWarning,
    find_series,
    load_series,
    load_series_from_files,
)
from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_specification, a_user_input, write_series

_SIGNATURE = b"SQLite format 3\x00"


@pytest.fixture(autouse=True)
def no_dagster_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never record a run in the Dagster instance of the person who runs the tests."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


def faults_of(found: Series | BrokenSeries) -> list[str]:
    """Return the faults of a series that has some."""
    assert isinstance(found, BrokenSeries)
    return [str(fault) for fault in found.error.faults]


def naming(database: str) -> dict[str, object]:
    """Return a user input that names a database."""
    return a_user_input(exhibit_db_path=database)


def test_every_folder_with_the_two_files_is_a_series(tmp_path: Path) -> None:
    """Named after the folder and sorted by name; nothing else needs to be edited."""
    for name in ("zebra", "aardvark", "m_2"):
        write_series(tmp_path, name=name)
    assert [one.name for one in find_series(tmp_path)] == ["aardvark", "m_2", "zebra"]


def test_folders_without_the_files_and_loose_files_are_no_series(tmp_path: Path) -> None:
    """Notes, caches and version control may be beside series."""
    write_series(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("nothing")
    (tmp_path / "specification.yml").write_text("metadata:")
    write_series(tmp_path, name=".demo.123.part")  # a folder while it is written
    assert [one.name for one in find_series(tmp_path)] == ["demo"]


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    """An empty list of series would look as if everything were lost."""
    with pytest.raises(InputError) as caught:
        find_series(tmp_path / "nowhere")
    assert str(caught.value) == (
        f"{tmp_path / 'nowhere'}: there is no such series folder; correct "
        "SERIES_ASSETS_SERIES_DIR, or create a series with series-assets new"
    )


@pytest.mark.parametrize("lacking", ["specification.yml", "user_input.yml"])
def test_a_series_that_lacks_a_file_is_broken(tmp_path: Path, lacking: str) -> None:
    """A folder with one of the two files is a mistake, not to be ignored."""
    (write_series(tmp_path) / lacking).unlink()
    [found] = find_series(tmp_path)
    assert faults_of(found) == [
        f"demo/{lacking}: there is no such file; a series needs specification.yml and "
        "user_input.yml"
    ]


def test_a_file_with_another_suffix_is_noticed(tmp_path: Path) -> None:
    """The usual suffix of YAML files is not that of the two files."""
    place = write_series(tmp_path)
    (place / "user_input.yml").rename(place / "user_input.yaml")
    [found] = find_series(tmp_path)
    assert faults_of(found) == [
        "demo/user_input.yml: there is no such file; rename user_input.yaml to user_input.yml"
    ]


def test_a_broken_series_leaves_the_others_alone(tmp_path: Path) -> None:
    """It is found with its faults, the others are found as usual."""
    write_series(tmp_path, name="one")
    write_series(tmp_path, user_input=a_user_input(period="fortnights"), name="two")
    write_series(tmp_path, name="zed")
    one, two, zed = find_series(tmp_path)
    assert isinstance(one, Series)
    assert isinstance(zed, Series)
    assert two.name == "two"
    assert faults_of(two) == [
        "two/user_input.yml: period 'fortnights' is not known; use days, weeks, months or quarters "
        "(here: period: weeks, length_of_period: 2)"
    ]


@pytest.mark.parametrize("name", ["Demo", "2024", "_demo", "my-series", "my series", "école"])
def test_an_invalid_name_is_reported(tmp_path: Path, name: str) -> None:
    """Asset keys, tables and files have the name of a series."""
    write_series(tmp_path, name=name)
    [found] = find_series(tmp_path)
    assert faults_of(found) == [
        f"{name}/specification.yml: the folder's name '{name}' cannot name a series; use "
        "lower-case letters, digits and _, a letter first"
    ]


@pytest.mark.parametrize(("name", "word"), [("temperature", "temp"), ("selected", "select")])
def test_a_name_that_exhibit_would_misread_is_reported(
    tmp_path: Path, name: str, word: str
) -> None:
    """Exhibit drops tables with temp in their names; select would start a statement."""
    write_series(tmp_path, name=name)
    [found] = find_series(tmp_path)
    assert faults_of(found) == [
        f"{name}/specification.yml: the folder's name '{name}' cannot name a series; choose "
        f"another: to Exhibit, '{word}' in a table's name has a special meaning"
    ]


def test_faults_of_both_files_are_reported_at_once(tmp_path: Path) -> None:
    """Otherwise each fault would need another attempt."""
    specification = a_specification(number_of_rows=0)
    write_series(tmp_path, specification, a_user_input(length_of_period=0), name="demo")
    [found] = find_series(tmp_path)
    reported = faults_of(found)
    assert len(reported) == 2
    assert reported[0].startswith("demo/specification.yml: metadata.number_of_rows ")
    assert reported[1] == "demo/user_input.yml: length_of_period 0 is too small; use 1 or more"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a: [1, 2", "line 1, column 9: is not YAML: "),
        (b"a: 1\n\tb: 2", "line 2, column 1: is not YAML: "),
        (b"\xff\xfe\x00", "is not text in UTF-8; save it in UTF-8"),
        (b"", "the file has to hold keys and values, such as period: months"),
        (b"- a\n- b\n", "the file has to hold keys and values, such as period: months"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported_with_the_place(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    """Line and column as an editor counts them."""
    (write_series(tmp_path) / "user_input.yml").write_bytes(content)
    [found] = find_series(tmp_path)
    [reported] = faults_of(found)
    assert reported.startswith(f"demo/user_input.yml: {fault}")


@pytest.mark.parametrize("day", ["2024-02-30", "2024-13-01", "0000-01-01"])
@pytest.mark.parametrize("file", ["specification.yml", "user_input.yml"])
def test_an_impossible_date_is_reported(tmp_path: Path, file: str, day: str) -> None:
    """YAML converts unquoted dates while it parses them."""
    place = write_series(tmp_path) / file
    text = place.read_text(encoding="utf-8")
    if file == "user_input.yml":
        place.write_text(f"{text}start_date: {day}\n", encoding="utf-8")
    else:
        place.write_text(text.replace("from: '2024-01-01'", f"from: {day}"), encoding="utf-8")
    [found] = find_series(tmp_path)
    [reported] = faults_of(found)
    assert re.fullmatch(
        rf"demo/{file}: line \d+, column \d+: '{day}' is not a date in the calendar", reported
    )


def test_a_duplicate_key_is_reported(tmp_path: Path) -> None:
    """Otherwise the first value would be lost without a message."""
    place = write_series(tmp_path) / "user_input.yml"
    place.write_text(place.read_text(encoding="utf-8") + "period: weeks\n", encoding="utf-8")
    [found] = find_series(tmp_path)
    lines = place.read_text(encoding="utf-8").splitlines()
    assert faults_of(found) == [
        f"demo/user_input.yml: line {len(lines)}, column 1: the key 'period' is given twice; keep "
        "one of them"
    ]


def test_a_folder_in_place_of_a_file_is_reported(tmp_path: Path) -> None:
    """Without a traceback."""
    place = write_series(tmp_path)
    (place / "user_input.yml").unlink()
    (place / "user_input.yml").mkdir()
    [found] = find_series(tmp_path)
    assert faults_of(found) == ["demo/user_input.yml: is a folder, not a file"]


def test_two_loose_files_make_a_series_called_after_the_metadata(tmp_path: Path) -> None:
    """In any folder and with any file names."""
    place = write_series(tmp_path, a_specification(id="visits"))
    specification = (place / "specification.yml").rename(tmp_path / "some.yml")
    user_input = (place / "user_input.yml").rename(tmp_path / "other.yml")
    assert load_series_from_files(specification, user_input).name == "visits"


def test_loose_files_without_a_name_are_reported(tmp_path: Path) -> None:
    """There is no folder to name the series after."""
    place = write_series(tmp_path, a_specification(id=None))
    specification, user_input = place / "specification.yml", place / "user_input.yml"
    with pytest.raises(InputError) as caught:
        load_series_from_files(specification, user_input)
    assert str(caught.value) == (
        f"{specification}: metadata.id is missing; add it: the series is named after it"
    )


def test_loose_files_with_an_invalid_name_are_reported(tmp_path: Path) -> None:
    """With the key that has the name."""
    place = write_series(tmp_path, a_specification(id="My Series"))
    specification, user_input = place / "specification.yml", place / "user_input.yml"
    with pytest.raises(InputError) as caught:
        load_series_from_files(specification, user_input)
    assert str(caught.value) == (
        f"{specification}: metadata.id 'My Series' cannot name a series; use lower-case letters, "
        "digits and _, a letter first"
    )


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_no_database_named_means_the_one_in_the_data_folder(
    tmp_path: Path, empty: str | None
) -> None:
    """Also if the key is empty."""
    place = write_series(tmp_path, user_input=a_user_input(exhibit_db_path=empty))
    assert load_series(place).database is None


@pytest.mark.parametrize("named", ["lookups.db", "../shared/lookups.db"])
def test_a_relative_database_is_relative_to_the_user_input(
    tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not to the working directory of a command."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    place = write_series(tmp_path / "series", user_input=naming(named))
    expected = (place / named).resolve()
    expected.parent.mkdir(exist_ok=True)
    expected.write_bytes(_SIGNATURE)
    assert load_series(place).database == expected
    loose = load_series_from_files(place / "specification.yml", place / "user_input.yml")
    assert loose.database == expected


def test_an_absolute_database_is_taken_as_it_is(tmp_path: Path) -> None:
    """Any existing SQLite database."""
    database = tmp_path / "lookups.db"
    database.write_bytes(_SIGNATURE)
    place = write_series(tmp_path, user_input=naming(str(database)))
    assert load_series(place).database == database


def test_a_missing_database_is_reported_with_its_path(tmp_path: Path) -> None:
    """A wrong path never creates an empty database."""
    place = write_series(tmp_path, user_input=naming("lookups.db"))
    with pytest.raises(InputError) as caught:
        load_series(place)
    assert str(caught.value) == (
        f"demo/user_input.yml: exhibit_db_path 'lookups.db' does not exist (looked for "
        f"{place / 'lookups.db'}); name an existing database, or leave it empty to get one"
    )
    assert not (place / "lookups.db").exists()


@pytest.mark.parametrize("what", ["a CSV", "a folder"])
def test_an_invalid_database_is_reported(tmp_path: Path, what: str) -> None:
    """Before anything runs, not by SQLite halfway through."""
    place = write_series(tmp_path, user_input=naming("lookups"))
    if what == "a CSV":
        (place / "lookups").write_text("id,sex\n1,F\n" * 10)
    else:
        (place / "lookups").mkdir()
    with pytest.raises(InputError) as caught:
        load_series(place)
    assert str(caught.value) == (
        "demo/user_input.yml: exhibit_db_path 'lookups' is not an SQLite database; name one that "
        "is, or leave it empty to get one"
    )


@pytest.mark.parametrize("through", ["its path", "a link"])
def test_naming_the_installed_database_warns_and_counts_as_naming_none(
    tmp_path: Path, through: str
) -> None:
    """It belongs to the package, and the next upgrade would replace it."""
    named = str(installed_database())
    if through == "a link":
        (tmp_path / "link.db").symlink_to(installed_database())
        named = str(tmp_path / "link.db")
    place = write_series(tmp_path, user_input=naming(named))
    with pytest.warns(InstalledDatabaseWarning) as caught:
        series = load_series(place)
    assert series.database is None
    assert [str(warning.message) for warning in caught] == [
        "demo/user_input.yml: exhibit_db_path names the database that ships with Exhibit, which is "
        "never written; a copy in the data folder is used"
    ]


def test_a_copy_of_the_installed_database_is_the_users_own(tmp_path: Path) -> None:
    """It is used without a warning."""
    shutil.copyfile(installed_database(), tmp_path / "copy.db")
    place = write_series(tmp_path, user_input=naming(str(tmp_path / "copy.db")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_series(place).database == tmp_path / "copy.db"


def test_a_series_that_names_the_installed_database_never_writes_it(tmp_path: Path) -> None:
    """After a complete series its bytes are unchanged, and no file is beside it."""
    installed = installed_database()
    beside = sorted(installed.parent.iterdir())
    before = installed.read_bytes(), installed.stat().st_mtime_ns
    place = write_series(
        tmp_path, user_input=a_user_input(exhibit_db_path=str(installed), num_datasets=2)
    )
    with pytest.warns(InstalledDatabaseWarning):
        series = load_series(place)
    generate(series=series, data_dir=tmp_path / "data")
    assert (installed.read_bytes(), installed.stat().st_mtime_ns) == before
    assert sorted(installed.parent.iterdir()) == beside
    with closing(sqlite3.connect(tmp_path / "data" / "exhibit.db")) as connection:
        generated = connection.execute("SELECT count(*) FROM demo_reference").fetchone()
    assert generated == (80,)


def test_a_named_database_gets_the_reference_table_and_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has lookup tables and the reference table; no other database is created."""
    monkeypatch.setenv("SERIES_ASSETS_ANY_DATABASE", "1")
    database = tmp_path / "lookups.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE regions (region)")
        connection.execute("INSERT INTO regions VALUES ('North'), ('South'), ('West')")
    specification = a_specification()
    specification["columns"]["region"]["anonymising_set"] = "regions"
    place = write_series(
        tmp_path,
        specification,
        a_user_input(exhibit_db_path="../lookups.db", num_datasets=2),
    )
    generate(series=load_series(place), data_dir=tmp_path / "data")
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        kept = connection.execute("SELECT region FROM regions").fetchall()
    assert [name for (name,) in found] == ["regions", "demo_reference", "demo_reference_periods"]
    assert kept == [("North",), ("South",), ("West",)]
    assert not (tmp_path / "data" / "exhibit.db").exists()

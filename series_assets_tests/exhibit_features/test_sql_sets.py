"""Values that an SQL statement looks up in the user's tables, in new and existing records."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_specification, a_user_input, files_in, write_series
from series_assets_tests.columns import a_category, a_date, a_uuid, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    database_with_tables,
    existing_records,
    generate_series,
    new_records,
    rows_by_table,
    run_command,
)
from series_assets_tests.thorough import thorough

WARDS = {"F": ["Ash", "Birch"], "M": ["Cedar", "Elm", "Fir"]}


def lookup(column: str = "sex", table: str = "wards", value: str = "ward") -> str:
    """Return a statement that looks up a ward by another column."""
    return (
        f"SELECT temp_demo.{column}, {table}.{value} AS ward FROM temp_demo "
        f"JOIN {table} ON temp_demo.{column} = {table}.{column}"
    )


def with_wards(statement: str, rows: int = 60, **columns: Any) -> dict[str, Any]:
    """Return a specification whose ward is looked up."""
    ward = a_category("ward", {"Ash": 1, "Birch": 3, "Cedar": 1, "Elm": 1, "Fir": 1})
    ward["anonymising_set"] = statement
    return with_columns(a_specification(number_of_rows=rows), ward=ward, **columns)


def wards(path: Path) -> Path:
    """Create a database with a table of wards by sex, a view of it, and days by sex."""
    own = database_with_tables(
        path,
        wards=[{"sex": sex, "ward": ward} for sex, of in WARDS.items() for ward in of],
        days=[{"sex": "F", "day": "2020-02-29"}, {"sex": "M", "day": "2021-03-01"}],
    )
    with closing(sqlite3.connect(own)) as connection, connection:
        connection.execute("CREATE VIEW some_wards AS SELECT * FROM wards WHERE ward <> 'Elm'")
    return own


@pytest.mark.thorough
@pytest.mark.parametrize("static", [[], ["sex"], ["ward"], ["sex", "ward"]])
def test_a_value_looked_up_by_another_column(tmp_path: Path, static: list[str]) -> None:
    """Each ward matches its sex, also in existing records unless only one of them is static."""
    own = wards(tmp_path / "own.db")
    finished = generate_series(
        tmp_path, with_wards(lookup()), static_columns=static, exhibit_db_path=str(own)
    )
    fitting = {(sex, ward) for sex, of in WARDS.items() for ward in of}
    for number in (1, 2, 3):
        records = new_records(finished, number)
        assert set(zip(records["sex"], records["ward"], strict=True)) <= fitting
    if static != ["ward"]:
        records = existing_records(finished, 3)
        assert set(zip(records["sex"], records["ward"], strict=True)) <= fitting


def test_the_probabilities_of_the_specification_weigh_what_is_looked_up(tmp_path: Path) -> None:
    """Of two matching wards, the one with three times the probability is more frequent."""
    own = wards(tmp_path / "own.db")
    specification = with_wards(lookup(), rows=600)
    finished = generate_series(tmp_path, specification, num_datasets=2, exhibit_db_path=str(own))
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        counts = records["ward"].value_counts()
        assert 1.8 < counts["Birch"] / counts["Ash"] < 5


def test_a_value_looked_up_in_a_view(tmp_path: Path) -> None:
    """A view works like a table."""
    own = wards(tmp_path / "own.db")
    specification = with_wards(lookup(table="some_wards"))
    finished = generate_series(tmp_path, specification, exhibit_db_path=str(own))
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert set(records["ward"]) == {"Ash", "Birch", "Cedar", "Fir"}


def test_a_day_that_is_looked_up(tmp_path: Path) -> None:
    """A date column may be looked up; it does not move, and is right in existing records."""
    statement = (
        "SELECT temp_demo.sex, days.day AS since FROM temp_demo JOIN days "
        "ON temp_demo.sex = days.sex"
    )
    since = a_date("2024-01-01", "2024-01-31", 2, anonymising_set=statement)
    own = wards(tmp_path / "own.db")
    specification = with_columns(a_specification(), since=since)
    finished = generate_series(tmp_path, specification, exhibit_db_path=str(own))
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        found = set(zip(records["sex"], records["since"], strict=True))
        assert found == {("F", "2020-02-29"), ("M", "2021-03-01")}


@pytest.mark.parametrize("kind", ["pseudo_chi", *thorough("uuid", "range")])
def test_a_value_looked_up_by_the_identifier(tmp_path: Path, kind: str) -> None:
    """In both parts."""
    statement = (
        "SELECT temp_demo.id, wards.ward AS ward FROM temp_demo JOIN wards "
        "ON length(temp_demo.id) > 0"
    )
    own = wards(tmp_path / "own.db")
    specification = with_wards(statement, id=a_uuid(kind))
    finished = generate_series(tmp_path, specification, exhibit_db_path=str(own))
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert "" not in set(records["ward"])
        assert records["ward"].nunique() > 2


def test_a_look_up_beside_the_reference_table(tmp_path: Path) -> None:
    """The reference table in the same database does not affect the lookup."""
    own = database_with_tables(
        tmp_path / "own.db", wards=[{"sex": "F", "ward": "Ash"}, {"sex": "M", "ward": "Elm"}]
    )
    finished = generate_series(tmp_path, with_wards(lookup()), exhibit_db_path=str(own))
    assert set(rows_by_table(own)) >= {"demo_reference", "wards"}
    assert set(existing_records(finished, 2)["ward"]) == {"Ash", "Elm"}


@pytest.mark.thorough
def test_more_rows_and_columns_than_one_statement_can_hold(tmp_path: Path) -> None:
    """Long and wide data are passed to the statement completely."""
    own = wards(tmp_path / "own.db")
    more = {f"more_{n}": a_category(f"more_{n}", {"a": 1, "b": 1}) for n in range(30)}
    statement = (
        "SELECT temp_demo.id, wards.ward AS ward FROM temp_demo JOIN wards "
        "ON temp_demo.sex = wards.sex"
    )
    specification = with_wards(statement, rows=1100, **more)
    names = specification["metadata"]["categorical_columns"]
    specification["metadata"]["categorical_columns"] = [n for n in names if n != "ward"] + ["ward"]
    finished = generate_series(
        tmp_path, specification, num_datasets=2, fraction_of_new="1/10", exhibit_db_path=str(own)
    )
    for records in (new_records(finished, 1), existing_records(finished, 2)):
        assert all(w in WARDS[s] for s, w in zip(records["sex"], records["ward"], strict=True))


@pytest.mark.thorough
def test_two_runs_at_once(tmp_path: Path) -> None:
    """Series that run at the same time do not get each other's rows."""

    def place(folder: str, name: str, seed: int) -> Path:
        own = wards(tmp_path / f"{folder}_{name}.db")
        inputs = a_user_input(num_datasets=2, exhibit_db_path=str(own))
        specification = with_wards(lookup(), rows=40)
        specification["metadata"]["random_seed"] = seed
        return write_series(tmp_path / folder, specification, inputs, name)

    def make(folder: str, name: str, seed: int) -> dict[str, bytes]:
        data = tmp_path / f"{folder}_data"
        generate(load_series(place(folder, name, seed)), data)
        return files_in(data / name)

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(make, ["together"] * 2, ["one", "two"], [0, 1]))
    assert together == [make("alone", "one", 0), make("alone", "two", 1)]


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "SELECT temp_demo.sex, temp_demo.region, wards.ward AS ward FROM temp_demo JOIN wards "
            "ON temp_demo.sex = wards.sex",
            "columns.ward.anonymising_set selects the columns region, sex of temp_demo beside "
            "'ward'; Exhibit can join on exactly one, written temp_demo.column",
        ),
        (
            "SELECT temp_demo.sex, nowhere.ward AS ward FROM temp_demo JOIN nowhere "
            "ON temp_demo.sex = nowhere.sex",
            "columns.ward.anonymising_set needs the table 'nowhere', which {own} lacks",
        ),
        (
            "SELECT temp_demo.sex, wards.ward AS wrd FROM temp_demo JOIN wards "
            "ON temp_demo.sex = wards.sex",
            "columns.ward.anonymising_set selects nothing called 'ward'; write … AS ward",
        ),
    ],
)
def test_invalid_statements_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, fault: str
) -> None:
    """``validate`` reports two join columns, a missing table and a wrong alias."""
    own = wards(tmp_path / "own.db")
    ended, message = run_command(
        monkeypatch, tmp_path, "validate", with_wards(statement), exhibit_db_path=str(own)
    )
    assert (ended, message) == (2, fault.format(own=own))


def test_a_statement_that_leaves_some_rows_without_a_value(tmp_path: Path) -> None:
    """If the lookup finds nothing, the cell is empty."""
    own = database_with_tables(tmp_path / "own.db", wards=[{"sex": "F", "ward": "Ash"}])
    specification = with_wards(lookup())
    specification["columns"]["ward"]["miss_probability"] = 0.01
    finished = generate_series(tmp_path, specification, exhibit_db_path=str(own))
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert set(records.loc[records["sex"] == "M", "ward"]) == {""}


@pytest.mark.parametrize("command", ["validate", "generate"])
def test_a_non_deterministic_statement_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Random values, the clock, and statements that are no lookups are refused."""
    own = wards(tmp_path / "own.db")
    before = own.read_bytes()
    statement = lookup() + " WHERE random() > 0"
    ended, message = run_command(
        monkeypatch, tmp_path, command, with_wards(statement), exhibit_db_path=str(own)
    )
    assert (ended, message) == (
        2,
        "columns.ward.anonymising_set calls random(), so that its result would differ from run to "
        "run; leave it out",
    )
    assert own.read_bytes() == before
    assert not (tmp_path / "data").exists()


def test_a_statement_whose_fault_shows_at_run_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forbidden access that only appears at run time is stopped, and the statement named."""
    own = wards(tmp_path / "own.db")
    statement = lookup() + " WHERE date('n' || 'ow') > ''"
    ended, message = run_command(
        monkeypatch, tmp_path, "generate", with_wards(statement), exhibit_db_path=str(own)
    )
    assert ended == 1
    assert message == (
        "demo, period 2024-01-01 (new records): the anonymising_set 'SELECT temp_demo.sex, "
        "wards.ward AS ward FROM temp_demo JOIN wards ON temp_demo.…' asks date() for the "
        "current time, so that its result would differ from day to day; write the date or "
        "time itself"
    )

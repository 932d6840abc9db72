"""A user's own database: its tables are used, and never changed."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from series_assets_tests.builders import a_specification
from series_assets_tests.columns import a_category, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    INSTALLED,
    database_with_tables,
    existing_records,
    generate_series,
    new_records,
    rows_by_table,
    run_command,
)


def many(source: str, name: str = "ward", uniques: int = 40) -> dict[str, Any]:
    """Return a column with more values than a specification lists."""
    column = a_category(name, {}, uniques=uniques, anonymising_set=source)
    column["original_values"] = None
    return column


def rows(column: str, count: int, **more: Any) -> list[dict[str, Any]]:
    """Return the rows of a table with that many values."""
    return [{column: f"{column} {n:02}", **more} for n in range(count)]


@pytest.mark.each_value
@pytest.mark.parametrize("static", [[], ["ward"]])
@pytest.mark.parametrize("source", ["hospital", "hospital.ward", "random"])
def test_values_of_a_table_of_the_users(tmp_path: Path, source: str, static: list[str]) -> None:
    """A lookup table, one of its columns, and the values that Exhibit keeps under the id."""
    table = {"random": "temp_demo_ward"}.get(source, "hospital")
    weights = {"probability_vector": 0.025} if source == "random" else {}
    own = database_with_tables(tmp_path / "own.db", **{table: rows("ward", 40, **weights)})
    specification = with_columns(a_specification(), ward=many(source))
    finished = generate_series(
        tmp_path, specification, static_columns=static, exhibit_db_path=str(own)
    )
    known = {row["ward"] for row in rows("ward", 40)}
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert set(records["ward"]) <= known
        assert records["ward"].nunique() > 5


def test_values_under_a_name_with_blanks(tmp_path: Path) -> None:
    """Exhibit keeps such values in a table with $ in place of blanks."""
    table = rows("my ward", 40, probability_vector=0.025)
    own = database_with_tables(tmp_path / "own.db", **{"temp_demo_my$ward": table})
    specification = with_columns(a_specification(), **{"my ward": many("random", "my ward")})
    for static in ([], ["my ward"]):
        finished = generate_series(
            tmp_path / str(len(static)),
            specification,
            static_columns=static,
            exhibit_db_path=str(own),
            **{} if not static else {"num_datasets": 2},
        )
        assert set(new_records(finished, 2)["my ward"]) <= {row["my ward"] for row in table}
        with closing(sqlite3.connect(own)) as connection, connection:
            connection.execute("DROP TABLE demo_reference")
            connection.execute("DROP TABLE demo_reference_periods")


def test_numbers_among_the_values_of_a_table(tmp_path: Path) -> None:
    """Codes that are numbers in the database are delivered as such, static or not."""
    codes = [{"code": 1000 + n} for n in range(40)]
    own = database_with_tables(tmp_path / "own.db", codes=codes)
    specification = with_columns(a_specification(), code=many("codes", "code"))
    finished = generate_series(
        tmp_path, specification, static_columns=["code"], exhibit_db_path=str(own)
    )
    for records in (
        new_records(finished, 1),
        existing_records(finished, 2),
        existing_records(finished, 3),
    ):
        assert set(records["code"]) <= {str(row["code"]) for row in codes}


_SEEN_BY_EXHIBIT = (
    "exhibit fromdata puts the values of linked columns, and of columns with more uniques than "
    "inline_limit, into its database: name that one with exhibit_db_path in user_input.yml, or "
    "make both files and the database with series-assets new NAME --from-data FILE.csv --id COLUMN"
)


@pytest.mark.each_value
@pytest.mark.parametrize(
    ("column", "fault"),
    [
        (
            many("nowhere"),
            "columns.ward.anonymising_set 'nowhere' needs the table 'nowhere', which {own} lacks"
            "; name the database that has it with exhibit_db_path in user_input.yml, or add it "
            "there",
        ),
        (
            many("mountains.height"),
            "columns.ward.anonymising_set 'mountains.height' needs the column 'height' of the "
            "table 'mountains' in {own}, which has range, peak",
        ),
        (
            many("random"),
            "columns.ward (more uniques than inline_limit) needs the table 'temp_demo_ward', which "
            f"{{own}} lacks; {_SEEN_BY_EXHIBIT}",
        ),
        (
            many("mountains.range"),
            "columns.ward.anonymising_set 'mountains.range' has only 15 different values in {own}, "
            "fewer than the column's uniques 40",
        ),
        (
            {
                "type": "geospatial",
                "h3_table": "places",
                "distribution": "uniform",
                "miss_probability": 0.0,
            },
            "columns.ward.h3_table needs the table 'places', which {own} lacks; name the "
            "database that has it with exhibit_db_path in user_input.yml, or add it there",
        ),
    ],
)
@pytest.mark.parametrize("command", ["validate", "generate"])
def test_what_the_database_lacks(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    column: dict[str, Any],
    fault: str,
) -> None:
    """A missing table or column, or too few values, is reported before anything runs."""
    own = database_with_tables(tmp_path / "own.db")
    specification = a_specification()
    specification["metadata"]["geospatial_columns"] = []
    with_columns(specification, ward=column)
    ended, message = run_command(
        monkeypatch, tmp_path, command, specification, exhibit_db_path=str(own)
    )
    assert (ended, message) == (2, fault.format(own=own))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("number", [0, 1])
def test_a_linked_group_whose_values_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The message names the tables that a linked group needs."""
    specification = a_specification()
    specification["linked_columns"] = [[number, ["sex", "region"]]]
    ended, message = run_command(monkeypatch, tmp_path, "validate", specification)
    tables = ["temp_demo_matrix", "temp_demo_lookup"] if number == 0 else ["temp_demo_1"]
    place = tmp_path / "data" / "exhibit.db"
    assert ended == 2
    assert message.replace("demo/specification.yml: ", "").splitlines() == [
        f"linked_columns [sex, region] needs the table '{table}', which {place} lacks; "
        f"{_SEEN_BY_EXHIBIT}"
        for table in tables
    ]


def test_a_run_leaves_the_users_tables_alone(tmp_path: Path) -> None:
    """The database has its tables unchanged, the reference table, and nothing else."""
    tables = {
        "hospital": rows("ward", 40),
        "wards": [{"sex": "F", "ward": "Ash"}, {"sex": "M", "ward": "Elm"}],
    }
    own = database_with_tables(tmp_path / "own.db", **tables)
    before, shipped = rows_by_table(own), INSTALLED.read_bytes()
    looked_up = a_category("near", {"Ash": 1, "Elm": 1})
    looked_up["anonymising_set"] = (
        "SELECT temp_demo.sex, wards.ward AS near FROM temp_demo JOIN wards "
        "ON temp_demo.sex = wards.sex"
    )
    specification = with_columns(a_specification(), ward=many("hospital"), near=looked_up)
    generate_series(
        tmp_path, specification, static_columns=["sex", "ward"], exhibit_db_path=str(own)
    )
    after = rows_by_table(own)
    assert {name: content for name, content in after.items() if name in before} == before
    assert set(after) - set(before) == {"demo_reference", "demo_reference_periods"}
    assert INSTALLED.read_bytes() == shipped


def test_without_a_database_of_the_users_one_is_made(tmp_path: Path) -> None:
    """The data folder gets a database with Exhibit's tables and the reference table."""
    finished = generate_series(tmp_path, a_specification())
    shipped, after = rows_by_table(INSTALLED), rows_by_table(finished.database)
    assert {name: after[name] for name in shipped} == shipped
    assert set(after) - set(shipped) == {"demo_reference", "demo_reference_periods"}


def test_tables_named_as_exhibit_names_its_own(tmp_path: Path) -> None:
    """Tables with temp in their names are the user's, and stay available to later runs."""
    own = database_with_tables(
        tmp_path / "own.db", temp_demo_ward=rows("ward", 40, probability_vector=1)
    )
    specification = with_columns(a_specification(), ward=many("random"))
    generate_series(tmp_path, specification, exhibit_db_path=str(own))
    again = generate_series(tmp_path, specification, exhibit_db_path=str(own))
    assert set(existing_records(again, 2)["ward"]) <= {row["ward"] for row in rows("ward", 40)}


@pytest.mark.each_value
@pytest.mark.parametrize("command", ["validate", "generate"])
@pytest.mark.parametrize("statement", ["CREATE TABLE moz_cookies (value)", None])
def test_the_database_of_another_program_is_refused_unless_it_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, statement: str | None
) -> None:
    """It is neither read nor changed, and an empty file is not turned into a database."""
    own = tmp_path / "own.db"
    own.touch()
    if statement:
        with closing(sqlite3.connect(own)) as connection, connection:
            connection.execute(statement)
    before = own.read_bytes()
    ended, message = run_command(
        monkeypatch, tmp_path, command, a_specification(), exhibit_db_path=str(own)
    )
    problem = (
        "has none of Exhibit's tables (birds, dates, mountains, patients), so it seems to belong "
        "to another program; leave exhibit_db_path empty, or set SERIES_ASSETS_ANY_DATABASE=1 to "
        "use it anyway"
        if statement
        else "is empty; name a database with Exhibit's tables, or leave exhibit_db_path empty to "
        "get one"
    )
    assert (ended, message) == (2, f"demo/user_input.yml: the database {own} {problem}")
    assert own.read_bytes() == before
    assert not (tmp_path / "data").exists()
    monkeypatch.setenv("SERIES_ASSETS_ANY_DATABASE", "1")
    assert run_command(
        monkeypatch, tmp_path, command, a_specification(), exhibit_db_path=str(own)
    ) == (
        0,
        "",
    )


def test_an_empty_database_in_the_data_folder_is_to_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds nothing that another run would not write again."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "exhibit.db").touch()
    ended, message = run_command(monkeypatch, tmp_path, "generate", a_specification())
    assert ended == 2
    assert message.endswith(
        "exhibit.db is empty; remove it, then generate all periods again, which gives the same data"
    )


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_the_users_database_keeps_its_journal_mode(tmp_path: Path, mode: str) -> None:
    """No setting of the database changes, and no file is left beside it."""
    own = database_with_tables(tmp_path / "own.db")
    with closing(sqlite3.connect(own)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    generate_series(tmp_path, a_specification(), exhibit_db_path=str(own))
    with closing(sqlite3.connect(own)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)
    assert [path.name for path in tmp_path.glob("own.db*")] == ["own.db"]

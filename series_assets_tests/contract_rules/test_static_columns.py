"""Static columns of every kind keep their recorded values."""

from importlib.resources import files
from pathlib import Path
from shutil import copyfile
from typing import Any

import pandas as pd
import pytest

from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.columns import a_category, a_date, a_number, with_columns
from series_assets_tests.contract_rules.series import dataset, generate_and_check
from series_assets_tests.thorough import thorough


def of_all_kinds() -> dict[str, Any]:
    """Return a specification with static columns of every kind."""
    specification = with_columns(
        a_specification(number_of_rows=90),
        ward=a_category("ward", {"A": 0.6, "B": 0.3, "C": 0.1}, miss_probability=0.2),
        code=a_category("code", {"007/seven": 0.5, "012/twelve": 0.5}, pair="label"),
        label=a_category("label", {"x": 1, "y": 1}, paired_columns=["code"]),
        consultant=a_category(
            "consultant",
            {},
            uniques=8,
            original_values="regex",
            anonymising_set="C[0-9]{3}[XY]",
        ),
        height=a_number(),
        children=a_number("integer", miss_probability=0.15),
        birth=a_date("1950-01-01", "2010-12-31", 900, miss_probability=0.1),
        registered=a_date("2024-01-01", "2024-01-31", 31),
    )
    specification["columns"]["label"]["original_values"] = "See paired column"
    specification["derived_columns"] = {
        "height_in_feet": "(height / 30.48)",
        "days_known": "(date - registered).dt.days",
        "age": "(date - birth).dt.days",
    }
    return specification


@pytest.mark.parametrize(
    "static",
    [
        *thorough(
            (["ward"],),
            (["label", "sex"],),
            (["height_in_feet"],),
            (["code"],),
            (["consultant"],),
            (["height", "children"],),
            (["birth"],),
            (["registered"],),
            (["age", "birth"],),
        ),
        [
            "sex",
            "region",
            "ward",
            "code",
            "consultant",
            "height",
            "children",
            "birth",
            "registered",
        ],
    ],
)
def test_static_columns_of_every_kind(tmp_path: Path, static: list[str]) -> None:
    """Existing records have the recorded value, whatever the kind of the column."""
    inputs = a_user_input(date_columns=["date", "registered"], static_columns=static)
    generate_and_check(tmp_path, of_all_kinds(), inputs)


def test_existing_records_have_their_derived_columns(tmp_path: Path) -> None:
    """Derived columns over moved dates and static columns are right in existing records."""
    inputs = a_user_input(
        date_columns=["date", "registered"], static_columns=["birth", "registered"]
    )
    finished = generate_and_check(tmp_path, of_all_kinds(), inputs)
    for number in (2, 3, 4):
        rows = dataset(finished, number, "existing")
        for derived, since in (("age", "birth"), ("days_known", "registered")):
            known = rows[rows[since] != ""]
            days = (pd.to_datetime(known["date"]) - pd.to_datetime(known[since])).dt.days
            assert known[derived].astype(float).tolist() == days.tolist()
            assert set(rows.loc[rows[since] == "", derived]) <= {""}


def test_a_static_geospatial_column(tmp_path: Path) -> None:
    """A static geospatial column keeps latitude and longitude."""
    import sqlite3

    own = tmp_path / "own.db"
    copyfile(str(files("exhibit") / "db" / "exhibit.db"), own)
    with sqlite3.connect(own) as connection:
        connection.execute("CREATE TABLE geo (h3 TEXT)")
        cells = [("88197278a3fffff",), ("88197278a7fffff",), ("88197278abfffff",)]
        connection.executemany("INSERT INTO geo VALUES (?)", cells)
    connection.close()
    specification = a_specification()
    specification["metadata"]["geospatial_columns"] = []
    place = {"h3_table": "geo", "distribution": "uniform", "miss_probability": 0.1}
    with_columns(specification, home={"type": "geospatial", **place})
    inputs = a_user_input(static_columns=["home"], exhibit_db_path=str(own))
    generate_and_check(tmp_path, specification, inputs)


def test_names_with_blanks_and_names_in_names(tmp_path: Path) -> None:
    """Columns are identified by their complete names, including blanks."""
    specification = with_columns(
        a_specification(),
        **{
            "date updated": a_date("2024-01-01", "2024-01-31", 31),
            "my sex": a_category("my sex", {"F": 0.5, "M": 0.5}),
            "amount sex": a_number(),
        },
    )
    specification["constraints"]["basic_constraints"] = ["~date updated~ >= date"]
    specification["derived_columns"] = {
        "days between": "(date updated - date).dt.days",
        "half": "(amount sex / 2)",
    }
    generate_and_check(
        tmp_path,
        specification,
        a_user_input(date_columns=["date"], static_columns=["my sex", "sex"]),
    )

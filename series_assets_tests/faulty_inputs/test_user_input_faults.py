"""Faults in ``user_input.yml``: the message names the key, the fault and the remedy."""

from datetime import datetime
from pathlib import Path

import pytest

from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.faulty_inputs.validation import ABSENT, changed, validate

USER_INPUT_FAULTS: list[tuple[str, object, str]] = [
    # Missing keys.
    (
        "date_columns",
        ABSENT,
        "date_columns is missing; list the date columns that move with the period, or [] for none",
    ),
    ("period", ABSENT, "period is missing; use days, weeks, months or quarters"),
    (
        "length_of_period",
        ABSENT,
        "length_of_period is missing; say how many units a period has, for example "
        "length_of_period: 2",
    ),
    (
        "fraction_of_new",
        ABSENT,
        "fraction_of_new is missing; say how much of each period is new, for example "
        "fraction_of_new: 1/3",
    ),
    # Wrong types.
    (
        "exhibit_db_path",
        ["exhibit.db"],
        "exhibit_db_path ['exhibit.db'] is not a path; name a file, or leave it empty",
    ),
    (
        "date_columns",
        "date",
        "date_columns 'date' is not a list of column names; write [name, name]",
    ),
    ("date_columns", [2024], "date_columns holds 2024, which is not the name of a column"),
    (
        "static_columns",
        "sex",
        "static_columns 'sex' is not a list of column names; write [name, name]",
    ),
    ("static_columns", ["sex", "sex"], "static_columns names 'sex' twice"),
    ("period", 3, "period 3 is not known; use days, weeks, months or quarters"),
    (
        "length_of_period",
        "two",
        "length_of_period 'two' is not a whole number; use 1 or more",
    ),
    ("num_datasets", 2.5, "num_datasets 2.5 is not a whole number; use 1 or more"),
    (
        "fraction_of_new",
        ["1/3"],
        "fraction_of_new ['1/3'] is not a fraction; write it as 1/3, 0.25, 0 or 1",
    ),
    (
        "linked_columns",
        "id",
        "linked_columns 'id' is not a list of column names; write [name, name]",
    ),
    (
        "linked_columns",
        ["id"],
        "linked_columns names only 'id'; a link needs two columns or more",
    ),
    ("release", True, "release true is not known; use immediate or calendar"),
    (
        "start_date",
        "January",
        "start_date 'January' is not a date; write it as 2024-01-31 or 31/01/2024",
    ),
    # Out of range.
    (
        "period",
        "fortnights",
        "period 'fortnights' is not known; use days, weeks, months or quarters "
        "(here: period: weeks, length_of_period: 2)",
    ),
    (
        "period",
        "month",
        "period 'month' is not known; use days, weeks, months or quarters; did you mean 'months'?",
    ),
    ("length_of_period", 0, "length_of_period 0 is too small; use 1 or more"),
    ("num_datasets", -3, "num_datasets -3 is too small; use 1 or more"),
    (
        "num_datasets",
        99_999,
        "num_datasets 99999 with length_of_period 1 months runs past 2262-04-11, the last day "
        "that Exhibit knows; use fewer or shorter periods",
    ),
    (
        "fraction_of_new",
        "4/3",
        "fraction_of_new 4/3 is not between 0 and 1; write it as 1/3, 0.25, 0 or 1",
    ),
    (
        "fraction_of_new",
        "a third",
        "fraction_of_new 'a third' is not a fraction; write it as 1/3, 0.25, 0 or 1",
    ),
    ("release", "at once", "release 'at once' is not known; use immediate or calendar"),
    ("start_date", "2023-02-29", "start_date '2023-02-29' does not exist in the calendar"),
    (
        "start_date",
        datetime(2024, 1, 1, 12),
        "start_date 2024-01-01 12:00:00 has a time of day; only whole days are supported",
    ),
    # Unknown keys.
    (
        "static_column",
        ["sex"],
        "unknown key 'static_column'; did you mean 'static_columns'?",
    ),
    (
        "colour",
        "red",
        "unknown key 'colour'; known here: exhibit_db_path, date_columns, static_columns, period, "
        "length_of_period, num_datasets, fraction_of_new, linked_columns, release, start_date, "
        "shards, format, manifest, truth",
    ),
    # Columns that do not fit the specification.
    (
        "date_columns",
        ["dat"],
        "date_columns names 'dat', which the specification lacks; did you mean 'date'?",
    ),
    (
        "date_columns",
        ["date", "sex"],
        "date_columns names 'sex', whose type is categorical; only date columns can move",
    ),
    (
        "static_columns",
        ["sexes"],
        "static_columns names 'sexes', which the specification lacks; did you mean 'sex'?",
    ),
    (
        "static_columns",
        ["hair"],
        "static_columns names 'hair', which the specification lacks; known here: id, sex, region, "
        "amount, date",
    ),
    (
        "linked_columns",
        ["id", "regions"],
        "linked_columns names 'regions', which the specification lacks; did you mean 'region'?",
    ),
    (
        "linked_columns",
        ["sex", "region"],
        "linked_columns [sex, region] has no uuid column and is not a linked group of the "
        "specification; link columns to an identifier, or name a group of linked_columns there",
    ),
    (
        "date_columns",
        [],
        "start_date is missing; none of the date_columns has a first day to start from, so give "
        "the start of the first period, for example start_date: 2024-01-01",
    ),
    # The database.
    (
        "exhibit_db_path",
        "{folder}/nowhere.db",
        "exhibit_db_path '{folder}/nowhere.db' does not exist (looked for {folder}/nowhere.db); "
        "name an existing database, or leave it empty to get one",
    ),
    (
        "exhibit_db_path",
        "../nowhere.db",
        "exhibit_db_path '../nowhere.db' does not exist (looked for {folder}/series/nowhere.db); "
        "name an existing database, or leave it empty to get one",
    ),
    (
        "exhibit_db_path",
        "user_input.yml",
        "exhibit_db_path 'user_input.yml' is not an SQLite database; name one that is, or leave "
        "it empty to get one",
    ),
    (
        "exhibit_db_path",
        ".",
        "exhibit_db_path '.' is not an SQLite database; name one that is, or leave it empty to "
        "get one",
    ),
]


@pytest.mark.parametrize(
    ("key", "value", "message"), USER_INPUT_FAULTS, ids=[case[0] for case in USER_INPUT_FAULTS]
)
def test_a_fault_of_the_user_input(tmp_path: Path, key: str, value: object, message: str) -> None:
    """The message names user_input.yml, the key, the fault and the remedy."""
    folder = str(tmp_path)
    if isinstance(value, str):
        value = value.replace("{folder}", folder)
    user_input = changed(a_user_input(), key, value)
    expected = f"demo/user_input.yml: {message.replace('{folder}', folder)}"
    assert validate(tmp_path, a_specification(), user_input) == [expected]

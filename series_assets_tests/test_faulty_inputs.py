"""A user's mistake ends in one message: file, place, fault, remedy (contract, section 9).

Every message is held as a whole, as the command line prints it; each of them comes with exit
code 2, without a traceback, and leaves no file behind.
"""

import os
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from series_assets.cli import main
from series_assets_tests.builders import a_specification, a_user_input, write_series

ABSENT = object()
"""In place of a value: the key is left out."""

Content = dict[str, Any]


def _changed(content: Content, place: str, value: object) -> Content:
    """Return a copy of the content with another value at ``place`` (``columns/sex/type``)."""
    content = deepcopy(content)
    *above, key = place.split("/")
    inside = content
    for part in above:
        inside = inside[part]
    if value is ABSENT:
        del inside[key]
    else:
        inside[key] = value
    return content


def _everything_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def _complaints(folder: Path, *arguments: str) -> list[str]:
    """Run the command line in ``folder`` and return its messages; check all else it promises."""
    before = _everything_below(folder)
    environment = {
        "SERIES_ASSETS_SERIES_DIR": str(folder / "series"),
        "SERIES_ASSETS_DATA_DIR": str(folder / "data"),
        "DAGSTER_HOME": "",
    }
    result = CliRunner().invoke(main, arguments, env=environment)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert _everything_below(folder) == before
    return result.stderr.splitlines()


def _validate(folder: Path, specification: Content, user_input: Content) -> list[str]:
    write_series(folder / "series", specification, user_input)
    return _complaints(folder, "validate", "demo")


# The user input ------------------------------------------------------------------------------

USER_INPUT_FAULTS: list[tuple[str, object, str]] = [
    # Left out, where it is required.
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
    # Of the wrong type.
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
    ("start_date", "2023-02-29", "start_date '2023-02-29' is not a day of the calendar"),
    (
        "start_date",
        datetime(2024, 1, 1, 12),
        "start_date 2024-01-01 12:00:00 has a time of day; only whole days are supported",
    ),
    # Not known.
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
    # Not in the specification.
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
    """The message names user_input.yml, the key, what is wrong with it, and what to write."""
    folder = str(tmp_path)
    if isinstance(value, str):
        value = value.replace("{folder}", folder)
    user_input = _changed(a_user_input(), key, value)
    expected = f"demo/user_input.yml: {message.replace('{folder}', folder)}"
    assert _validate(tmp_path, a_specification(), user_input) == [expected]


# The specification ---------------------------------------------------------------------------

ROWS = ["sex | probability_vector | amount", "F | 0.5 | 0.8", "M | 0.5 | 0.2"]
ONCE = "frequency | probability_vector"

SPECIFICATION_FAULTS: list[tuple[str, object, str]] = [
    # Left out.
    (
        "metadata",
        ABSENT,
        "metadata is missing; 'series-assets new NAME' writes a template to copy it from",
    ),
    (
        "columns",
        ABSENT,
        "columns is missing; 'series-assets new NAME' writes a template to copy it from",
    ),
    (
        "constraints",
        ABSENT,
        "constraints is missing; 'series-assets new NAME' writes a template to copy it from",
    ),
    (
        "metadata/number_of_rows",
        ABSENT,
        "metadata.number_of_rows is missing; say how many rows a dataset has, for example "
        "number_of_rows: 100",
    ),
    (
        "metadata/inline_limit",
        ABSENT,
        "metadata.inline_limit is missing; Exhibit's own default is inline_limit: 30",
    ),
    (
        "metadata/random_seed",
        ABSENT,
        "metadata.random_seed is missing; any whole number from 0 does, for example random_seed: 0",
    ),
    (
        "columns/sex/type",
        ABSENT,
        "columns.sex.type is missing; use categorical, continuous, date, geospatial or uuid",
    ),
    (
        "columns/sex/uniques",
        ABSENT,
        "columns.sex.uniques is missing; say how many different values it has, for example "
        "uniques: 2",
    ),
    (
        "columns/sex/miss_probability",
        ABSENT,
        "columns.sex.miss_probability is missing; say how often it is missing, for example "
        "miss_probability: 0.0",
    ),
    (
        "columns/id/frequency_distribution",
        ABSENT,
        "columns.id.frequency_distribution is missing; say how many rows an entity has, for "
        "example '1 | 1.0'",
    ),
    (
        "constraints/allow_duplicates",
        ABSENT,
        "constraints.allow_duplicates is missing; use true or false",
    ),
    # Of the wrong type.
    ("metadata", "demo", "metadata 'demo' is not a mapping of keys to values"),
    ("columns", ["id"], "columns ['id'] is not a mapping of keys to values"),
    ("columns/sex", None, "columns.sex (empty) is not a mapping of keys to values"),
    ("metadata/number_of_rows", "60", "metadata.number_of_rows '60' is not a whole number"),
    ("metadata/number_of_rows", 60.5, "metadata.number_of_rows 60.5 is not a whole number"),
    ("metadata/uuid_columns", "id", "metadata.uuid_columns 'id' is not a list"),
    ("metadata/random_seed", None, "metadata.random_seed (empty) is not a whole number"),
    ("metadata/id", 7, "metadata.id 7 is not text; put it in quotes"),
    ("columns/id/uuid_seed", None, "columns.id.uuid_seed (empty) is not a whole number"),
    (
        "columns/sex/miss_probability",
        "none",
        "columns.sex.miss_probability 'none' is not a number",
    ),
    (
        "columns/sex/cross_join_all_unique_values",
        "no",
        "columns.sex.cross_join_all_unique_values 'no' is not true or false",
    ),
    ("constraints/allow_duplicates", 1, "constraints.allow_duplicates 1 is not true or false"),
    (
        "columns/date/from",
        "January",
        "columns.date.from 'January' is not a date; write it as 2024-01-31 or 31/01/2024",
    ),
    (
        "columns/date/uniques",
        "many",
        "columns.date.uniques 'many' is not a whole number",
    ),
    # Out of range.
    ("metadata/number_of_rows", 0, "metadata.number_of_rows 0 is too small; the smallest is 1"),
    (
        "metadata/number_of_rows",
        10**30,
        f"metadata.number_of_rows {10**30} is too large; the largest is 1000000000",
    ),
    ("metadata/random_seed", -1, "metadata.random_seed -1 is too small; the smallest is 0"),
    (
        "metadata/random_seed",
        2**32,
        "metadata.random_seed 4294967296 is too large; keep seed + periods below 4294967296",
    ),
    (
        "columns/id/uuid_seed",
        2**32 - 1,
        "columns.id.uuid_seed 4294967295 is too large; keep seed + periods below 4294967296",
    ),
    (
        "columns/sex/type",
        "category",
        "columns.sex.type 'category' is not known; use uuid, categorical, continuous, date or "
        "geospatial; did you mean 'categorical'?",
    ),
    (
        "columns/sex/miss_probability",
        1.5,
        "columns.sex.miss_probability 1.5 is too large; the largest is 1",
    ),
    (
        "columns/sex/miss_probability",
        -0.5,
        "columns.sex.miss_probability -0.5 is too small; the smallest is 0",
    ),
    (
        "columns/id/anonymising_set",
        "banana",
        "columns.id.anonymising_set 'banana' is not known; use uuid, pseudo_chi or range",
    ),
    (
        "columns/amount/precision",
        "decimal",
        "columns.amount.precision 'decimal' is not known; use integer or float",
    ),
    (
        "columns/id/frequency_distribution",
        ["1 | 1.0"],
        "columns.id.frequency_distribution has no header row 'frequency | probability_vector'",
    ),
    (
        "columns/id/frequency_distribution",
        [],
        "columns.id.frequency_distribution has no header row 'frequency | probability_vector'",
    ),
    (
        "columns/id/frequency_distribution",
        [ONCE, "once | 1.0"],
        "columns.id.frequency_distribution has a row 'once | 1.0' that is not like '1 | 1.0'",
    ),
    (
        "columns/id/frequency_distribution",
        [ONCE, "0 | 1.0"],
        "columns.id.frequency_distribution has a row '0 | 1.0'; frequencies start at 1, shares "
        "at 0",
    ),
    (
        "columns/sex/original_values",
        ROWS,
        "columns.sex.original_values does not end with a row 'Missing data'; Exhibit takes the "
        "last row for it and would drop a value",
    ),
    (
        "columns/sex/original_values",
        ["sex | amount", "F | 1", "Missing data | 0"],
        "columns.sex.original_values has no header row with a probability_vector",
    ),
    (
        "columns/sex/original_values",
        ["gender | probability_vector | amount", *ROWS[1:], "Missing data | 0 | 0"],
        "columns.sex.original_values has no header row that starts with 'sex'",
    ),
    (
        "columns/sex/original_values",
        ["sex | probability_vector | amuont", *ROWS[1:], "Missing data | 0 | 0"],
        "columns.sex.original_values has a column 'amuont', which is not a numerical "
        "column; did you mean 'amount'?",
    ),
    (
        "columns/date/to",
        "2023-12-31",
        "columns.date.to 2023-12-31 is before from 2024-01-01; swap them or fix one",
    ),
    (
        "columns/date/frequency",
        "daily",
        "columns.date.frequency 'daily' is not a frequency that pandas knows, such as D",
    ),
    (
        "columns/sex/paired_columns",
        ["colour"],
        "columns.sex.paired_columns names 'colour', which is not a categorical column",
    ),
    (
        "columns/amount/distribution_parameters",
        {"dispersion": 0.1},
        "columns.amount.distribution_parameters has no target; Exhibit needs one of target_sum, "
        "target_min, target_max, target_mean, target_std",
    ),
    (
        "constraints/basic_constraints",
        ["amount>3"],
        "constraints.basic_constraints 'amount>3' is not 'column operator expression' with one "
        "of < > <= >= == between blanks",
    ),
    (
        "constraints/basic_constraints",
        ["price > 3"],
        "constraints.basic_constraints 'price > 3' starts with an unknown column",
    ),
    (
        "constraints/custom_constraints",
        {"one": {"filter": None, "partition": "colour", "targets": {"sex": "make_same"}}},
        "constraints.custom_constraints.one.partition names 'colour', which is not under columns",
    ),
    (
        "linked_columns",
        [[1, ["sex", "amount"]]],
        "linked_columns names 'amount', which is not a categorical column",
    ),
    (
        "derived_columns",
        {"sex": "amount * 2"},
        "derived_columns.sex has the name of a column",
    ),
    (
        "metadata/uuid_columns",
        ["uuid"],
        "metadata.uuid_columns names 'uuid', which is not under columns; take it off the list, or "
        "add the column",
    ),
    (
        "metadata/uuid_columns",
        ["id", "sex"],
        "metadata.uuid_columns names 'sex', whose type is categorical; it belongs in "
        "categorical_columns",
    ),
    # Not known.
    (
        "metadata/number_of_row",
        60,
        "unknown key 'number_of_row' in metadata; did you mean 'number_of_rows'?",
    ),
    (
        "columns/sex/unique",
        2,
        "unknown key 'unique' in columns.sex; did you mean 'uniques'?",
    ),
    (
        "columns/date/form",
        "2024-01-01",
        "unknown key 'form' in columns.date; did you mean 'from'?",
    ),
    (
        "colums",
        {},
        "unknown key 'colums'; did you mean 'columns'?",
    ),
]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    SPECIFICATION_FAULTS,
    ids=[case[0] for case in SPECIFICATION_FAULTS],
)
def test_a_fault_of_the_specification(
    tmp_path: Path, place: str, value: object, message: str
) -> None:
    """The message names specification.yml, the place in it, and what is wrong there."""
    specification = _changed(a_specification(), place, value)
    assert _validate(tmp_path, specification, a_user_input()) == [
        f"demo/specification.yml: {message}"
    ]


# What the two files are to each other --------------------------------------------------------


def test_no_identifier(tmp_path: Path) -> None:
    """A specification without a uuid column makes no series."""
    specification = _changed(a_specification(uuid_columns=None), "columns/id", ABSENT)
    assert _validate(tmp_path, specification, a_user_input()) == [
        "demo/specification.yml: columns has no uuid column; the entities of a series need an "
        "identifier"
    ]


def test_too_few_entities(tmp_path: Path) -> None:
    """Where half of the identifiers are missing, nearly all rows cannot be existing ones."""
    specification = _changed(a_specification(), "columns/id/miss_probability", 0.5)
    assert _validate(tmp_path, specification, a_user_input(fraction_of_new="1/30")) == [
        "demo/user_input.yml: fraction_of_new 1/30 asks period 2024-02-01 to draw 58 entities, "
        "but only 23 with an identifier in 'id' are known by then (miss_probability 0.5); raise "
        "fraction_of_new or lower that miss_probability"
    ]


def test_fewer_rows_than_combinations(tmp_path: Path) -> None:
    """A part of a period with fewer rows than a full crossing has cannot be made."""
    specification = a_specification(number_of_rows=9)
    for name in ("sex", "region"):
        place = f"columns/{name}/cross_join_all_unique_values"
        specification = _changed(specification, place, True)
    assert _validate(tmp_path, specification, a_user_input()) == [
        "demo/specification.yml: metadata.number_of_rows 9 is too small: the cross-joined columns "
        "have 6 combinations, but period 2024-02-01 has a part with 3 rows; raise it to 18 "
        "or more, or set cross_join_all_unique_values: false"
    ]


def test_more_pseudo_chis_than_exist(tmp_path: Path) -> None:
    """There are no more pseudo CHI numbers than days, years and serial numbers give."""
    specification = _changed(a_specification(), "columns/id/anonymising_set", "pseudo_chi")
    specification["metadata"]["number_of_rows"] = 3_000_000
    user_input = a_user_input(num_datasets=10, fraction_of_new=1)
    assert _validate(tmp_path, specification, user_input) == [
        "demo/specification.yml: columns.id needs 30,000,000 pseudo CHI numbers over the series, "
        "but only 25,600,000 exist; use anonymising_set: uuid, or fewer rows or periods"
    ]


@pytest.mark.parametrize("name", ["reference_key", "Reference_Period"])
def test_a_reserved_name(tmp_path: Path, name: str) -> None:
    """Columns of the reference table's own are not the user's, in any case."""
    specification = a_specification()
    specification["columns"][name] = deepcopy(specification["columns"]["date"])
    assert _validate(tmp_path, specification, a_user_input()) == [
        f"demo/specification.yml: columns.{name} has the name of a column that the reference "
        "table keeps for itself; rename it"
    ]


def test_two_names_that_differ_in_case(tmp_path: Path) -> None:
    """SQLite does not tell Date from date."""
    specification = a_specification()
    specification["columns"]["Date"] = deepcopy(specification["columns"]["date"])
    assert _validate(tmp_path, specification, a_user_input()) == [
        "demo/specification.yml: columns.Date differs from 'date' only in case, which SQLite does "
        "not tell apart; rename one of them"
    ]


def test_a_derived_column_clashes_too(tmp_path: Path) -> None:
    """A derived column is told by the place where it stands."""
    specification = _changed(a_specification(), "derived_columns", {"SEX": "amount * 2"})
    assert _validate(tmp_path, specification, a_user_input()) == [
        "demo/specification.yml: derived_columns.SEX differs from 'sex' only in case, which "
        "SQLite does not tell apart; rename one of them"
    ]


def test_a_select_date_cannot_move(tmp_path: Path) -> None:
    """Days that come from an SQL statement do not follow from and to."""
    statement = "SELECT temp_demo.sex, days.date AS date FROM temp_demo JOIN days USING (sex)"
    specification = _changed(a_specification(), "columns/date/anonymising_set", statement)
    assert _validate(tmp_path, specification, a_user_input()) == [
        "demo/user_input.yml: date_columns names 'date', whose days come from an SQL statement, "
        "so that moving from and to changes nothing; take it off the list"
    ]


def test_all_faults_of_both_files_at_once(tmp_path: Path) -> None:
    """Whoever made several mistakes in both files reads of all of them."""
    specification = _changed(a_specification(), "metadata/number_of_rows", 0)
    specification = _changed(specification, "columns/sex/uniques", ABSENT)
    user_input = _changed(a_user_input(period="decades"), "length_of_period", ABSENT)
    assert _validate(tmp_path, specification, user_input) == [
        "demo/specification.yml: metadata.number_of_rows 0 is too small; the smallest is 1",
        "demo/specification.yml: columns.sex.uniques is missing; say how many different values "
        "it has, for example uniques: 2",
        "demo/user_input.yml: period 'decades' is not known; use days, weeks, months or quarters "
        "(here: period: months, length_of_period: 120)",
        "demo/user_input.yml: length_of_period is missing; say how many units a period has, for "
        "example length_of_period: 2",
    ]


def test_a_missing_database_hides_no_other_fault(tmp_path: Path) -> None:
    """A database that is not there is told together with what else is wrong."""
    user_input = a_user_input(exhibit_db_path="no.db", static_columns=["hair"])
    assert _validate(tmp_path, a_specification(), user_input) == [
        "demo/user_input.yml: exhibit_db_path 'no.db' does not exist (looked for "
        f"{tmp_path}/series/demo/no.db); name an existing database, or leave it empty to get one",
        "demo/user_input.yml: static_columns names 'hair', which the specification lacks; known "
        "here: id, sex, region, amount, date",
    ]


def test_one_bad_series_does_not_hide_another(tmp_path: Path) -> None:
    """All series are checked; those in order are said to be, and the faults of the others told."""
    write_series(tmp_path / "series", None, a_user_input(period="years"), "bad")
    write_series(tmp_path / "series", None, a_user_input(num_datasets=0), "worse")
    write_series(tmp_path / "series", name="good")
    result = CliRunner().invoke(
        main, ["validate"], env={"SERIES_ASSETS_SERIES_DIR": str(tmp_path / "series")}
    )
    assert result.exit_code == 2
    assert result.stdout == "good: valid\n"
    assert result.stderr.splitlines() == [
        "bad/user_input.yml: period 'years' is not known; use days, weeks, months or quarters "
        "(here: period: months, length_of_period: 12)",
        "worse/user_input.yml: num_datasets 0 is too small; use 1 or more",
    ]


# The files themselves ------------------------------------------------------------------------


FILE_FAULTS: list[tuple[str, Callable[[Path], object], str]] = [
    (
        "missing",
        lambda path: path.unlink(),
        "there is no such file; a series needs specification.yml and user_input.yml",
    ),
    ("a folder", lambda path: (path.unlink(), path.mkdir()), "is a folder, not a file"),
    (
        "no YAML",
        lambda path: path.write_text("period: months\nstatic_columns: [sex\nnum_datasets: 3\n"),
        "line 3, column 13: is not YAML: expected ',' or ']', but got ':'",
    ),
    (
        "a tab",
        lambda path: path.write_text("period:\n\tmonths\n"),
        "line 2, column 1: is not YAML: found character '\\t' that cannot start any token",
    ),
    ("not UTF-8", lambda path: path.write_bytes(b"period: \xff\xfe"), "is not text in UTF-8"),
    (
        "a control character",
        lambda path: path.write_bytes(b"period: mon\x00ths"),
        "is not YAML: special characters are not allowed (position 11)",
    ),
    (
        "a key given twice",
        lambda path: path.write_text("period: months\nnum_datasets: 3\nperiod: weeks\n"),
        "line 3, column 1: the key 'period' is given twice; keep one of them",
    ),
    (
        "a key given twice in quotes",
        lambda path: path.write_text("period: months\n'period': months\n"),
        "line 2, column 1: the key 'period' is given twice; keep one of them",
    ),
    (
        "a key given twice below another",
        lambda path: path.write_text("columns:\n  sex:\n    uniques: 2\n  sex: {}\n"),
        "line 4, column 3: the key 'sex' is given twice; keep one of them",
    ),
    (
        "a day that no calendar has",
        lambda path: path.write_text("period: months\nstart_date: 2024-02-30\n"),
        "line 2, column 13: '2024-02-30' is not a day of the calendar",
    ),
    (
        "a time that no clock has",
        lambda path: path.write_text("columns:\n  - 2024-02-28 25:00:00\n"),
        "line 2, column 5: '2024-02-28 25:00:00' is not a day of the calendar",
    ),
]


@pytest.mark.parametrize("file", ["specification.yml", "user_input.yml"])
@pytest.mark.parametrize(
    ("change", "message"), [case[1:] for case in FILE_FAULTS], ids=[case[0] for case in FILE_FAULTS]
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, file: str, change: Callable[[Path], object], message: str
) -> None:
    """A file that is missing, no file, or no YAML is named, with the line where there is one."""
    change(write_series(tmp_path / "series") / file)
    assert _complaints(tmp_path, "validate", "demo") == [f"demo/{file}: {message}"]


def test_a_block_may_be_merged_into_others(tmp_path: Path) -> None:
    """What YAML merges may be said again: that is how a key of an anchor is replaced."""
    place = write_series(tmp_path / "series")
    text = yaml.safe_dump(a_specification(), sort_keys=False)
    text = text.replace("  sex:\n", "  sex: &category\n")
    region = text.index("  region:\n"), text.index("  amount:\n")
    text = text[: region[0]] + "  region:\n    <<: *category\n    uniques: 0\n" + text[region[1] :]
    (place / "specification.yml").write_text(text, encoding="utf-8")
    assert _complaints(tmp_path, "validate", "demo") == [
        "demo/specification.yml: columns.region.uniques 0 is too small; the smallest is 1"
    ]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("", "the file has the key 7, which is not text; put it in quotes"),
        ("metadata", "metadata has the key 7, which is not text; put it in quotes"),
        ("columns", "columns.7 has a name that is not text; put it in quotes"),
        ("columns/sex", "columns.sex has the key 7, which is not text; put it in quotes"),
        ("derived_columns", "derived_columns has the key 7, which is not text; put it in quotes"),
    ],
)
def test_a_key_of_the_specification_that_is_not_text(
    tmp_path: Path, place: str, message: str
) -> None:
    """YAML reads a bare 7 as a number, which names nothing in a specification."""
    specification = a_specification() | {"derived_columns": {}}
    inside = specification
    for part in filter(None, place.split("/")):
        inside = inside[part]
    inside[7] = "amount * 2"
    assert _validate(tmp_path, specification, a_user_input()) == [
        f"demo/specification.yml: {message}"
    ]


def test_a_key_that_yaml_takes_for_true(tmp_path: Path) -> None:
    """YAML reads a bare on as true, and is quoted so."""
    place = write_series(tmp_path / "series")
    text = yaml.safe_dump(a_specification(), sort_keys=False)
    text = text.replace("metadata:\n", "metadata:\n  on: 3\n")
    (place / "specification.yml").write_text(text, encoding="utf-8")
    assert _complaints(tmp_path, "validate", "demo") == [
        "demo/specification.yml: metadata has the key true, which is not text; put it in quotes"
    ]


def test_a_key_of_the_user_input_that_is_not_text(tmp_path: Path) -> None:
    """A number is no key of the user input, and those that there are are named."""
    user_input: dict[Any, Any] = a_user_input() | {7: "months"}
    assert _validate(tmp_path, a_specification(), user_input) == [
        "demo/user_input.yml: unknown key '7'; known here: exhibit_db_path, date_columns, "
        "static_columns, period, length_of_period, num_datasets, fraction_of_new, linked_columns, "
        "release, start_date, shards, format, manifest, truth"
    ]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "- period\n- months\n", "months\n"])
def test_a_file_without_keys(tmp_path: Path, text: str) -> None:
    """An empty file, a list, or plain text is neither a user input nor a specification."""
    place = write_series(tmp_path / "series")
    for file in ("specification.yml", "user_input.yml"):
        (place / file).write_text(text, encoding="utf-8")
    assert _complaints(tmp_path, "validate", "demo") == [
        "demo/specification.yml: the file does not hold an Exhibit specification",
        "demo/user_input.yml: the file has to hold keys and values, such as period: months",
    ]


def test_a_folder_name_that_names_no_series(tmp_path: Path) -> None:
    """A series is called after its folder, in small letters, digits and underscores."""
    write_series(tmp_path / "series", name="Demo 1")
    assert _complaints(tmp_path, "validate") == [
        "Demo 1/specification.yml: the folder's name 'Demo 1' cannot name a series; use small "
        "letters, digits and _, a letter first"
    ]


def test_a_name_that_exhibit_takes_for_something_else(tmp_path: Path) -> None:
    """A name with temp in it would be dropped by Exhibit's purge."""
    write_series(tmp_path / "series", name="attempts")
    assert _complaints(tmp_path, "validate") == [
        "attempts/specification.yml: the folder's name 'attempts' cannot name a series; Exhibit "
        "takes a table with 'temp' in its name for something else"
    ]


def test_no_folder_of_series(tmp_path: Path) -> None:
    """A folder of series that is not there is named."""
    assert _complaints(tmp_path, "validate") == [
        f"{tmp_path}/series: there is no such folder of series"
    ]


def test_no_such_series(tmp_path: Path) -> None:
    """A name that is nearly that of a series is answered with it."""
    write_series(tmp_path / "series")
    assert _complaints(tmp_path, "validate", "dem") == [
        f"there is no series 'dem' in {tmp_path / 'series'}; did you mean 'demo'?"
    ]


# Two loose files -----------------------------------------------------------------------------


def _generate(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    specification: object = None,
    user_input: object = None,
    output: str = "out",
) -> list[str]:
    """Run ``generate`` on two loose files in ``folder``, given as relative paths."""
    monkeypatch.chdir(folder)
    for file, content in (
        ("spec.yml", specification or a_specification()),
        ("input.yml", user_input or a_user_input()),
    ):
        (folder / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    files = ("--specification", "spec.yml", "--user-input", "input.yml")
    return _complaints(folder, "generate", *files, "--output", output)


def test_loose_files_are_named_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults of loose files name the paths that the user typed, and nothing is made."""
    specification = a_specification(random_seed=-1)
    user_input = a_user_input(period="day")
    assert _generate(tmp_path, monkeypatch, specification, user_input) == [
        "spec.yml: metadata.random_seed -1 is too small; the smallest is 0",
        "input.yml: period 'day' is not known; use days, weeks, months or quarters; "
        "did you mean 'days'?",
    ]


def test_loose_files_that_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong between the two files is refused before anything runs."""
    assert _generate(tmp_path, monkeypatch, None, a_user_input(date_columns=["sex"])) == [
        "input.yml: date_columns names 'sex', whose type is categorical; only date columns can move"
    ]


@pytest.mark.parametrize("absent", ["spec.yml", "input.yml"])
def test_a_loose_file_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    """A path that leads nowhere is named as it was typed."""
    monkeypatch.chdir(tmp_path)
    for file, content in (("spec.yml", a_specification()), ("input.yml", a_user_input())):
        if file != absent:
            (tmp_path / file).write_text(yaml.safe_dump(content), encoding="utf-8")
    files = ("--specification", "spec.yml", "--user-input", "input.yml")
    assert _complaints(tmp_path, "generate", *files, "--output", "out") == [
        f"{absent}: there is no such file; correct the path"
    ]


@pytest.mark.parametrize("given", [None, ""])
def test_a_loose_specification_without_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    """A loose series is called after metadata.id, which therefore has to be there."""
    assert _generate(tmp_path, monkeypatch, a_specification(id=given)) == [
        "spec.yml: metadata.id is missing; the series is called after it"
    ]


def test_a_loose_specification_with_an_unfit_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id that cannot name a series is refused with the rule."""
    assert _generate(tmp_path, monkeypatch, a_specification(id="My data")) == [
        "spec.yml: metadata.id 'My data' cannot name a series; use small letters, digits and _, "
        "a letter first"
    ]


def test_an_output_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be made is told before anything runs."""
    (tmp_path / "a_file").write_text("in the way", encoding="utf-8")
    assert _generate(tmp_path, monkeypatch, output="a_file/below/out") == [
        f"{tmp_path}/a_file/below/out: cannot be written: Not a directory; name another folder as "
        "--output, or as SERIES_ASSETS_DATA_DIR"
    ]


def test_an_output_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in place of the output folder is told too, and stays as it is."""
    (tmp_path / "a_file").write_text("in the way", encoding="utf-8")
    assert _generate(tmp_path, monkeypatch, output="a_file") == [
        f"{tmp_path}/a_file: cannot be written: File exists; name another folder as --output, or "
        "as SERIES_ASSETS_DATA_DIR"
    ]
    assert (tmp_path / "a_file").read_text(encoding="utf-8") == "in the way"


def test_a_faulty_series_is_not_generated(tmp_path: Path) -> None:
    """Making a series by name tells its faults as validating does."""
    write_series(tmp_path / "series", None, a_user_input(num_datasets=0))
    assert _complaints(tmp_path, "generate", "demo") == [
        "demo/user_input.yml: num_datasets 0 is too small; use 1 or more"
    ]


@pytest.mark.parametrize(
    ("periods", "message"),
    [
        (
            "2024-02-02",
            "--periods 2024-02-02: '2024-02-02' is not the first day of a period of demo; did you "
            "mean '2024-02-01'?",
        ),
        (
            "2024-03-01..2024-02-01",
            "--periods 2024-03-01..2024-02-01 ends before it begins; it is FIRST..LAST",
        ),
        (
            "2024-03-01",
            "demo, period 2024-03-01 samples from all periods before it, but nothing is recorded "
            "yet for 2024-01-01, 2024-02-01; first generate 2024-01-01..2024-02-01 (materialize "
            "new_records and reference_table of these partitions, or run series-assets generate "
            "with --periods 2024-01-01..2024-02-01)",
        ),
    ],
)
def test_periods_that_cannot_be_made(tmp_path: Path, periods: str, message: str) -> None:
    """Periods that there are not, or not yet, are refused without leaving anything behind."""
    write_series(tmp_path / "series")
    assert _complaints(tmp_path, "generate", "demo", "--periods", periods) == [message]


# Whatever else -------------------------------------------------------------------------------

ODD = [None, "", 0, -1, 1.5, True, "x", [], {}, [None], [1], {"x": 1}, {1: 2}, float("nan")]
ODD += [10**30, "9999-12-31", [[1, 2]], ABSENT]


def _places(content: object, above: str = "") -> list[str]:
    found = []
    for key, value in content.items() if isinstance(content, dict) else ():
        place = f"{above}/{key}" if above else key
        found += [place, *_places(value, place)]
    return found


def _check_odd_values(folder: Path, file: str, content: Content, place: str) -> None:
    """Put odd values at a place of one file; the other file is as it should be.

    All of them with ``HYPOTHESIS_PROFILE=long``, otherwise a third, which differs by the place.
    """
    target = write_series(folder) / file
    step = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 3
    for odd in ODD[len(place) % step :: step]:
        text = yaml.safe_dump(_changed(content, place, odd), sort_keys=False)
        target.write_text(text, encoding="utf-8")
        environment = {"SERIES_ASSETS_SERIES_DIR": str(folder)}
        result = CliRunner().invoke(main, ["validate"], env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), odd
        assert all(line.startswith("demo/") for line in result.stderr.splitlines()), odd
        assert bool(result.exit_code) == bool(result.stderr), odd


@pytest.mark.parametrize("place", _places(a_specification()))
def test_odd_values_in_the_specification_cause_no_traceback(tmp_path: Path, place: str) -> None:
    """Whatever stands at whatever place, the answer is messages about the series, or none."""
    _check_odd_values(tmp_path, "specification.yml", a_specification(), place)


@pytest.mark.parametrize("place", [*a_user_input(), "release", "start_date", "linked_columns"])
def test_odd_values_in_the_user_input_cause_no_traceback(tmp_path: Path, place: str) -> None:
    """Whatever a key holds, the answer is messages about the series, or none."""
    said = a_user_input(release="calendar", start_date="2024-01-01", linked_columns=None)
    _check_odd_values(tmp_path, "user_input.yml", said, place)

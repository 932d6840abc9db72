"""Specifications and user inputs that do not fit each other, and several faults at once."""

from copy import deepcopy
from pathlib import Path

import pytest
from click.testing import CliRunner

from series_assets.cli import main
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.faulty_inputs.validation import ABSENT, changed, validate


def test_no_identifier(tmp_path: Path) -> None:
    """A specification without a uuid column is refused."""
    specification = changed(a_specification(uuid_columns=None), "columns/id", ABSENT)
    assert validate(tmp_path, specification, a_user_input()) == [
        "demo/specification.yml: columns has no uuid column; the entities of a series need an "
        "identifier"
    ]


def test_too_few_entities(tmp_path: Path) -> None:
    """With half of the identifiers missing, there are too few entities to sample from."""
    specification = changed(a_specification(), "columns/id/miss_probability", 0.5)
    assert validate(tmp_path, specification, a_user_input(fraction_of_new="1/30")) == [
        "demo/user_input.yml: fraction_of_new 1/30 asks period 2024-02-01 to sample 58 entities, "
        "but only 23 with an identifier in 'id' are known by then (miss_probability 0.5); raise "
        "fraction_of_new or lower that miss_probability"
    ]


def test_fewer_rows_than_combinations(tmp_path: Path) -> None:
    """A part of a period needs at least as many rows as the cross join has combinations."""
    specification = a_specification(number_of_rows=9)
    for name in ("sex", "region"):
        place = f"columns/{name}/cross_join_all_unique_values"
        specification = changed(specification, place, True)
    assert validate(tmp_path, specification, a_user_input()) == [
        "demo/specification.yml: metadata.number_of_rows 9 is too small: the cross-joined columns "
        "have 6 combinations, but in period 2024-02-01 the new or the existing records have only 3 "
        "rows; raise it to 18 "
        "or more, or set cross_join_all_unique_values: false"
    ]


def test_more_pseudo_chis_than_exist(tmp_path: Path) -> None:
    """A series that needs more pseudo CHI numbers than exist is refused."""
    specification = changed(a_specification(), "columns/id/anonymising_set", "pseudo_chi")
    specification["metadata"]["number_of_rows"] = 3_000_000
    user_input = a_user_input(num_datasets=10, fraction_of_new=1)
    assert validate(tmp_path, specification, user_input) == [
        "demo/specification.yml: columns.id needs 30,000,000 pseudo CHI numbers over the series, "
        "but only 25,600,000 exist; use anonymising_set: uuid, or fewer rows or periods"
    ]


@pytest.mark.parametrize("name", ["reference_key", "Reference_Period"])
def test_a_reserved_name(tmp_path: Path, name: str) -> None:
    """The names of the reference table's own columns are refused, in upper or lower case."""
    specification = a_specification()
    specification["columns"][name] = deepcopy(specification["columns"]["date"])
    assert validate(tmp_path, specification, a_user_input()) == [
        f"demo/specification.yml: columns.{name} has a name that the reference table reserves for "
        "a column of its own; rename it"
    ]


def test_two_names_that_differ_in_case(tmp_path: Path) -> None:
    """SQLite does not distinguish Date from date, so both together are refused."""
    specification = a_specification()
    specification["columns"]["Date"] = deepcopy(specification["columns"]["date"])
    assert validate(tmp_path, specification, a_user_input()) == [
        "demo/specification.yml: columns.Date differs from 'date' only in case, which SQLite does "
        "not tell apart; rename one of them"
    ]


def test_a_derived_column_clashes_too(tmp_path: Path) -> None:
    """The message names the place of a derived column."""
    specification = changed(a_specification(), "derived_columns", {"SEX": "amount * 2"})
    assert validate(tmp_path, specification, a_user_input()) == [
        "demo/specification.yml: derived_columns.SEX differs from 'sex' only in case, which "
        "SQLite does not tell apart; rename one of them"
    ]


def test_a_select_date_cannot_move(tmp_path: Path) -> None:
    """Days that come from an SQL statement do not depend on ``from`` and ``to``."""
    statement = "SELECT temp_demo.sex, days.date AS date FROM temp_demo JOIN days USING (sex)"
    specification = changed(a_specification(), "columns/date/anonymising_set", statement)
    assert validate(tmp_path, specification, a_user_input()) == [
        "demo/user_input.yml: date_columns names 'date', whose days come from an SQL statement, "
        "so that moving from and to changes nothing; take it off the list"
    ]


def test_all_faults_of_both_files_at_once(tmp_path: Path) -> None:
    """Several mistakes in both files are all reported at once."""
    specification = changed(a_specification(), "metadata/number_of_rows", 0)
    specification = changed(specification, "columns/sex/uniques", ABSENT)
    user_input = changed(a_user_input(period="decades"), "length_of_period", ABSENT)
    assert validate(tmp_path, specification, user_input) == [
        "demo/specification.yml: metadata.number_of_rows 0 is too small; the smallest is 1",
        "demo/specification.yml: columns.sex.uniques is missing; say how many different values "
        "it has, for example uniques: 2",
        "demo/user_input.yml: period 'decades' is not known; use days, weeks, months or quarters "
        "(here: period: months, length_of_period: 120)",
        "demo/user_input.yml: length_of_period is missing; say how many units a period has, for "
        "example length_of_period: 2",
    ]


def test_a_missing_database_hides_no_other_fault(tmp_path: Path) -> None:
    """A database that does not exist is reported together with the other faults."""
    user_input = a_user_input(exhibit_db_path="no.db", static_columns=["hair"])
    assert validate(tmp_path, a_specification(), user_input) == [
        "demo/user_input.yml: exhibit_db_path 'no.db' does not exist (looked for "
        f"{tmp_path}/series/demo/no.db); name an existing database, or leave it empty to get one",
        "demo/user_input.yml: static_columns names 'hair', which the specification lacks; known "
        "here: id, sex, region, amount, date",
    ]


def test_one_bad_series_does_not_hide_another(tmp_path: Path) -> None:
    """All series are validated: valid ones are listed, and the faults of the others reported."""
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

"""Periods of any unit, length and start, and the number of their rows."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.columns import a_date, a_number, with_columns
from series_assets_tests.contract_rules.series import generate_and_check
from series_assets_tests.thorough import thorough


@pytest.mark.parametrize(
    ("first", "last", "unit", "length", "count"),
    [
        ("2023-12-31", "2024-01-31", "months", 1, 6),
        ("2024-01-30", "2024-02-29", "months", 1, 4),
        ("2024-02-29", "2024-02-29", "months", 12, 5),
        ("2023-11-30", "2024-02-29", "quarters", 1, 4),
        ("2024-01-31", "2024-01-31", "quarters", 3, 3),
        ("2024-01-01", "2024-01-14", "weeks", 2, 5),
        ("2023-12-24", "2024-02-06", "days", 45, 5),
        ("1999-11-15", "1999-12-14", "months", 1, 3),
        ("2090-01-01", "2090-01-01", "days", 1, 4),
    ],
)
def test_periods_of_any_unit_length_and_start(
    tmp_path: Path, first: str, last: str, unit: str, length: int, count: int
) -> None:
    """The dates of each period are in its window, which is counted from the first period."""
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    generate_and_check(
        tmp_path,
        with_columns(a_specification(number_of_rows=40), date=a_date(first, last, days)),
        a_user_input(period=unit, length_of_period=length, num_datasets=count),
    )


@pytest.mark.parametrize("fraction", [0, "1/3", 1, *thorough(0.5, "2/3", "9/10")])
def test_fractions_are_exact(tmp_path: Path, fraction: Any) -> None:
    """The number of new rows is exact, and a part without rows has no files."""
    generate_and_check(
        tmp_path, a_specification(number_of_rows=70), a_user_input(fraction_of_new=fraction)
    )


def test_a_fraction_that_a_float_would_miss(tmp_path: Path) -> None:
    """0.07 of 100 rows are 7 new records."""
    specification = a_specification(number_of_rows=100)
    finished = generate_and_check(
        tmp_path, specification, a_user_input(fraction_of_new=0.07, num_datasets=3)
    )
    new = finished.folder / "new_records" / "dataset_3.csv"
    assert len(new.read_text(encoding="utf-8").splitlines()) == 1 + 7


@pytest.mark.parametrize("rows", [10, 40])
def test_fewer_existing_records_than_the_inline_limit(tmp_path: Path, rows: int) -> None:
    """Few existing records, or a single one, work like many."""
    generate_and_check(
        tmp_path, a_specification(number_of_rows=rows), a_user_input(fraction_of_new="9/10")
    )


@pytest.mark.parametrize("precision", ["float", "integer"])
def test_one_existing_record_whose_number_is_missing(tmp_path: Path, precision: str) -> None:
    """The number of the only row may be missing."""
    specification = with_columns(
        a_specification(number_of_rows=10), zzz=a_number(precision, miss_probability=0.7)
    )
    generate_and_check(tmp_path, specification, a_user_input(fraction_of_new="9/10"))


def test_a_series_of_one_dataset(tmp_path: Path) -> None:
    """A series may have a single dataset, with new records only."""
    generate_and_check(tmp_path, user_input=a_user_input(num_datasets=1))


@pytest.mark.thorough
def test_a_series_of_sixty_datasets(tmp_path: Path) -> None:
    """After sixty months, identifiers are still unique and all periods are sampled from."""
    generate_and_check(
        tmp_path,
        a_specification(number_of_rows=30),
        a_user_input(num_datasets=60, fraction_of_new="1/2"),
    )


def test_a_day_first_date_is_the_first_of_a_month(tmp_path: Path) -> None:
    """01/02/2024 is the first of February; a month later it is the first of March."""
    specification = a_specification()
    specification["columns"]["date"] |= {"from": "01/02/2024", "to": date(2024, 2, 29)}
    finished = generate_and_check(tmp_path, specification, a_user_input(start_date="01/02/2024"))
    text = (finished.folder / "dataset_2.new.yml").read_text(encoding="utf-8")
    moved = yaml.safe_load(text)["columns"]["date"]
    assert (moved["from"], moved["to"]) == ("2024-03-01", "2024-03-31")


def test_a_series_without_moving_dates(tmp_path: Path) -> None:
    """Without date columns, the start date determines the periods, and no date moves."""
    generate_and_check(tmp_path, user_input=a_user_input(date_columns=[], start_date="2024-05-31"))

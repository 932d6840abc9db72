"""Windows and dates at the ends of months, over the periods of generated series."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from series_assets_tests.builders import a_specification
from series_assets_tests.checker import Finished
from series_assets_tests.columns import a_date, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    existing_records,
    generate_series,
    new_records,
    saved_specification,
)


def with_visits(first: str, last: str, rows: int = 60, **more: Any) -> dict[str, Any]:
    """Return a specification whose only date column is ``visit``."""
    specification = a_specification(number_of_rows=rows, date_columns=["visit"])
    del specification["columns"]["date"]
    return with_columns(specification, visit=a_date(first, last, 31, **more))


def parts(finished: Finished, number: int) -> list[pd.DataFrame]:
    """Return the parts of a dataset that have rows."""
    return [
        part
        for part in (new_records(finished, number), existing_records(finished, number))
        if len(part)
    ]


def test_a_window_of_one_day_stays_one_day(tmp_path: Path) -> None:
    """29 February, then the last day of each following month: one date per file."""
    finished = generate_series(
        tmp_path,
        with_visits("2024-02-29", "2024-02-29"),
        date_columns=["visit"],
        num_datasets=4,
    )
    days = ["2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]
    for number, day in enumerate(days, start=1):
        for part in parts(finished, number):
            assert set(part["visit"]) == {day}


def test_a_window_full_in_february_is_full_in_march(tmp_path: Path) -> None:
    """All days of each month occur, about equally often, in new and existing records."""
    rows = 3000
    finished = generate_series(
        tmp_path,
        with_visits("2024-02-01", "2024-02-29", rows),
        date_columns=["visit"],
        fraction_of_new="1/3",
    )
    for number, days in ((1, 29), (2, 31), (3, 30)):
        found = parts(finished, number)
        assert all(part["visit"].nunique() == days for part in found)
        counts = pd.concat(found)["visit"].value_counts()
        wanted = rows / days
        assert abs(counts - wanted).max() < 5 * wanted**0.5, counts.describe()
        if number > 1:
            assert (
                saved_specification(finished, number, "existing")["columns"]["visit"]["uniques"]
                == days
            )


def test_a_day_on_the_windows_end_moves_with_it(tmp_path: Path) -> None:
    """In a constraint, a filter, an assigned value and a derived column."""
    specification = with_columns(
        with_visits("2024-02-01", "2024-02-29", 90),
        seen=a_date("2024-02-01", "2024-02-29", 29),
    )
    specification["constraints"] = {
        "allow_duplicates": True,
        "basic_constraints": ["visit >= '2024-02-29'"],
        "custom_constraints": {
            "close": {
                "filter": "region == 'South'",
                "targets": {"seen": "assign_value$2024-02-29"},
            },
        },
    }
    specification["derived_columns"] = {
        "is last": "visit == '2024-02-29'",
        "within": "visit.between('2024-02-29', '2024-02-29')",
    }
    finished = generate_series(
        tmp_path, specification, date_columns=["visit", "seen"], num_datasets=3
    )
    for number, last in ((1, "2024-02-29"), (2, "2024-03-31"), (3, "2024-04-30")):
        for part in parts(finished, number):
            assert set(part["visit"]) == {last}
            assert set(part["is last"]) == {"True"}
            assert set(part["within"]) == {"True"}
        fresh = new_records(finished, number)
        assert set(fresh.loc[fresh["region"] == "South", "seen"]) == {last}


@pytest.mark.thorough
@pytest.mark.parametrize("part", ["new", "existing"])
def test_days_in_derived_columns_move(tmp_path: Path, part: str) -> None:
    """In each period, the same share of the month is late, and days count from its first day."""
    specification = with_visits("2024-01-01", "2024-01-31", 300)
    specification["columns"]["born"] = a_date("1990-01-01", "1999-12-31", 500)
    specification["metadata"]["date_columns"] = ["visit", "born"]
    specification["derived_columns"] = {
        "late": "(visit > '2024-01-15')",
        "day": "(visit - visit.where(visit < '2000-01-01', '2024-01-01')).dt.days",
        "young": "born.between('1995-01-01', '2024-01-31')",
    }
    finished = generate_series(tmp_path, specification, date_columns=["visit"], num_datasets=3)
    read = new_records if part == "new" else existing_records
    for number, month in ((2, "02"), (3, "03")):
        found = read(finished, number)
        assert (found["late"] == "True").equals(found["visit"] > f"2024-{month}-15")
        assert found["late"].nunique() == 2
        days = pd.to_datetime(found["visit"]).dt.day - 1
        assert (found["day"].astype(int) == days).all()
        assert (found["young"] == "True").equals(found["born"] >= "1995-01-01")


def test_a_date_that_is_static_and_moves_keeps_its_day_in_existing_records(tmp_path: Path) -> None:
    """New records have dates of their period; literals compared with them move."""
    specification = with_visits("2024-02-01", "2024-02-29")
    specification["derived_columns"] = {"late": "(visit >= '2024-02-29')"}
    finished = generate_series(
        tmp_path, specification, date_columns=["visit"], static_columns=["visit"], num_datasets=3
    )
    first = set(new_records(finished, 1)["visit"])
    second = new_records(finished, 2)
    assert set(second["visit"].str[:7]) == {"2024-03"}
    drawn = existing_records(finished, 2)
    assert set(drawn["visit"]) <= first
    assert (second["late"] == "True").equals(second["visit"] == "2024-03-31")
    assert set(drawn["late"]) == {"False"}

"""Between which days the dates of a period lie."""

from datetime import date
from typing import Any

import pytest

from series_assets.core.windows import windows
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.test_rules import a_date, with_columns


def window(k: int, *constraints: str, moved: bool = True, **columns: dict[str, Any]) -> Any:
    """Return the window of ``day`` in a period, as a pair of texts."""
    specification = with_columns(a_specification(), **columns)
    specification["constraints"]["basic_constraints"] = list(constraints) or None
    said = a_user_input(
        date_columns=["day"] if moved else [], num_datasets=20, start_date="2024-01-01"
    )
    found = windows(a_series(specification, said), k)["day"]
    return None if found is None else tuple(end.isoformat() for end in found)


JANUARY = a_date("2024-01-01", "2024-01-31", 31)


def test_a_window_moves_with_the_period() -> None:
    """The last day of a month stays the last; a column that does not move stays where it is."""
    assert window(0, day=JANUARY) == ("2024-01-01", "2024-01-31")
    assert window(1, day=JANUARY) == ("2024-02-01", "2024-02-29")
    assert window(3, day=JANUARY) == ("2024-04-01", "2024-04-30")
    assert window(3, moved=False, day=JANUARY) == ("2024-01-01", "2024-01-31")


def test_an_open_end_is_as_far_as_exhibit_goes() -> None:
    """As many days of the frequency as there are values."""
    open_end = a_date("2024-01-01", None, 10)
    assert window(1, day=open_end) == ("2024-02-01", "2024-02-10")
    weekly = a_date("2024-01-01", None, 3, frequency="W-MON")
    assert window(0, day=weekly) == ("2024-01-01", "2024-01-15")
    backwards = {**a_date("2024-01-01", "2024-01-31", 10), "from": None}
    assert window(0, day=backwards) == ("2024-01-22", "2024-01-31")


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("day > '2024-03-10'", ("2024-02-01", "2024-04-11")),
        ("day < '2023-12-24'", ("2024-01-23", "2024-02-29")),
        ("day >= other", ("2022-12-31", "2024-02-29")),
        ("day <= ~other~", ("2022-12-31", "2024-02-29")),
        ("other > day", ("2024-02-01", "2024-02-29")),
    ],
)
def test_a_constraint_widens_the_window(constraint: str, expected: tuple[str, str]) -> None:
    """By one step beyond the day it leads to; a date in it moves with its column."""
    other = a_date("2023-01-01", "2023-01-10", 10)
    assert window(1, constraint, day=JANUARY, other=other) == expected


def test_a_constraint_on_a_column_that_a_constraint_widened() -> None:
    """Steps are those of the column that is changed."""
    other = a_date("2024-01-01", "2024-01-10", 2, frequency="W-MON")
    found = window(0, "other > '2024-05-05'", "day > other", day=JANUARY, other=other)
    assert found == ("2023-12-31", "2024-05-07")


def test_a_window_that_nobody_can_know_is_none() -> None:
    """Where a constraint computes with dates."""
    assert window(0, "day > other.shift(3)", day=JANUARY, other=JANUARY) is None


def test_every_date_column_has_its_window() -> None:
    """By name."""
    assert windows(a_series(), 1) == {"date": (date(2024, 2, 1), date(2024, 2, 29))}

"""The windows of dates in a period."""

from datetime import date
from typing import Any

import pytest

from series_assets.checks.date_windows import full_windows, windows
from series_assets.core.plan.spec_changes import specification_of_period
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_date, with_columns


def window(k: int, *constraints: str, moved: bool = True, **columns: dict[str, Any]) -> Any:
    """Return the window of ``day`` in a period, as a pair of texts."""
    specification = with_columns(a_specification(), **columns)
    specification["constraints"]["basic_constraints"] = list(constraints) or None
    user_input = a_user_input(
        date_columns=["day"] if moved else [], num_datasets=20, start_date="2024-01-01"
    )
    found = windows(a_series(specification, user_input), k)["day"]
    return None if found is None else tuple(end.isoformat() for end in found)


JANUARY = a_date("2024-01-01", "2024-01-31", 31)


def test_a_window_moves_with_the_period() -> None:
    """The last day of a month stays the last; a column that does not move is unchanged."""
    assert window(0, day=JANUARY) == ("2024-01-01", "2024-01-31")
    assert window(1, day=JANUARY) == ("2024-02-01", "2024-02-29")
    assert window(3, day=JANUARY) == ("2024-04-01", "2024-04-30")
    assert window(3, moved=False, day=JANUARY) == ("2024-01-01", "2024-01-31")


def test_an_open_end_is_as_far_as_exhibit_goes() -> None:
    """It has as many dates of the frequency as there are values."""
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
    """By one step beyond its date, which moves with the column."""
    other = a_date("2023-01-01", "2023-01-10", 10)
    assert window(1, constraint, day=JANUARY, other=other) == expected


def test_a_constraint_on_a_column_that_a_constraint_widened() -> None:
    """The steps are those of the column that is changed."""
    other = a_date("2024-01-01", "2024-01-10", 2, frequency="W-MON")
    found = window(0, "other > '2024-05-05'", "day > other", day=JANUARY, other=other)
    assert found == ("2023-12-31", "2024-05-07")


def test_a_window_that_cannot_be_known() -> None:
    """If a constraint computes with dates."""
    assert window(0, "day > other.shift(3)", day=JANUARY, other=JANUARY) is None


def test_an_assigned_day_is_in_the_window() -> None:
    """As it is in the period."""
    specification = with_columns(a_specification(), day=JANUARY)
    targets = {"day": "assign_value$2024-03-31"}
    specification["constraints"]["custom_constraints"] = {"some": {"targets": targets}}
    series = a_series(specification, a_user_input(date_columns=["day"]))
    assert windows(series, 1)["day"] == (date(2024, 2, 1), date(2024, 4, 30))


@pytest.mark.parametrize("constraint", ["kept <= day", "day >= kept"])
def test_a_day_that_does_not_move_may_meet_what_was_recorded_long_ago(constraint: str) -> None:
    """On either side of a constraint; a moving date on the right stays in its window."""
    kept = a_date("2023-12-01", "2023-12-31", 31)
    specification = with_columns(a_specification(), day=JANUARY, kept=kept)
    specification["constraints"]["basic_constraints"] = [constraint]
    user_input = a_user_input(date_columns=["kept"], static_columns=["kept"])
    assert windows(a_series(specification, user_input), 3)["day"] == (
        date(2023, 11, 30),
        date(2024, 4, 1),
    )


def test_a_moved_day_on_the_right_keeps_its_window() -> None:
    """It is adjusted within its window if the left side cannot change."""
    specification = with_columns(
        a_specification(), day=JANUARY, kept=a_date("2020-01-01", "2025-12-31", 31)
    )
    specification["constraints"]["basic_constraints"] = ["kept <= day"]
    user_input = a_user_input(date_columns=["day"], static_columns=["kept"])
    found = windows(a_series(specification, user_input), 1)["day"]
    assert found == (date(2024, 2, 1), date(2024, 2, 29))


def test_full_windows_are_those_that_nothing_else_decides_on() -> None:
    """All dates of the period, as text."""
    specification = with_columns(
        a_specification(),
        day=JANUARY,
        thin=a_date("2024-01-01", "2024-01-31", 30),
        months=a_date("2024-01-01", "2024-03-31", 3, frequency="MS"),
        bounded=JANUARY,
        sorted=JANUARY,
    )
    specification["constraints"] |= {
        "basic_constraints": ["bounded > '2024-01-02'"],
        "custom_constraints": {"some": {"targets": {"sorted": "make_same"}}},
    }
    series = a_series(specification, a_user_input(date_columns=["day", "months"]))
    period = specification_of_period(series.specification, series.calendar, series.roles, 1)
    found = full_windows(series, period)
    assert found.keys() == {"date", "day", "months"}
    assert found["day"] == {f"2024-02-{day:02}" for day in range(1, 30)}
    assert found["months"] == {"2024-02-01", "2024-03-01", "2024-04-01"}


def test_every_date_column_has_its_window() -> None:
    """By name."""
    assert windows(a_series(), 1) == {"date": (date(2024, 2, 1), date(2024, 2, 29))}

"""The dates of a period: windows, the dates in them, and the dates in expressions."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from series_assets.core.plan.calendar import Calendar
from series_assets.core.plan.spec_changes import Roles, specification_of_period
from series_assets.core.spec.period_units import UNITS
from series_assets.core.spec.specification import window_size
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_date, with_columns

FREQUENCIES = {"D": 0, "W-MON": 6, "MS": 31, "ME": 31, "QE": 92}
"""How many days a window needs for one date of each frequency."""


@st.composite
def windows(sample_ranks: st.DrawFn) -> tuple[date, date, str]:
    """Draw both ends of a window with its frequency, half of them on the end of a month."""
    frequency = sample_ranks(st.sampled_from(sorted(FREQUENCIES)))
    first = sample_ranks(st.dates(date(1950, 1, 1), date(2060, 1, 1)))
    last = first + timedelta(days=FREQUENCIES[frequency] + sample_ranks(st.integers(0, 120)))
    if sample_ranks(st.booleans()):
        last = (pd.Timestamp(last) + pd.offsets.MonthEnd(0)).date()
        if sample_ranks(st.booleans()):
            first = (pd.Timestamp(first) + pd.offsets.MonthEnd(0)).date()
    return first, max(first, last), frequency


STEPS = st.tuples(st.sampled_from(list(UNITS)), st.integers(1, 24), st.integers(0, 40))


def moved(
    specification: dict[str, Any], step: tuple[str, int, int], *names: str, start: str = ""
) -> dict[str, Any]:
    """Return a specification as it is ``k`` periods later, with some dates moved."""
    unit, length, k = step
    begin = date.fromisoformat(start or specification["columns"][names[0]]["from"])
    calendar = Calendar(begin, unit, length, k + 1)
    return specification_of_period(specification, calendar, Roles(("id",), (), names), k)


def with_visits(first: str, last: str | None, uniques: int = 9999, **more: Any) -> dict[str, Any]:
    """Return a complete specification with a date column ``visit``."""
    specification = with_columns(a_specification(), visit=a_date(first, last, uniques, **more))
    return a_series(specification, a_user_input(static_columns=[])).specification


@settings(max_examples=60, deadline=None)
@given(window=windows(), step=STEPS)
def test_a_column_with_all_dates_of_its_first_window_has_all_of_each_later_one(
    window: tuple[date, date, str], step: tuple[str, int, int]
) -> None:
    """Whatever the frequency, the unit, the length and the start; and one that lacks some has
    no more than the specification says."""
    first, last, frequency = window
    specification = with_visits(first.isoformat(), last.isoformat(), frequency=frequency)
    column = specification["columns"]["visit"]
    size = window_size(column)
    assert size
    column["uniques"] = size
    later = moved(specification, step, "visit")["columns"]["visit"]
    assert later["uniques"] == window_size(later)
    if size > 1:
        column["uniques"] = size - 1
        later = moved(specification, step, "visit")["columns"]["visit"]
        found = window_size(later)
        assert found is not None
        assert later["uniques"] == min(size - 1, found)


@settings(max_examples=60, deadline=None)
@given(window=windows(), step=STEPS)
def test_a_day_on_the_end_of_a_window_stays_on_it(
    window: tuple[date, date, str], step: tuple[str, int, int]
) -> None:
    """In constraints, filters, derived columns and assigned values alike."""
    first, last, frequency = window
    specification = with_visits(first.isoformat(), last.isoformat(), frequency=frequency)
    for end in ("from", "to"):
        day = specification["columns"]["visit"][end]
        specification["constraints"] = {
            "allow_duplicates": True,
            "basic_constraints": [f"visit >= '{day}'"],
            "custom_constraints": {
                "some": {
                    "filter": f"visit == '{day}' & sex == 'F'",
                    "targets": {"visit": f"assign_value${day}", "region": f"assign_value${day}"},
                }
            },
        }
        specification["derived_columns"] = {"since": f"(visit - '{day}').dt.days"}
        later = moved(specification, step, "visit")
        is_now = later["columns"]["visit"][end]
        constraints = later["constraints"]
        assert constraints["basic_constraints"] == [f"visit >= '{is_now}'"]
        assert constraints["custom_constraints"]["some"] == {
            "filter": f"visit == '{is_now}' & sex == 'F'",
            "targets": {"visit": f"assign_value${is_now}", "region": f"assign_value${day}"},
        }
        assert later["derived_columns"] == {"since": f"(visit - '{is_now}').dt.days"}


@pytest.mark.parametrize(
    ("day", "is_now"),
    [
        ("2024-02-01", "2024-03-01"),
        ("2024-02-29", "2024-03-31"),
        ("2024-02-15", "2024-03-15"),
        ("2024-01-31", "2024-02-29"),
        ("9999-12-31", "9999-12-31"),
    ],
)
def test_a_day_moves_as_the_end_it_lies_on_or_by_the_plain_step(day: str, is_now: str) -> None:
    """The last day of a month that is not the end of a window moves like any other day."""
    specification = with_visits("2024-02-01", "2024-02-29")
    specification["derived_columns"] = {"late": f"visit > '{day}'"}
    later = moved(specification, ("months", 1, 1), "visit")
    assert later["derived_columns"] == {"late": f"visit > '{is_now}'"}


def test_a_day_beside_two_moved_columns_moves_with_the_first_that_has_it_as_an_end() -> None:
    """In the order of date_columns; a column beside them that does not move has no effect."""
    specification = with_visits("2024-02-10", "2024-02-29")
    specification["columns"]["seen"] = a_date("2024-01-31", "2024-02-29", 30)
    specification["columns"]["born"] = a_date("2000-01-31", "2024-01-31", 30)
    specification["derived_columns"] = {
        "one": "visit.fillna(seen) > '2024-02-29'",
        "other": "visit.fillna(seen) > '2024-01-31'",
        "born": "visit.fillna(born) > '2024-01-31'",
    }
    later = moved(specification, ("months", 1, 2), "seen", "visit", start="2024-01-31")
    assert later["derived_columns"] == {
        "one": "visit.fillna(seen) > '2024-04-30'",
        "other": "visit.fillna(seen) > '2024-03-31'",
        "born": "visit.fillna(born) > '2024-03-31'",
    }


def test_a_day_beside_a_column_that_is_derived_from_a_moved_one_moves() -> None:
    """Through any chain of derived columns; other derived columns have no effect."""
    specification = with_visits("2024-02-01", "2024-02-29")
    specification["columns"]["born"] = a_date("2000-01-01", "2000-12-31", 30)
    specification["derived_columns"] = {
        "first seen": "visit.fillna('2024-02-29')",
        "copy": "first seen",
        "late": "copy >= '2024-02-29'",
        "old": "born <= '2000-02-29'",
        "Example": "visit > '2024-02-29'",
    }
    later = moved(specification, ("months", 1, 1), "visit")
    assert later["derived_columns"] == {
        "first seen": "visit.fillna('2024-03-31')",
        "copy": "first seen",
        "late": "copy >= '2024-03-31'",
        "old": "born <= '2000-02-29'",
        "Example": "visit > '2024-02-29'",
    }


def test_days_written_day_first_go_to_exhibit_as_iso() -> None:
    """From the first period on, beside any date column; other text is unchanged."""
    specification = with_visits("2024-02-01", "2024-02-29")
    specification["columns"]["born"] = a_date("2000-01-01", "2000-12-31", 30)
    specification["constraints"]["basic_constraints"] = ["visit >= '01/02/2024'"]
    specification["constraints"]["custom_constraints"] = {
        "some": {
            "filter": "born < '02/03/2000' & sex == '02/03/2000'",
            "targets": {"born": "assign_value$02/03/2000", "visit, sex": "make_same"},
        }
    }
    for k, month in ((0, "02"), (1, "03")):
        constraints = moved(specification, ("months", 1, k), "visit")["constraints"]
        assert constraints["basic_constraints"] == [f"visit >= '2024-{month}-01'"]
        assert constraints["custom_constraints"]["some"] == {
            "filter": "born < '2000-03-02' & sex == '02/03/2000'",
            "targets": {"born": "assign_value$2000-03-02", "visit, sex": "make_same"},
        }


def test_the_original_is_left_as_it_was() -> None:
    """A period works on a copy of the specification."""
    specification = with_visits("2024-02-01", "2024-02-29")
    specification["derived_columns"] = {"late": "visit > '2024-02-29'"}
    before = repr(specification)
    moved(specification, ("months", 1, 1), "visit")
    assert repr(specification) == before

"""When periods start and how far dates move (contract, section 3)."""

from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.plan.calendar import Calendar
from series_assets.core.spec.period_units import UNITS

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
LENGTHS = st.integers(1, 60)
PERIODS = st.integers(0, 120)


def _starts(first: str, unit: str, length: int, count: int) -> list[str]:
    return list(Calendar(date.fromisoformat(first), unit, length, count).keys)


def _last_day_of_month(day: date) -> int:
    return monthrange(day.year, day.month)[1]


IN_DAYS = [name for name, unit in UNITS.items() if unit.days]
IN_MONTHS = [name for name, unit in UNITS.items() if unit.months]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_so_many_days_or_so_many_months(name: str) -> None:
    """An entry of the table is complete: a number of days or of months, and words."""
    unit = UNITS[name]
    assert (unit.days > 0) != (unit.months > 0)
    assert name.startswith(unit.singular)
    assert unit.adverb.endswith("ly")
    assert Calendar(date(2024, 1, 1), name, 1, 3).cadence == unit.singular
    assert Calendar(date(2024, 1, 1), name, 2, 3).cadence == f"2 {name}"


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("days", "2024-01-02"),
        ("weeks", "2024-01-08"),
        ("months", "2024-02-01"),
        ("quarters", "2024-04-01"),
    ],
)
def test_how_long_each_unit_is(name: str, second: str) -> None:
    """A period of one unit from 1 January 2024 is followed by this one."""
    assert _starts("2024-01-01", name, 1, 2)[1] == second


def test_the_length_of_every_unit_is_tested() -> None:
    """A new unit must be added to the test above."""
    (mark,) = test_how_long_each_unit_is.pytestmark  # type: ignore[attr-defined]
    assert [name for name, _ in mark.args[1]] == list(UNITS)


@given(first=DAYS, length=LENGTHS, k=PERIODS, last=DAYS, before=st.integers(0, 400))
def test_a_quarter_is_three_months(
    first: date, length: int, k: int, last: date, before: int
) -> None:
    """Starts, days and windows move as with three times as many months, from the first start."""
    quarters = Calendar(first, "quarters", length, k + 1)
    months = Calendar(first, "months", 3 * length, k + 1)
    assert quarters.keys == months.keys
    assert quarters.move(last, k) == months.move(last, k)
    for end in (last, _month_end(last)):
        begin = end - timedelta(days=before)
        assert quarters.move_window(begin, end, k) == months.move_window(begin, end, k)


@given(first=DAYS, length=LENGTHS, k=PERIODS, unit=st.sampled_from(IN_DAYS))
def test_days_and_weeks_are_exact_multiples(first: date, length: int, k: int, unit: str) -> None:
    """Period k starts k times the length after the first, to the day."""
    days = length * k * {"days": 1, "weeks": 7}[unit]
    assert Calendar(first, unit, length, k + 1).start_of(k) == first + timedelta(days=days)


@given(first=DAYS, length=LENGTHS, k=PERIODS)
def test_months_count_from_the_first_start(first: date, length: int, k: int) -> None:
    """Period k is k times the length in months later, on the same day or the last of its month."""
    start = Calendar(first, "months", length, k + 1).start_of(k)
    months = (start.year - first.year) * 12 + start.month - first.month
    assert months == length * k
    assert start.day == min(first.day, _last_day_of_month(start))


@given(first=DAYS, unit=st.sampled_from(list(UNITS)), length=LENGTHS, count=st.integers(1, 40))
def test_every_start_has_a_key_of_its_own(first: date, unit: str, length: int, count: int) -> None:
    """A series has one key per period, ascending, and each key leads back to its period."""
    calendar = Calendar(first, unit, length, count)
    assert len(set(calendar.keys)) == count
    assert list(calendar.keys) == sorted(calendar.keys)
    assert [calendar.period_for_key(key).k for key in calendar.keys] == list(range(count))
    assert [date.fromisoformat(key) for key in calendar.keys] == [
        calendar.start_of(k) for k in range(count)
    ]


@given(first=DAYS, unit=st.sampled_from(list(UNITS)), length=LENGTHS, k=PERIODS)
def test_periods_follow_each_other_without_gap(first: date, unit: str, length: int, k: int) -> None:
    """The day after the last day of a period is the first day of the next."""
    calendar = Calendar(first, unit, length, k + 2)
    assert calendar.last_day_of(k) + timedelta(days=1) == calendar.start_of(k + 1)


@given(first=DAYS, unit=st.sampled_from(list(UNITS)), length=LENGTHS, k=PERIODS)
def test_the_first_start_moves_as_the_periods_do(
    first: date, unit: str, length: int, k: int
) -> None:
    """A date on the first start is on the start of every later period."""
    calendar = Calendar(first, unit, length, k + 1)
    assert calendar.move(first, k) == calendar.start_of(k)
    assert calendar.move(first, 0) == first


@given(day=DAYS, first=DAYS, k=st.integers(0, 600))
def test_moving_by_months_never_drifts(day: date, first: date, k: int) -> None:
    """After any number of short months, a date is on its day again if the month has it."""
    moved = Calendar(first, "months", 1, k + 1).move(day, k)
    assert moved.day == min(day.day, _last_day_of_month(moved))


@given(
    day=DAYS,
    days=st.integers(0, 400),
    unit=st.sampled_from(IN_MONTHS),
    length=LENGTHS,
    k=PERIODS,
)
def test_a_window_that_ends_with_a_month_always_does(
    day: date, days: int, unit: str, length: int, k: int
) -> None:
    """In every period; one that also starts on a last day always starts on one."""
    last = _month_end(day)
    first = last - timedelta(days=days)
    begins, ends = _window(first, last, unit, length, k)
    assert ends == _month_end(ends)
    if first == _month_end(first):
        assert begins == _month_end(begins)
    else:
        assert begins.day == min(first.day, _last_day_of_month(begins))


@given(day=DAYS, unit=st.sampled_from(list(UNITS)), length=LENGTHS, k=PERIODS)
def test_a_window_of_one_day_stays_one_day(day: date, unit: str, length: int, k: int) -> None:
    """On a month's end as on any other day; from 29 February to the last day of every month."""
    for one in (day, _month_end(day)):
        begins, ends = _window(one, one, unit, length, k)
        assert begins == ends
        if unit in IN_MONTHS and one == _month_end(one):
            assert ends == _month_end(ends)


@given(
    first=DAYS,
    days=st.integers(0, 400),
    unit=st.sampled_from(list(UNITS)),
    length=LENGTHS,
    k=PERIODS,
)
def test_the_ends_of_a_window_never_cross(
    first: date, days: int, unit: str, length: int, k: int
) -> None:
    """Windows keep their length in days, or never invert if moved by months."""
    last = first + timedelta(days=days)
    begins, ends = _window(first, last, unit, length, k)
    assert begins <= ends
    if unit in IN_DAYS:
        assert ends - begins == last - first


@given(day=DAYS, unit=st.sampled_from(list(UNITS)), length=LENGTHS, k=PERIODS)
def test_other_days_do_not_care_for_month_ends(day: date, unit: str, length: int, k: int) -> None:
    """Both ends of a window within a month move by the step of the period."""
    calendar = Calendar(day, unit, length, k + 1)
    within = day.replace(day=min(day.day, 27))
    moved = calendar.move(within, k)
    assert calendar.move_window(within, within, k) == (moved, moved)
    assert calendar.move_window(within, None, k) == (moved, None)
    assert calendar.move_window(None, within, k) == (None, moved)


def _window(first: date, last: date, unit: str, length: int, k: int) -> tuple[date, date]:
    begins, ends = Calendar(first, unit, length, k + 1).move_window(first, last, k)
    assert begins is not None and ends is not None
    return begins, ends


def _month_end(day: date) -> date:
    return day.replace(day=_last_day_of_month(day))


def test_the_31st_returns() -> None:
    """31 January + 1 month is 29 February in a leap year, + 2 months is 31 March."""
    assert _starts("2024-01-31", "months", 1, 5) == [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
        "2024-05-31",
    ]


def test_quarters_count_from_the_first_start() -> None:
    """31 January + 1 quarter is 30 April, + 2 is 31 July: shorter months have no lasting effect."""
    assert _starts("2024-01-31", "quarters", 1, 6) == [
        "2024-01-31",
        "2024-04-30",
        "2024-07-31",
        "2024-10-31",
        "2025-01-31",
        "2025-04-30",
    ]
    assert _starts("2023-11-29", "quarters", 1, 3) == ["2023-11-29", "2024-02-29", "2024-05-29"]


def test_a_leap_day_comes_back_after_four_years() -> None:
    """29 February + 12 months is 28 February, + 48 months is 29 February again."""
    assert _starts("2024-02-29", "months", 12, 5) == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]


def test_a_leap_day_is_a_day_like_any_other() -> None:
    """Periods of days run across the end of February in all years."""
    assert _starts("2024-02-27", "days", 1, 4)[2:] == ["2024-02-29", "2024-03-01"]
    assert _starts("2023-02-27", "days", 1, 3)[2:] == ["2023-03-01"]


@pytest.mark.parametrize(
    ("end", "k", "moved"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 1, "2024-03-31"),
        ("2024-04-30", 1, "2024-05-31"),
        ("2023-02-28", 12, "2024-02-29"),
        ("2024-02-28", 1, "2024-03-28"),
        ("2024-01-30", 1, "2024-02-29"),
        ("2024-01-30", 2, "2024-03-30"),
    ],
)
def test_the_end_of_a_window(end: str, k: int, moved: str) -> None:
    """The end of a window stays on the last day of its month if it starts there."""
    calendar = Calendar(date(2024, 1, 1), "months", 1, 13)
    _, day = calendar.move_window(date(2023, 1, 1), date.fromisoformat(end), k)
    assert day is not None and day.isoformat() == moved


@pytest.mark.parametrize(
    ("first", "last", "k", "moved"),
    [
        ("2024-01-01", "2024-03-31", 1, ("2024-04-01", "2024-06-30")),
        ("2024-01-01", "2024-03-31", 4, ("2025-01-01", "2025-03-31")),
        ("2023-11-30", "2024-02-29", 1, ("2024-02-29", "2024-05-31")),
        ("2023-11-15", "2024-02-29", 1, ("2024-02-15", "2024-05-31")),
        ("2024-02-29", "2024-02-29", 1, ("2024-05-31", "2024-05-31")),
        ("2024-04-30", "2024-05-30", 1, ("2024-07-30", "2024-08-30")),
        ("2023-11-30", None, 1, ("2024-02-29", None)),
    ],
)
def test_the_window_of_a_quarter(
    first: str, last: str | None, k: int, moved: tuple[str, str | None]
) -> None:
    """Quarters end with their last month, as months do."""
    calendar = Calendar(date(2024, 1, 1), "quarters", 1, 5)
    until = None if last is None else date.fromisoformat(last)
    found = calendar.move_window(date.fromisoformat(first), until, k)
    assert tuple(day and day.isoformat() for day in found) == moved


@pytest.mark.parametrize(
    ("first", "last", "moved"),
    [
        ("2024-02-29", "2024-02-29", ("2024-03-31", "2024-03-31")),
        ("2024-02-29", "2024-03-31", ("2024-03-31", "2024-04-30")),
        ("2024-02-29", "2024-03-10", ("2024-03-29", "2024-04-10")),
        ("2024-02-28", "2024-02-29", ("2024-03-28", "2024-03-31")),
        ("2024-02-29", None, ("2024-03-29", None)),
    ],
)
def test_the_start_of_a_window(first: str, last: str | None, moved: tuple[str, str | None]) -> None:
    """It stays on the last day of its month only if the window's end does."""
    calendar = Calendar(date(2024, 2, 1), "months", 1, 2)
    until = None if last is None else date.fromisoformat(last)
    found = calendar.move_window(date.fromisoformat(first), until, 1)
    assert tuple(day and day.isoformat() for day in found) == moved


def test_a_key_of_no_period_is_refused() -> None:
    """A day within a period is not its key."""
    with pytest.raises(KeyError):
        Calendar(date(2024, 1, 1), "months", 1, 3).period_for_key("2024-01-02")

"""``release: calendar``: a partition exists from the first day of its period on, in UTC."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.test_utils import freeze_time
from hypothesis import given, settings
from hypothesis import strategies as st

from series_assets.core.plan.series import Series
from series_assets.core.spec.period_units import UNITS
from series_assets.dagster.assets import keys_of
from series_assets.dagster.build import build_definitions
from series_assets.dagster.partitions import PREVIOUS, partitions_of
from series_assets_tests.builders import a_series, a_user_input

CADENCES = {
    "monthly": ("months", 1, "2025-11-01"),
    "on month ends": ("months", 1, "2025-10-31"),
    "on the 30th": ("months", 1, "2025-11-30"),
    "quarterly": ("quarters", 1, "2025-08-15"),
    "weekly": ("weeks", 1, "2026-01-05"),
    "two-weekly": ("weeks", 2, "2025-12-22"),
    "daily": ("days", 1, "2026-01-12"),
    "every 45 days": ("days", 45, "2025-11-03"),
    "every 5 months": ("months", 5, "2025-01-29"),
}
"""Unit, length and first day of series that continue into the future."""


def calendar_series(unit: str, length: int, start: str, count: int = 6) -> Series:
    """Return a series whose partitions appear as its periods start."""
    own = a_user_input(
        period=unit,
        length_of_period=length,
        start_date=start,
        num_datasets=count,
        release="calendar",
    )
    return a_series(user_input=own)


def begun(series: Series, day: date) -> list[str]:
    """Return the keys of the periods that have started on a day."""
    return [key for key in series.calendar.keys if key <= day.isoformat()]


def at(day: date, minute: int = 1) -> datetime:
    """Return a minute of a day, by default the one after midnight."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)


@pytest.mark.parametrize("cadence", CADENCES)
def test_a_partition_appears_with_the_first_day_of_its_period(cadence: str) -> None:
    """Not a minute before midnight, but one after it; finally all exist."""
    series = calendar_series(*CADENCES[cadence])
    firsts = [period.start for period in series.calendar.periods]
    for first in firsts:
        for now in (at(first, -1), at(first, 1), at(first, 3000)):
            with freeze_time(now):
                definition = partitions_of(series)
            expected = begun(series, now.date())
            assert list(definition.get_partition_keys(current_time=now)) == expected
    with freeze_time(at(firsts[-1] + timedelta(days=900))):
        assert list(partitions_of(series).get_partition_keys()) == list(series.calendar.keys)


@pytest.mark.parametrize("cadence", CADENCES)
def test_partitions_appear_while_the_definitions_stay_loaded(cadence: str) -> None:
    """Definitions loaded earlier need not be reloaded."""
    series = calendar_series(*CADENCES[cadence])
    with freeze_time(at(series.calendar.start, -1440)):
        definition = partitions_of(series)
        assert definition.get_partition_keys() == []
        assert definition.get_last_partition_key() is None
    for period in series.calendar.periods:
        with freeze_time(at(period.start)):
            assert definition.get_last_partition_key() == period.key
            assert definition.has_partition_key(period.key)


@settings(deadline=None, max_examples=40)
@given(
    start=st.dates(date(2000, 1, 1), date(2045, 12, 31)),
    unit=st.sampled_from(list(UNITS)),
    length=st.integers(1, 6),
    count=st.integers(1, 6),
    days=st.integers(-40, 400),
)
def test_any_series_has_the_partitions_that_have_begun(
    start: date, unit: str, length: int, count: int, days: int
) -> None:
    """For any unit, length, start and number, on any day."""
    series = calendar_series(unit, length, start.isoformat(), count)
    day = start + timedelta(days=days)
    with freeze_time(at(day, 600)):
        assert list(partitions_of(series).get_partition_keys()) == begun(series, day)


@pytest.mark.parametrize("cadence", ["monthly", "two-weekly", "every 45 days"])
def test_a_released_partition_depends_on_the_one_before(cadence: str) -> None:
    """The first on none."""
    series = calendar_series(*CADENCES[cadence])
    first, second, third, *_ = series.calendar.keys
    with freeze_time(at(date.fromisoformat(third))):
        definition = partitions_of(series)
        for key, previous in ((first, []), (second, [first]), (third, [second])):
            found = PREVIOUS.get_upstream_mapped_partitions_result_for_partitions(
                definition.empty_subset().with_partition_keys([key]), definition, definition
            )
            assert list(found.partitions_subset.get_partition_keys()) == previous


def test_windows_are_whole_periods_where_dagster_can_say_so() -> None:
    """So that a schedule may have an hour, and ``partition_time_window`` the right dates."""
    with freeze_time(at(date(2026, 1, 20))):
        definition = partitions_of(calendar_series(*CADENCES["monthly"]))
    window = definition.time_window_for_partition_key("2025-12-01")
    assert (window.start.date(), window.end.date()) == (date(2025, 12, 1), date(2026, 1, 1))
    assert definition.get_cron_schedule(hour_of_day=6) == "0 6 1 * *"
    assert definition.exclusions is None


def test_immediate_is_the_default_and_has_all_partitions() -> None:
    """For a series without the key, and for a calendar without a release."""
    future = a_series(user_input=a_user_input(start_date="2040-01-01"))
    assert future.user_input.release == "immediate"
    assert list(partitions_of(future).get_partition_keys()) == list(future.calendar.keys)
    assert partitions_of(future) == partitions_of(future.calendar)


def test_assets_and_checks_of_a_calendar_series_have_its_partitions() -> None:
    """They all have the same, so one run can contain them; the report still has none."""
    series = calendar_series(*CADENCES["two-weekly"])
    with freeze_time(at(date(2026, 1, 20))):
        graph = build_definitions([series]).resolve_asset_graph()
        definition = partitions_of(series)
    assert {graph.get(key).partitions_def for key in keys_of("demo")} == {definition}
    checks = {graph.get(key).partitions_def for key in graph.asset_check_keys}
    assert checks == {definition}
    assert graph.get(dg.AssetKey(["demo", "report"])).partitions_def is None

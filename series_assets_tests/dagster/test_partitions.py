"""A series' periods as Dagster partitions: exactly those, for any unit, length and start."""

from dataclasses import replace
from datetime import date

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from series_assets.core.plan.calendar import Calendar
from series_assets.core.spec.period_units import UNITS
from series_assets.dagster.partitions import PREVIOUS, partitions_of

STARTS = [
    "1995-06-15",
    "2024-01-29",
    "2024-01-30",
    "2024-01-31",
    "2024-02-29",
    "2024-08-14",
    "2027-03-31",
    "2035-12-30",
]
LENGTHS = [1, 2, 3, 5, 7, 45]


def _previous_of(calendar: Calendar, key: str) -> list[str]:
    definition = partitions_of(calendar)
    found = PREVIOUS.get_upstream_mapped_partitions_result_for_partitions(
        downstream_partitions_subset=definition.empty_subset().with_partition_keys([key]),
        downstream_partitions_def=definition,
        upstream_partitions_def=definition,
    )
    return list(found.partitions_subset.get_partition_keys())


@pytest.mark.each_value
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("start", STARTS)
def test_partitions_are_the_periods(unit: str, start: str) -> None:
    """Every period is a partition and no other day is, for any length."""
    for length in LENGTHS:
        for count in (1, 2, 13 if length < 45 else 4):
            calendar = Calendar(date.fromisoformat(start), unit, length, count)
            assert partitions_of(calendar).get_partition_keys() == list(calendar.keys)


_QUARTERS = {
    ("2024-01-01", 1): ["2024-01-01", "2024-04-01", "2024-07-01", "2024-10-01"],
    ("2024-02-15", 1): ["2024-02-15", "2024-05-15", "2024-08-15", "2024-11-15"],
    ("2023-11-29", 1): ["2023-11-29", "2024-02-29", "2024-05-29", "2024-08-29"],
    ("2023-11-30", 1): ["2023-11-30", "2024-02-29", "2024-05-30", "2024-08-30"],
    ("2024-01-31", 1): ["2024-01-31", "2024-04-30", "2024-07-31", "2024-10-31"],
    ("2024-02-29", 1): ["2024-02-29", "2024-05-29", "2024-08-29", "2024-11-29"],
    ("2024-01-31", 2): ["2024-01-31", "2024-07-31", "2025-01-31", "2025-07-31"],
    ("2023-08-29", 2): ["2023-08-29", "2024-02-29", "2024-08-29", "2025-02-28"],
    ("2024-01-30", 3): ["2024-01-30", "2024-10-30", "2025-07-30", "2026-04-30"],
    ("2024-05-31", 3): ["2024-05-31", "2025-02-28", "2025-11-30", "2026-08-31"],
    ("2024-02-29", 4): ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28"],
    ("2024-12-31", 5): ["2024-12-31", "2026-03-31", "2027-06-30", "2028-09-30"],
    ("1996-02-29", 1): ["1996-02-29", "1996-05-29", "1996-08-29", "1996-11-29"],
    ("1931-08-31", 2): ["1931-08-31", "1932-02-29", "1932-08-31", "1933-02-28"],
    ("2095-11-30", 1): ["2095-11-30", "2096-02-29", "2096-05-30", "2096-08-30"],
    ("2095-05-31", 3): ["2095-05-31", "2096-02-29", "2096-11-30", "2097-08-31"],
}


@pytest.mark.parametrize(("start", "length"), _QUARTERS)
def test_quarters_are_partitions(start: str, length: int) -> None:
    """From any day of the month, in the past and in the future."""
    calendar = Calendar(date.fromisoformat(start), "quarters", length, 4)
    definition = partitions_of(calendar)
    assert definition.get_partition_keys() == _QUARTERS[start, length]
    assert definition == partitions_of(Calendar(calendar.start, "months", 3 * length, 4))


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_of_any_length_would_have_partitions(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new unit in the table needs nothing else: two and three of each are tested."""
    unit = UNITS[name]
    for times in (2, 3):
        longer = replace(unit, days=times * unit.days, months=times * unit.months)
        monkeypatch.setitem(UNITS, "longer", longer)  # type: ignore[arg-type]
        for length in (1, 2, 3):
            calendar = Calendar(date(2024, 1, 30), "longer", length, 5)
            same = Calendar(date(2024, 1, 30), name, times * length, 5)
            assert partitions_of(calendar).get_partition_keys() == list(same.keys)


@settings(deadline=None, max_examples=500 if settings.get_current_profile_name() == "long" else 20)
@given(
    start=st.dates(date(1990, 1, 1), date(2045, 12, 31)),
    unit=st.sampled_from(list(UNITS)),
    length=st.integers(1, 20),
    count=st.integers(1, 20),
)
def test_any_calendar_has_its_partitions(start: date, unit: str, length: int, count: int) -> None:
    """For any unit, length, start and number there are exactly the partitions of the periods."""
    calendar = Calendar(start, unit, length, count)
    definition = partitions_of(calendar)
    assert definition.get_partition_keys() == list(calendar.keys)
    assert definition.get_first_partition_key() == calendar.keys[0]
    assert definition.get_last_partition_key() == calendar.keys[-1]


@pytest.mark.parametrize(
    ("unit", "length", "start"),
    [
        ("days", 1, "2024-02-27"),
        ("days", 10, "2035-01-01"),
        ("weeks", 2, "2024-01-08"),
        ("months", 1, "2024-01-31"),
        ("months", 1, "2023-12-29"),
        ("months", 3, "2024-01-30"),
        ("months", 5, "1995-06-15"),
        ("months", 12, "2024-02-29"),
        ("quarters", 1, "2024-01-31"),
        ("quarters", 3, "2024-01-30"),
    ],
)
def test_a_partition_depends_on_the_one_before(unit: str, length: int, start: str) -> None:
    """Each partition depends on the period before it and on no other; the first on none."""
    calendar = Calendar(date.fromisoformat(start), unit, length, 4)
    assert _previous_of(calendar, calendar.keys[0]) == []
    for before, key in zip(calendar.keys, calendar.keys[1:], strict=False):
        assert _previous_of(calendar, key) == [before]


def test_raising_the_number_of_datasets_keeps_the_partitions() -> None:
    """New periods are added at the end; earlier ones keep their keys."""
    few = partitions_of(Calendar(date(2024, 1, 31), "months", 2, 5)).get_partition_keys()
    more = partitions_of(Calendar(date(2024, 1, 31), "months", 2, 50)).get_partition_keys()
    assert more[:5] == few
    assert len(more) == 50


def test_partitions_are_the_same_at_every_load() -> None:
    """Dagster considers definitions from equal calendars as equal, and others as different."""
    calendar = Calendar(date(2024, 1, 30), "months", 5, 7)
    assert partitions_of(calendar) == partitions_of(calendar)
    assert partitions_of(calendar) != partitions_of(Calendar(date(2024, 1, 30), "months", 5, 8))


@pytest.mark.each_value
@pytest.mark.parametrize("length", [1, 5, 12])
@pytest.mark.parametrize("start", ["2024-02-29", "2024-01-30", "2024-01-31"])
def test_no_window_needs_a_search_of_its_own(start: str, length: int) -> None:
    """Surplus ticks of the cron schedule are listed as exclusions, no further than needed.

    Dagster would evaluate a cron string for exclusions again for every window.
    """
    definition = partitions_of(Calendar(date.fromisoformat(start), "months", length, 24))
    assert not any(isinstance(excluded, str) for excluded in definition.exclusions or ())
    years = 2 * length + 2
    assert definition.end_offset <= 2 * 12 * (years + 1)


def test_a_day_within_a_period_is_no_partition() -> None:
    """Neither days between nor the ends of skipped windows can be requested."""
    definition = partitions_of(Calendar(date(2024, 1, 1), "weeks", 2, 4))
    assert definition.has_partition_key("2024-01-15")
    assert not definition.has_partition_key("2024-01-08")
    assert not definition.has_partition_key("2024-02-26")


def test_assets_may_use_them() -> None:
    """The partitions are time windows, so that date ranges can be backfilled."""
    definition = partitions_of(Calendar(date(2024, 1, 31), "months", 1, 4))
    assert isinstance(definition, dg.TimeWindowPartitionsDefinition)
    keys = definition.get_partition_keys_in_range(dg.PartitionKeyRange("2024-02-29", "2024-04-30"))
    assert list(keys) == ["2024-02-29", "2024-03-31", "2024-04-30"]

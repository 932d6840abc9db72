"""A series' periods as Dagster time partitions, for any unit, length and start (section 3).

Only the keys are exact: where windows are excluded, Dagster's own idea of a partition's time
window is that of the base cadence. The true window of a period comes from the series.
"""

from datetime import date, datetime, timedelta

import dagster as dg

from series_assets.core.periods import Calendar

PREVIOUS = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
"""A partition depends on the one before it; the first on none."""

_LONG_AGO = date(2025, 1, 1)
"""Any day before every run: Dagster counts ``end_offset`` from now, so counting from here
covers a series that starts in the future, and gives the same definition at every reload."""


def partitions_of(calendar: Calendar) -> dg.TimeWindowPartitionsDefinition:
    """Return exactly the partitions of the calendar, all there at once, whatever day it is."""
    end = calendar.start_of(calendar.count)
    cron, exclusions = _schedule(calendar)
    windows = _windows_between(min(_LONG_AGO, calendar.start), end, calendar.unit)
    return dg.TimeWindowPartitionsDefinition(
        start=_at(calendar.start),
        end=_at(end),
        fmt="%Y-%m-%d",
        cron_schedule=cron,
        end_offset=windows + 1,
        exclusions=exclusions or None,
    )


def _schedule(calendar: Calendar) -> tuple[str, list[str | datetime]]:
    start, length = calendar.start, calendar.length
    if calendar.unit == "days":
        return "0 0 * * *", _skipped(calendar)
    if calendar.unit == "weeks":
        return f"0 0 * * {start.isoweekday() % 7}", _skipped(calendar)
    day, exclusions = _day_of_month(start.day)
    if 12 % length == 0:
        months = sorted({(start.month - 1 + step) % 12 + 1 for step in range(0, 12, length)})
        which = "*" if length == 1 else ",".join(map(str, months))
        return f"0 0 {day} {which} *", exclusions
    return f"0 0 {day} * *", [*exclusions, *_skipped(calendar)]


def _day_of_month(day: int) -> tuple[str, list[str | datetime]]:
    """Return the cron field for a day that short months lack, and what it lets in too much.

    ``L`` is the last day of any month; in months that have the wanted day and later ones, those
    are excluded.
    """
    if day <= 28:
        return str(day), []
    if day == 31:
        return "L", []
    too_late = ",".join(str(later) for later in range(day + 1, 32))
    return f"{day},L", [f"0 0 {too_late} * *"]


def _skipped(calendar: Calendar) -> list[str | datetime]:
    """Return the windows of the base cadence between the periods' starts."""
    if calendar.length == 1:
        return []
    single = Calendar(calendar.start, calendar.unit, 1, calendar.count * calendar.length)
    return [_at(single.start_of(step)) for step in range(single.count) if step % calendar.length]


def _windows_between(first: date, end: date, unit: str) -> int:
    """Return an upper bound of the base windows from ``first`` to ``end``."""
    days = (end - first) // timedelta(days=1)
    return days // {"days": 1, "weeks": 7, "months": 28}[unit] + 1


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)

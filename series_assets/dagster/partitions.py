"""A series' periods as Dagster time partitions, for any unit, length and start (section 3).

Only the keys are exact: where windows are excluded, Dagster's own idea of a partition's time
window is that of the base cadence. The true window of a period comes from the series.
"""

from calendar import monthrange
from datetime import date, datetime

import dagster as dg

from series_assets.core.plan.calendar import Calendar
from series_assets.core.spec.period_units import UNITS

PREVIOUS = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
"""A partition depends on the one before it; the first on none."""

_LONG_AGO = date(2025, 1, 1)
"""Any day before every run: Dagster counts ``end_offset`` from now, so counting from here
covers a series that starts in the future, and gives the same definition at every reload."""


def partitions_of(calendar: Calendar) -> dg.TimeWindowPartitionsDefinition:
    """Return exactly the partitions of the calendar, all there at once, whatever day it is."""
    end = calendar.start_of(calendar.count)
    cron, exclusions = _schedule(calendar)
    windows = _windows_between(min(_LONG_AGO, calendar.start), end, calendar)
    return dg.TimeWindowPartitionsDefinition(
        start=_at(calendar.start),
        end=_at(end),
        fmt="%Y-%m-%d",
        cron_schedule=cron,
        end_offset=windows + 1,
        exclusions=exclusions or None,
    )


def _schedule(calendar: Calendar) -> tuple[str, list[str | datetime]]:
    """Return the cron schedule of a calendar, and those of its windows that begin no period."""
    start = calendar.start
    if calendar.days:
        weekday = start.isoweekday() % 7 if _base(calendar).unit == "weeks" else "*"
        return f"0 0 * * {weekday}", _skipped(calendar)
    day, step = _day_of_month(start.day), calendar.months
    if 12 % step == 0:
        months = sorted({(start.month - 1 + after) % 12 + 1 for after in range(0, 12, step)})
        which = "*" if step == 1 else ",".join(map(str, months))
        return f"0 0 {day} {which} *", _too_late(calendar)
    return f"0 0 {day} * *", [*_too_late(_base(calendar)), *_skipped(calendar)]


def _base(calendar: Calendar) -> Calendar:
    """Return the windows of days, weeks or months, whatever the unit, that fill the calendar."""
    if calendar.months:
        return Calendar(calendar.start, "months", 1, calendar.count * calendar.months)
    unit = "weeks" if UNITS[calendar.unit].days % UNITS["weeks"].days == 0 else "days"
    windows = calendar.days // UNITS[unit].days
    return Calendar(calendar.start, unit, 1, calendar.count * windows)


def _day_of_month(day: int) -> str:
    """Return the cron field for a day that short months lack; ``L`` is the last one of any."""
    if day <= 28:
        return str(day)
    return "L" if day == 31 else f"{day},L"


def _too_late(calendar: Calendar) -> list[str | datetime]:
    """Return the last days of those months that have the wanted day and later ones.

    They are named one by one: a cron string would be gone through for every window, from the
    first one on, and took Dagster half a second at a time.
    """
    if calendar.start.day not in (29, 30):
        return []
    starts = map(calendar.start_of, range(calendar.count))
    last = {day: day.replace(day=monthrange(day.year, day.month)[1]) for day in starts}
    return [_at(end) for day, end in last.items() if day.day == calendar.start.day < end.day]


def _skipped(calendar: Calendar) -> list[str | datetime]:
    """Return the windows of the base cadence between the periods' starts."""
    base = _base(calendar)
    each = base.count // calendar.count
    return [_at(base.start_of(step)) for step in range(base.count) if step % each]


def _windows_between(first: date, end: date, calendar: Calendar) -> int:
    """Return an upper bound of the base windows from ``first`` to ``end``.

    Dagster goes through all of them, so it should not be far too high.
    """
    if calendar.days:
        return (end - first).days // _base(calendar).days + 1
    in_a_year = 12 // calendar.months if 12 % calendar.months == 0 else 12
    starts = 2 if calendar.start.day in (29, 30) else 1  # the day, and the last one of a month
    return (end.year - first.year + 1) * in_a_year * starts + 1


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)

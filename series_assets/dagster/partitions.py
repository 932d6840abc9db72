"""A series' periods as Dagster time partitions, for any unit, length and start (section 3).

Only the keys are exact: where windows are excluded, Dagster's own idea of a partition's time
window is that of the base cadence, or its first minute. The true window of a period comes from
the series. Days begin at midnight UTC, as Dagster's time partitions do by default.
"""

from calendar import monthrange
from datetime import date, datetime, timedelta

import dagster as dg

from series_assets.core.plan.calendar import Calendar
from series_assets.core.plan.series import Series
from series_assets.core.spec.period_units import UNITS

PREVIOUS = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
"""A partition depends on the one before it; the first on none."""

_LONG_AGO = date(2025, 1, 1)
"""Any day before every run: Dagster counts ``end_offset`` from now, so counting from here
covers a series that starts in the future, and gives the same definition at every reload."""
_MINUTE = timedelta(minutes=1)


def partitions_of(series: Series | Calendar) -> dg.TimeWindowPartitionsDefinition:
    """Return the partitions of a series: one for each period that its ``release`` lets exist.

    With ``immediate`` all exist at once, whatever day it is. With ``calendar`` one exists once its
    first day has come. A calendar has no release: all its partitions exist.
    """
    if isinstance(series, Calendar):
        return _all_at_once(series)
    if series.user_input.release == "immediate":
        return _all_at_once(series.calendar)
    return _when_they_begin(series.calendar)


def _all_at_once(calendar: Calendar) -> dg.TimeWindowPartitionsDefinition:
    cron, exclusions = _schedule(calendar)
    end = calendar.start_of(calendar.count)
    windows = _windows_between(min(_LONG_AGO, calendar.start), end, calendar)
    return _partitions(calendar, cron, exclusions, windows + 1)


def _when_they_begin(calendar: Calendar) -> dg.TimeWindowPartitionsDefinition:
    """Return partitions that appear as their periods begin.

    ``end_offset=1`` does that where cron alone can say the cadence: the windows are whole periods,
    and a schedule may have an hour of its own. It counts windows that are not excluded, so with
    exclusions it shows a period as soon as the base window of the one before has ended; and it
    shows the first one while the window before it lasts. There, windows are the first minutes of
    the periods, and a partition exists once that minute is over.
    """
    cron, exclusions = _schedule(calendar)
    first_minutes = _first_minutes(calendar, cron, exclusions)
    has_begun = first_minutes.get_first_partition_key() is not None
    if exclusions or not has_begun:
        return first_minutes
    return _partitions(calendar, cron, [], end_offset=1)


def _first_minutes(
    calendar: Calendar, cron: str, exclusions: list[datetime]
) -> dg.TimeWindowPartitionsDefinition:
    """Return partitions whose windows are the first minutes of the periods."""
    starts = [_at(period.start) for period in calendar.periods]
    rest = [day + _MINUTE for day in [*starts, *exclusions]]
    # The cron schedules begin with the minute 0.
    return _partitions(calendar, f"0,1{cron[1:]}", [*exclusions, *rest], end_offset=0)


def _partitions(
    calendar: Calendar, cron: str, exclusions: list[datetime], end_offset: int
) -> dg.TimeWindowPartitionsDefinition:
    return dg.TimeWindowPartitionsDefinition(
        start=_at(calendar.start),
        end=_at(calendar.start_of(calendar.count)),
        fmt="%Y-%m-%d",
        cron_schedule=cron,
        end_offset=end_offset,
        exclusions=exclusions or None,
    )


def _schedule(calendar: Calendar) -> tuple[str, list[datetime]]:
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


def _too_late(calendar: Calendar) -> list[datetime]:
    """Return the last days of those months that have the wanted day and later ones.

    They are named one by one: a cron string would be gone through for every window, from the
    first one on, and took Dagster half a second at a time.
    """
    if calendar.start.day not in (29, 30):
        return []
    starts = map(calendar.start_of, range(calendar.count))
    last = {day: day.replace(day=monthrange(day.year, day.month)[1]) for day in starts}
    return [_at(end) for day, end in last.items() if day.day == calendar.start.day < end.day]


def _skipped(calendar: Calendar) -> list[datetime]:
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

"""Infers the length of a period, and which dates move with it, from the dates of a table.

The collection window is the shortest range of a date column that most rows have: orders of a month
have a month of order dates, but decades of birth dates. A date moves if its range has a similar
length and is close by; other dates belong to the entity.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from dateutil.relativedelta import relativedelta

from series_assets.core.errors import join_words
from series_assets.core.spec.period_units import UNITS, Unit

_NEAR = timedelta(days=62)
_LONG = timedelta(days=400)
_AT_ENDS = 3
"""Days that sparse data may lack at each end of a month."""
_MOST_WEEKS = 12
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True)
class InferredPeriods:
    """The periods of a series, inferred from the dates of a table."""

    moved: tuple[str, ...]
    unit: str
    length: int
    start: date
    windows: Mapping[str, tuple[date, date]]
    """The first and the last day of each column that has days."""
    frequencies: Mapping[str, str]
    notes: tuple[str, ...]


def infer_periods(columns: Mapping[str, "pd.Series[Any]"], fallback: date) -> InferredPeriods:
    """Return the periods for columns of days; ``fallback`` is the start if there are none."""
    windows = {name: (_day(column.min()), _day(column.max())) for name, column in columns.items()}
    frequencies = {name: _frequency(column) for name, column in columns.items()}
    if not columns:
        return InferredPeriods((), "months", 1, fallback, {}, {}, ())
    main = _main(columns, windows)
    first, last = windows[main]
    moved = tuple(name for name in columns if _moves(windows[name], windows[main]))
    start, end = _whole_steps(first, last, frequencies[main])
    unit, length, begin, stop = _period(start, end)
    fitting = _fitting(UNITS[unit])
    for name, frequency in frequencies.items():
        if name in moved and frequency[0] not in fitting:
            frequencies[name] = "D"  # a later window might hold none of its days
    if frequencies[main] in ("D", "B"):
        windows[main] = (min(first, begin), max(last, stop))
    notes = tuple(_notes(main, moved, unit, length, begin, windows))
    return InferredPeriods(moved, unit, length, begin, windows, frequencies, notes)


def _fitting(unit: Unit) -> str:
    """Return the first letters of frequencies that have a date in every period."""
    if unit.months:
        return "MQYWB"
    return "WB" if unit.days % 7 == 0 else "B"


def _day(moment: pd.Timestamp) -> date:
    return moment.date()


def _main(columns: Mapping[str, "pd.Series[Any]"], windows: Mapping[str, tuple[date, date]]) -> str:
    """Return the column whose range is the collection window."""
    common = [name for name in columns if columns[name].notna().mean() > 0.5] or list(columns)
    varied = [name for name in common if windows[name][0] != windows[name][1]]
    if varied:
        main = min(varied, key=lambda name: windows[name][1] - windows[name][0])
        if windows[main][1] - windows[main][0] <= _LONG or len(varied) == len(common):
            return main
    # A single day is the date of a snapshot if all other ranges are years long.
    return next(name for name in common if name not in varied)


def _moves(window: tuple[date, date], main: tuple[date, date]) -> bool:
    reach, reach_of_main = window[1] - window[0], main[1] - main[0]
    gap = max(window[0] - main[1], main[0] - window[1])
    return reach <= 2 * reach_of_main + _NEAR and gap <= reach_of_main + _NEAR


def _whole_steps(first: date, last: date, frequency: str) -> tuple[date, date]:
    """Return the first and last day of the intervals that the dates of a frequency represent."""
    months = {"M": 1, "Q": 3, "Y": 12}.get(frequency[0])
    if frequency in ("MS", "QS", "YS") and months:
        return first, last + relativedelta(months=months) - timedelta(days=1)
    if frequency in ("ME", "QE", "YE") and months:
        return last_of_month_before(first, months) + timedelta(days=1), last
    if frequency.startswith("W"):
        return first, last + timedelta(days=6)
    if frequency == "B" and last.weekday() == 4:
        return first, last + timedelta(days=2)
    return first, last


def last_of_month_before(day: date, months: int) -> date:
    """Return the last day of the month ``months`` before that of ``day``, itself a last day."""
    before = day + relativedelta(months=-months)
    return before.replace(day=monthrange(before.year, before.month)[1])


def _period(first: date, last: date) -> tuple[str, int, date, date]:
    """Return unit, length, first and last day of the shortest period that contains the days."""
    days = (last - first).days + 1
    months = _months(first, last)
    if months and first + relativedelta(months=months) - timedelta(days=1) == last:
        return "months", months, first, last
    if days % 7 == 0 and days // 7 <= _MOST_WEEKS:
        return "weeks", days // 7, first, last
    begin = first.replace(day=1)
    stop = last.replace(day=monthrange(last.year, last.month)[1])
    near = (first - begin).days <= _AT_ENDS and (stop - last).days <= _AT_ENDS
    if near and days >= 25:
        return "months", _months(begin, stop), begin, stop
    return "days", days, first, last


def _months(first: date, last: date) -> int:
    after = last + timedelta(days=1)
    return (after.year - first.year) * 12 + after.month - first.month


def _frequency(column: "pd.Series[Any]") -> str:
    """Return the frequency of the days; ``D`` if no longer one fits."""
    days = pd.DatetimeIndex(np.sort(column.dropna().unique()))
    if len(days) < 3:
        return "D"
    index = days.year * 12 + days.month
    steps = np.diff(index)
    for kind, fits in (
        ("S", bool((days.day == 1).all())),
        ("E", bool((days.day == days.days_in_month).all())),
    ):
        if fits and (steps > 0).all():
            step = int(np.gcd.reduce(steps))
            year_fits = (days.month == (1 if kind == "S" else 12)).all()
            quarter_fits = (days.month % 3 == (1 if kind == "S" else 0)).all()
            if step % 12 == 0 and year_fits:
                return f"Y{kind}"
            return f"Q{kind}" if step % 3 == 0 and quarter_fits else f"M{kind}"
    gaps = np.diff(days.to_numpy()).astype("timedelta64[D]").astype(int)
    if (gaps % 7 == 0).all():
        return f"W-{_WEEKDAYS[days[0].dayofweek]}"
    if len(days) >= 10 and (days.dayofweek < 5).all():
        return "B"
    return "D"


def _notes(
    main: str,
    moved: Sequence[str],
    unit: str,
    length: int,
    begin: date,
    windows: Mapping[str, tuple[date, date]],
) -> Iterator[str]:
    one = UNITS[unit].singular if length == 1 else unit
    yield (
        f"a period is {length} {one} long and the first begins on {begin}, as the days of {main} "
        f"suggest; {join_words(moved, 'and')} {'moves' if len(moved) == 1 else 'move'} with the "
        "period; see length_of_period and date_columns in user_input.yml"
    )
    still = [name for name in windows if name not in moved]
    if still:
        yield (
            f"{join_words(still, 'and')} {'does' if len(still) == 1 else 'do'} not move: the days "
            f"lie in a different time from those of {main}, or span a much longer one"
        )

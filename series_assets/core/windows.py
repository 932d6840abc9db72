"""Between which days the values of a date column lie in a period, as a consumer can expect.

A window is that of the specification, moved with the period. Where one end is open, Exhibit's
own end is computed; a constraint on the column leads to a day of another column, or one step of
the column's frequency away from it, and widens the window so far.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from series_assets.core import mentions
from series_assets.core.changes import for_period
from series_assets.core.rules import dated
from series_assets.core.series import Series

Window = tuple[date, date]


def windows(series: Series, k: int) -> dict[str, Window | None]:
    """Return the first and the last day of each date column in period ``k``.

    None where that cannot be known: the days come from a table, both ends are open, or a
    constraint computes with dates.
    """
    period = for_period(series.specification, series.calendar, series.roles, k)
    columns = period["columns"]
    found = {name: _window(columns[name]) for name in dated(series)}
    for text in period["constraints"]["basic_constraints"] or []:
        parts = mentions.split_constraint(text)
        if parts is not None and parts[0] in found:
            name, _, right = parts
            found[name] = _widened(
                found[name], _reached(found, right), columns[name].get("frequency")
            )
    return found


def _window(column: Mapping[str, Any]) -> Window | None:
    first, last = column.get("from"), column.get("to")
    if column.get("anonymising_set") or (first is None and last is None):
        return None
    if first is not None and last is not None:
        return date.fromisoformat(first), date.fromisoformat(last)
    import pandas as pd

    frequency = column["frequency"] or "D"
    days = pd.date_range(start=first, end=last, periods=column["uniques"], freq=frequency)
    return days.min().date(), days.max().date()


def _reached(found: Mapping[str, Window | None], right: str) -> Window | None:
    """Return between which days the right side of a constraint lies; None if it cannot be told."""
    name = right.strip("~")
    if name in found:
        return found[name]
    try:
        day = date.fromisoformat(right.strip("'\""))
    except ValueError:
        return None
    return day, day


def _widened(window: Window | None, reached: Window | None, frequency: str | None) -> Window | None:
    if window is None or reached is None:
        return None
    first, last = reached
    return min(window[0], _stepped(first, frequency, -1)), max(
        window[1], _stepped(last, frequency, 1)
    )


def _stepped(day: date, frequency: str | None, steps: int) -> date:
    if frequency in (None, "D"):
        return day + timedelta(days=steps)
    import pandas as pd

    step = pd.tseries.frequencies.to_offset(frequency)
    moved = pd.Timestamp(day) + steps * step
    return date(moved.year, moved.month, moved.day)

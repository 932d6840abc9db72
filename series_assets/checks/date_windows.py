"""The windows in which the dates of a column lie in a period, as a consumer can expect them.

A window is that of the specification, moved with the period. If one end is open, Exhibit's own
end is computed. A constraint may set a date to that of another column, or one step of the column's
frequency away from it, and widens the window accordingly.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from series_assets.checks.rules import assigned_values, checked_date_columns
from series_assets.core.plan.constraints import constrained_columns
from series_assets.core.plan.series import Series
from series_assets.core.spec import mentions
from series_assets.core.spec.literals import parse_day
from series_assets.core.spec.specification import Specification, window_size

Window = tuple[date, date]


def windows(series: Series, k: int) -> dict[str, Window | None]:
    """Return the first and the last day of each date column in period ``k``.

    None if that cannot be known: the days come from a table, both ends are open, or a constraint
    computes with dates. For static columns, the window is that of new records.
    """
    period = series.specification_of(k)
    found = {name: _window(period["columns"][name]) for name in checked_date_columns(series)}
    for text in period["constraints"]["basic_constraints"] or []:
        _widen(found, text, series)
    for name, value in assigned_values(period):
        day = parse_day(value)
        if name in found and day is not None:
            found[name] = _spanning(found[name], (day.day, day.day))
    return found


def _widen(found: dict[str, Window | None], text: str, series: Series) -> None:
    """Widen windows by the days to which a constraint may set a column.

    A column that does not move may be adjusted on either side of the constraint, also to the days
    that an entity has kept since the first period. A column that moves leaves its window only on
    the left side, and only as far as in new records: in existing records it is adjusted only if it
    stays inside.
    """
    parts = mentions.split_constraint(text)
    if parts is None:
        return
    left, _, right = parts
    moved, static = set(series.roles.moved), set(series.roles.static)
    frequencies = {name: series.specification["columns"][name].get("frequency") for name in found}
    recorded = _recorded(series, found)
    other = right.strip("~")
    if left in found:
        reached = _window_of_side(found if left in moved else recorded, right)
        found[left] = _widened(found[left], reached, frequencies[left])
    if other in found and other not in moved:
        reached = _window_of_side(recorded, left)
        found[other] = _widened(found[other], reached, frequencies[other])
    mentioned = mentions.in_constraint(text, {*found, *static})
    if other not in found and mentioned & static:  # solved for a column that is not static
        found.update(dict.fromkeys((mentioned & set(found)) - moved - static - {left}))


def full_windows(series: Series, period: Specification) -> dict[str, set[str]]:
    """Return the days, as text, of date columns that contain every day of their window.

    Columns that a constraint mentions are left out.
    """
    columns, constrained = period["columns"], constrained_columns(period)
    found = {}
    for name in checked_date_columns(series):
        column = columns[name]
        size = None if column.get("anonymising_set") else window_size(column)
        if name not in constrained and size and column["uniques"] >= size:
            found[name] = _days(column)
    return found


def _days(column: Mapping[str, Any]) -> set[str]:
    first, last = column["from"], column["to"]
    if column["frequency"] == "D":
        start = date.fromisoformat(first)
        days = (date.fromisoformat(last) - start).days
        return {(start + timedelta(days=n)).isoformat() for n in range(days + 1)}
    import pandas as pd

    return set(pd.date_range(first, last, freq=column["frequency"]).strftime("%Y-%m-%d"))


def _recorded(series: Series, found: Mapping[str, Window | None]) -> dict[str, Window | None]:
    """Return the windows, for columns both static and moved from the first period's on."""
    kept = set(series.roles.static) & set(series.roles.moved)
    columns = series.specification["columns"]
    return {
        name: _spanning(window, _window(columns[name])) if name in kept else window
        for name, window in found.items()
    }


def _spanning(one: Window | None, other: Window | None) -> Window | None:
    if one is None or other is None:
        return None
    return min(one[0], other[0]), max(one[1], other[1])


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


def _window_of_side(found: Mapping[str, Window | None], side: str) -> Window | None:
    """Return the window of one side of a constraint; None if it is not known."""
    name = side.strip("~")
    if name in found:
        return found[name]
    day = parse_day(side.strip("'\""))
    return None if day is None else (day.day, day.day)


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

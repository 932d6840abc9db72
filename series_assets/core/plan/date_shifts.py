"""Moves the dates of a specification to a period: windows, and date literals in expressions.

Everything is derived from the original specification and ``k`` (contract, sections 3 and 4.2).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from series_assets.core.plan.calendar import Calendar
from series_assets.core.spec import literals, mentions
from series_assets.core.spec.literals import Compared, Day, parse_day
from series_assets.core.spec.specification import (
    Specification,
    all_outputs,
    calculations_of,
    columns_of_type,
    window_size,
)

_ASSIGNED = re.compile(r"(assign_value\$)([^,$]+)")


def move_dates(changed: Specification, moved: Iterable[str], calendar: Calendar, k: int) -> None:
    """Move all dates of ``changed`` from period 0 to period ``k``, in place.

    ``uniques`` of every date column is capped to the dates in its window, as Exhibit would
    otherwise ignore ``to``; a column with all dates of its first window has all dates of later
    ones. A date literal moves with the column that it is compared with or assigned to.
    """
    columns = changed["columns"]
    mover = _DateMover(columns, tuple(moved), calendar, k)
    _move_literals(changed, mover)
    for name in columns_of_type(changed, "date"):
        columns[name] |= mover.window(name)


def _move_literals(changed: Specification, mover: "_DateMover") -> None:
    dates = {name: (name,) for name in columns_of_type(changed, "date")}
    names = set(all_outputs(changed, changed["columns"]))
    constraints = changed["constraints"]
    beside = mover.beside(dates)
    if constraints["basic_constraints"]:
        constraints["basic_constraints"] = [
            literals.in_constraint(text, names, beside) for text in constraints["basic_constraints"]
        ]
    for custom in (constraints["custom_constraints"] or {}).values():
        if custom.get("filter"):
            custom["filter"] = literals.in_constraint(custom["filter"], names, beside)
        custom["targets"] = {
            target: mover.assigned(action, sorted(mentions.in_list(target, dates)))
            for target, action in custom["targets"].items()
        }
    calculations = calculations_of(changed)
    beside = mover.beside(dates | _made_from(calculations, dates))
    changed["derived_columns"] |= {
        name: literals.in_derivation(text, {*names, *calculations}, beside)
        for name, text in calculations.items()
    }


def _made_from(calculations: Mapping[str, str], dates: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the date columns that each derived column depends on, directly or not."""
    names = {*calculations, *dates}
    reached = {
        name: mentions.in_derivation(text, names) - {name} for name, text in calculations.items()
    }
    while True:
        further = {
            name: found.union(*(reached.get(other, set()) for other in found))
            for name, found in reached.items()
        }
        if further == reached:
            return {n: tuple(d for d in dates if d in found) for n, found in reached.items()}
        reached = further


@dataclass(frozen=True)
class _DateMover:
    """Moves the dates of one period."""

    columns: Mapping[str, Mapping[str, Any]]
    moved: tuple[str, ...]
    calendar: Calendar
    k: int

    @cached_property
    def _ends(self) -> dict[str, tuple[date | None, date | None]]:
        return {name: (self._end(name, "from"), self._end(name, "to")) for name in self.moved}

    def _end(self, name: str, key: str) -> date | None:
        text = self.columns[name].get(key)
        return None if text is None else date.fromisoformat(text)

    def window(self, name: str) -> dict[str, Any]:
        """Return the moved ``from``, ``to`` and ``uniques`` of a date column that has them."""
        column = self.columns[name]
        found: dict[str, Any] = {}
        if name in self._ends:
            ends = self.calendar.move_window(*self._ends[name], self.k)
            for end, day in zip(("from", "to"), ends, strict=True):
                found |= {} if day is None else {end: day.isoformat()}
        first, size = window_size(column), window_size({**column, **found})
        if first is not None and size is not None:
            full = column["uniques"] >= first
            found["uniques"] = size if full else min(column["uniques"], size)
        return found

    def day(self, day: date, names: Iterable[str]) -> date:
        """Return a day that is compared with moved columns, moved to the period.

        It moves like the ``from`` or ``to`` that it equals in one of them, else by the plain step.
        A day that would leave the calendar, such as 9999-12-31, stays.
        """
        for name in names:
            ends = self._ends[name]
            if day in ends:
                moved = self.calendar.move_window(*ends, self.k)[ends.index(day)]
                return day if moved is None else moved
        try:
            return self.calendar.move(day, self.k)
        except (ValueError, OverflowError):
            return day

    def _written(self, day: Day, sources: set[str], *, iso: bool) -> str:
        """Return the text of a day that is compared with date columns, or with none."""
        if not sources:
            return day.text
        moved = [name for name in self.moved if name in sources]
        return day.at(self.day(day.day, moved) if moved else day.day, iso=iso)

    def beside(self, dates: Mapping[str, tuple[str, ...]]) -> literals.Change:
        """Return a change that moves a day with the date columns that it is compared with.

        ``dates`` has the date columns that each column depends on.
        """

        def change(day: Day, compared: Compared) -> str:
            sources = {source for name in compared.columns for source in dates.get(name, ())}
            return self._written(day, sources, iso=not compared.as_text)

        return change

    def assigned(self, action: str, targets: Iterable[str]) -> str:
        """Return an action on date columns with its assigned day moved, if one of them moves."""
        targets = set(targets)

        def change(found: re.Match[str]) -> str:
            day = parse_day(found[2])
            written = self._written(day, targets, iso=True) if day else found[2]
            return found[1] + written

        return _ASSIGNED.sub(change, action) if targets else action

"""The basic constraints that a single row can violate, and where they are guaranteed to hold.

These are comparisons of two numbers or two dates, or of one of them with a literal. Light enough
to be loaded with Dagster's definitions; ``value_rules`` looks at the rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from series_assets.core.plan.constraints import targets_of
from series_assets.core.plan.series import Series
from series_assets.core.spec import mentions
from series_assets.core.spec.column_types import NUMBERS
from series_assets.core.spec.literals import parse_day
from series_assets.core.spec.specification import Specification, all_outputs


@dataclass(frozen=True)
class Comparison:
    """A basic constraint of a period."""

    text: str
    left: str
    operator: str
    right: str
    """A column, a number or an ISO day."""
    right_is_column: bool
    of_numbers: bool
    """Whether numbers are compared, not dates."""
    guaranteed_in_new: bool
    """Whether nothing that is applied later can undo it in new records."""
    guaranteed_in_existing: bool
    """The same for existing records."""


def comparisons(series: Series, period: Specification) -> list[Comparison]:
    """Return the constraints of a period's specification that single rows can be checked for."""
    texts = period["constraints"]["basic_constraints"] or []
    order = _Order(series, period, texts)
    found = []
    for place, text in enumerate(texts):
        if sides := _sides(series, text):
            of_numbers = series.kinds[sides[0]] in NUMBERS
            guaranteed = order.is_last_in_new(place), order.is_last_in_existing(place)
            found.append(Comparison(text, *sides, of_numbers, *guaranteed))
    return found


def _sides(series: Series, text: str) -> tuple[str, str, str, bool] | None:
    """Return left side, operator, right side, and whether that is a column."""
    parts = mentions.split_constraint(text)
    if parts is None or parts[0] not in series.kinds:
        return None
    left, operator, right = parts
    numeric, kinds = series.kinds[left] in NUMBERS, series.kinds
    name = right.strip("~")
    if name in kinds:
        alike = kinds[name] in NUMBERS if numeric else kinds[name] == kinds[left] == "date"
        return (left, operator, name, True) if alike else None
    if numeric:
        return (left, operator, right, False) if _number(right) is not None else None
    day = parse_day(right.strip("'\""))
    if day is None or day.time or kinds[left] != "date":
        return None
    return left, operator, day.day.isoformat(), False


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class _Order:
    """The order in which a specification's constraints are applied; later ones may undo others."""

    def __init__(self, series: Series, period: Specification, texts: list[str]) -> None:
        self._series = series
        self._period = period
        names = all_outputs(period, period["columns"])
        parts = [mentions.split_constraint(text) for text in texts]
        self._changed = ["" if part is None else part[0] for part in parts]
        self._mentioned = [mentions.in_constraint(text, names) for text in texts]

    @cached_property
    def _static(self) -> set[str]:
        return set(all_outputs(self._series.specification, self._series.roles.static))

    @cached_property
    def _rearranged(self) -> frozenset[str]:
        """The columns that custom constraints change, including numbers regenerated after them."""
        columns: dict[str, Any] = self._period["columns"]
        custom = self._period["constraints"]["custom_constraints"] or {}
        targets = targets_of(custom) & set(columns)
        if any(columns[name]["type"] == "categorical" for name in targets):
            targets |= {name for name in columns if columns[name]["type"] == "continuous"}
        return targets

    def is_last_in_new(self, place: int) -> bool:
        """Tell whether a constraint is guaranteed to hold in new records."""
        mentioned = self._mentioned[place]
        later = set(self._changed[place + 1 :])
        # All rows of an entity get the static values of its first row, after the constraints.
        overwritten = set(self._series.static_within_new)
        return not mentioned & (later | self._rearranged | overwritten)

    def is_last_in_existing(self, place: int) -> bool:
        """Tell whether a constraint is guaranteed to hold in existing records.

        Most constraints that are removed from the specification of existing records are applied
        afterwards, whatever their place in the original specification.
        """
        mentioned = self._mentioned[place]
        if mentioned & (self._static | self._rearranged):
            return False
        return not any(
            mentioned & changed
            for other, changed in self._changes()
            if other > place or (other < place and self._stage(other) != self._stage(place))
        )

    def _changes(self) -> Iterator[tuple[int, set[str]]]:
        """Yield the place of each constraint, and the columns it may change in existing records."""
        for place, changed in enumerate(self._changed):
            touched = self._mentioned[place]
            yield place, touched - self._static if touched & self._static else {changed}

    def _stage(self, place: int) -> int:
        """Return when a constraint is applied: by Exhibit, or in one of the two passes after it."""
        if self._mentioned[place] & self._static:
            return 2
        return int(bool(self._mentioned[place] & set(self._series.roles.moved)))

"""When the periods of a series start, and how far its dates move (contract, section 3)."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from dateutil.relativedelta import relativedelta

from series_assets.core.spec.period_units import UNITS


@dataclass(frozen=True)
class Period:
    """One step of a series."""

    k: int
    """Counts from 0."""
    start: date
    """The first day."""
    last_day: date
    """The day before the next period starts."""

    @property
    def number(self) -> int:
        """The number of its dataset, from 1."""
        return self.k + 1

    @property
    def key(self) -> str:
        """Its partition key: the first day as ``YYYY-MM-DD``."""
        return self.start.isoformat()


@dataclass(frozen=True)
class Calendar:
    """The starts of ``count`` periods of ``length`` units each, counted from ``start``.

    ``unit`` is a key of ``UNITS``.
    """

    start: date
    unit: str
    length: int
    count: int

    @property
    def days(self) -> int:
        """The days of a period; 0 where it is counted in months."""
        return UNITS[self.unit].days * self.length

    @property
    def months(self) -> int:
        """The months of a period; 0 where it is counted in days."""
        return UNITS[self.unit].months * self.length

    @property
    def cadence(self) -> str:
        """The length of a period in words, to follow "every": ``month``, ``2 weeks``."""
        return self.length_in_words.removeprefix("1 ")

    @property
    def length_in_words(self) -> str:
        """The length of a period, such as ``1 month`` or ``2 weeks``."""
        return f"{self.length} {UNITS[self.unit].singular if self.length == 1 else self.unit}"

    def step(self, k: int) -> relativedelta:
        """Return the offset of period ``k`` from the first; ``k`` may be negative."""
        return relativedelta(days=self.days * k, months=self.months * k)

    def start_of(self, k: int) -> date:
        """Return the first day of period ``k``, always counted from the first period."""
        return self.start + self.step(k)

    def last_day_of(self, k: int) -> date:
        """Return the day before period ``k + 1`` starts."""
        return self.start_of(k + 1) - relativedelta(days=1)

    def period(self, k: int) -> Period:
        """Return period ``k``, from 0."""
        return Period(k, self.start_of(k), self.last_day_of(k))

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        """All periods, the first one first."""
        return tuple(map(self.period, range(self.count)))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The partition keys: the start of each period as ``YYYY-MM-DD``."""
        return tuple(self.start_of(k).isoformat() for k in range(self.count))

    @cached_property
    def _by_key(self) -> dict[str, int]:
        return {key: k for k, key in enumerate(self.keys)}

    def period_for_key(self, key: str) -> Period:
        """Return the period with a partition key. Raises KeyError for an unknown key."""
        return self.period(self._by_key[key])

    def move(self, day: date, k: int) -> date:
        """Return ``day`` shifted by the offset of period ``k``.

        Raises ValueError or OverflowError for a day outside of Python's calendar.
        """
        return day + self.step(k)

    def move_window(
        self, first: date | None, last: date | None, k: int
    ) -> tuple[date | None, date | None]:
        """Return both ends of a window in period ``k``; an open end (None) stays open.

        With periods in months, a window that ends on the last day of a month still does after the
        move, and so does its start if both are last days.
        """
        ends_months = self.months > 0 and last is not None and _is_last_of_month(last)
        starts_at_end = ends_months and first is not None and _is_last_of_month(first)
        return self._moved(first, k, starts_at_end), self._moved(last, k, ends_months)

    def _moved(self, day: date | None, k: int, keep_month_end: bool) -> date | None:
        if day is None:
            return None
        moved = self.move(day, k)
        return moved + relativedelta(day=31) if keep_month_end else moved


def _is_last_of_month(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]

"""When the periods of a series start, and how far its dates move (contract, section 3)."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from dateutil.relativedelta import relativedelta

UNITS = ("days", "weeks", "months")


@dataclass(frozen=True)
class Calendar:
    """The starts of ``count`` periods of ``length`` units each, counted from ``start``."""

    start: date
    unit: str
    length: int
    count: int

    def step(self, k: int) -> relativedelta:
        """Return how far period ``k`` lies from the first; for negative ``k``, before it."""
        return relativedelta(**{self.unit: self.length * k})  # type: ignore[arg-type]

    def start_of(self, k: int) -> date:
        """Return the first day of period ``k``, always counted from the first period."""
        return self.start + self.step(k)

    def last_day_of(self, k: int) -> date:
        """Return the day before period ``k + 1`` starts."""
        return self.start_of(k + 1) - relativedelta(days=1)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The partition keys: the start of each period as ``YYYY-MM-DD``."""
        return tuple(self.start_of(k).isoformat() for k in range(self.count))

    @cached_property
    def _index(self) -> dict[str, int]:
        return {key: k for k, key in enumerate(self.keys)}

    def index(self, key: str) -> int:
        """Return ``k`` for a partition key. Raises KeyError for a key of no period."""
        return self._index[key]

    def move(self, day: date, k: int, *, keep_month_end: bool = False) -> date:
        """Return ``day`` as it is in period ``k``.

        With ``keep_month_end`` the last day of a month stays the last day of its month where
        the unit is months: the ``to`` of a window covers the whole of every month.
        """
        moved = day + self.step(k)
        if keep_month_end and self.unit == "months" and day.day == _last_of_month(day):
            return moved.replace(day=_last_of_month(moved))
        return moved


def _last_of_month(day: date) -> int:
    return monthrange(day.year, day.month)[1]

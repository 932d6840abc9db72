"""The units of a period; to add one, add an entry to ``UNITS``."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A unit of so many days or so many months."""

    singular: str
    adverb: str
    days: int = 0
    months: int = 0


UNITS: Mapping[str, Unit] = {
    "days": Unit("day", "daily", days=1),
    "weeks": Unit("week", "weekly", days=7),
    "months": Unit("month", "monthly", months=1),
    "quarters": Unit("quarter", "quarterly", months=3),
}
"""By their names in the user input."""

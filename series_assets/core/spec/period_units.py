"""What a period can be counted in: a new unit is one more entry of ``UNITS``."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A unit that periods are counted in: so many days, or so many months."""

    one: str
    """What one of it is called."""
    regularly: str
    """What happens once in each of it is called."""
    days: int = 0
    months: int = 0


UNITS: Mapping[str, Unit] = {
    "days": Unit("day", "daily", days=1),
    "weeks": Unit("week", "weekly", days=7),
    "months": Unit("month", "monthly", months=1),
    "quarters": Unit("quarter", "quarterly", months=3),
}
"""The units, by the names that the user input has for them."""

"""What became of a series so far: rows asked for and delivered, entities, where they come from.

Numbers and sentences only; they are read in ``read_history`` and plotted in ``report_plots``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

BLOCKS = 30
"""Where a series has more periods, those that introduced entities are told in blocks."""


@dataclass(frozen=True)
class RowsByOrigin:
    """The rows of a dataset as it lies on disk."""

    new: int
    """Rows about entities of the period itself, or about none."""
    origins: Mapping[int, int]
    """Rows about entities of earlier periods, by the period ``k`` that introduced them."""
    unknown: int = 0
    """Rows about entities that are not known to any period up to this one."""

    @property
    def existing(self) -> int:
        """Rows about entities of earlier periods."""
        return sum(self.origins.values())

    @property
    def rows(self) -> int:
        """All rows."""
        return self.new + self.existing + self.unknown


@dataclass(frozen=True)
class PeriodHistory:
    """What was asked for in a period, and what became of it."""

    k: int
    key: str
    requested_new: int
    requested_existing: int
    delivered: RowsByOrigin | None
    """None where there is no dataset, or none that can be read."""
    entities: int | None
    """Entities that the period introduced; None where the reference table does not say."""
    remarks: tuple[str, ...] = ()
    """Sentences about what is wrong with it."""

    @property
    def requested(self) -> int:
        """Rows asked for."""
        return self.requested_new + self.requested_existing


@dataclass(frozen=True)
class Block:
    """Consecutive periods from ``first`` to ``last``, both included."""

    first: int
    last: int
    label: str


@dataclass(frozen=True)
class History:
    """All periods of a series in their order, made or not."""

    series: str
    periods: Sequence[PeriodHistory]
    remarks: tuple[str, ...] = field(default=())
    """Sentences about the series as a whole."""

    @cached_property
    def delivered_periods(self) -> list[PeriodHistory]:
        """The periods whose datasets were read."""
        return [period for period in self.periods if period.delivered]

    @cached_property
    def missing_periods(self) -> list[PeriodHistory]:
        """The periods without a dataset that can be read."""
        return [period for period in self.periods if not period.delivered]

    @cached_property
    def entities_so_far(self) -> list[int | None]:
        """For each period the entities known after it; None where it is not recorded."""
        found: list[int | None] = []
        total = 0
        for period in self.periods:
            total += period.entities or 0
            found.append(None if period.entities is None else total)
        return found

    @cached_property
    def blocks(self) -> list[Block]:
        """The periods that introduced entities, each by itself or as blocks of equal length."""
        size = -(-len(self.periods) // BLOCKS)
        found = []
        for first in range(0, len(self.periods), size):
            last = min(first + size, len(self.periods)) - 1
            label = self.periods[first].key
            if last > first:
                label += f" … {self.periods[last].key}"
            found.append(Block(first, last, label))
        return found

    def by_block(self, period: PeriodHistory) -> list[int]:
        """Return a period's existing rows for each of the blocks."""
        counts = [0] * len(self.blocks)
        size = self.blocks[0].last + 1
        for k, rows in (period.delivered.origins if period.delivered else {}).items():
            counts[k // size] += rows
        return counts

    @property
    def all_remarks(self) -> list[str]:
        """All that is wrong, of the series and then of its periods."""
        return [*self.remarks, *(text for period in self.periods for text in period.remarks)]


def consecutive_runs(periods: Sequence[PeriodHistory]) -> list[tuple[PeriodHistory, PeriodHistory]]:
    """Return the first and last periods of each row of neighbours. ``periods`` in their order."""
    found: list[tuple[PeriodHistory, PeriodHistory]] = []
    for period in periods:
        if found and found[-1][1].k == period.k - 1:
            found[-1] = (found[-1][0], period)
        else:
            found.append((period, period))
    return found


def describe_periods(periods: Sequence[PeriodHistory]) -> list[str]:
    """Return the keys of periods in words, neighbours taken together: ``a``, ``b to d``."""
    return [a.key if a is b else f"{a.key} to {b.key}" for a, b in consecutive_runs(periods)]

"""The history of a series: rows requested and delivered, entities, and their periods of origin.

Numbers and sentences only. ``read_history`` collects them, ``report_plots`` plots them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

MAX_BLOCKS = 30
"""If a series has more periods, its periods of origin are combined into up to so many blocks."""


@dataclass(frozen=True)
class RowsByOrigin:
    """The rows of a dataset on disk, by the period in which their entity was new."""

    new: int
    """Rows about entities of the period itself, or without an identifier."""
    origins: Mapping[int, int]
    """Rows about entities of earlier periods, by their period ``k`` of origin."""
    unknown: int = 0
    """Rows about entities that no period up to this one introduced."""

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
    """What was requested for a period, and what was delivered."""

    k: int
    key: str
    requested_new: int
    requested_existing: int
    delivered: RowsByOrigin | None
    """None if the dataset is missing or unreadable."""
    entities: int | None
    """Entities that were new in the period; None if the reference table has no record of it."""
    remarks: tuple[str, ...] = ()
    """Sentences about its problems."""
    operations: Mapping[str, int] | None = None
    """What its rows did to their entities; None if there is no change log of it."""

    @property
    def requested(self) -> int:
        """All rows requested."""
        return self.requested_new + self.requested_existing


def combine_histories(one: PeriodHistory, other: PeriodHistory) -> PeriodHistory:
    """Return the history of two parts of a period, which is delivered if both of them are."""
    delivered = entities = None
    if one.delivered and other.delivered:
        origins = Counter(one.delivered.origins)
        origins.update(other.delivered.origins)
        delivered = RowsByOrigin(
            one.delivered.new + other.delivered.new,
            dict(sorted(origins.items())),
            one.delivered.unknown + other.delivered.unknown,
        )
    if one.entities is not None and other.entities is not None:
        entities = one.entities + other.entities
    operations = None
    if one.operations is not None and other.operations is not None:
        names = dict.fromkeys((*one.operations, *other.operations))
        both = one.operations, other.operations
        operations = {name: sum(part.get(name, 0) for part in both) for name in names}
    return PeriodHistory(
        one.k,
        one.key,
        one.requested_new + other.requested_new,
        one.requested_existing + other.requested_existing,
        delivered,
        entities,
        (*one.remarks, *other.remarks),
        operations,
    )


@dataclass(frozen=True)
class History:
    """All periods of a series in order, delivered or not."""

    series: str
    periods: Sequence[PeriodHistory]
    remarks: tuple[str, ...] = ()
    """Sentences about problems of the series as a whole."""

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
        """For each period the number of entities after it; None if it is not recorded."""
        found: list[int | None] = []
        total = 0
        for period in self.periods:
            total += period.entities or 0
            found.append(None if period.entities is None else total)
        return found

    @property
    def block_size(self) -> int:
        """The number of periods of origin that are combined into one block."""
        return -(-len(self.periods) // MAX_BLOCKS)

    @cached_property
    def blocks(self) -> list[tuple[str, str]]:
        """The first and the last key of each block of periods."""
        keys, size = [period.key for period in self.periods], self.block_size
        starts = range(0, len(keys), size)
        return [(keys[start], keys[start : start + size][-1]) for start in starts]

    def by_block(self, period: PeriodHistory) -> list[int]:
        """Return the number of a period's existing rows that originate in each block."""
        counts = [0] * len(self.blocks)
        for k, rows in (period.delivered.origins if period.delivered else {}).items():
            counts[k // self.block_size] += rows
        return counts

    @property
    def all_remarks(self) -> list[str]:
        """The problems of the series, then those of its periods."""
        return [*self.remarks, *(text for period in self.periods for text in period.remarks)]


def consecutive_runs(periods: Sequence[PeriodHistory]) -> list[tuple[PeriodHistory, PeriodHistory]]:
    """Return the first and last period of each run of consecutive periods."""
    found: list[tuple[PeriodHistory, PeriodHistory]] = []
    for period in periods:
        if found and found[-1][1].k == period.k - 1:
            found[-1] = (found[-1][0], period)
        else:
            found.append((period, period))
    return found


def describe_periods(periods: Sequence[PeriodHistory]) -> list[str]:
    """Return the keys of periods as text, consecutive ones combined: ``a``, ``b to d``."""
    return [a.key if a is b else f"{a.key} to {b.key}" for a, b in consecutive_runs(periods)]

"""What a period does to the history, in numbers, small enough to send from a worker."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from series_assets.core.plan.series import Series
from series_assets.core.truth.fold import OPERATIONS
from series_assets.core.truth.profiles import with_part
from series_assets.pipeline.state import PeriodFold
from series_assets.pipeline.truth import part_of

_FIRST_ROWS = 5


@dataclass(frozen=True)
class FoldSummary:
    """What a period, or a part of it, does to the history."""

    operations: Mapping[str, int]
    """How many lines of the change log each operation has, in the order of OPERATIONS."""
    versions: int
    """The number of versions that it opens."""
    ties: int
    """The number of states that the place in the file decided."""
    states: int
    """The number of states that it leaves."""
    lines: int
    """The number of lines in the change log."""
    changed_values: int
    columns: tuple[str, ...]
    """The columns of the change log."""
    first: tuple[tuple[str, ...], ...]
    """Its first lines as text, empty where a value is missing."""


def summarize_fold(series: Series, folded: PeriodFold) -> FoldSummary:
    """Return the summary of what a period of a series, or of a shard, does to the history."""
    fold = folded.fold
    log = with_part(fold.changes.slice(0, _FIRST_ROWS), part_of(series))
    first = [["" if one is None else str(one) for one in row.values()] for row in log.to_pylist()]
    return FoldSummary(
        fold.operations,
        fold.versions,
        fold.ties,
        fold.states.num_rows,
        fold.changes.num_rows,
        fold.cells.num_rows,
        tuple(log.column_names),
        tuple(map(tuple, first)),
    )


def combined_folds(parts: Sequence[FoldSummary]) -> FoldSummary:
    """Return the summary of all parts of a period; the first lines are those of the first part."""
    found: Counter[str] = Counter()
    for part in parts:
        found.update(part.operations)
    return FoldSummary(
        {name: found[name] for name in OPERATIONS if name in found},
        sum(part.versions for part in parts),
        sum(part.ties for part in parts),
        sum(part.states for part in parts),
        sum(part.lines for part in parts),
        sum(part.changed_values for part in parts),
        parts[0].columns,
        parts[0].first,
    )

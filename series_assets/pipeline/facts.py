"""What is reported of a period, or of a part of it, small enough to send from a worker."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from series_assets.core.plan.series import Series
from series_assets.pipeline.progress import FinishedPhase

if TYPE_CHECKING:
    import pyarrow as pa

    from series_assets.core.truth.fold import Fold

_FIRST_ROWS = 5


@dataclass(frozen=True)
class RecordSummary:
    """A summary of a table of text."""

    rows: int
    entities: int
    """The number of distinct values of the first uuid column."""
    missing: Mapping[str, int]
    """The number of missing values by column, in the order of the columns."""
    first: tuple[Mapping[str, str | None], ...]
    """The first rows, as text."""


@dataclass(frozen=True)
class FoldSummary:
    """What a period, or a part of it, does to the history, in numbers."""

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


@dataclass(frozen=True)
class Facts:
    """What a phase made of a period, or of a part of it."""

    new_rows: int = 0
    existing_rows: int = 0
    new_entities: int = 0
    records: RecordSummary | None = None
    """Of the records that it made; None if there are none."""
    fold: FoldSummary | None = None
    """Of a phase that finds out what happens to the history."""


@dataclass(frozen=True)
class PartFacts:
    """What a task did for one part; the part itself is in its files."""

    phases: Sequence[FinishedPhase]
    notes: Sequence[str]
    """Notes for the user."""
    facts: Facts


def summarize_records(series: Series, texts: "pa.Table") -> RecordSummary:
    """Return the summary of a table of text with the first identifier of a series."""
    import pyarrow.compute as pc

    return RecordSummary(
        rows=len(texts),
        entities=pc.count_distinct(texts[series.first_identifier], mode="only_valid").as_py(),
        missing={name: texts[name].null_count for name in texts.column_names},
        first=tuple(texts.slice(length=_FIRST_ROWS).to_pylist()),
    )


def summarize_fold(series: Series, fold: "Fold") -> FoldSummary:
    """Return the summary of what a period of a series, or of a shard, does to the history."""
    from series_assets.core.truth.profiles import with_part

    log = with_part(fold.changes.slice(0, _FIRST_ROWS), series.part)
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


def combined(parts: Sequence[Facts]) -> Facts:
    """Return the facts of all parts of a period; first rows are those of the first part."""
    records = [part.records for part in parts if part.records]
    folds = [part.fold for part in parts if part.fold]
    return Facts(
        sum(part.new_rows for part in parts),
        sum(part.existing_rows for part in parts),
        sum(part.new_entities for part in parts),
        _combined_records(records) if records else None,
        _combined_folds(folds) if folds else None,
    )


def _combined_records(parts: Sequence[RecordSummary]) -> RecordSummary:
    return RecordSummary(
        rows=sum(one.rows for one in parts),
        entities=sum(one.entities for one in parts),  # an entity is in one shard only
        missing={name: sum(one.missing[name] for one in parts) for name in parts[0].missing},
        first=parts[0].first,
    )


def _combined_folds(parts: Sequence[FoldSummary]) -> FoldSummary:
    from series_assets.core.truth.fold import OPERATIONS

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

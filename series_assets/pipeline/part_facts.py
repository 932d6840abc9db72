"""What is reported of the parts of a sharded series, small enough to send from a worker."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from series_assets.pipeline.fold_summary import FoldSummary, combined_folds
from series_assets.pipeline.progress import counted
from series_assets.pipeline.record_summary import RecordSummary


@dataclass(frozen=True)
class PartFacts:
    """What a task did for one part; the part itself is in its files."""

    phases: tuple[tuple[str, str, float], ...]
    """The phases that it finished: name, contents in words, seconds."""
    notes: tuple[str, ...] = ()
    """Notes for the user."""
    new_rows: int = 0
    existing_rows: int = 0
    new_entities: int = 0
    summary: RecordSummary | None = None
    """Of the records that were written; None if there are none."""
    fold: FoldSummary | None = None
    """What the part does to the history; None for a task that does not find out."""


@dataclass(frozen=True)
class PeriodOfParts:
    """What a phase did for all parts of a period, which are in their files."""

    parts: Sequence[PartFacts]

    @property
    def new_rows(self) -> int:
        """The number of new records."""
        return sum(part.new_rows for part in self.parts)

    @property
    def existing_rows(self) -> int:
        """The number of existing records."""
        return sum(part.existing_rows for part in self.parts)

    @property
    def new_entities(self) -> int:
        """The number of new entities."""
        return sum(part.new_entities for part in self.parts)

    @property
    def fold(self) -> FoldSummary:
        """What all parts do to the history, of a phase that finds out."""
        return combined_folds([part.fold for part in self.parts if part.fold])

    @property
    def contents(self) -> str:
        """How many parts there are, for people."""
        return counted(len(self.parts), "part")

    @property
    def summary(self) -> RecordSummary | None:
        """The summary of all parts; the first rows are those of the first part."""
        found = [part.summary for part in self.parts if part.summary]
        if not found:
            return None
        missing: Counter[str] = Counter()
        for one in found:
            missing.update(dict(one.missing))
        return RecordSummary(
            rows=sum(one.rows for one in found),
            entities=sum(one.entities for one in found),  # an entity is in one shard only
            missing={name: missing[name] for name in found[0].missing},
            first=found[0].first,
        )

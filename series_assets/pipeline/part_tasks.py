"""The tasks of a sharded series: what is done for one part, whole or phase by phase."""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from series_assets.core.plan.series import Plan, Series
from series_assets.pipeline.part_facts import PartFacts
from series_assets.pipeline.progress import (
    DATASET,
    NEW_RECORDS,
    REFERENCE_TABLE,
    STATE,
    TRUTH,
    counted,
)
from series_assets.pipeline.record_summary import summarize_records
from series_assets.pipeline.reference import record_new_entities, select_new_entities
from series_assets.pipeline.work import Work, read_new_records

if TYPE_CHECKING:
    import pyarrow as pa

    from series_assets.pipeline.fold_summary import FoldSummary


def generate_part(work: Work, series: Series, plan: Plan, folder: Path) -> PartFacts:
    """Generate a part from its plan to its files, keeping its new records in memory."""
    from series_assets.pipeline.dataset import make_dataset, write_dataset
    from series_assets.pipeline.new_records import make_new_records, write_new_records

    workspace, clock = work.workspace, _Clock()
    new = make_new_records(series, plan, workspace, folder)
    write_new_records(series, plan, new, workspace, folder)
    clock.finished(NEW_RECORDS, new.contents)
    entities = select_new_entities(series, new.texts)
    record_new_entities(series, plan.period, entities, workspace, folder)
    clock.finished(REFERENCE_TABLE, entities.contents)
    dataset = make_dataset(series, plan, new.texts, workspace, folder)
    write_dataset(series, plan, dataset, workspace, folder)
    clock.finished(DATASET, dataset.contents)
    notes, texts = (*new.notes, *dataset.notes), dataset.texts
    del new, entities, dataset  # a fold needs memory too
    fold = _record_history(work, series, plan, folder, clock, texts) if series.truth else None
    return PartFacts(tuple(clock.phases), notes, fold=fold)


def _record_history(
    work: Work, series: Series, plan: Plan, folder: Path, clock: "_Clock", texts: "pa.Table"
) -> "FoldSummary":
    """Record the states of a part that is delivered, and write the files of its history."""
    from series_assets.pipeline.fold_summary import summarize_fold
    from series_assets.pipeline.state import fold_period, record_states
    from series_assets.pipeline.truth import write_truth

    workspace = work.workspace
    folded = fold_period(series, plan.period, workspace, texts)
    record_states(series, plan.period, folded, workspace, folder)
    clock.finished(STATE, folded.contents)
    written = write_truth(series, plan.period, folded, workspace, folder)
    clock.finished(TRUTH, counted(len(written), "file"))
    return summarize_fold(series, folded)


def new_records_part(work: Work, series: Series, plan: Plan, folder: Path) -> PartFacts:
    """Generate and write the new records of a part."""
    from series_assets.pipeline.new_records import make_new_records, write_new_records

    clock = _Clock()
    new = make_new_records(series, plan, work.workspace, folder)
    write_new_records(series, plan, new, work.workspace, folder)
    clock.finished(NEW_RECORDS, new.contents)
    if new.texts is None:
        return PartFacts(tuple(clock.phases), new.notes)
    summary = summarize_records(new.texts, series.first_identifier)
    return PartFacts(tuple(clock.phases), new.notes, new_rows=len(new.texts), summary=summary)


def reference_table_part(work: Work, series: Series, plan: Plan, folder: Path) -> PartFacts:
    """Record the entities that are new in a part."""
    clock = _Clock()
    new = read_new_records(series, work.workspace, plan.period)
    entities = select_new_entities(series, new)
    record_new_entities(series, plan.period, entities, work.workspace, folder)
    clock.finished(REFERENCE_TABLE, entities.contents)
    if entities.texts is None:
        return PartFacts(tuple(clock.phases))
    summary = summarize_records(entities.texts, series.first_identifier)
    return PartFacts(tuple(clock.phases), new_entities=entities.count, summary=summary)


def dataset_part(work: Work, series: Series, plan: Plan, folder: Path) -> PartFacts:
    """Generate the existing records of a part, and write its dataset."""
    from series_assets.pipeline.dataset import make_dataset, write_dataset

    clock = _Clock()
    new = read_new_records(series, work.workspace, plan.period)
    dataset = make_dataset(series, plan, new, work.workspace, folder)
    write_dataset(series, plan, dataset, work.workspace, folder)
    clock.finished(DATASET, dataset.contents)
    return PartFacts(
        tuple(clock.phases),
        dataset.notes,
        new_rows=0 if dataset.new is None else len(dataset.new),
        existing_rows=len(dataset.existing.texts) if dataset.existing else 0,
        summary=summarize_records(dataset.texts, series.first_identifier),
    )


def state_part(work: Work, series: Series, plan: Plan, folder: Path) -> PartFacts:
    """Find what a part does to the history, and record the states that it leaves."""
    from series_assets.pipeline.fold_summary import summarize_fold
    from series_assets.pipeline.state import fold_period, record_states

    clock = _Clock()
    folded = fold_period(series, plan.period, work.workspace)
    record_states(series, plan.period, folded, work.workspace, folder)
    clock.finished(STATE, folded.contents)
    return PartFacts(tuple(clock.phases), fold=summarize_fold(series, folded))


def truth_part(work: Work, series: Series, plan: Plan, folder: Path) -> PartFacts:
    """Write the files of the history of a part whose states are recorded."""
    from series_assets.pipeline.fold_summary import summarize_fold
    from series_assets.pipeline.state import recorded_fold
    from series_assets.pipeline.truth import write_truth

    clock = _Clock()
    folded = recorded_fold(series, plan.period, work.workspace)
    written = write_truth(series, plan.period, folded, work.workspace, folder)
    clock.finished(TRUTH, counted(len(written), "file"))
    return PartFacts(tuple(clock.phases), fold=summarize_fold(series, folded))


class _Clock:
    """Measures the phases of a task."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, str, float]] = []
        self._started = perf_counter()

    def finished(self, phase: str, contents: str) -> None:
        """Add a phase that has just finished."""
        now = perf_counter()
        self.phases.append((phase, contents, now - self._started))
        self._started = now

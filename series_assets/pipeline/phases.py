"""Runs one phase for a range of periods, and yields its results one by one to be stored.

For callers that separate the phases, as Dagster's assets do; ``run`` completes each period.
"""

from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Plan, Series
from series_assets.pipeline.failures import as_period_errors
from series_assets.pipeline.manifest import write_manifest
from series_assets.pipeline.part_facts import PeriodOfParts
from series_assets.pipeline.part_tasks import (
    dataset_part,
    new_records_part,
    reference_table_part,
    state_part,
    truth_part,
)
from series_assets.pipeline.parts import Task as PartTask
from series_assets.pipeline.parts import run_parts
from series_assets.pipeline.progress import MANIFEST, STATE, TRUTH, PhaseTimer, Progress, counted
from series_assets.pipeline.reference import NewEntities, require_earlier, select_new_entities
from series_assets.pipeline.state import PeriodFold, fold_period, recorded_fold
from series_assets.pipeline.truth import write_truth
from series_assets.pipeline.work import Task, Work, read_new_records, run_for_each
from series_assets.pipeline.workspace import Workspace

if TYPE_CHECKING:
    from series_assets.pipeline.dataset import Dataset
    from series_assets.pipeline.new_records import NewRecords

T = TypeVar("T", "NewRecords", "Dataset")


def new_records_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, "NewRecords | PeriodOfParts"], None, None]:
    """Yield the new records of each period. Raises SeriesError."""
    if series.is_sharded:
        yield from _of_parts(new_records_part, series, plans, workspace, progress)
        return
    yield from _with_notes("new records", _new_records, series, plans, workspace, progress)


def new_entities_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, NewEntities | PeriodOfParts], None, None]:
    """Yield the entities that each period introduces. Raises SeriesError.

    The caller records those of a period before it continues with the next one.
    """
    if series.is_sharded:
        yield from _of_parts(reference_table_part, series, plans, workspace, progress)
        return
    timer = PhaseTimer([plan.period for plan in plans], progress)
    with workspace.scratch() as folder:
        work = Work(series, workspace, folder)
        for plan in plans:
            period = plan.period
            with as_period_errors(series, period):
                timer.begin("reference table", period)
                if plan is plans[0]:  # periods are consecutive, so this covers all of them
                    require_earlier(series, period, workspace, folder)
                entities = select_new_entities(series, read_new_records(work, period))
            yield period, entities
            timer.end("reference table", period, entities.contents)


def datasets_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, "Dataset | PeriodOfParts"], None, None]:
    """Yield the dataset of each period. Raises SeriesError."""
    if series.is_sharded:
        yield from _of_parts(dataset_part, series, plans, workspace, progress)
        return
    yield from _with_notes("dataset", _dataset, series, plans, workspace, progress)


def states_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, PeriodFold | PeriodOfParts], None, None]:
    """Yield what each period does to the history. Raises SeriesError.

    The caller records the states of a period before it continues with the next one.
    """
    if series.is_sharded:
        yield from _of_parts(state_part, series, plans, workspace, progress)
        return
    timer = PhaseTimer([plan.period for plan in plans], progress)
    for plan in plans:
        with as_period_errors(series, plan.period):
            timer.begin(STATE, plan.period)
            folded = fold_period(series, plan.period, workspace)
        yield plan.period, folded
        timer.end(STATE, plan.period, folded.contents)


def truth_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, PeriodFold | PeriodOfParts], None, None]:
    """Write the history of each period, and yield what it is. Raises SeriesError."""
    if series.is_sharded:
        yield from _of_parts(truth_part, series, plans, workspace, progress)
        return
    timer = PhaseTimer([plan.period for plan in plans], progress)
    with workspace.scratch() as folder:
        for plan in plans:
            with as_period_errors(series, plan.period):
                timer.begin(TRUTH, plan.period)
                folded = recorded_fold(series, plan.period, workspace)
                written = write_truth(series, plan.period, folded, workspace, folder)
            yield plan.period, folded
            timer.end(TRUTH, plan.period, counted(len(written), "file"))


def manifests_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, Path], None, None]:
    """Write the manifest of each period, and yield its path. Raises SeriesError."""
    timer = PhaseTimer([plan.period for plan in plans], progress)
    with workspace.scratch() as folder:
        for plan in plans:
            with as_period_errors(series, plan.period):
                timer.begin(MANIFEST, plan.period)
                path = write_manifest(series, plan.period, [], workspace, folder)
            yield plan.period, path
            timer.end(MANIFEST, plan.period, path.name)


def _of_parts(
    task: "PartTask",
    series: Series,
    plans: Sequence[Plan],
    workspace: Workspace,
    progress: Progress,
) -> Generator[tuple[Period, PeriodOfParts], None, None]:
    """Run a task for each part of each period, which writes it; yield facts by period."""
    with workspace.scratch() as folder:
        work, periods = Work(series, workspace, folder), [plan.period for plan in plans]
        if task is reference_table_part:
            with as_period_errors(series, periods[0]):
                require_earlier(series, periods[0], workspace, folder)
        for period, facts in run_parts(work, periods, task, progress):
            yield period, PeriodOfParts(facts)


def _with_notes(
    phase: str,
    task: Task[T],
    series: Series,
    plans: Sequence[Plan],
    workspace: Workspace,
    progress: Progress,
) -> Generator[tuple[Period, T], None, None]:
    """Yield the results of a task for each period, and report progress and notes.

    A phase ends when the caller, which stores the results, requests the next period.
    """
    timer = PhaseTimer([plan.period for plan in plans], progress)
    with workspace.scratch() as folder:
        work = Work(series, workspace, folder)
        for period, result in run_for_each(work, plans, task, partial(timer.begin, phase)):
            for note in result.notes:
                progress.noted(note)
            yield period, result
            timer.end(phase, period, result.contents)


# Exhibit is imported by the phases that run it: a process that only adds entities starts sooner.


def _new_records(work: Work, plan: Plan) -> "NewRecords":
    from series_assets.pipeline.new_records import make_new_records

    return make_new_records(work.series, plan, work.workspace, work.folder)


def _dataset(work: Work, plan: Plan) -> "Dataset":
    from series_assets.pipeline.dataset import make_dataset

    new = read_new_records(work, plan.period)
    return make_dataset(work.series, plan, new, work.workspace, work.folder)

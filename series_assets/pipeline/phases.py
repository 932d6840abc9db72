"""Runs one phase for a range of periods, and yields its results one by one to be stored.

For callers that separate the phases, as Dagster's assets do; ``run`` completes each period.
"""

from collections.abc import Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Plan, Series
from series_assets.pipeline.failures import as_period_errors
from series_assets.pipeline.progress import PhaseTimer, Progress
from series_assets.pipeline.reference import NewEntities, require_earlier, select_new_entities
from series_assets.pipeline.work import Task, Work, read_new_records, run_for_each
from series_assets.pipeline.workspace import Workspace

if TYPE_CHECKING:
    from series_assets.pipeline.dataset import Dataset
    from series_assets.pipeline.new_records import NewRecords

T = TypeVar("T", "NewRecords", "Dataset")


def new_records_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, "NewRecords"], None, None]:
    """Yield the new records of each period. Raises SeriesError."""
    yield from _with_notes("new records", _new_records, series, plans, workspace, progress)


def new_entities_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, NewEntities], None, None]:
    """Yield the entities that each period introduces. Raises SeriesError.

    The caller records those of a period before it continues with the next one.
    """
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
) -> Generator[tuple[Period, "Dataset"], None, None]:
    """Yield the dataset of each period. Raises SeriesError."""
    yield from _with_notes("dataset", _dataset, series, plans, workspace, progress)


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

"""Each phase over a range of periods: what it makes of them comes one by one, to be put as it does.

For whoever keeps phases apart, as Dagster's assets do; ``run`` makes periods whole.
"""

from collections.abc import Generator, Sequence
from functools import partial
from typing import TypeVar

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Plan, Series
from series_assets.pipeline.dataset import Dataset, make_dataset
from series_assets.pipeline.failures import as_period_errors
from series_assets.pipeline.new_records import NewRecords, make_new_records
from series_assets.pipeline.progress import PhaseTimer, Progress
from series_assets.pipeline.reference import NewEntities, require_earlier, select_new_entities
from series_assets.pipeline.work import Task, Work, each, read_new_records
from series_assets.pipeline.workspace import Workspace

T = TypeVar("T", NewRecords, Dataset)


def new_records_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, NewRecords], None, None]:
    """Yield the new records of each period. Raises SeriesError."""
    yield from _with_notes("new records", _new_records, series, plans, workspace, progress)


def new_entities_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, NewEntities], None, None]:
    """Yield the entities that each period introduces. Raises SeriesError.

    Each period's are to be recorded before the next one's are asked for.
    """
    timer = PhaseTimer([plan.period for plan in plans], progress)
    with workspace.scratch() as folder:
        work = Work(series, workspace, folder)
        for plan in plans:
            period = plan.period
            with as_period_errors(series, period):
                timer.begin("reference table", period)
                if plan is plans[0]:  # periods follow each other: the first speaks for all
                    require_earlier(series, period, workspace, folder)
                entities = select_new_entities(series, read_new_records(work, period))
            yield period, entities
            timer.end("reference table", period, entities.contents)


def datasets_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, Dataset], None, None]:
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
    """Yield what a task makes of each period, and report the phase and what is worth knowing.

    A phase ends when its consumer, which stores the results, asks for the next period.
    """
    timer = PhaseTimer([plan.period for plan in plans], progress)
    with workspace.scratch() as folder:
        work = Work(series, workspace, folder)
        for period, made in each(work, plans, task, partial(timer.begin, phase)):
            for note in made.notes:
                progress.noted(note)
            yield period, made
            timer.end(phase, period, made.contents)


def _new_records(work: Work, plan: Plan) -> NewRecords:
    return make_new_records(work.series, plan, work.workspace, work.folder)


def _dataset(work: Work, plan: Plan) -> Dataset:
    new = read_new_records(work, plan.period)
    return make_dataset(work.series, plan, new, work.workspace, work.folder)

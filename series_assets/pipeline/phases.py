"""Each phase over a range of periods: what it makes of them comes one by one, to be put as it does.

For whoever keeps phases apart, as Dagster's assets do; ``run`` makes periods whole.
"""

from collections.abc import Callable, Generator, Sequence

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Plan, Series
from series_assets.pipeline.dataset import Dataset, make_dataset
from series_assets.pipeline.failures import naming
from series_assets.pipeline.new_records import NewRecords, make_new_records
from series_assets.pipeline.progress import Progress
from series_assets.pipeline.reference import NewEntities, pick_new_entities, require_earlier
from series_assets.pipeline.work import Work, each, read_new_records
from series_assets.pipeline.workspace import Workspace


def new_records_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, NewRecords], None, None]:
    """Yield the new records of each period. Raises SeriesError."""
    with workspace.scratch() as folder:
        work, begin = Work(series, workspace, folder), _beginning("new records", progress)
        for period, made in each(work, plans, _new_records, begin):
            for note in made.notes:
                progress.noted(note)
            yield period, made


def new_entities_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, NewEntities], None, None]:
    """Yield the entities that each period introduces. Raises SeriesError.

    Each period's are to be recorded before the next one's are asked for.
    """
    with workspace.scratch() as folder:
        work = Work(series, workspace, folder)
        for plan in plans:
            period = plan.period
            with naming(series, period):
                progress.reached(period.key, "reference table")
                if plan is plans[0]:  # periods follow each other: the first speaks for all
                    require_earlier(series, period, workspace, folder)
                entities = pick_new_entities(series, read_new_records(work, period))
            yield period, entities


def datasets_of(
    series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, Dataset], None, None]:
    """Yield the dataset of each period. Raises SeriesError."""
    with workspace.scratch() as folder:
        work, begin = Work(series, workspace, folder), _beginning("dataset", progress)
        for period, made in each(work, plans, _dataset, begin):
            for note in made.notes:
                progress.noted(note)
            yield period, made


def _beginning(phase: str, progress: Progress) -> Callable[[Period], None]:
    return lambda period: progress.reached(period.key, phase)


def _new_records(work: Work, plan: Plan) -> NewRecords:
    return make_new_records(work.series, plan, work.workspace, work.folder)


def _dataset(work: Work, plan: Plan) -> Dataset:
    new = read_new_records(work, plan.period)
    return make_dataset(work.series, plan, new, work.workspace, work.folder)

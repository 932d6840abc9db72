"""Runs one phase for a range of periods, and yields its results one by one to be stored.

For callers that separate the phases, as Dagster's assets do; ``run`` completes each period.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, NamedTuple

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Plan, Series
from series_assets.pipeline import part_tasks
from series_assets.pipeline.failures import as_period_errors
from series_assets.pipeline.manifest import write_manifest
from series_assets.pipeline.part_facts import PeriodOfParts
from series_assets.pipeline.parts import Task as PartTask
from series_assets.pipeline.parts import run_parts
from series_assets.pipeline.progress import (
    DATASET,
    MANIFEST,
    NEW_RECORDS,
    REFERENCE_TABLE,
    STATE,
    TRUTH,
    PhaseTimer,
    Progress,
    counted,
)
from series_assets.pipeline.reference import require_earlier, select_new_entities
from series_assets.pipeline.state import fold_period, recorded_fold
from series_assets.pipeline.truth import write_truth
from series_assets.pipeline.work import Work, read_new_records, run_for_each
from series_assets.pipeline.workspace import Workspace

Result = tuple[Any, str]
"""What a phase makes of a period, and what that contains in words."""


# Exhibit is imported by the phases that run it: a process that only adds entities starts sooner.


def _new_records(work: Work, plan: Plan) -> Result:
    from series_assets.pipeline.new_records import make_new_records

    new = make_new_records(work.series, plan, work.workspace, work.folder)
    return new, new.contents


def _new_entities(work: Work, plan: Plan) -> Result:
    new = read_new_records(work.series, work.workspace, plan.period)
    entities = select_new_entities(work.series, new)
    return entities, entities.contents


def _dataset(work: Work, plan: Plan) -> Result:
    from series_assets.pipeline.dataset import make_dataset

    new = read_new_records(work.series, work.workspace, plan.period)
    dataset = make_dataset(work.series, plan, new, work.workspace, work.folder)
    return dataset, dataset.contents


def _state(work: Work, plan: Plan) -> Result:
    folded = fold_period(work.series, plan.period, work.workspace)
    return folded, folded.contents


def _truth(work: Work, plan: Plan) -> Result:
    folded = recorded_fold(work.series, plan.period, work.workspace)
    written = write_truth(work.series, plan.period, folded, work.workspace, work.folder)
    return folded, counted(len(written), "file")


def _manifest(work: Work, plan: Plan) -> Result:
    path = write_manifest(work.series, plan.period, [], work.workspace, work.folder)
    return path, path.name


class _Phase(NamedTuple):
    """What a phase does for a period, and for a part of one."""

    name: str
    make: Callable[[Work, Plan], Result]
    part: PartTask | None = None
    ahead: bool = False
    """Whether periods may be made before the one before is stored."""


_PHASES = {
    "new_records": _Phase(NEW_RECORDS, _new_records, part_tasks.new_records_part, True),
    "reference_table": _Phase(REFERENCE_TABLE, _new_entities, part_tasks.reference_table_part),
    "dataset": _Phase(DATASET, _dataset, part_tasks.dataset_part, True),
    "state": _Phase(STATE, _state, part_tasks.state_part),
    "truth": _Phase(TRUTH, _truth, part_tasks.truth_part),
    "manifest": _Phase(MANIFEST, _manifest),
}
"""The phases by the asset whose partitions they make."""


def run_phase(
    asset: str, series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, Any], None, None]:
    """Yield what a phase makes of each period, or for a sharded series the facts of its parts.

    The caller stores the result of a period before it continues with the next one; only then the
    phase ends. Raises SeriesError.
    """
    phase, periods = _PHASES[asset], [plan.period for plan in plans]
    with workspace.scratch() as folder:
        work = Work(series, workspace, folder)
        if asset == "reference_table":  # periods are consecutive, so this covers all of them
            with as_period_errors(series, periods[0]):
                require_earlier(series, periods[0], workspace, folder)
        if series.is_sharded and phase.part:
            for period, facts in run_parts(work, periods, phase.part, progress):
                yield period, PeriodOfParts(facts)
            return
        timer = PhaseTimer(periods, progress)
        begin = partial(timer.begin, phase.name)
        for period, (result, contents) in run_for_each(
            work, plans, phase.make, begin, ahead=phase.ahead
        ):
            for note in getattr(result, "notes", ()):  # which Exhibit's runs have
                progress.noted(note)
            yield period, result
            timer.end(phase.name, period, contents)

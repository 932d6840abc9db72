"""The phases of a period: what each makes, and how that is put in place.

Those who generate a period from its plan to its files complete one phase after the other. Dagster's
assets make one phase for a range of periods, and store each result as it comes.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Plan, Series
from series_assets.pipeline.facts import PartFacts, combined
from series_assets.pipeline.failures import as_period_errors
from series_assets.pipeline.manifest import withdraw_manifest, write_manifest
from series_assets.pipeline.parts import run_parts
from series_assets.pipeline.progress import (
    DATASET,
    MANIFEST,
    NEW_RECORDS,
    REFERENCE_TABLE,
    STATE,
    TRUTH,
    KeptProgress,
    PhaseTimer,
    Progress,
    counted,
)
from series_assets.pipeline.reference import (
    record_new_entities,
    require_earlier,
    select_new_entities,
)
from series_assets.pipeline.state import PeriodFold, fold_period, record_states, recorded_fold
from series_assets.pipeline.truth import write_truth
from series_assets.pipeline.work import Work, run_for_each
from series_assets.pipeline.workspace import Workspace

Result = tuple[Any, str]
"""What a phase makes of a period, and what that contains in words."""


# A phase reads what those before it have stored, unless it is given what is still in memory.
# Exhibit is imported by the phases that run it: a process that only adds entities starts sooner.


def _new_records(work: Work, period: Period) -> Result:
    from series_assets.pipeline.new_records import make_new_records

    new = make_new_records(work.series, work.plan(period), work.workspace, work.folder)
    return new, new.contents


def _store_new_records(work: Work, period: Period, new: Any) -> None:
    from series_assets.pipeline.new_records import write_new_records

    write_new_records(work.series, work.plan(period), new, work.workspace, work.folder)


def _new_entities(work: Work, period: Period, *new: pa.Table | None) -> Result:
    [texts] = new or [work.read_new_records(period)]
    entities = select_new_entities(work.series, texts)
    return entities, entities.contents


def _store_new_entities(work: Work, period: Period, entities: Any) -> None:
    record_new_entities(work.series, period, entities, work.workspace, work.folder)


def _dataset(work: Work, period: Period, *new: pa.Table | None) -> Result:
    from series_assets.pipeline.dataset import make_dataset

    [texts] = new or [work.read_new_records(period)]
    dataset = make_dataset(work.series, work.plan(period), texts, work.workspace, work.folder)
    return dataset, dataset.contents


def _store_dataset(work: Work, period: Period, dataset: Any) -> None:
    from series_assets.pipeline.dataset import write_dataset

    write_dataset(work.series, work.plan(period), dataset, work.workspace, work.folder)


def _state(work: Work, period: Period, texts: pa.Table | None = None) -> Result:
    folded = fold_period(work.series, period, work.workspace, texts)
    return folded, folded.contents


def _store_states(work: Work, period: Period, folded: Any) -> None:
    record_states(work.series, period, folded, work.workspace, work.folder)


def _truth(work: Work, period: Period, folded: PeriodFold | None = None) -> Result:
    folded = folded or recorded_fold(work.series, period, work.workspace)
    written = write_truth(work.series, period, folded, work.workspace, work.folder)
    return folded, counted(len(written), "file")


def _manifest(
    work: Work,
    period: Period,
    operations: Sequence[Mapping[str, int]] = (),
    texts: pa.Table | None = None,
) -> Result:
    path = write_manifest(work.series, period, operations, work.workspace, work.folder, texts)
    return path, path.name


class _Phase(NamedTuple):
    """What a phase does for a period, or for a part of one."""

    name: str
    make: Callable[..., Result]
    store: Callable[[Work, Period, Any], None] | None = None
    """Puts in place what was made; None where that is done already."""
    ahead: bool = False
    """Whether periods may be made before the one before is stored."""
    begin: Callable[[Work, Period], None] | None = None
    """What comes before the parts of a period; whole periods do the same when they are stored."""


_PHASES = {
    "new_records": _Phase(NEW_RECORDS, _new_records, _store_new_records, True),
    "reference_table": _Phase(REFERENCE_TABLE, _new_entities, _store_new_entities),
    "dataset": _Phase(DATASET, _dataset, _store_dataset, True, withdraw_manifest),
    "state": _Phase(STATE, _state, _store_states, begin=withdraw_manifest),
    "truth": _Phase(TRUTH, _truth),
    "manifest": _Phase(MANIFEST, _manifest),
}
"""The phases by the asset whose partitions they make."""


def store(asset: str, work: Work, period: Period, result: Any) -> None:
    """Put in place what the phase of an asset has made. Raises SeriesError."""
    if put := _PHASES[asset].store:
        put(work, period, result)


def complete(asset: str, work: Work, period: Period, timer: PhaseTimer, *given: Any) -> Any:
    """Make and store what the phase of an asset makes of a period, or of a part; return it.

    ``given`` is what the phase would otherwise read. Raises SeriesError.
    """
    phase = _PHASES[asset]
    timer.begin(phase.name, period)
    result, contents = phase.make(work, period, *given)
    timer.note(result)
    store(asset, work, period, result)
    timer.end(phase.name, period, contents)
    return result


def complete_part(asset: str, work: Work, period: Period) -> PartFacts:
    """Complete the phase of an asset for a part of a period. Raises SeriesError."""
    heard = KeptProgress()
    result = complete(asset, work, period, PhaseTimer([period], heard))
    return PartFacts(heard.phases, heard.notes, result.facts(work.series))


def run_phase(
    asset: str, series: Series, plans: Sequence[Plan], workspace: Workspace, progress: Progress
) -> Generator[tuple[Period, Any], None, None]:
    """Yield what a phase makes of each period, or for a sharded series its facts.

    The caller stores the result of a period before it continues with the next one; only then the
    phase ends. Parts are stored already. Raises SeriesError.
    """
    phase, periods = _PHASES[asset], [plan.period for plan in plans]
    with workspace.scratch() as folder:
        work = Work(series, workspace, folder, {plan.period.k: plan for plan in plans})
        if asset == "reference_table":  # periods are consecutive, so this covers all of them
            with as_period_errors(series, periods[0]):
                require_earlier(series, periods[0], workspace, folder)
        if series.is_sharded and asset != "manifest":
            task = partial(complete_part, asset)
            for period, parts in run_parts(work, periods, task, progress, phase.begin):
                yield period, combined([part.facts for part in parts])
            return
        timer = PhaseTimer(periods, progress)
        begin = partial(timer.begin, phase.name)
        for period, (result, contents) in run_for_each(
            work, periods, phase.make, begin, ahead=phase.ahead
        ):
            timer.note(result)
            yield period, result
            timer.end(phase.name, period, contents)

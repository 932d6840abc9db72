"""Tasks on periods: what they work on, and running one for each of several periods."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Plan, Series
from series_assets.pipeline import executors
from series_assets.pipeline.failures import as_period_errors
from series_assets.pipeline.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True)
class Work:
    """What tasks work on: a series, its workspace, and a folder for temporary files."""

    series: Series
    workspace: Workspace
    folder: Path

    def packed(self) -> bytes:
        """Return it pickled. A worker unpickles it once for all of its tasks."""
        return pickle.dumps(self)


@lru_cache(maxsize=4)
def unpacked(packed: bytes) -> Work:
    """Return the pickled work, the same object for all tasks of a worker."""
    work: Work = pickle.loads(packed)
    return work


def read_new_records(series: Series, workspace: Workspace, period: Period) -> pa.Table | None:
    """Return the new records of a period of a series, or of a shard, as text; None without any."""
    new, _ = series.counts(period.k)
    return workspace.read_new_records(series, period) if new else None


Task = Callable[[Work, Plan], T]


def run_task(task: "Task[T]", packed: bytes, k: int, plan: Plan | None = None) -> T:
    """Run a task for period ``k`` in a worker. Raises PeriodError.

    Without a ``plan``, the worker uses the series' own.
    """
    work = unpacked(packed)
    with as_period_errors(work.series, work.series.calendar.period(k)):
        return task(work, plan or work.series.plan(k))


def run_for_each(
    work: Work,
    plans: Sequence[Plan],
    task: "Task[T]",
    begin: Callable[[Period], None],
    *,
    ahead: bool = True,
) -> Iterator[tuple[Period, T]]:
    """Yield the results of a task for each plan, in order, from this process or from several.

    ``begin`` is called before each. Several are at work unless each needs the one before to be
    stored: without ``ahead``. No more results are in memory than there are processes.
    Raises PeriodError for the first period that fails, after the results before it.
    """
    series = work.series
    executor = work.workspace.executor
    workers = executors.workers_for(len(plans), series.rows, executor) if ahead else 1
    with executors.start_workers(workers) as processes:
        if processes is None:
            for plan in plans:
                with as_period_errors(series, plan.period):
                    begin(plan.period)
                    result = task(work, plan)
                yield plan.period, result
            return
        packed, waiting = work.packed(), list(plans)
        running: dict[Period, Future[Any]] = {}
        for plan in plans:
            while waiting and len(running) < processes.count:
                next_plan = waiting.pop(0)
                with as_period_errors(series, next_plan.period):
                    begin(next_plan.period)
                running[next_plan.period] = processes.submit(
                    run_task, task, packed, next_plan.period.k, next_plan
                )
            yield plan.period, executors.result_of(running.pop(plan.period), series, plan.period)

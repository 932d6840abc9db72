"""What the phases of a period work on, and running one for each of several periods."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
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
    """What phases work on: a series or a shard, its workspace, a folder for temporary files."""

    series: Series
    workspace: Workspace
    folder: Path
    plans: Mapping[int, Plan] = field(default_factory=dict)
    """Plans that are given, by ``k``; those of other periods are the series' own."""

    def plan(self, period: Period) -> Plan:
        """Return the plan of a period."""
        return self.plans.get(period.k) or self.series.plan(period.k)

    def read_new_records(self, period: Period) -> pa.Table | None:
        """Return the new records of a period as text; None without any. Raises RequestError."""
        new, _ = self.series.counts(period.k)
        return self.workspace.read_new_records(self.series, period) if new else None

    def packed(self) -> bytes:
        """Return it pickled, without plans. A worker unpickles it once for all of its tasks."""
        return pickle.dumps(replace(self, plans={}))


@lru_cache(maxsize=4)
def unpacked(packed: bytes) -> Work:
    """Return the pickled work, the same object for all tasks of a worker."""
    work: Work = pickle.loads(packed)
    return work


Task = Callable[[Work, Period], T]


def run_task(task: "Task[T]", packed: bytes, period: Period, plan: Plan | None = None) -> T:
    """Run a task for a period in a worker, with a ``plan`` if one is given. Raises PeriodError."""
    work = unpacked(packed)
    with as_period_errors(work.series, period):
        return task(replace(work, plans={period.k: plan} if plan else {}), period)


def run_for_each(
    work: Work,
    periods: Sequence[Period],
    task: "Task[T]",
    begin: Callable[[Period], None],
    *,
    ahead: bool = True,
) -> Iterator[tuple[Period, T]]:
    """Yield the results of a task for each period, in order, from this process or from several.

    ``begin`` is called before each. Several are at work unless each needs the one before to be
    stored: without ``ahead``. No more results are in memory than there are processes.
    Raises PeriodError for the first period that fails, after the results before it.
    """
    series = work.series
    executor = work.workspace.executor
    workers = executors.workers_for(len(periods), series.rows, executor) if ahead else 1
    with executors.start_workers(workers) as processes:
        if processes is None:
            for period in periods:
                with as_period_errors(series, period):
                    begin(period)
                    result = task(work, period)
                yield period, result
            return
        packed, waiting = work.packed(), list(periods)
        running = executors.RunningTasks[Period](processes)
        finished: dict[Period, Future[Any]] = {}
        for period in periods:
            while waiting and len(running) + len(finished) < processes.count:
                following = waiting.pop(0)
                with as_period_errors(series, following):
                    begin(following)
                plan = work.plans.get(following.k)
                running.submit(following, run_task, task, packed, following, plan)
            while period not in finished:
                finished.update([running.next_finished()])
            yield period, executors.result_of(finished.pop(period), series, period)

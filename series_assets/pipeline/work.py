"""What the workers of a run are handed, and making one thing for each of several periods."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Plan, Series
from series_assets.pipeline import executors
from series_assets.pipeline.failures import as_period_errors
from series_assets.pipeline.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True)
class Work:
    """What tasks work on: a series, where its files go, and a folder for temporary ones."""

    series: Series
    workspace: Workspace
    folder: Path

    def packed(self) -> bytes:
        """Return it as a worker unpacks it: once, for all of its tasks."""
        return pickle.dumps(self)


@lru_cache(maxsize=4)
def unpacked(packed: bytes) -> Work:
    """Return the work that was packed; the same object for all tasks of a worker."""
    work: Work = pickle.loads(packed)
    return work


def read_new_records(work: Work, period: Period) -> pd.DataFrame | None:
    """Return the new records of a period, as text; None where it has none by its plan."""
    new, _ = work.series.counts(period.k)
    return work.workspace.read_new_records(work.series, period) if new else None


Task = Callable[[Work, Plan], T]


def call(task: "Task[T]", packed: bytes, k: int, plan: Plan | None = None) -> T:
    """Call a task for period ``k`` in a worker, with a plan or the series' own. Raises PeriodError.

    A plan that is not handed over is made by the worker.
    """
    work = unpacked(packed)
    with as_period_errors(work.series, work.series.calendar.period(k)):
        return task(work, plan or work.series.plan(k))


def each(
    work: Work, plans: Sequence[Plan], task: "Task[T]", begin: Callable[[Period], None]
) -> Iterator[tuple[Period, T]]:
    """Yield what a task returns for each plan, in order, one by one or from processes.

    ``begin`` is called before each. Never more results are in memory than there are processes.
    Raises PeriodError for the first period that fails, after those before it.
    """
    series = work.series
    workers = executors.workers_for(len(plans), series.rows, work.workspace.executor)
    with executors.start_workers(workers) as processes:
        if processes is None:
            for plan in plans:
                with as_period_errors(series, plan.period):
                    begin(plan.period)
                    made = task(work, plan)
                yield plan.period, made
            return
        packed, waiting = work.packed(), list(plans)
        running: dict[Period, Future[Any]] = {}
        for plan in plans:
            while waiting and len(running) < processes.count:
                begun = waiting.pop(0)
                with as_period_errors(series, begun.period):
                    begin(begun.period)
                running[begun.period] = processes.submit(call, task, packed, begun.period.k, begun)
            yield plan.period, executors.result_of(running.pop(plan.period), series, plan.period)

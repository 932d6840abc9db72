"""Generates the parts of a sharded series: a shard of a period is the unit of work and of memory.

Each part is written by the task that generates it, which returns small facts. Shards never wait
for each other: a part needs those of its own shard in the periods before, and nothing else. A part
may be generated again at any time, because a worker that held its facts has died: that writes the
same bytes once more, and has to leave all else alone.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.pipeline import executors
from series_assets.pipeline.executor_names import dask_address
from series_assets.pipeline.facts import PartFacts
from series_assets.pipeline.failures import PeriodError, as_period_errors
from series_assets.pipeline.memory import release_unused
from series_assets.pipeline.progress import Progress, phase_of_part
from series_assets.pipeline.work import Work, unpacked
from series_assets.storage.remote import is_remote

Task = Callable[[Work, Period], PartFacts]
"""Generates a part: the work is that on its shard, with a folder of its own."""
_Unit = tuple[Period, int]
"""A period and a shard of it."""


def run_parts(
    work: Work,
    periods: Sequence[Period],
    task: Task,
    progress: Progress,
    begin: Callable[[Work, Period], None] | None = None,
) -> Iterator[tuple[Period, list[PartFacts]]]:
    """Run a task for each part of each period; yield the facts of each period, in order.

    ``begin`` is called once for a period, in this process, before the first of its parts is
    generated. Raises the PeriodError of the first period that fails, after those before it are
    complete.
    """
    started: set[Period] = set()

    def start(period: Period) -> None:
        if begin and period not in started:
            with as_period_errors(work.series, period):
                begin(work, period)
        started.add(period)

    with _workers(work, len(periods)) as workers:
        if workers is None:
            yield from _in_this_process(work, periods, task, progress, start)
        else:
            yield from _ParallelParts(work, periods, task, progress, start, workers).results()


def _workers(work: Work, periods: int) -> "AbstractContextManager[executors.Workers | None]":
    """Return what provides the workers for so many periods; None: this process does the work."""
    series, executor = work.series, work.workspace.executor
    if address := dask_address(executor):
        from series_assets.pipeline.dask_workers import connect_workers

        shared = None if is_remote(work.workspace.folder) else work.folder
        return connect_workers(address, shared)
    rows = -(-series.rows // series.shards)
    wanted = executors.workers_for(periods * series.shards, rows, executor)
    return executors.start_workers(min(wanted, series.shards))


def _in_this_process(
    work: Work,
    periods: Sequence[Period],
    task: Task,
    progress: Progress,
    start: Callable[[Period], None],
) -> Iterator[tuple[Period, list[PartFacts]]]:
    reporter = _Reporter(work.series, periods, progress)
    for period in periods:
        found = []
        start(period)
        for shard in range(work.series.shards):
            reporter.begin((period, shard))
            found.append(_run(task, work, period, shard))
            reporter.end((period, shard), found[-1])
        yield period, found


def run_part(task: Task, packed: bytes, period: Period, shard: int) -> PartFacts:
    """Run a task for one part in a worker. Raises PeriodError."""
    return _run(task, unpacked(packed), period, shard)


def _run(task: Task, work: Work, period: Period, shard: int) -> PartFacts:
    series = work.series.parts[shard]
    with (
        as_period_errors(series, period),
        _folder_of_part(work, period.k, shard) as folder,
    ):
        facts = task(Work(series, work.workspace, folder), period)
    release_unused(sum(series.counts(period.k)))
    return facts


@contextmanager
def _folder_of_part(work: Work, k: int, shard: int) -> Iterator[Path]:
    """Provide a folder of the part's own for temporary files: parts are generated side by side."""
    if is_remote(work.workspace.folder):  # a worker may be on another machine
        with TemporaryDirectory(prefix="series_assets_") as temporary:
            yield Path(temporary)
        return
    folder = work.folder / f"part_{k + 1}_{shard + 1}"
    try:
        folder.mkdir()
    except FileExistsError:
        # A worker that was given up may still be at work on the same part.
        folder = Path(mkdtemp(prefix=f"{folder.name}_", dir=work.folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Reporter:
    """Reports what tasks on parts do."""

    def __init__(self, series: Series, periods: Sequence[Period], progress: Progress) -> None:
        self._series = series
        self._positions = {period: position for position, period in enumerate(periods, start=1)}
        self._progress = progress

    def begin(self, unit: _Unit) -> None:
        """Report that a task begins."""
        period, shard = unit
        phase = phase_of_part("generating", self._series, shard)
        self._progress.reached(period.key, phase)

    def end(self, unit: _Unit, facts: PartFacts) -> None:
        """Report the phases that a task has finished, and its notes."""
        period, shard = unit
        for note in facts.notes:
            self._progress.noted(note)
        position, periods = self._positions[period], len(self._positions)
        for one in facts.phases:
            phase = phase_of_part(one.phase, self._series, shard)
            self._progress.finished(replace(one, phase=phase, position=position, periods=periods))


class _ParallelParts:
    """A run of a task for all parts in several processes."""

    def __init__(
        self,
        work: Work,
        periods: Sequence[Period],
        task: Task,
        progress: Progress,
        start: Callable[[Period], None],
        workers: executors.Workers,
    ) -> None:
        self._series, self._periods, self._task = work.series, periods, task
        self._start = start
        self._packed, self._workers = work.packed(), workers
        self._reporter = _Reporter(work.series, periods, progress)
        self._waiting = [(period, s) for period in periods for s in range(work.series.shards)]
        self._running = executors.RunningTasks[_Unit](workers)
        self._done: set[tuple[int, int]] = set()
        self._facts: dict[Period, dict[int, PartFacts]] = {period: {} for period in periods}
        self._failure: tuple[Period, PeriodError] | None = None

    def results(self) -> Iterator[tuple[Period, list[PartFacts]]]:
        """Yield the facts of each period, in order. Raises PeriodError."""
        for period in self._periods:
            while len(self._facts[period]) < self._series.shards:
                if self._failure and self._failure[0].k <= period.k:
                    raise self._failure[1]
                self._submit()
                self._collect(*self._running.next_finished())
            yield period, [facts for _, facts in sorted(self._facts.pop(period).items())]

    def _submit(self) -> None:
        """Give tasks to idle processes, in order."""
        while len(self._running) < self._workers.count:
            unit = next((unit for unit in self._waiting if self._is_ready(unit)), None)
            if unit is None:
                return
            self._waiting.remove(unit)
            period, shard = unit
            try:
                self._start(period)
            except PeriodError as error:
                self._fail(period, error)
                continue
            self._reporter.begin(unit)
            self._running.submit(unit, run_part, self._task, self._packed, period, shard)

    def _is_ready(self, unit: _Unit) -> bool:
        period, shard = unit
        is_first = period.k == self._periods[0].k
        return is_first or (period.k - 1, shard) in self._done

    def _collect(self, unit: _Unit, future: "Future[Any]") -> None:
        period, shard = unit
        try:
            facts = executors.result_of(future, self._series.parts[shard], period)
        except PeriodError as error:
            self._fail(period, error)
        else:
            self._reporter.end(unit, facts)
            self._done.add((period.k, shard))
            self._facts[period][shard] = facts

    def _fail(self, period: Period, error: PeriodError) -> None:
        """Keep the failure of the first period; generate no more of that one and later ones."""
        if not self._failure or period.k < self._failure[0].k:
            self._failure = period, error
        self._waiting = [one for one in self._waiting if one[0].k < self._failure[0].k]

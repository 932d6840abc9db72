"""Generates a range of periods: the order of their phases, progress, and failures.

A period is completed before the next one begins. With several processes, new records are generated
ahead of the reference table, and datasets as soon as the table has the previous period. History
and manifests follow in this process, in order, because each builds on the previous period.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.notes import notes_of
from series_assets.core.plan.series import Series
from series_assets.pipeline import (
    dataset,  # noqa: F401  Exhibit is loaded before processes are forked, which share it
    executors,
)
from series_assets.pipeline.facts import Facts, PartFacts
from series_assets.pipeline.failures import PeriodError, as_period_errors
from series_assets.pipeline.manifest import withdraw_manifest
from series_assets.pipeline.memory import release_unused
from series_assets.pipeline.parts import run_parts
from series_assets.pipeline.phases import complete
from series_assets.pipeline.progress import (
    DATASET,
    NEW_RECORDS,
    KeptProgress,
    PhaseTimer,
    Progress,
)
from series_assets.pipeline.reference import require_earlier
from series_assets.pipeline.requests import check_request
from series_assets.pipeline.state import PeriodFold
from series_assets.pipeline.work import Work, run_task
from series_assets.pipeline.workspace import Workspace


def generate_periods(
    series: Series, periods: Sequence[Period], workspace: Workspace, progress: Progress
) -> list[Path]:
    """Generate consecutive periods and return the paths of their datasets.

    Raises RequestError or InputError before anything runs, and PeriodError if a period fails,
    after the periods before it are complete.
    """
    check_request(series, periods, workspace)
    for note in notes_of(series):
        progress.noted(note)
    timer = PhaseTimer(periods, progress)
    with workspace.scratch() as folder:
        require_earlier(series, periods[0], workspace, folder)
        work = Work(series, workspace, folder)
        if series.is_sharded:
            _make_parts(work, periods, progress, timer)
        else:
            _make_periods(work, periods, timer)
    layout = workspace.layout(series)
    return [layout.dataset(period.number) for period in periods]


def _make_parts(
    work: Work, periods: Sequence[Period], progress: Progress, timer: PhaseTimer
) -> None:
    """Generate the periods of a sharded series, part by part."""
    for period, parts in run_parts(work, periods, _make_part, progress, withdraw_manifest):
        if work.series.user_input.manifest:
            operations = [part.facts.fold.operations for part in parts if part.facts.fold]
            with as_period_errors(work.series, period):
                complete("manifest", work, period, timer, operations)


def _make_part(work: Work, period: Period) -> PartFacts:
    """Generate a part from its plan to its files, keeping its new records in memory."""
    heard = KeptProgress()
    folded, _ = _make_files(work, period, PhaseTimer([period], heard))
    return PartFacts(heard.phases, heard.notes, folded.facts(work.series) if folded else Facts())


def _make_periods(work: Work, periods: Sequence[Period], timer: PhaseTimer) -> None:
    """Generate the periods of a series that is not sharded."""
    series = work.series
    workers = executors.workers_for(len(periods), series.rows, work.workspace.executor)
    with executors.start_workers(workers) as processes:
        if processes is not None:
            _ParallelRun(work, periods, processes, timer).run()
            return
        for period in periods:
            _make_period(work, period, timer)
            release_unused(series.rows)


def _make_period(work: Work, period: Period, timer: PhaseTimer) -> None:
    """Generate a period from its plan to its files; nothing of it stays in memory."""
    with as_period_errors(work.series, period):
        folded, texts = _make_files(work, period, timer)
        _make_manifest(work, period, timer, folded, texts)


def _make_files(
    work: Work, period: Period, timer: PhaseTimer
) -> tuple[PeriodFold | None, pa.Table]:
    """Generate the files of a period, or of a part of it, keeping its new records in memory.

    Returns what it does to the history, if the series has one, and what the dataset contains.
    """
    new = complete("new_records", work, period, timer)
    complete("reference_table", work, period, timer, new.texts)
    texts: pa.Table = complete("dataset", work, period, timer, new.texts).texts
    del new  # a fold needs memory too
    return _make_history(work, period, timer, texts), texts


def _make_history(
    work: Work, period: Period, timer: PhaseTimer, *texts: pa.Table
) -> PeriodFold | None:
    """Record the states of a delivered period, or part, and write the files of its history.

    ``texts`` is what the dataset contains, which else is read from it.
    """
    if not work.series.truth:
        return None
    folded: PeriodFold = complete("state", work, period, timer, *texts)
    complete("truth", work, period, timer, folded)
    return folded


def _make_manifest(
    work: Work, period: Period, timer: PhaseTimer, folded: PeriodFold | None, *texts: pa.Table
) -> None:
    """Write the manifest of a series that requests one, after all other files of a period."""
    if work.series.user_input.manifest:
        operations = [folded.fold.operations] if folded else []
        complete("manifest", work, period, timer, operations, *texts)


def _finish_period(work: Work, period: Period, timer: PhaseTimer) -> None:
    """Write what follows a delivered dataset; nothing of it stays in memory."""
    with as_period_errors(work.series, period):
        _make_manifest(work, period, timer, _make_history(work, period, timer))


def _complete_in_worker(asset: str, work: Work, period: Period) -> tuple[str, KeptProgress]:
    """Complete a phase in a worker; return what it delivered in words, and what it reported."""
    heard = KeptProgress()
    complete(asset, work, period, PhaseTimer([period], heard))
    release_unused(work.series.rows)
    return heard.phases[0].contents, heard


class _ParallelRun:
    """A run in several processes; entities are recorded in this one, in order."""

    def __init__(
        self,
        work: Work,
        periods: Sequence[Period],
        processes: executors.WorkerProcesses,
        timer: PhaseTimer,
    ) -> None:
        self._work = work
        self._packed = work.packed()
        self._most = processes.count
        self._timer = timer
        self._to_generate, self._to_record = list(periods), list(periods)
        self._to_combine: list[Period] = []
        self._to_finish = list(periods)
        self._generated: set[Period] = set()
        self._combined: set[Period] = set()
        self._running = executors.RunningTasks[tuple[str, Period]](processes)
        self._failure: tuple[Period, PeriodError] | None = None

    def run(self) -> None:
        """Generate all periods.

        Raises the PeriodError of the first period that fails, after those before it are complete.
        """
        self._submit()
        while self._running:
            self._collect(*self._running.next_finished())
            self._record()
            self._submit()
            self._finish()
        if self._failure:
            raise self._failure[1]

    def _submit(self) -> None:
        """Give tasks to idle processes: datasets first, because they complete periods."""
        while len(self._running) < self._most and (self._to_combine or self._to_generate):
            if self._to_combine:
                phase, asset, period = DATASET, "dataset", self._to_combine.pop(0)
            else:
                phase, asset, period = NEW_RECORDS, "new_records", self._to_generate.pop(0)
            self._timer.begin(phase, period)
            task = partial(_complete_in_worker, asset)
            self._running.submit((phase, period), run_task, task, self._packed, period)

    def _collect(self, label: tuple[str, Period], future: "Future[Any]") -> None:
        phase, period = label
        try:
            contents, heard = executors.result_of(future, self._work.series, period)
            self._timer.note(heard)
            self._timer.end(phase, period, contents)
            (self._generated if phase == NEW_RECORDS else self._combined).add(period)
        except PeriodError as error:
            self._fail(period, error)

    def _record(self) -> None:
        """Record the entities of the next periods in order that have new records."""
        while self._to_record and self._to_record[0] in self._generated:
            period = self._to_record.pop(0)
            try:
                with as_period_errors(self._work.series, period):
                    complete("reference_table", self._work, period, self._timer)
            except PeriodError as error:
                self._fail(period, error)
            else:
                self._to_combine.append(period)

    def _finish(self) -> None:
        """Write the history and manifests of the next periods in order that have a dataset."""
        while self._to_finish and self._to_finish[0] in self._combined:
            period = self._to_finish.pop(0)
            try:
                _finish_period(self._work, period, self._timer)
            except PeriodError as error:
                self._fail(period, error)

    def _fail(self, period: Period, error: PeriodError) -> None:
        """Skip the period and all later ones; earlier ones are still generated."""
        if self._failure and self._failure[0].k < period.k:
            return
        self._failure = period, error
        for waiting in (self._to_generate, self._to_record, self._to_combine, self._to_finish):
            waiting[:] = [earlier for earlier in waiting if earlier.k < period.k]

"""Generates a range of periods: the order of their phases, progress, and failures.

A period is completed before the next one begins. With several processes, new records are generated
ahead of the reference table, and datasets as soon as the table has the previous period. History
and manifests follow in this process, in order, because each builds on the previous period.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

import pyarrow as pa

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.notes import notes_of
from series_assets.core.plan.series import Plan, Series
from series_assets.pipeline import executors
from series_assets.pipeline.dataset import make_dataset, write_dataset
from series_assets.pipeline.failures import PeriodError, as_period_errors
from series_assets.pipeline.manifest import write_manifest
from series_assets.pipeline.memory import release_unused
from series_assets.pipeline.new_records import make_new_records, write_new_records
from series_assets.pipeline.part_tasks import generate_part
from series_assets.pipeline.parts import run_parts
from series_assets.pipeline.progress import MANIFEST, STATE, TRUTH, PhaseTimer, Progress, counted
from series_assets.pipeline.reference import (
    record_new_entities,
    require_earlier,
    select_new_entities,
)
from series_assets.pipeline.requests import check_request
from series_assets.pipeline.state import fold_period, record_states
from series_assets.pipeline.truth import write_truth
from series_assets.pipeline.work import Work, read_new_records, run_task
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
        if series.is_sharded:
            _make_parts(Work(series, workspace, folder), periods, progress, timer)
        else:
            _make_periods(Work(series, workspace, folder), periods, progress, timer)
    layout = workspace.layout(series)
    return [layout.dataset(period.number) for period in periods]


def _make_parts(
    work: Work, periods: Sequence[Period], progress: Progress, timer: PhaseTimer
) -> None:
    """Generate the periods of a sharded series, part by part."""
    series, workspace, folder = work.series, work.workspace, work.folder
    for period, parts in run_parts(work, periods, generate_part, progress):
        if series.user_input.manifest:
            operations = [part.fold.operations for part in parts if part.fold]
            with as_period_errors(series, period):
                _write_manifest(series, period, workspace, folder, timer, operations)


def _make_periods(
    work: Work, periods: Sequence[Period], progress: Progress, timer: PhaseTimer
) -> None:
    """Generate the periods of a series that is not sharded."""
    series, workspace, folder = work.series, work.workspace, work.folder
    workers = executors.workers_for(len(periods), series.rows, workspace.executor)
    with executors.start_workers(workers) as processes:
        if processes is None:
            for period in periods:
                _make_period(series, period, workspace, folder, progress, timer)
                release_unused(series.rows)
        else:
            _ParallelRun(work, periods, processes, progress, timer).run()


def _make_period(
    series: Series,
    period: Period,
    workspace: Workspace,
    folder: Path,
    progress: Progress,
    timer: PhaseTimer,
) -> None:
    """Generate one period from its plan to its files, keeping its new records in memory."""
    with as_period_errors(series, period):
        plan = series.plan(period.k)
        timer.begin("new records", period)
        new = make_new_records(series, plan, workspace, folder)
        _note(progress, new.notes)
        write_new_records(series, plan, new, workspace, folder)
        timer.end("new records", period, new.contents)
        timer.begin("reference table", period)
        entities = select_new_entities(series, new.texts)
        record_new_entities(series, period, entities, workspace, folder)
        timer.end("reference table", period, entities.contents)
        timer.begin("dataset", period)
        dataset = make_dataset(series, plan, new.texts, workspace, folder)
        _note(progress, dataset.notes)
        write_dataset(series, plan, dataset, workspace, folder)
        timer.end("dataset", period, dataset.contents)
        _finish(series, period, workspace, folder, timer, dataset.texts)


def _finish(
    series: Series,
    period: Period,
    workspace: Workspace,
    folder: Path,
    timer: PhaseTimer,
    texts: pa.Table | None = None,
) -> None:
    """Write the additional files that a series requests, the manifest last.

    ``texts`` is what the dataset contains, which else is read from it.
    """
    operations = []
    if series.truth:
        timer.begin(STATE, period)
        folded = fold_period(series, period, workspace, texts)
        record_states(series, period, folded, workspace, folder)
        operations.append(folded.fold.operations)
        timer.end(STATE, period, folded.contents)
        timer.begin(TRUTH, period)
        written = write_truth(series, period, folded, workspace, folder)
        timer.end(TRUTH, period, counted(len(written), "file"))
    if series.user_input.manifest:
        _write_manifest(series, period, workspace, folder, timer, operations, texts)


def _write_manifest(
    series: Series,
    period: Period,
    workspace: Workspace,
    folder: Path,
    timer: PhaseTimer,
    operations: Sequence[Mapping[str, int]],
    texts: pa.Table | None = None,
) -> None:
    """Write the manifest of a period whose other files are in place."""
    timer.begin(MANIFEST, period)
    path = write_manifest(series, period, operations, workspace, folder, texts)
    timer.end(MANIFEST, period, path.name)


def _note(progress: Progress, notes: Sequence[str]) -> None:
    for note in notes:
        progress.noted(note)


def _new_records_task(work: Work, plan: Plan) -> tuple[tuple[str, ...], str]:
    """Generate and deliver new records in a worker; return their notes and contents."""
    new = make_new_records(work.series, plan, work.workspace, work.folder)
    write_new_records(work.series, plan, new, work.workspace, work.folder)
    notes, contents = new.notes, new.contents
    del new
    release_unused(work.series.rows)
    return notes, contents


def _dataset_task(work: Work, plan: Plan) -> tuple[tuple[str, ...], str]:
    """Generate and deliver a dataset in a worker; return its notes and contents."""
    new = read_new_records(work.series, work.workspace, plan.period)
    dataset = make_dataset(work.series, plan, new, work.workspace, work.folder)
    write_dataset(work.series, plan, dataset, work.workspace, work.folder)
    notes, contents = dataset.notes, dataset.contents
    del new, dataset
    release_unused(work.series.rows)
    return notes, contents


class _ParallelRun:
    """A run in several processes; entities are recorded in this one, in order."""

    def __init__(
        self,
        work: Work,
        periods: Sequence[Period],
        processes: executors.WorkerProcesses,
        progress: Progress,
        timer: PhaseTimer,
    ) -> None:
        self._work = work
        self._packed = work.packed()
        self._processes = processes
        self._progress = progress
        self._timer = timer
        self._to_generate, self._to_record = list(periods), list(periods)
        self._to_combine: list[Period] = []
        self._to_finish = list(periods)
        self._generated: set[Period] = set()
        self._combined: set[Period] = set()
        self._running: dict[Future[Any], tuple[str, Period]] = {}
        self._failure: tuple[Period, PeriodError] | None = None

    def run(self) -> None:
        """Generate all periods.

        Raises the PeriodError of the first period that fails, after those before it are complete.
        """
        self._submit()
        while self._running:
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            for future in done:
                self._collect(future)
            self._record()
            self._submit()
            self._finish()
        if self._failure:
            raise self._failure[1]

    def _submit(self) -> None:
        """Give tasks to idle processes: datasets first, because they complete periods."""
        while len(self._running) < self._processes.count and (
            self._to_combine or self._to_generate
        ):
            if self._to_combine:
                phase, task, period = "dataset", _dataset_task, self._to_combine.pop(0)
            else:
                phase, task, period = "new records", _new_records_task, self._to_generate.pop(0)
            self._timer.begin(phase, period)
            future = self._processes.submit(run_task, task, self._packed, period.k)
            self._running[future] = phase, period

    def _collect(self, future: "Future[Any]") -> None:
        phase, period = self._running.pop(future)
        try:
            notes, contents = executors.result_of(future, self._work.series, period)
            _note(self._progress, notes)
            self._timer.end(phase, period, contents)
            (self._generated if phase == "new records" else self._combined).add(period)
        except PeriodError as error:
            self._fail(period, error)

    def _record(self) -> None:
        """Record the entities of the next periods in order that have new records."""
        while self._to_record and self._to_record[0] in self._generated:
            period, work = self._to_record.pop(0), self._work
            self._timer.begin("reference table", period)
            try:
                with as_period_errors(work.series, period):
                    new = read_new_records(work.series, work.workspace, period)
                    entities = select_new_entities(work.series, new)
                    record_new_entities(work.series, period, entities, work.workspace, work.folder)
            except PeriodError as error:
                self._fail(period, error)
            else:
                self._timer.end("reference table", period, entities.contents)
                self._to_combine.append(period)

    def _finish(self) -> None:
        """Write the history and manifests of the next periods in order that have a dataset."""
        while self._to_finish and self._to_finish[0] in self._combined:
            period, work = self._to_finish.pop(0), self._work
            try:
                with as_period_errors(work.series, period):
                    _finish(work.series, period, work.workspace, work.folder, self._timer)
            except PeriodError as error:
                self._fail(period, error)

    def _fail(self, period: Period, error: PeriodError) -> None:
        """Skip the period and all later ones; earlier ones are still generated."""
        if self._failure and self._failure[0].k < period.k:
            return
        self._failure = period, error
        for waiting in (self._to_generate, self._to_record, self._to_combine, self._to_finish):
            waiting[:] = [earlier for earlier in waiting if earlier.k < period.k]

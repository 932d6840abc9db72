"""Making periods in one process, through Dagster, for the command line.

The definitions are those of the webserver; only progress is told in another way.
"""

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from series_assets.core.errors import (
    NO_MEMORY,
    Fault,
    GenerationError,
    InputError,
    RequestError,
    did_you_mean,
)
from series_assets.core.plain_text import visible
from series_assets.core.plan.notes import notes_of
from series_assets.core.plan.series import Series
from series_assets.dagster.assets import keys_of
from series_assets.dagster.build import build_definitions
from series_assets.dagster.resources import Progress, Workspace
from series_assets.storage.lookup_tables import check_lookups


@dataclass(frozen=True)
class Request:
    """What is asked for: periods of one series, made into a folder."""

    series: Series
    data_dir: Path
    flat: bool = False
    periods: str | None = None
    """``FIRST..LAST``, a single period, or None for all."""
    workers: int | None = None
    """How many periods to make at once; None lets the idle cores decide."""
    show_progress: bool = False
    verbose: bool = False


def generate_series(request: Request) -> list[Path]:
    """Make the periods and return the paths of their datasets.

    Raises RequestError or InputError before anything runs, GenerationError where a run fails, and
    KeyboardInterrupt where it was interrupted.
    """
    series = request.series
    keys = chosen_keys(series, request.periods)
    workspace = Workspace(
        data_dir=str(request.data_dir),
        flat=request.flat,
        workers=request.workers,
        explained=bool(os.environ.get("DAGSTER_HOME")),  # else nobody will ever see it
    )
    layout = workspace.layout(series)
    table = workspace.reference_table(series)
    check_lookups(series, layout.database)
    table.check_owner()
    k = series.calendar.index(keys[0])
    if k:
        table.require(k, f"period {keys[0]}")
    for folder in (layout.folder, layout.new_records(1).parent):
        if folder == layout.folder or folder.exists():
            _check_writable(folder)
    try:
        with _instance() as instance, _bar(series, keys, request.show_progress) as progress:
            for note in notes_of(series):
                progress.noted(note)
            _run(series, keys, workspace, progress, instance, request.verbose)
    except (OSError, SQLAlchemyError) as error:  # of our own files the ops tell
        raise GenerationError(
            f"{os.environ.get('DAGSTER_HOME') or tempfile.gettempdir()}: Dagster cannot keep its "
            f"records of the run: {_reason(error)}; see that the folder can be written and has "
            "space, then run it again"
        ) from error
    return [layout.dataset(series.calendar.index(key) + 1) for key in keys]


def chosen_keys(series: Series, periods: str | None) -> Sequence[str]:
    """Return the partition keys that ``FIRST..LAST`` names. Raises RequestError."""
    keys = series.calendar.keys
    if periods is None:
        return keys
    ends = [end.strip() for end in periods.split("..")]
    for end in ends:
        if end not in keys:
            raise RequestError(
                f"--periods {periods}: '{end}' is not the first day of a period of {series.name}"
                + did_you_mean(end, keys if len(keys) <= 12 else (keys[0], keys[1], keys[-1]))
            )
    if len(ends) > 2:
        raise RequestError(f"--periods {periods} is not FIRST..LAST")
    if keys.index(ends[0]) > keys.index(ends[-1]):
        raise RequestError(f"--periods {periods} ends before it begins; it is FIRST..LAST")
    return keys[keys.index(ends[0]) : keys.index(ends[-1]) + 1]


def _check_writable(folder: Path) -> None:
    """Refuse a folder in which no file can be made; leaves nothing behind that was not there."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        for path in made:
            if path.is_dir():
                path.rmdir()
        raise InputError(
            [
                Fault(
                    str(folder),
                    "",
                    f"cannot be written: {error.strerror}; name another folder as --output, or as "
                    "SERIES_ASSETS_DATA_DIR",
                )
            ]
        ) from None


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    """The instance of DAGSTER_HOME, so that runs show in the UI; without it, one that vanishes."""
    if not os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance
        return
    try:
        recorded = dg.DagsterInstance.get()
    except (dg.DagsterError, OSError, SQLAlchemyError) as error:
        raise RequestError(f"DAGSTER_HOME cannot be used: {_reason(error)}") from None
    with recorded as instance:
        yield instance


def _reason(error: Exception) -> str:
    """Return what the system or SQLite said, without the statement that it said it of."""
    if isinstance(error, DBAPIError):
        return str(error.orig)
    return str(error)


@contextmanager
def _bar(series: Series, keys: Sequence[str], shown: bool) -> Iterator[Progress]:
    console = Console(stderr=True)

    class Told(Progress):
        def noted(self, text: str) -> None:
            console.print(Text(visible(f"note: {text}")), soft_wrap=True)

    if not shown:
        yield Progress()
        return
    if not console.is_terminal:
        yield Told()
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        steps = sum(_steps(series, key) for key in keys)
        task = bar.add_task(series.name, total=steps)

        class Drawn(Told):
            def reached(self, key: str, phase: str) -> None:
                bar.update(task, advance=1, description=f"{series.name} {key}: {phase}")

        yield Drawn()


def _steps(series: Series, key: str) -> int:
    new, existing = series.counts(series.calendar.index(key))
    return bool(new) + bool(existing) + 2


def _run(
    series: Series,
    keys: Sequence[str],
    workspace: Workspace,
    progress: Progress,
    instance: dg.DagsterInstance,
    verbose: bool,
) -> None:
    resources = {"workspace": workspace, "progress": progress}
    # Without checks: they read the files that were just written, see ``series-assets check``.
    definitions = build_definitions([series], resources, checks=False)
    job = definitions.resolve_implicit_global_asset_job_def()

    def execute(assets: Sequence[dg.AssetKey], keys: Sequence[str]) -> dg.ExecuteInProcessResult:
        selected = job.get_subset(asset_selection=set(assets))
        run = str(uuid4())
        try:
            return selected.execute_in_process(
                instance=instance,
                run_id=run,
                tags={
                    "series_assets/series": series.name,
                    "dagster/asset_partition_range_start": keys[0],
                    "dagster/asset_partition_range_end": keys[-1],
                },
                run_config={"loggers": {"console": {"config": {"log_level": level}}}},
                raise_on_error=False,
            )
        finally:
            workspace.discard_scratch(run)

    level = "DEBUG" if verbose else "CRITICAL"
    first, *others = keys_of(series.name)
    with _log_level(None if verbose else logging.CRITICAL):
        result = execute([first, *others], keys)
        if result.success:
            return
        made = _materialised(instance, result.run_id, first)
        if 0 < len(made) < len(keys):
            # New records failed in the middle: the periods before it can still be finished.
            execute(others, keys[: len(made)])
    raise GenerationError("\n".join(_complaints(result)))


def _materialised(instance: dg.DagsterInstance, run: str, asset: dg.AssetKey) -> set[str | None]:
    """Return the partitions of an asset that a run has recorded."""
    logs = instance.all_logs(run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    events = [entry.dagster_event for entry in logs if entry.dagster_event]
    return {event.partition for event in events if event.asset_key == asset}


@contextmanager
def _log_level(level: int | None) -> Iterator[None]:
    """Keep Dagster's own logger at a level for a while; None leaves it as it is."""
    logger = logging.getLogger("dagster")
    before = logger.level
    logger.setLevel(before if level is None else level)
    try:
        yield
    finally:
        logger.setLevel(before)


def _complaints(result: Any) -> Iterator[str]:
    for event in result.all_events:
        if not event.is_step_failure:
            continue
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            yield data.user_failure_data.description
        else:
            error = data.error.cause or data.error
            if "Interrupted" in error.message:
                raise KeyboardInterrupt("interrupted; run it again to make what is missing")
            if (error.cls_name or "").endswith("MemoryError"):
                yield f"{event.step_key}: {NO_MEMORY}"
                return
            yield f"{event.step_key} failed unexpectedly: {error.message.strip()}"

"""Making periods from the command line as runs that the instance of DAGSTER_HOME records."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from series_assets.core.errors import NO_MEMORY, GenerationError, RequestError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.notes import notes_of
from series_assets.core.plan.series import Series
from series_assets.dagster.assets import keys_of, names_of
from series_assets.dagster.build import build_definitions
from series_assets.dagster.private import capture_no_output
from series_assets.interrupts import interrupts_noticed
from series_assets.pipeline.progress import FinishedPhase, Progress
from series_assets.pipeline.requests import check_request
from series_assets.pipeline.workspace import Workspace
from series_assets.settings import dagster_home


def generate_recorded(
    series: Series,
    periods: Sequence[Period],
    workspace: Workspace,
    progress: Progress,
    *,
    verbose: bool = False,
) -> list[Path]:
    """Make periods, which follow each other, and return the paths of their datasets.

    Raises RequestError or InputError before anything runs, GenerationError where a run fails, and
    KeyboardInterrupt where it was interrupted.
    """
    check_request(series, periods, workspace)
    for note in notes_of(series):
        progress.noted(note)
    try:
        with (
            _log_level(None if verbose else logging.CRITICAL),
            _instance() as instance,
            interrupts_noticed() as check,
        ):
            _run(series, periods, workspace, _Checking(progress, check), instance, verbose)
    except (OSError, SQLAlchemyError) as error:  # of our own files the ops tell
        raise GenerationError(
            f"Dagster cannot keep its records of the run: {_reason(error)}",
            "make sure that the folder can be written and has space, then run it again",
            file=dagster_home(),
        ) from error
    layout = workspace.layout(series)
    return [layout.dataset(period.number) for period in periods]


class _Checking(Progress):
    """Calls a function whenever a phase begins, and passes all on."""

    def __init__(self, progress: Progress, check: Callable[[], None]) -> None:
        self._progress = progress
        self._check = check

    def reached(self, key: str, phase: str) -> None:
        """Check, and pass it on."""
        self._check()
        self._progress.reached(key, phase)

    def finished(self, result: FinishedPhase) -> None:
        """Pass it on."""
        self._progress.finished(result)

    def noted(self, text: str) -> None:
        """Pass it on."""
        self._progress.noted(text)


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    """Open the instance of DAGSTER_HOME, so that runs show in the UI."""
    try:
        recorded = dg.DagsterInstance.get()
    except (dg.DagsterError, OSError, SQLAlchemyError) as error:
        raise RequestError(f"DAGSTER_HOME cannot be used: {_reason(error)}") from None
    with recorded as instance:
        capture_no_output(instance)
        yield instance


def _reason(error: Exception) -> str:
    """Return the message of the system or of SQLite, without the SQL statement."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


def _run(
    series: Series,
    periods: Sequence[Period],
    workspace: Workspace,
    progress: Progress,
    instance: dg.DagsterInstance,
    verbose: bool,
) -> None:
    resources = {"workspace": workspace, "progress": progress}
    # Without checks: they read the files that were just written, see ``series-assets check``.
    definitions = build_definitions([_released(series)], resources, checks=False)
    job = definitions.resolve_implicit_global_asset_job_def()

    def execute(
        assets: Sequence[dg.AssetKey], periods: Sequence[Period]
    ) -> dg.ExecuteInProcessResult:
        run_id = str(uuid4())
        try:
            return job.get_subset(asset_selection=set(assets)).execute_in_process(
                instance=instance,
                run_id=run_id,
                tags={
                    "series_assets/series": series.name,
                    "dagster/asset_partition_range_start": periods[0].key,
                    "dagster/asset_partition_range_end": periods[-1].key,
                },
                run_config={"loggers": {"console": {"config": {"log_level": level}}}},
                raise_on_error=False,
            )
        except KeyboardInterrupt:
            # Before a run starts, nothing records its end, and the sensor would wait for it.
            if (run := instance.get_run_by_id(run_id)) and not run.is_finished:
                instance.report_run_canceled(run)
            raise

    level = "DEBUG" if verbose else "CRITICAL"
    keys = keys_of(series.name, names=names_of(series))
    result = execute(keys, periods)
    if result.success:
        return
    complaints = list(_complaints(result))  # after an interrupt, nothing more is done
    stored = [_stored(instance, result.run_id, key, len(periods)) for key in keys]
    failed = next((place for place, count in enumerate(stored) if count < len(periods)), 0)
    if stored[failed] and failed + 1 < len(keys):
        # The asset failed in the middle: the periods before can still be finished.
        execute(keys[failed + 1 :], periods[: stored[failed]])
    raise GenerationError("\n".join(complaints))


def _released(series: Series) -> Series:
    """Return the series with all its partitions: the user may request any of them at any time.

    Its fingerprint stays: ``release`` is no part of it.
    """
    at_once = series.user_input.model_copy(update={"release": "immediate"})
    return replace(series, user_input=at_once)


def _stored(instance: dg.DagsterInstance, run_id: str, asset: dg.AssetKey, limit: int) -> int:
    """Return how many periods of an asset a run has stored."""
    records = instance.fetch_materializations(asset, limit).records
    return sum(record.run_id == run_id for record in records)


@contextmanager
def _log_level(level: int | None) -> Iterator[None]:
    """Keep the loggers of Dagster and its database at a level; None leaves them as they are.

    SQLAlchemy logs a traceback if an interrupt arrives while it closes a connection.
    """
    loggers = [logging.getLogger(name) for name in ("dagster", "sqlalchemy")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logger.level if level is None else level)
    try:
        yield
    finally:
        for logger, earlier in zip(loggers, before, strict=True):
            logger.setLevel(earlier)


def _complaints(result: Any) -> Iterator[str]:
    """Yield why a run failed: its steps, or else the run before any step began.

    Raises KeyboardInterrupt for an interrupted one.
    """
    events = result.all_events
    failures = [(one.step_key, one.step_failure_data) for one in events if one.is_step_failure]
    if not failures:
        failures = [("the run", one.job_failure_data) for one in events if one.is_run_failure]
    for place, data in failures:
        described = getattr(data, "user_failure_data", None)
        if described and described.description:
            yield described.description
            continue
        error = data.error.cause or data.error
        if (error.cls_name or "").endswith(("KeyboardInterrupt", "InterruptedError")):
            raise KeyboardInterrupt
        if (error.cls_name or "").endswith("MemoryError"):
            yield f"{place}: {NO_MEMORY}"
            return
        yield f"{place} failed unexpectedly: {error.message.strip()}"

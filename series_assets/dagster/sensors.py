"""One sensor a series: it asks for the next period, once, when ``release`` lets it exist.

It keeps no state of its own: the partitions say which periods exist, and Dagster's records what is
materialized and what was attempted.
"""

from datetime import datetime
from itertools import takewhile
from typing import Any

import dagster as dg

from series_assets.core.plan.series import Series
from series_assets.dagster.assets import keys_of, names_of
from series_assets.dagster.options import NO_OPTIONS, AssetOptions
from series_assets.dagster.partitions import partitions_of

_SERIES_TAG = "series_assets/series"
_FINGERPRINT_TAG = "series_assets/fingerprint"
_TRIES = 3
_ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_BACKFILL_ACTIVE = {"REQUESTED", "CANCELING", "FAILING"}
"""Names of the statuses of a backfill that may still launch runs, or has to end some."""


class SensorPaused(dg.DagsterError):
    """A period failed too often to be requested again; the text says what to do.

    It ends a tick as failed: a skipped one looks like a sensor with nothing to do. As an error of
    Dagster's own kind it is not wrapped in another, so the tick shows its text first.
    """


def sensor_of(series: Series, job: Any, options: AssetOptions = NO_OPTIONS) -> dg.SensorDefinition:
    """Return the sensor of a series, off until somebody turns it on.

    It requests runs of ``job``, the series' own (see ``assets.job_of``), and so with the executor
    of that job, whatever the executor of the project is.
    """
    keys = keys_of(series.name, options, names_of(series))
    when = {
        "calendar": "on its first day",
        "immediate": "as soon as the one before is done",
    }[series.user_input.release]

    @dg.sensor(
        name=f"{series.name}_next_period",
        job=job,
        default_status=dg.DefaultSensorStatus.STOPPED,
        minimum_interval_seconds=30,
        description=f"Requests the next period of {series.name} {when}.",
    )
    def next_period(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return next_request(series, keys, context.instance)

    return next_period


def next_request(
    series: Series,
    keys: list[dg.AssetKey],
    instance: dg.DagsterInstance,
    now: datetime | None = None,
) -> dg.RunRequest | dg.SkipReason:
    """Return a request for the first period that is not materialized, or why there is none.

    ``now`` is by default Dagster's clock. Raises SensorPaused for a period that failed three times
    in a row: it is not requested again until somebody materializes it, or the series' files change.
    """
    # Queried first, so that the work of a run that ends in between is seen as materialized.
    busy = _under_way(series, set(keys), instance)
    materialized = [instance.get_materialized_partitions(key) for key in keys]
    waiting = [key for key in series.calendar.keys if not all(key in done for done in materialized)]
    if not waiting:
        return dg.SkipReason(f"all {series.calendar.count} periods are materialized")
    key = waiting[0]
    if key not in partitions_of(series).get_partition_keys(current_time=now):
        return dg.SkipReason(f"period {key} has not begun yet")
    if busy:
        return dg.SkipReason(busy)
    tags = {_SERIES_TAG: series.name, _FINGERPRINT_TAG: series.fingerprint}
    tried = _runs(instance, dg.RunsFilter(tags={**tags, "dagster/partition": key}))
    failed = sum(1 for _ in takewhile(_has_failed, tried))
    if failed >= _TRIES:
        raise SensorPaused(
            f"Paused: {key} failed {failed} times in a row. Fix the error in its latest run "
            "and materialize it by hand; the sensor then continues."
        )
    # Dagster launches no run key twice, not even after an edit, or after a run was deleted.
    before = tried[0].run_id if tried else series.fingerprint
    return dg.RunRequest(run_key=f"{key} after {before}", partition_key=key, tags=tags)


def _has_failed(run: dg.DagsterRun) -> bool:
    return run.status == dg.DagsterRunStatus.FAILURE


def _under_way(series: Series, keys: set[dg.AssetKey], instance: dg.DagsterInstance) -> str:
    """Return which run of the series is active, or that a backfill is; "" for none."""
    active = _runs(instance, dg.RunsFilter(statuses=_ACTIVE))
    # The runs of the sensor and of the series' job select no assets, but have the tag.
    for run in active:
        if run.tags.get(_SERIES_TAG) == series.name or keys & (run.asset_selection or set()):
            return (
                f"a run of {series.name} is under way: {run.run_id}; if it was killed, terminate "
                "it in the UI"
            )
    for backfill in instance.get_backfills():  # it may be between two runs
        if backfill.status.name in _BACKFILL_ACTIVE and keys & set(backfill.asset_selection or ()):
            return f"a backfill of {series.name} is under way"
    return ""


def _runs(instance: dg.DagsterInstance, wanted: dg.RunsFilter) -> list[dg.DagsterRun]:
    """Return the runs, the latest first."""
    return [record.dagster_run for record in instance.get_run_records(wanted)]

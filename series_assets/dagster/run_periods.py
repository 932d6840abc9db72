"""The periods of a series that a run is about.

A run keeps the partition keys with which it was launched. If the series has been changed since, for
example before the run is re-executed from its failure, some of them may be keys of no period.
"""

from collections.abc import Sequence

import dagster as dg

from series_assets.core.errors import RequestError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.dagster.failures import failure_of

_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def period_of(series: Series, key: str) -> Period:
    """Return the period with a partition key.

    Raises dagster.Failure for a key of no period, with the periods that the series has.
    """
    try:
        return series.calendar.period_for_key(key)
    except KeyError:
        first, last = series.calendar.keys[0], series.calendar.keys[-1]
        error = RequestError(
            f"is not part of the series, which now has {first}..{last}",
            "launch a new run for these periods, or change user_input.yml back",
            series=series.name,
            period=key,
            colon=False,
        )
        raise failure_of(error) from None


def periods_of_run(series: Series, context: dg.OpExecutionContext) -> Sequence[Period]:
    """Return the periods of a run, the first one first. Raises as ``period_of`` does."""
    try:
        keys = context.partition_keys
    except Exception:  # Dagster's own message for a range speaks of its classes
        for tag in _RANGE:
            if key := context.run.tags.get(tag):
                period_of(series, key)
        raise
    return [period_of(series, key) for key in keys]

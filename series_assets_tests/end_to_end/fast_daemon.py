"""A daemon that ticks every other second, not every half minute.

``dagster.yaml`` names the coordinator of this module, so that each of Dagster's processes imports
it. The daemon's interval is a constant of Dagster's, and a sensor's interval its own; neither is a
promise of ours, and tests would spend most of their time waiting.

A backfill is not evaluated while one of its runs is in progress. A tick in the middle of a run
finds some of its partitions done and launches what follows for these alone, so that the number of
runs would depend on the time of the tick. At Dagster's own interval, this is rare for short runs.
"""

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import dagster as dg
from dagster._core.run_coordinator import DefaultRunCoordinator

SECONDS = 2


class Coordinator(DefaultRunCoordinator):
    """Launches each run at once, like Dagster's own coordinator of this kind."""


_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def _between_runs(look: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Return an evaluation of all backfills that is skipped while one of their runs is active."""

    @wraps(look)
    def looked(context: Any, *given: Any, **named: Any) -> Iterator[Any]:
        running = context.instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY))
        if any("dagster/backfill" in run.tags for run in running):
            yield None
        else:
            yield from look(context, *given, **named)

    return looked


def _hurry() -> None:
    """Make this process evaluate backfills and sensors more often."""
    from dagster._core.remote_representation.external import RemoteSensor
    from dagster._daemon import backfill, controller, sensor

    backfill.execute_backfill_iteration = _between_runs(backfill.execute_backfill_iteration)

    for module, name in (
        (controller, "DEFAULT_DAEMON_INTERVAL_SECONDS"),
        (sensor, "MIN_INTERVAL_LOOP_TIME"),
    ):
        assert isinstance(getattr(module, name), int)  # otherwise Dagster has renamed it
        setattr(module, name, SECONDS)
    assert isinstance(RemoteSensor.min_interval_seconds, property)
    RemoteSensor.min_interval_seconds = property(lambda _: SECONDS)  # type: ignore[assignment]


if "dagster._daemon" in sys.orig_argv:
    _hurry()

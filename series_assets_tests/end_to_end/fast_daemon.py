"""A daemon that looks every other second for what there is to do, not every half minute.

``dagster.yaml`` names the coordinator of this module, and so Dagster imports it in each of its
processes. How long the daemon waits is a constant of Dagster's, and how long a sensor does is its
own; neither is a promise of ours, and tests would spend most of their time waiting.

Backfills are not looked at while a run of theirs is under way. A look in the middle of one finds
some of its partitions done and launches what follows for these alone, so that how many runs there
are would depend on when it comes. At Dagster's own pace a look in the middle of a short run is
rare.
"""

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import dagster as dg
from dagster._core.run_coordinator import DefaultRunCoordinator

SECONDS = 2


class Coordinator(DefaultRunCoordinator):
    """Launches each run at once, as Dagster's own of this kind does."""


_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def _between_runs(look: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Return a look at all backfills that is left out while one of their runs is under way."""

    @wraps(look)
    def looked(context: Any, *given: Any, **named: Any) -> Iterator[Any]:
        running = context.instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY))
        if any("dagster/backfill" in run.tags for run in running):
            yield None
        else:
            yield from look(context, *given, **named)

    return looked


def _hurry() -> None:
    """Let backfills and sensors be looked at more often in this process."""
    from dagster._core.remote_representation.external import RemoteSensor
    from dagster._daemon import backfill, controller, sensor

    backfill.execute_backfill_iteration = _between_runs(backfill.execute_backfill_iteration)

    for module, name in (
        (controller, "DEFAULT_DAEMON_INTERVAL_SECONDS"),
        (sensor, "MIN_INTERVAL_LOOP_TIME"),
    ):
        assert isinstance(getattr(module, name), int)  # else Dagster has renamed it
        setattr(module, name, SECONDS)
    assert isinstance(RemoteSensor.min_interval_seconds, property)
    RemoteSensor.min_interval_seconds = property(lambda _: SECONDS)  # type: ignore[assignment]


if "dagster._daemon" in sys.orig_argv:
    _hurry()

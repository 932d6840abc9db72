"""A daemon that looks every other second for what there is to do, not every half minute.

``dagster.yaml`` names the coordinator of this module, and so Dagster imports it in each of its
processes. How long the daemon waits is a constant of Dagster's, and how long a sensor does is its
own; neither is a promise of ours, and tests would spend most of their time waiting.
"""

import sys

from dagster._core.run_coordinator import DefaultRunCoordinator

SECONDS = 2


class Coordinator(DefaultRunCoordinator):
    """Launches each run at once, as Dagster's own of this kind does."""


def _hurry() -> None:
    """Let backfills and sensors be looked at more often in this process."""
    from dagster._core.remote_representation.external import RemoteSensor
    from dagster._daemon import controller, sensor

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

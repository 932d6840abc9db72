"""A code server that forks its runs from a process that has imported what they need.

``dagster.yaml`` names the scheduler of this module, so that each of Dagster's processes imports it
at its start. Dagster starts a new process for each run, and a short run spends most of its time on
imports. Tests of the host project use Dagster's own way.
"""

import multiprocessing
import sys
from functools import wraps
from typing import Any

from dagster._core.scheduler import DagsterDaemonScheduler


class Scheduler(DagsterDaemonScheduler):
    """Dagster's own."""


def _fork_runs() -> None:
    """Make this code server fork its runs. Each run still loads its definitions."""
    from dagster._grpc.server import DagsterApiServer

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dagster._grpc.impl", "series_assets.dagster.preload"])
    start = DagsterApiServer.StartRun

    @wraps(start)
    def start_forked(server: Any, *given: Any, **named: Any) -> Any:
        assert server._mp_ctx  # otherwise Dagster has renamed it
        server._mp_ctx = context
        return start(server, *given, **named)

    DagsterApiServer.StartRun = start_forked  # type: ignore[method-assign,assignment]


if "grpc" in sys.orig_argv:
    _fork_runs()

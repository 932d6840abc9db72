"""A Dagster project with the series ``clinic`` in 100 rows, or with assets that do nothing.

Settings of ``executors``, in the environment: ``BENCHMARK_EXECUTOR``, one of EXECUTORS;
``BENCHMARK_SERIES``, the folder of the series, or empty for the other assets.
"""

import os

import dagster as dg

from series_assets import series_definitions

_PRELOAD = "series_assets.dagster.preload"


def _forking(*modules: str) -> dg.ExecutorDefinition:
    start_method = {"forkserver": {"preload_modules": [*modules]}}
    return dg.multiprocess_executor.configured({"start_method": start_method})


EXECUTORS = {
    "in_process": dg.in_process_executor,
    "forkserver": _forking(_PRELOAD),
    "forkserver_project": _forking(_PRELOAD, __name__),
    "multiprocess": dg.multiprocess_executor,
}


def _idle_assets() -> dg.Definitions:
    """Return five assets in a row, as many as a period has steps in a row."""
    names = [f"idle_{number}" for number in range(5)]

    def idle(name: str, before: list[str]) -> dg.AssetsDefinition:
        @dg.asset(name=name, deps=before)
        def do_nothing() -> None: ...

        return do_nothing

    return dg.Definitions([idle(name, names[:place][-1:]) for place, name in enumerate(names)])


_folder = os.environ.get("BENCHMARK_SERIES")
_executor = EXECUTORS[os.environ.get("BENCHMARK_EXECUTOR", "in_process")]
defs = dg.Definitions.merge(
    series_definitions(_folder) if _folder else _idle_assets(),
    dg.Definitions(executor=_executor),
)

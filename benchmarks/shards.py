"""What sharded series take: in one process, in two, and on two workers of a Dask scheduler."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import inputs
from benchmarks.children import Child, Taken, command, interleaved


def measure_shards(
    folder: Path, name: str, rows: int, periods: int, shards: int, times: int
) -> dict[str, Taken]:
    """Return what each executor took for a series, by its name; the data is removed."""
    inputs.write_series(folder / "series", name, rows, periods, shards=shards)
    data = folder / "data"
    with _dask_workers(2) as address:
        children = {
            label: Child(
                command("generate", name, "--quiet"),
                {
                    "SERIES_ASSETS_SERIES_DIR": str(folder / "series"),
                    "SERIES_ASSETS_DATA_DIR": str(data),
                    "SERIES_ASSETS_EXECUTOR": executor,
                },
                partial(shutil.rmtree, data, ignore_errors=True),
            )
            for label, executor in (
                ("none", "none"),
                ("processes:2", "processes:2"),
                ("dask", f"dask:{address}"),
            )
        }
        taken = interleaved(children, times)
    shutil.rmtree(folder)
    return taken


@contextmanager
def _dask_workers(workers: int) -> Iterator[str]:
    """Run a scheduler with so many workers on this machine; provide its address."""
    distributed: Any = import_module("distributed")
    with distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        yield cluster.scheduler_address

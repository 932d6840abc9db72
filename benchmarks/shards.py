"""Measuring sharded series: by executor, on object storage, by their number, and a large one.

Each is the last of the shipped series, with more rows and shards.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks import inputs
from benchmarks.children import Child, command, interleaved
from benchmarks.job import SERIES, Job, Scale, environment_of
from benchmarks.results import Large, Result, compared

_NAME = SERIES[-1]
_LARGEST_PROCESS, _ALL_PROCESSES = 700, 2_000
"""Goals in MB."""


def measure_executors(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure a sharded series in two processes, and on two workers of Dask, against one."""
    _write(job, folder, scale)
    with _dask_workers(2) as address:
        executors = {"none": "none", "processes:2": "processes:2", "dask": f"dask:{address}"}
        children = {label: _child(folder, executor) for label, executor in executors.items()}
        taken = interleaved(children, scale.times)
    label, one = f"{_NAME} {job.name}", ("none", taken["none"].seconds, "s")
    yield compared(label, one, ("processes:2", taken["processes:2"].seconds, "s"), 0.6)
    yield compared(label, one, ("dask, two workers", taken["dask"].seconds, "s"), 0.65)
    peak = max(taken[one].peak_mb for one in ("none", "processes:2"))
    yield compared(label, ("limit", _LARGEST_PROCESS, "MB"), ("largest process", peak, "MB"), 1.0)


def measure_object_storage(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure Parquet to an S3 server on this machine against CSV in a local folder.

    Both in one process, so that the server has a core, as one elsewhere would.
    """
    from series_assets_tests.storage.object_storage import BUCKET, object_storage

    local, remote = folder / "local", folder / "remote"
    _write(job, local, scale)
    _write(job, remote, scale, format="parquet")
    with object_storage(folder) as server:
        bucket = {**server.environment, "SERIES_ASSETS_DATA_DIR": f"s3://{BUCKET}/data"}
        emptied = partial(_empty_bucket, server.address, server.environment, BUCKET)
        children = {
            "local": _child(local, "none"),
            "remote": replace(_child(remote, "none", bucket), before=emptied),
        }
        taken = interleaved(children, scale.times)
    yield compared(
        f"{_NAME} {job.name}",
        ("CSV, local", taken["local"].seconds, "s"),
        ("Parquet, S3", taken["remote"].seconds, "s"),
        job.at_most,
    )


def measure_memory_of_shards(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure the peak of the largest process for many shards against that for two.

    ``rows`` are those of a shard in a period.
    """
    many = scale.shards(job.shards)
    for executor in ("none", "processes:2"):
        peaks = {}
        for shards in (2, many):
            place = folder / f"{executor.partition(':')[0]}_{shards}"
            inputs.write_series(
                place / "series",
                _NAME,
                scale.rows(job.rows) * shards,
                scale.periods(job.periods),
                shards=shards,
            )
            peaks[shards] = _child(place, executor).run().peak_mb
            shutil.rmtree(place)
        yield compared(
            f"{_NAME} {job.name} {executor.replace(':', ' ')}",
            ("2 shards", peaks[2], "MB"),
            (f"{many} shards", peaks[many], "MB"),
            job.at_most,
        )


def measure_large(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure a large series once, in two processes, with the peak of all processes together."""
    _write(job, folder, scale)
    taken = _child(folder, "processes:2").watched(every=0.2)
    datasets = (folder / "data" / _NAME).glob("dataset_*/*.csv")
    yield Large(
        job=f"{_NAME} {job.name}",
        rows=scale.rows(job.rows) * scale.periods(job.periods),
        size=sum(path.stat().st_size for path in datasets),
        taken=taken,
        goal=f"≤ {_ALL_PROCESSES} MB",
        met=taken.peak_mb <= _ALL_PROCESSES,
    )


def _write(job: Job, folder: Path, scale: Scale, **user_input: Any) -> None:
    rows, periods = scale.rows(job.rows), scale.periods(job.periods)
    shards = scale.shards(job.shards)
    inputs.write_series(folder / "series", _NAME, rows, periods, shards=shards, **user_input)


def _child(folder: Path, executor: str, environment: Mapping[str, str] | None = None) -> Child:
    """Return the command that generates a series below a folder, without its data from before."""
    return Child(
        command("generate", _NAME, "--quiet"),
        {
            **environment_of(folder),
            "SERIES_ASSETS_EXECUTOR": executor,
            **(environment or {}),
        },
        partial(shutil.rmtree, folder / "data", ignore_errors=True),
    )


def _empty_bucket(address: str, environment: Mapping[str, str], bucket: str) -> None:
    """Remove all that a server holds, and create a bucket."""
    urlopen(Request(f"{address}/moto-api/reset", method="POST")).close()
    import s3fs

    storage = s3fs.S3FileSystem(
        key=environment["AWS_ACCESS_KEY_ID"],
        secret=environment["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=address,
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    storage.mkdir(bucket)


@contextmanager
def _dask_workers(workers: int) -> Iterator[str]:
    """Run a scheduler with so many workers on this machine; provide its address."""
    import distributed

    with distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        yield cluster.scheduler_address

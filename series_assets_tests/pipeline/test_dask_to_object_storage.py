"""Dask workers that write to object storage: the same objects, even if one is lost meanwhile."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from series_assets.interface import generate
from series_assets_tests.builders import files_in
from series_assets_tests.pipeline.dask_cluster import Cluster, dask_cluster, sharded
from series_assets_tests.storage.object_storage import (
    BUCKET,
    ObjectStorage,
    storage_of_this_process,
)

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    """Start a server with a bucket, which clients in this process find by the environment."""
    with storage_of_this_process(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture
def cluster(storage: ObjectStorage, tmp_path: Path) -> Iterator[Cluster]:
    """Start a scheduler and two workers that have the credentials of the server."""
    with dask_cluster(tmp_path, storage.environment) as started:
        yield started


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the files that a run on a disk leaves, in this process alone."""
    folder = tmp_path_factory.mktemp("expected")
    generate(sharded(), folder, executor="none")
    return files_in(folder)


@pytest.mark.parametrize("present", [1, 17, 30, 60])
def test_a_worker_that_is_killed_while_it_writes_changes_no_object(
    cluster: Cluster, storage: ObjectStorage, expected: dict[str, bytes], present: int
) -> None:
    """It is killed as soon as ``present`` objects are there."""
    place, counted = f"killed{present}", [0]

    def kill() -> None:
        while counted[-1] < present:
            counted.append(storage.count(place))
            time.sleep(0.2)
        cluster.kill_worker()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    generate(sharded(), f"s3://{BUCKET}/{place}", executor=cluster.executor)
    killer.join(timeout=10)
    assert not killer.is_alive()
    assert counted[-1] < len(expected)
    assert storage.objects(place) == expected

"""A real S3 server on this machine, and the objects in its bucket."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

BUCKET = "data"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "of-the-test",
    "AWS_SECRET_ACCESS_KEY": "of-the-test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""The environment of a user of the server, without its address."""


@dataclass(frozen=True)
class ObjectStorage:
    """A server with one bucket."""

    address: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables by which S3 clients find it."""
        return {**ENVIRONMENT, "AWS_ENDPOINT_URL": self.address}

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Return the objects below a prefix of the bucket, by relative name."""
        storage, place = _driver(), f"{BUCKET}/{prefix}/"
        return {path.removeprefix(place): storage.cat_file(path) for path in storage.find(place)}

    def count(self, prefix: str) -> int:
        """Return the number of objects below a prefix of the bucket."""
        return len(_driver().find(f"{BUCKET}/{prefix}/"))


def _driver() -> Any:
    """Return a driver that sees what others have written."""
    import fsspec

    return fsspec.filesystem("s3", use_listings_cache=False, skip_instance_cache=True)


@contextmanager
def object_storage(folder: Path) -> Iterator[ObjectStorage]:
    """Run a server during the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "server.log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=stream,
            stderr=stream,
            env={**os.environ, **ENVIRONMENT},
        )
        try:
            storage = ObjectStorage(f"http://127.0.0.1:{port}")
            _wait_for(storage, server, log)
            yield storage
        finally:
            server.kill()
            server.wait()


@contextmanager
def storage_of_this_process(folder: Path) -> Iterator[ObjectStorage]:
    """Run a server with an empty bucket during the block; clients in this process use it."""
    import fsspec

    with object_storage(folder) as started, pytest.MonkeyPatch.context() as patch:
        for name, value in started.environment.items():
            patch.setenv(name, value)
        fsspec.get_filesystem_class("s3").clear_instance_cache()  # drivers of a former server
        fsspec.filesystem("s3").mkdir(BUCKET)
        yield started


def _wait_for(storage: ObjectStorage, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urlopen(f"{storage.address}/moto-api/", timeout=5).close()
            return
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)

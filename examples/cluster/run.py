"""A small cluster on this machine: S3, Dask and Dagster generate a sharded series together.

    python examples/cluster/run.py

Starts an S3 server, a Dask scheduler, two workers and Dagster, generates the series `accounts` by a
backfill of all of its partitions, with the data in a bucket, generates it again in one process on
the disk, and compares the two byte by byte. Everything is stopped and removed at the end.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import fsspec
from backfill import backfill, is_loaded

HERE = Path(__file__).resolve().parent
BUCKET = "series"
PARTITIONS = ("2024-01-01", "2024-02-01", "2024-03-01")
ASSETS = ("new_records", "reference_table", "dataset", "manifest")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "example",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def main() -> None:
    """Generate the series on the cluster and in one process, and compare."""
    with tempfile.TemporaryDirectory(prefix="cluster_") as folder, ExitStack() as started:
        place = Path(folder)
        address = f"http://127.0.0.1:{free_port()}"
        environment = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": address}
        environment["SERIES_ASSETS_SERIES_DIR"] = str(HERE / "series")
        os.environ.update(environment)

        port = address.rpartition(":")[2]
        started.enter_context(process("moto.server", "-H", "127.0.0.1", "-p", port))
        storage: Any = fsspec.filesystem("s3", use_listings_cache=False)
        wait_until(lambda: made_bucket(storage), "the S3 server")
        file = place / "scheduler.json"
        started.enter_context(dask("scheduler", "--port", "0", "--scheduler-file", str(file)))
        wait_until(lambda: bool(file.exists() and file.read_text()), "the Dask scheduler")
        for _ in range(2):
            started.enter_context(
                dask("worker", "--scheduler-file", str(file), "--no-nanny", "--nthreads", "1")
            )
        scheduler = json.loads(file.read_text())["address"]
        wait_until(lambda: workers_of(scheduler) == 2, "two Dask workers")
        say(f"S3 at {address}, Dask at {scheduler} with two workers")

        url = started.enter_context(
            dagster(
                place / "dagster",
                SERIES_ASSETS_EXECUTOR=f"dask:{scheduler}",
                SERIES_ASSETS_DATA_DIR=f"s3://{BUCKET}/data",
            )
        )
        wait_until(lambda: is_loaded(url), "Dagster")
        say(f"Dagster at {url}")
        begun = time.perf_counter()
        status = backfill(url, [("accounts", asset) for asset in ASSETS], PARTITIONS)
        say(f"backfill: {status.lower()} after {time.perf_counter() - begun:.0f} s")

        begun = time.perf_counter()
        run(
            *("-m", "series_assets", "generate", "accounts", "--quiet"),
            SERIES_ASSETS_EXECUTOR="none",
            SERIES_ASSETS_DATA_DIR=str(place / "local"),
        )
        say(f"one process and a disk: {time.perf_counter() - begun:.0f} s")
        compare(storage, place / "local")


def compare(storage: Any, local: Path) -> None:
    """Print that bucket and folder hold the same, or end with what differs."""
    root = f"{BUCKET}/data/"
    objects = {
        path.removeprefix(root): storage.cat_file(path) for path in storage.find(f"{BUCKET}/data")
    }
    files = {
        path.relative_to(local).as_posix(): path.read_bytes()
        for path in (local / "accounts").rglob("*")
        if path.is_file()
    }
    other = sorted(
        {*objects, *files} - {name for name in objects if objects[name] == files.get(name)}
    )
    if other:
        sys.exit(f"not the same in both places: {', '.join(other)}")
    say(f"{len(objects)} objects in the bucket are the files of the local run, byte for byte")


def run(*words: str, **environment: str) -> None:
    """Run a Python module to its end; end with what it printed where it fails."""
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout[-4000:])


@contextmanager
def dagster(home: Path, **environment: str) -> Iterator[str]:
    """Run Dagster's UI and daemon while the block lasts; provide the address of the UI."""
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
    port = str(free_port())
    words = ("dev", "-m", "series_assets.definitions", "-h", "127.0.0.1", "-p", port)
    with process("dagster", *words, DAGSTER_HOME=str(home), **environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def process(module: str, *words: str, **environment: str) -> Iterator[None]:
    """Run a module in a process of its own while the block lasts."""
    started = subprocess.Popen(
        [sys.executable, "-m", module, *words],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        started.terminate()
        with suppress(subprocess.TimeoutExpired):
            started.wait(60)
        with suppress(ProcessLookupError):  # with what it has started, on a busy machine
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def dask(*words: str) -> Any:
    """Run a command of Dask on the loopback address while the block lasts."""
    return process("dask", *words, "--host", "127.0.0.1", "--no-dashboard")


def workers_of(scheduler: str) -> int:
    """Return how many workers a scheduler has."""
    from distributed import Client

    with Client(scheduler, set_as_default=False) as client:
        return len(client.nthreads())


def made_bucket(storage: Any) -> bool:
    """Create the bucket, and return whether the server answered."""
    try:
        storage.mkdir(BUCKET)
    except Exception:  # whatever the driver raises while nobody listens
        return False
    return True


def wait_until(ready: Callable[[], bool], what: str) -> None:
    """Wait until something is ready, for two minutes at most."""
    until = time.monotonic() + 120
    while not ready():
        if time.monotonic() > until:
            sys.exit(f"{what} did not start within two minutes")
        time.sleep(0.2)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

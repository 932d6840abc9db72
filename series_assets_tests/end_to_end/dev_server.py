"""Starting and stopping a ``dagster dev``, for the tests and the documentation's screenshots.

``client`` sends its queries.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from series_assets_tests.end_to_end.client import Server, until

_HOME = """
telemetry: {enabled: false}
nux: {enabled: false}
run_coordinator: {module: series_assets_tests.end_to_end.fast_daemon, class: Coordinator}
"""
_FORKED_RUNS = """
scheduler: {module: series_assets_tests.end_to_end.forked_runs, class: Scheduler}
"""
_ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def dagster_dev(base: Path, settings: str = "") -> Iterator[Server]:
    """Run a ``dagster dev`` on this machine only, and stop it with all its processes.

    ``base`` is a folder that contains ``series``; ``home`` and ``data`` are created in it.
    ``settings`` are additional lines of ``dagster.yaml``. Raises RuntimeError with the output if it
    does not start.
    """
    series_dir, data_dir = base / "series", base / "data"
    environment = found_in([_ROOT]) | {
        "SERIES_ASSETS_SERIES_DIR": str(series_dir),
        "SERIES_ASSETS_DATA_DIR": str(data_dir),
    }
    command = ["dagster", "dev", "-m", "series_assets.definitions", "-h", "127.0.0.1", "-p"]
    with _serving(command, base, base, environment, _FORKED_RUNS + settings) as url:
        yield Server(url, series_dir, data_dir)


@contextlib.contextmanager
def dg_dev(project: Path, base: Path, path: Sequence[Path]) -> Iterator[Server]:
    """Run a ``dg dev`` of a user's project, like ``dagster_dev``; its home is in ``base``.

    Modules are also found in the folders of ``path``.
    """
    environment = found_in([*path, _ROOT]) | {"HOME": str(base)}
    command = ["dg", "dev", "--host", "127.0.0.1", "--port"]
    with _serving(command, base, project, environment) as url:
        yield Server(url, project, project / "data")


@contextlib.contextmanager
def _serving(
    command: Sequence[str],
    base: Path,
    folder: Path,
    environment: Mapping[str, str],
    settings: str = "",
) -> Iterator[str]:
    """Run one of Dagster's commands in a folder, with a port appended, and yield its address."""
    home = base / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(_HOME + settings)
    program, *arguments = command
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (base / "log").open("w+b") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name(program)), *arguments, str(port)],
            env=own_environment() | environment | {"DAGSTER_HOME": str(home)},
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its own process group, which can be killed
        )
        try:
            starting = Server(url, folder, folder)

            def loaded() -> bool:
                if process.poll() is not None:
                    raise RuntimeError(f"{program} dev ended: {(base / 'log').read_text()}")
                return starting.location() is not None

            until(loaded, 180, f"starting {program} dev")
            yield url
        finally:
            end_process(process)


def found_in(folders: Sequence[Path]) -> dict[str, str]:
    """Return the environment variable by which Python also finds modules in these folders."""
    paths = [*map(str, folders), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def own_environment() -> dict[str, str]:
    """Return the environment without variables of Dagster and this project."""
    foreign = ("SERIES_ASSETS", "DAGSTER")
    return {key: value for key, value in os.environ.items() if not key.startswith(foreign)}


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """Stop the process and its children, at first with a signal, then by force.

    A daemon that is waiting for a run to start takes up to twenty seconds to end by itself.
    """
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)

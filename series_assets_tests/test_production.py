"""Dagster in separate processes with PostgreSQL, as docs/production.md describes it.

Skipped without PostgreSQL, unless ``SERIES_ASSETS_TEST_POSTGRESQL`` is ``required``.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.end_to_end.client import Server, until
from series_assets_tests.end_to_end.dev_server import (
    end_process,
    found_in,
    free_port,
    own_environment,
)
from series_assets_tests.end_to_end.postgresql import HOW_TO_INSTALL, find_postgresql, postgresql
from series_assets_tests.end_to_end.served_series import KEYS

ROOT = Path(__file__).parents[1]
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    programs = find_postgresql()
    if programs is None:
        if os.environ.get("SERIES_ASSETS_TEST_POSTGRESQL") == "required":
            pytest.fail(HOW_TO_INSTALL)
        pytest.skip(HOW_TO_INSTALL)
    with postgresql(programs) as url:
        yield url


def command_of(service: str, port: int) -> list[str]:
    """Return the command of a service of compose.yaml, with a port of this machine only."""
    program, *arguments = shlex.split(SERVICES[service]["command"])
    replaced = {"0.0.0.0": "127.0.0.1", "4000": str(port), "3000": str(port)}
    return [
        str(Path(sys.executable).with_name(program)),
        *(replaced.get(argument, argument) for argument in arguments),
    ]


@contextlib.contextmanager
def running(service: str, port: int, home: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """Run a service of compose.yaml in the folder of the instance."""
    with (home / f"{service}.log").open("wb") as log:
        process = subprocess.Popen(
            command_of(service, port),
            env=own_environment() | found_in([ROOT]) | {"DAGSTER_HOME": str(home)} | variables,
            cwd=home,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        end_process(process)


@pytest.mark.thorough
def test_a_period_is_materialized_through_postgresql_and_a_separate_code_location(
    tmp_path: Path, database: str
) -> None:
    """By webserver, the daemon's queue, and a run worker beside the code location.

    Only the code location has the settings. All records are in PostgreSQL.
    """
    home, series_dir, data_dir = (tmp_path / name for name in ("home", "series", "data"))
    home.mkdir()
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / "examples" / "production" / name, home)
    write_series(series_dir, a_specification(number_of_rows=30), a_user_input(), name="demo")
    code_port, web_port = free_port(), free_port()
    common = {
        "DAGSTER_POSTGRES_URL": database,
        "CODE_LOCATION_HOST": "127.0.0.1",
        "CODE_LOCATION_PORT": str(code_port),
    }
    settings = {
        "SERIES_ASSETS_SERIES_DIR": str(series_dir),
        "SERIES_ASSETS_DATA_DIR": str(data_dir),
    }
    server = Server(f"http://127.0.0.1:{web_port}", series_dir, data_dir)
    with contextlib.ExitStack() as processes:
        processes.enter_context(running("code", code_port, home, common | settings))
        check = [*SERVICES["code"]["healthcheck"]["test"][1:-1], str(code_port)]
        check[0] = str(Path(sys.executable).with_name(check[0]))
        variables = own_environment() | {"DAGSTER_HOME": str(home)} | common

        def healthy() -> bool:
            return subprocess.run(check, env=variables, capture_output=True).returncode == 0

        until(healthy, 180, "starting the code location")
        for service, port in (("daemon", 0), ("webserver", web_port)):
            processes.enter_context(running(service, port, home, common))
        until(server.location, 180, "starting the webserver")

        server.wait_for_success(server.launch_job("demo", KEYS[0]))

        assert server.times_made("demo", "dataset") == {KEYS[0]: 1}
        assert server.partitions("demo", "dataset") == {"materialized": 1, "failed": 0}
        assert set(server.files("demo")) == {
            "dataset_1.csv",
            "dataset_1.new.yml",
            "new_records/dataset_1.csv",
        }
    assert [path.name for path in home.rglob("*.db")] == []
    assert list(data_dir.glob("*.db")) != []

"""The example project under ``dg dev``: a backfill of a series and of its downstream asset."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from series_assets.dagster.assets import NAMES
from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import files_in
from series_assets_tests.end_to_end.client import Server, until
from series_assets_tests.end_to_end.dev_server import dg_dev
from series_assets_tests.projects import EXAMPLE, copy_of_the_example

KEYS = [f"2024-{month:02}-01" for month in range(1, 7)]
SELECTED = [["customer_dimension"], *(["customers", asset] for asset in NAMES)]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A ``dg dev`` of a copy of the example project, on this machine only."""
    base = tmp_path_factory.mktemp("host")
    root = copy_of_the_example(base / "warehouse")
    with dg_dev(root, base, [root / "src"]) as running:
        yield running


@pytest.mark.thorough
def test_the_sensor_in_a_host_runs_the_job_of_the_series(host: Server) -> None:
    """In one process, although the project's default executor starts one for each step."""

    def first() -> dict[str, Any] | None:
        runs = host.runs(**{"dagster/sensor_name": "customers_next_period"})
        return next((run for run in runs if run["status"] in ("SUCCESS", "FAILURE")), None)

    host.start_sensor("customers")
    run = until(first, 300, "a run of the sensor")
    host.stop_sensor("customers")
    assert (run["status"], run["jobName"]) == ("SUCCESS", "customers")
    for each in host.runs(**{"dagster/sensor_name": "customers_next_period"}):
        host.wait_for_success(each["runId"])
    assert host.step_workers(run["runId"]) == 0


@pytest.mark.thorough
def test_a_backfill_in_a_host_materializes_series_and_downstream_assets(
    host: Server, tmp_path: Path
) -> None:
    """In two runs, with the bytes of the command line, and every period loaded."""
    launched = host.backfill_of(SELECTED, KEYS)
    assert host.end_of_backfill(launched) == "COMPLETED_SUCCESS"
    assert len(host.runs_of_backfill(launched)) == 2
    series = load_series(EXAMPLE / "src/warehouse/defs/customers")
    generate(series=series, data_dir=tmp_path)
    assert host.files("customers") == files_in(tmp_path / "customers")
    with closing(sqlite3.connect(host.data_dir.parent / "warehouse.db")) as connection:
        loaded = connection.execute("SELECT period FROM loaded ORDER BY period").fetchall()
    assert [key for (key,) in loaded] == KEYS
    left = {path.name for path in host.data_dir.iterdir() if ".db" not in path.name}
    assert left == {"customers"}

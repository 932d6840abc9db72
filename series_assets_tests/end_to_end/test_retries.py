"""Retries of a range in which one period failed and was fixed, as Dagster's users know them."""

import shutil
from pathlib import Path

import pytest

from series_assets.dagster.assets import NAMES
from series_assets_tests.end_to_end.client import Server, until
from series_assets_tests.end_to_end.served_series import KEYS, ByCommandLine
from series_assets_tests.thorough import thorough

_PLACES = {
    "new_records": "new_records/dataset_3.csv",
    "dataset": "dataset_3.csv",
}
"""The file that an asset writes for the third period."""
_RETRIES = {"dagster/max_retries": "5"}


def _obstruct(server: Server, name: str, asset: str) -> Path:
    """Put a folder in the place of a file of the third period."""
    place = server.data_dir / name / _PLACES[asset]
    place.mkdir(parents=True)
    return place


def _is_whole(server: Server, name: str, by_command_line: ByCommandLine) -> None:
    """Assert that all partitions exist, none is shown as failed, and the bytes are the same."""
    for asset in NAMES:
        assert server.partitions(name, asset) == {"materialized": len(KEYS), "failed": 0}
        assert set(server.times_made(name, asset)) == set(KEYS)
        assert server.staleness(name, asset, KEYS) == ["FRESH"] * len(KEYS)
    assert server.files(name) == by_command_line(name)


@pytest.mark.parametrize(
    ("asset", "strategy"),
    [
        ("new_records", "FROM_FAILURE"),
        *thorough(
            ("dataset", "FROM_ASSET_FAILURE"),
            ("new_records", "FROM_ASSET_FAILURE"),
            ("dataset", "FROM_FAILURE"),
        ),
    ],
)
def test_a_run_is_re_executed_from_its_failure(
    server: Server, by_command_line: ByCommandLine, asset: str, strategy: str
) -> None:
    """With either button; periods before the failure count as done."""
    name = f"rerun_{asset}_{strategy.lower()}"
    obstacle = _obstruct(server, name, asset)
    failed = server.launch(name, first=KEYS[0], last=KEYS[-1])
    assert server.end_of(failed) == "FAILURE"
    [complaint] = server.complaints(failed)
    assert complaint.startswith(f"{name}, period {KEYS[2]}: {obstacle}: cannot be written: ")
    assert set(server.times_made(name, asset)) == set(KEYS[:2])
    assert server.partitions(name, asset) == {"materialized": 2, "failed": 2}

    shutil.rmtree(obstacle)
    server.wait_for_success(server.reexecute(failed, strategy))
    _is_whole(server, name, by_command_line)


@pytest.mark.thorough
@pytest.mark.parametrize("asset", ["new_records", *thorough("dataset")])
def test_an_instance_that_retries_runs_makes_the_rest_by_itself(
    server: Server, by_command_line: ByCommandLine, asset: str
) -> None:
    """Once the cause is fixed, without any user action."""
    name = f"retried_{asset}"
    obstacle = _obstruct(server, name, asset)
    failed = server.launch(name, first=KEYS[0], last=KEYS[-1], more=_RETRIES)
    assert server.end_of(failed) == "FAILURE"
    shutil.rmtree(obstacle)

    def done() -> bool:
        retries = server.runs(**{"dagster/root_run_id": failed})
        return any(run["status"] == "SUCCESS" for run in retries)

    until(done, 300, "a retry that ends well")
    _is_whole(server, name, by_command_line)

"""Retries as Dagster's users know them, of a range in which one period failed and was mended."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from series_assets.dagster.assets import NAMES
from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_specification, a_user_input, files_in, write_series
from series_assets_tests.end_to_end.client import Server, until
from series_assets_tests.end_to_end.served import KEYS
from series_assets_tests.end_to_end.serving import dagster_dev

_STRATEGIES = ("FROM_FAILURE", "FROM_ASSET_FAILURE")
_PLACES = {
    "new_records": "new_records/dataset_3.csv",
    "dataset": "dataset_3.csv",
}
"""What has to be free for an asset to be made of the third period."""
_BY_HAND = {"dagster/max_retries": "0"}


def _names() -> Iterator[str]:
    for strategy in _STRATEGIES:
        yield from (f"{asset}_{strategy.lower()}" for asset in _PLACES)
    yield from (f"{asset}_by_itself" for asset in _PLACES)


@pytest.fixture(scope="module")
def retrying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A ``dagster dev`` whose instance retries failed runs, with a series for each test."""
    base = tmp_path_factory.mktemp("retries")
    for name in _names():
        write_series(base / "series", a_specification(number_of_rows=30), a_user_input(), name=name)
    with dagster_dev(base, "run_retries: {enabled: true, max_retries: 5}\n") as running:
        yield running


def _obstruct(retrying: Server, name: str, asset: str) -> Path:
    """Put a folder where a file of the third period has to go."""
    place = retrying.data_dir / name / _PLACES[asset]
    place.mkdir(parents=True)
    return place


def _is_whole(retrying: Server, name: str, folder: Path) -> None:
    """Assert that all partitions are there, none shows as failed, and the bytes are as ever."""
    for asset in NAMES:
        assert retrying.partitions(name, asset) == {"materialized": len(KEYS), "failed": 0}
        assert set(retrying.times_made(name, asset)) == set(KEYS)
        assert retrying.staleness(name, asset, KEYS) == ["FRESH"] * len(KEYS)
    generate(load_series(retrying.series_dir / name), folder)
    assert retrying.files(name) == files_in(folder / name)


@pytest.mark.each_value
@pytest.mark.parametrize("asset", _PLACES)
@pytest.mark.parametrize("strategy", _STRATEGIES)
def test_a_run_is_re_executed_from_its_failure(
    retrying: Server, tmp_path: Path, strategy: str, asset: str
) -> None:
    """With either button; what was made before the failure counts from the start."""
    name = f"{asset}_{strategy.lower()}"
    obstacle = _obstruct(retrying, name, asset)
    failed = retrying.launch(name, first=KEYS[0], last=KEYS[-1], more=_BY_HAND)
    assert retrying.end_of(failed) == "FAILURE"
    [complaint] = retrying.complaints(failed)
    assert complaint.startswith(f"{name}, period {KEYS[2]}: {obstacle}: cannot be written: ")
    assert set(retrying.times_made(name, asset)) == set(KEYS[:2])
    assert retrying.partitions(name, asset) == {"materialized": 2, "failed": 2}

    shutil.rmtree(obstacle)
    retrying.made(retrying.reexecute(failed, strategy))
    _is_whole(retrying, name, tmp_path)


@pytest.mark.parametrize("asset", _PLACES)
def test_an_instance_that_retries_runs_makes_the_rest_by_itself(
    retrying: Server, tmp_path: Path, asset: str
) -> None:
    """Once the cause is gone; nobody presses anything."""
    name = f"{asset}_by_itself"
    obstacle = _obstruct(retrying, name, asset)
    failed = retrying.launch(name, first=KEYS[0], last=KEYS[-1])
    assert retrying.end_of(failed) == "FAILURE"
    shutil.rmtree(obstacle)

    def done() -> bool:
        retries = retrying.runs(**{"dagster/root_run_id": failed})
        return any(run["status"] == "SUCCESS" for run in retries)

    until(done, 300, "a retry that ends well")
    _is_whole(retrying, name, tmp_path)

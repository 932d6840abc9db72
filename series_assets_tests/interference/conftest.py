"""Fixtures shared by the tests of this folder, which run in one process (see ``slow_files``)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import write_series
from series_assets_tests.command_runner import CommandRunner, unshare_command
from series_assets_tests.interference.runs import Runs, Snapshot, small_specification


@pytest.fixture(scope="package")
def series_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a series of four periods."""
    return write_series(tmp_path_factory.mktemp("series"), small_specification())


@pytest.fixture(scope="package")
def runner(series_folder: Path) -> Iterator[CommandRunner]:
    """A process that runs commands, with its own mounts where the machine allows them."""
    with CommandRunner(series_folder, mounts=bool(unshare_command())) as runner:
        yield runner


@pytest.fixture(scope="package")
def undisturbed_data(series_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the series as one undisturbed run generates it, to be copied."""
    data = tmp_path_factory.mktemp("undisturbed")
    generate(load_series(series_folder), data)
    return data


@pytest.fixture(scope="package")
def undisturbed(undisturbed_data: Path) -> Snapshot:
    """The series as one undisturbed run generates it."""
    return Snapshot.read(undisturbed_data)


@pytest.fixture
def runs(tmp_path: Path, runner: CommandRunner, series_folder: Path) -> Runs:
    """Commands on the series, with a data folder of the test's own."""
    return Runs(runner, series_folder.parent, tmp_path / "data")

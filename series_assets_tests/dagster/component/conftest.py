"""Fixtures shared by the tests of this folder."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import files_in, write_series
from series_assets_tests.dagster.component.host_project import HostProject


@pytest.fixture
def project() -> Iterator[HostProject]:
    """A project that has two assets, an IO manager, resources and an executor."""
    with create_defs_folder_sandbox() as sandbox:
        yield HostProject(sandbox)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance for one test."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(scope="package")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the small series as the command line writes them, relative to its folder."""
    folder = tmp_path_factory.mktemp("expected")
    series = load_series(write_series(folder / "series"))
    generate(series=series, data_dir=folder / "data")
    return files_in(folder / "data" / "demo")

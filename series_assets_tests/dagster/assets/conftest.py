"""Fixtures shared by the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from series_assets_tests.dagster.assets.bench import (
    AssetBench,
    files_by_command_line,
)


@pytest.fixture(autouse=True, scope="module")
def no_dagster_home() -> Iterator[None]:
    """Never record a run in the Dagster instance of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        yield


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[AssetBench]:
    """An empty data folder and an instance for one test."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield AssetBench(tmp_path / "data", instance)


@pytest.fixture(scope="package")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the complete series as the command line writes them."""
    return files_by_command_line(tmp_path_factory.mktemp("expected"))

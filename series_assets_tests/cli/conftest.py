"""Every test of the command line has folders of its own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory with series and data of the test's own."""
    (tmp_path / "series").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv("SERIES_ASSETS_STRICT", raising=False)
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path / "series"))
    monkeypatch.setenv("SERIES_ASSETS_DATA_DIR", str(tmp_path / "data"))

"""Every test of the command line has its own folders."""

from pathlib import Path

import pytest

from series_assets_tests.builders import a_user_input, write_series
from series_assets_tests.cli.commands import succeed, use_own_folders


@pytest.fixture(autouse=True)
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory with its own series and data folders."""
    use_own_folders(tmp_path, monkeypatch)


@pytest.fixture
def history(shell: None, tmp_path: Path) -> Path:
    """The working directory, with a series clinic that is generated with its history."""
    write_series(tmp_path / "series", None, a_user_input(truth={}), name="clinic")
    succeed("generate", "clinic")
    return tmp_path

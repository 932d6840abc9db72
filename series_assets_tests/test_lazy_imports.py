"""Libraries are imported only when they are needed, so that commands start quickly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_GENERATING = ["exhibit", "scipy", "sklearn", "matplotlib"]
_HEAVY = [*_GENERATING, "dagster", "pandas"]
_COMMAND = "import series_assets.cli; series_assets.cli.main({arguments}, standalone_mode=False)"


def _imported(program: str, folder: Path) -> set[str]:
    """Return the modules that are loaded after a program has run."""
    shown = "\nimport sys\nprint('loaded:', *sys.modules)"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SERIES_ASSETS", "DAGSTER"))}
    done = subprocess.run(
        [sys.executable, "-c", program + shown],
        env=kept | {"SERIES_ASSETS_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, last = done.stdout.splitlines()
    assert last.startswith("loaded: ")
    return set(last.split()[1:])


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        pytest.param(_COMMAND.format(arguments=["--help"]), _HEAVY, id="--help"),
        pytest.param(_COMMAND.format(arguments=["generate", "--help"]), _HEAVY, id="its help"),
        pytest.param(_COMMAND.format(arguments=["list"]), _HEAVY, id="list"),
        pytest.param("import series_assets.definitions", [*_GENERATING, "pandas"], id="defs"),
        pytest.param(
            "import series_assets.pipeline.phases, series_assets.pipeline.reference",
            [*_GENERATING, "dagster"],
            id="adding entities",
        ),
    ],
)
def test_nothing_is_imported_before_it_is_needed(
    program: str, unwanted: list[str], tmp_path: Path
) -> None:
    """Help and the list of series need no Dagster, and definitions no Exhibit."""
    assert not _imported(program, tmp_path) & set(unwanted)


def test_what_makes_data_is_imported_then(tmp_path: Path) -> None:
    """The same method finds them: generating data needs them, but no Dagster."""
    command = _COMMAND.format(arguments=["generate", "school", "--periods", "2024-01-08"])
    loaded = _imported(command, tmp_path)
    assert loaded >= {"exhibit", "pandas", "pyarrow"}
    assert not {name for name in loaded if name.split(".")[0] == "dagster"}
    assert "sqlalchemy" not in loaded  # few series need it


@pytest.mark.parametrize("before", ["", "import scipy.stats; "])
def test_statistics_are_imported_when_they_are_asked_for(before: str, tmp_path: Path) -> None:
    """Exhibit then gets the real module, and so do others that import it later."""
    program = f"""
{before}import series_assets.engine
from exhibit.core.constraints import beta
drawn = beta(2, 3)
import scipy.stats
assert type(drawn).__name__ == "rv_continuous_frozen"
assert scipy.stats.beta(2, 3).mean() == drawn.mean() == beta.mean(2, 3)
"""
    assert "scipy.stats" in _imported(program, tmp_path)


def test_unused_statistics_are_not_imported(tmp_path: Path) -> None:
    """And no placeholder remains afterwards."""
    program = "import series_assets.engine"
    assert "scipy.stats" not in _imported(program, tmp_path)

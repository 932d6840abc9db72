"""The fixture ``series_factory`` in a separate pytest, as users run it."""

import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from series_assets.pytest_plugin import SeriesFactory
from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_specification, a_user_input, write_series

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "pytest.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
SMALL = a_specification(number_of_rows=30)

OWN_TESTS = """
import sys

def test_without_the_fixture_nothing_is_imported():
    assert "series_assets.pytest_plugin" in sys.modules
    assert not {"series_assets.interface", "series_assets.settings", "exhibit"} & set(sys.modules)

def test_a_folder_below_the_root(series_factory, tmp_path):
    generated = series_factory("series/mine", num_datasets=2)
    assert [path.name for path in generated.paths] == ["dataset_1.csv", "dataset_2.csv"]
    assert all(tmp_path in path.parents for path in generated.paths)
    assert [len(frame) for _, frame in generated.datasets()] == [30, 30]
    generated.paths[0].write_text("spoilt")

def test_a_copy_of_what_was_generated(series_factory):
    generated = series_factory("series/mine", num_datasets=2)
    assert generated.paths[0].read_text() != "spoilt"
    cached = series_factory._cache
    assert len(list(cached.iterdir())) == 1
"""


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder, with the plugin."""
    plugin = ("-p", "series_assets.pytest_plugin", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, *options, "."],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_tests_of_a_user_have_the_fixture(tmp_path: Path) -> None:
    """Those of a project with a series, and those that the document shows."""
    write_series(tmp_path / "series", SMALL, name="mine")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (tmp_path / "test_own.py").write_text(OWN_TESTS)
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"test_shown_{number}.py").write_text(block)
    done = run(tmp_path)
    assert f"{3 + len(BLOCKS)} passed" in done.stdout, done.stdout + done.stderr


def test_the_plugin_is_declared_by_the_name_of_its_module() -> None:
    """So that pytest finds it, and does not load it twice."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [(name, module)] = project["entry-points"]["pytest11"].items()
    assert name == module
    assert import_module(module).SeriesFactory is SeriesFactory


def test_a_named_database_is_only_read(tmp_path: Path) -> None:
    """The reference table is in a copy, from which the history is read."""
    place = write_series(
        tmp_path / "series",
        SMALL,
        a_user_input(num_datasets=2, truth={}, exhibit_db_path="own.db"),
        name="mine",
    )
    (place / "own.db").write_bytes(installed_database().read_bytes())
    factory = SeriesFactory(tmp_path / "cache", tmp_path / "tmp", tmp_path)
    generated = factory("series/mine")
    assert generated.verify(generated.truth()).holds
    assert (place / "own.db").read_bytes() == installed_database().read_bytes()
    assert generated.series.database == generated.data_dir / "exhibit.db"
    with pytest.raises(TypeError):
        factory(generated.series, num_datasets=1)


@pytest.mark.thorough
def test_an_environment_that_has_the_package_has_the_fixture(tmp_path: Path) -> None:
    """Without an option, by the installed package's entry point."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    python = venv / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", str(ROOT), "pytest"], check=True)
    (tmp_path / "test_shown.py").write_text(BLOCKS[0])
    done = subprocess.run(
        [str(python), "-m", "pytest", "-q", "test_shown.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr

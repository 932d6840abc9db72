"""Commands of ``series-assets`` and the files that they leave."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from series_assets.cli import main
from series_assets_tests.builders import a_specification

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
PROGRAM = str(Path(sys.executable).with_name("series-assets"))


def use_own_folders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder the working directory of a test, with its own series and data folders."""
    (folder / "series").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv("SERIES_ASSETS_STRICT", raising=False)
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(folder / "series"))
    monkeypatch.setenv("SERIES_ASSETS_DATA_DIR", str(folder / "data"))


def call(*arguments: str | Path, typed: str | None = None) -> Result:
    """Run a command; a traceback fails the test."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def succeed(*arguments: str | Path, typed: str | None = None) -> str:
    """Run a command that must succeed, and return what it prints."""
    result = call(*arguments, typed=typed)
    assert result.exit_code == 0, result.output
    return result.stdout


def refuse(*arguments: str | Path) -> str:
    """Run a command whose input is wrong, and return its message."""
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr.rstrip("\n")


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a separate process."""
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def datasets(folder: Path, *numbers: int) -> str:
    """Return the lines with the paths of the datasets."""
    return "".join(f"{folder / f'dataset_{number}.csv'}\n" for number in numbers)


def files_of_dataset(number: int) -> set[str]:
    """Return the names of all files of a dataset."""
    names = {
        f"dataset_{number}.csv",
        f"dataset_{number}.new.yml",
        f"new_records/dataset_{number}.csv",
    }
    return names if number == 1 else names | {f"dataset_{number}.existing.yml"}


def an_impossible_specification(**metadata: Any) -> dict[str, Any]:
    """Return a specification whose only fault shows when pandas computes a column.

    Text cannot be divided by a number.
    """
    specification = a_specification(**metadata)
    specification["derived_columns"] = {"impossible": "(sex / amount)"}
    return specification


def edit(place: Path, **metadata: Any) -> None:
    """Change the specification of a series on disk."""
    path = place / "specification.yml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["metadata"] |= metadata
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def tables(database: Path) -> list[str]:
    """Return the tables of a database by name."""
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return sorted(name for (name,) in found)


def loose(place: Path, output: Path, *more: str) -> list[str]:
    """Return the arguments that generate a series from two loose files."""
    return [
        "generate",
        *("--specification", str(place / "specification.yml")),
        *("--user-input", str(place / "user_input.yml")),
        *("--output", str(output)),
        *more,
    ]

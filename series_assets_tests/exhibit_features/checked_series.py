"""Helpers for the tests of Exhibit's features: series that are checked, records, databases."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from shutil import copyfile
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from series_assets.cli import main
from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_user_input, write_series
from series_assets_tests.checker import Finished, check

INSTALLED = Path(str(files("exhibit") / "db" / "exhibit.db"))
DATA = Path(str(files("exhibit") / "sample" / "_data"))


def database_with_tables(path: Path, **tables: Sequence[Mapping[str, Any]]) -> Path:
    """Create a database with Exhibit's tables and others, each given as its rows."""
    copyfile(INSTALLED, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        for name, rows in tables.items():
            columns = ", ".join(f'"{column}"' for column in rows[0])
            connection.execute(f'CREATE TABLE "{name}" ({columns})')
            marks = ", ".join("?" * len(rows[0]))
            values = [tuple(row.values()) for row in rows]
            connection.executemany(f'INSERT INTO "{name}" VALUES ({marks})', values)
    return path


def rows_by_table(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every table of a database, by table name."""
    with closing(sqlite3.connect(database)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid').fetchall()
            for (name,) in names
        }


def generate_series(folder: Path, specification: dict[str, Any], **keys: Any) -> Finished:
    """Generate a series of the specification, check every rule of the contract, and return it.

    ``keys`` are keys of the user input.
    """
    inputs = a_user_input(**{"num_datasets": 3, "fraction_of_new": "1/2", **keys})
    place = write_series(folder / "series", specification, inputs)
    return generate_from(place, folder / "data")


def generate_from(place: Path, data: Path) -> Finished:
    """Generate the series in the folder ``place``, and check every rule of the contract."""
    generate(load_series(place), data)
    finished = Finished.of(place, data)
    check(finished)
    return finished


def new_records(finished: Finished, number: int) -> pd.DataFrame:
    """Return the new records of a dataset, as text."""
    return _read(finished.folder / "new_records" / f"dataset_{number}.csv")


def existing_records(finished: Finished, number: int) -> pd.DataFrame:
    """Return the existing records of a dataset, as text."""
    dataset = _read(finished.folder / f"dataset_{number}.csv")
    identifier = finished.specification["metadata"]["uuid_columns"][0]
    return dataset[~dataset[identifier].isin(new_records(finished, number)[identifier])]


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def saved_specification(finished: Finished, number: int, part: str) -> dict[str, Any]:
    """Return the specification that a part of a dataset, new or existing, was generated from."""
    path = finished.folder / f"dataset_{number}.{part}.yml"
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def run_command(
    patch: pytest.MonkeyPatch,
    folder: Path,
    command: str,
    specification: dict[str, Any],
    **keys: Any,
) -> tuple[int, str]:
    """Run ``validate`` or ``generate`` on a series; return its exit code and its message.

    The message is what the command prints to stderr, without the name of the specification at
    its start; a traceback fails the test. ``keys`` are keys of the user input.
    """
    write_series(folder / "series", specification, a_user_input(num_datasets=2, **keys))
    patch.delenv("DAGSTER_HOME", raising=False)
    patch.setenv("SERIES_ASSETS_SERIES_DIR", str(folder / "series"))
    patch.setenv("SERIES_ASSETS_DATA_DIR", str(folder / "data"))
    result = CliRunner().invoke(main, [command, "demo"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.exit_code, result.stderr.rstrip("\n").removeprefix("demo/specification.yml: ")

"""Runs of a small series in the presence of interference, and assertions about their results."""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from series_assets_tests.builders import a_specification, files_in
from series_assets_tests.command_runner import CommandResult, CommandRunner, unshare_command

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
GENERATE_ALL = ("generate", "demo", "--quiet")
GENERATE_EACH = [(*GENERATE_ALL, "--periods", key) for key in KEYS]

needs_mounts = pytest.mark.skipif(
    not unshare_command(), reason="this machine does not allow private mounts (unshare)"
)


def small_specification(**metadata: Any) -> dict[str, Any]:
    """Return a specification with so few rows that a run takes moments."""
    return a_specification(number_of_rows=30, **metadata)


def changed_specification() -> dict[str, Any]:
    """Return a specification with other values in every column."""
    specification = small_specification(random_seed=7)
    specification["columns"]["id"]["uuid_seed"] = 7
    return specification


Rows = dict[str, list[tuple[Any, ...]]]


def reference_rows(database: Path) -> Rows:
    """Return the rows of all reference tables; the database must be intact."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%_reference%'"
        ).fetchall()
        return {
            name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()
            for (name,) in found
        }


@dataclass(frozen=True)
class Snapshot:
    """The files and the reference tables of a data folder."""

    files: dict[str, bytes]
    rows: Rows

    @classmethod
    def read(cls, data: Path, database: Path | None = None) -> "Snapshot":
        """Read a data folder and its database."""
        return cls(files_in(data), reference_rows(database or data / "exhibit.db"))


@dataclass
class Runs:
    """Runs commands on the series, with the folders of one test."""

    runner: CommandRunner
    series_dir: Path
    data: Path

    def run(self, *arguments: str, **more: Any) -> CommandResult:
        """Run one command to its end."""
        [result] = self.run_concurrently([arguments or GENERATE_ALL], **more)
        return result

    def run_concurrently(self, commands: list[tuple[str, ...]], **more: Any) -> list[CommandResult]:
        """Run commands at the same time."""
        self.start(commands, **more)
        return self.runner.results()

    def start(self, commands: list[tuple[str, ...]], **more: Any) -> None:
        """Start commands at the same time, without waiting for them."""
        folders = {"SERIES_ASSETS_SERIES_DIR": self.series_dir, "SERIES_ASSETS_DATA_DIR": self.data}
        self.runner.start(commands, **folders, **more)


def assert_succeeded(result: CommandResult) -> None:
    """Assert that a command succeeded and printed nothing to stderr."""
    assert (result.exit_code, result.stderr) == (0, "")


def error_message(result: CommandResult, code: int = 1) -> str:
    """Return the message of a command that failed as expected, without the name of the period."""
    assert result.exit_code == code, result
    assert "Traceback" not in result.stderr
    assert "unexpectedly" not in result.stderr
    return re.sub(r"^demo, period [-0-9]+( \([a-z ]+\))?: ", "", result.stderr.rstrip("\n"))


def assert_undamaged(data: Path, undisturbed: Snapshot) -> None:
    """Assert that every file and row is that of an undisturbed run, and that no others exist."""
    if data.exists():
        assert files_in(data).items() <= undisturbed.files.items()
        assert {path.name for path in data.iterdir()} <= {
            *("demo", "exhibit.db", "exhibit.db-wal", "exhibit.db-shm")
        }
    if (data / "exhibit.db").exists():
        for name, found in reference_rows(data / "exhibit.db").items():
            assert {*found} <= {*undisturbed.rows[name]}


def csv_files(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files that a consumer reads."""
    return {path: data for path, data in files.items() if path.endswith(".csv")}

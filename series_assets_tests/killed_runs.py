"""Runs that are killed at a chosen point, and what they leave behind; see ``kill_points``."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from series_assets_tests.builders import files_in


class KillableRuns:
    """A client of the process in ``kill_points``: generates series, killed at a point if asked."""

    def __init__(self, series: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "series_assets_tests.kill_points", str(series)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def generate(self, series: Path, data: Path, kill: int | None = None) -> list[str]:
        """Generate a series and return the points that it passed; none if the run is killed."""
        assert self.process.stdin and self.process.stdout
        request = {"series": str(series), "data": str(data), "kill": kill}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        result = json.loads(self.process.stdout.readline())
        assert result["failure"] is None, result["failure"]
        assert result["signal"] == (0 if kill is None else 9)
        points: list[str] = result["points"]
        return points

    def close(self) -> None:
        """End the process by closing its standard input."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


@dataclass(frozen=True)
class DataFolder:
    """The contents of a data folder."""

    files: dict[str, bytes]
    """Contents by path, without databases."""
    tables: dict[str, list[tuple[Any, ...]]]
    """The rows of each table of the database."""

    @classmethod
    def read(cls, data: Path) -> "DataFolder":
        """Read everything in a data folder; the database must be intact."""
        files = {
            path: content for path, content in files_in(data).items() if not path.startswith(".")
        }
        return cls(files, _tables(data / "exhibit.db"))


def _tables(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    if not database.exists():
        return {}
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: connection.execute(f'SELECT rowid, * FROM "{name}" ORDER BY rowid').fetchall()
            for (name,) in found
        }

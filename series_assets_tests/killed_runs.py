"""Runs that are killed at a chosen point, and what they leave; see ``killing``."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from series_assets_tests.builders import files_in


class Killer:
    """The process that makes series, and is killed when it is told to."""

    def __init__(self, series: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "series_assets_tests.killing", str(series)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def make(self, series: Path, data: Path, kill: int | None = None) -> list[str]:
        """Make a series and return the points of it; killed, there are none."""
        assert self.process.stdin and self.process.stdout
        order = {"series": str(series), "data": str(data), "kill": kill}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        ended = json.loads(self.process.stdout.readline())
        assert ended["failure"] is None, ended["failure"]
        assert ended["signal"] == (0 if kill is None else 9)
        points: list[str] = ended["points"]
        return points

    def end(self) -> None:
        """Let it end, as there are no more orders."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


@dataclass(frozen=True)
class Delivered:
    """What a data folder holds."""

    files: dict[str, bytes]
    """By path, without databases."""
    tables: dict[str, list[tuple[Any, ...]]]
    """The rows of the database by table."""

    @classmethod
    def of(cls, data: Path) -> "Delivered":
        """Read all of a data folder; the database has to be whole."""
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

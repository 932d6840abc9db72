"""What a job is: something to measure, at a size, with a goal."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.results import Result

SERIES = ("school", "clinic")


@dataclass(frozen=True)
class Scale:
    """How large the jobs are; ``smoke`` only shows that they run."""

    times: int
    smoke: bool = False

    def rows(self, rows: int) -> int:
        """Return the rows of a job."""
        return min(rows, 60) if self.smoke else rows

    def periods(self, periods: int) -> int:
        """Return the periods of a job."""
        return min(periods, 3) if self.smoke else periods

    def shards(self, shards: int) -> int:
        """Return the shards of a job."""
        return min(shards, 3) if self.smoke else shards

    @property
    def series(self) -> tuple[str, ...]:
        """The series that a job is measured on."""
        return SERIES[-1:] if self.smoke else SERIES


@dataclass(frozen=True)
class Job:
    """Something to measure, selected by its name."""

    name: str
    description: str
    measure: Callable[["Job", Path, Scale], Iterator[Result]]
    rows: int = 0
    periods: int = 0
    shards: int = 1
    at_least: float = 0
    """Times as fast as the reference, where that is the goal."""
    at_most: float = 0
    """Share of the reference's (or the other one's) time or memory, where that is the goal."""
    peak_at_most: float = 0
    """Share of the reference's peak memory, where that is a goal besides."""
    user_input: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the user input that replace those of the shipped series."""


def environment_of(folder: Path) -> dict[str, str]:
    """Return the environment for series and data below a folder."""
    return {
        "SERIES_ASSETS_SERIES_DIR": str(folder / "series"),
        "SERIES_ASSETS_DATA_DIR": str(folder / "data"),
    }

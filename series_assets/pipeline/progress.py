"""What a run reports while it goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series

PHASES = ("new records", "reference table", "dataset")
"""The phases of each period, in their order."""
TRUTH, MANIFEST = "truth", "manifest"
"""Phases of series that ask for them, after the others."""


def phases_of(series: Series) -> tuple[str, ...]:
    """Return the phases of each period of a series, in their order."""
    asked = ((TRUTH, series.truth), (MANIFEST, series.user_input.manifest))
    return (*PHASES, *(phase for phase, wanted in asked if wanted))


@dataclass(frozen=True)
class FinishedPhase:
    """A phase of a period whose results are stored."""

    phase: str
    """One of ``phases_of`` the series."""
    period: Period
    position: int
    """Place of the period among those of the run, counted from 1."""
    periods: int
    """How many periods the run has."""
    contents: str
    """What the phase delivered, such as ``80 new and 160 existing rows``."""
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.phase} {self.position} of {self.periods}: {self.period.key}, "
            f"{self.contents}, {self.seconds:.1f} s"
        )


class Progress:
    """Receives the progress of a run; this one ignores it, the command line shows a bar."""

    def reached(self, key: str, phase: str) -> None:
        """Take note that ``phase`` of the period with the partition key ``key`` begins."""

    def finished(self, result: FinishedPhase) -> None:
        """Take note that a phase of a period is done."""

    def noted(self, text: str) -> None:
        """Take note of something that is no fault, but worth knowing."""


class PhaseTimer:
    """Reports when each phase of a run's periods begins, and what it delivered in which time."""

    def __init__(self, periods: Sequence[Period], progress: Progress) -> None:
        self._positions = {period: position for position, period in enumerate(periods, start=1)}
        self._progress = progress
        self._started: dict[tuple[str, Period], float] = {}

    def begin(self, phase: str, period: Period) -> None:
        """Report that a phase of a period begins."""
        self._progress.reached(period.key, phase)
        self._started[phase, period] = perf_counter()

    def end(self, phase: str, period: Period, contents: str) -> None:
        """Report that the phase is done, its results stored."""
        seconds = perf_counter() - self._started.pop((phase, period))
        position, periods = self._positions[period], len(self._positions)
        self._progress.finished(FinishedPhase(phase, period, position, periods, contents, seconds))


def counted(number: int, singular: str) -> str:
    """Return a number with its noun: ``1 row``, ``1,200 rows``."""
    plural = f"{singular[:-1]}ies" if singular.endswith("y") else f"{singular}s"
    return f"{number:,} {singular if number == 1 else plural}"

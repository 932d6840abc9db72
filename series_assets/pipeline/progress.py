"""What a run reports as it progresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series

NEW_RECORDS, REFERENCE_TABLE, DATASET = PHASES = ("new records", "reference table", "dataset")
"""The phases of each period, in order."""
STATE, TRUTH, MANIFEST = "state", "truth", "manifest"
"""Additional phases of series that request them, after the others."""


def phases_of(series: Series) -> tuple[str, ...]:
    """Return the phases of each period of a series, in order."""
    phases = (*PHASES, *((STATE, TRUTH) if series.truth else ()))
    if series.is_sharded:
        shards = range(series.shards)
        phases = tuple(phase_of_part(one, series, shard) for shard in shards for one in phases)
    return (*phases, *((MANIFEST,) if series.user_input.manifest else ()))


def phase_of_part(phase: str, series: Series, shard: int) -> str:
    """Return the name of a phase for one part of a period of a sharded series."""
    return f"{phase}, part {shard + 1} of {series.shards}:"


@dataclass(frozen=True)
class FinishedPhase:
    """A phase of a period whose results are stored."""

    phase: str
    """One of ``phases_of`` the series."""
    period: Period
    position: int
    """Place of the period among those of the run, counted from 1."""
    periods: int
    """The number of periods in the run."""
    contents: str
    """What the phase delivered, such as ``80 new and 160 existing rows``."""
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.phase} {self.position} of {self.periods}: {self.period.key}, "
            f"{self.contents}, {self.seconds:.1f} s"
        )


class Progress:
    """Receives the progress of a run. This base class ignores it; the command line shows a bar."""

    def reached(self, key: str, phase: str) -> None:
        """Called when ``phase`` of the period with the partition key ``key`` begins."""

    def finished(self, result: FinishedPhase) -> None:
        """Called when a phase of a period is done."""

    def noted(self, text: str) -> None:
        """Called with a note for the user, which is not a fault."""


class KeptProgress(Progress):
    """Keeps what is reported, to be sent from a worker."""

    def __init__(self) -> None:
        self.phases: list[FinishedPhase] = []
        self.notes: list[str] = []

    def finished(self, result: FinishedPhase) -> None:
        """Keep it."""
        self.phases.append(result)

    def noted(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)


class PhaseTimer:
    """Reports when each phase of a period begins, what it delivered, and how long it took."""

    def __init__(self, periods: Sequence[Period], progress: Progress) -> None:
        self._positions = {period: position for position, period in enumerate(periods, start=1)}
        self._progress = progress
        self._started: dict[tuple[str, Period], float] = {}

    def begin(self, phase: str, period: Period) -> None:
        """Report that a phase of a period begins."""
        self._progress.reached(period.key, phase)
        self._started[phase, period] = perf_counter()

    def note(self, result: object) -> None:
        """Report the notes on what a phase has made, which runs of Exhibit have."""
        for note in getattr(result, "notes", ()):
            self._progress.noted(note)

    def end(self, phase: str, period: Period, contents: str) -> None:
        """Report that the phase is done, its results stored."""
        seconds = perf_counter() - self._started.pop((phase, period))
        position, periods = self._positions[period], len(self._positions)
        self._progress.finished(FinishedPhase(phase, period, position, periods, contents, seconds))


def counted(number: int, singular: str) -> str:
    """Return a number with its noun, such as ``1 row`` or ``1,200 rows``."""
    plural = f"{singular[:-1]}ies" if singular.endswith("y") else f"{singular}s"
    return f"{number:,} {singular if number == 1 else plural}"

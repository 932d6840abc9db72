"""What measurements give: the rows of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.children import Taken


@dataclass(frozen=True)
class Compared:
    """Two things that were measured in alternation."""

    job: str
    one: str
    one_value: str
    other: str
    other_value: str
    ratio: float
    goal: str
    met: bool


@dataclass(frozen=True)
class Against:
    """A complete series: the reference driver, and ``series-assets generate``."""

    job: str
    reference: Taken
    ours: Taken
    ours_together_mb: float
    """Peak of all processes of ours; 0 where the system does not report it."""
    goal: str
    met: bool
    seconds_by_phase: Mapping[str, float]
    rows_by_phase: Mapping[str, int]


@dataclass(frozen=True)
class Large:
    """A series that is measured once and compared with nothing."""

    job: str
    rows: int
    size: int
    """Bytes of all delivered datasets."""
    taken: Taken
    goal: str
    met: bool


Result = Compared | Against | Large


def compared(
    label: str,
    one: tuple[str, float, str],
    other: tuple[str, float, str],
    at_most: float = 0,
) -> Compared:
    """Compare two figures, each with its name and its unit.

    The goal is that the other is at most this share of the one; 0: there is no goal.
    """
    ratio = other[1] / one[1]
    return Compared(
        job=label,
        one=one[0],
        one_value=_shown(*one[1:]),
        other=other[0],
        other_value=_shown(*other[1:]),
        ratio=ratio,
        goal=f"≤ {at_most}" if at_most else "",
        met=not at_most or ratio <= at_most,
    )


def _shown(value: float, unit: str) -> str:
    return f"{value:.2f} s" if unit == "s" else f"{value:.0f} {unit}"

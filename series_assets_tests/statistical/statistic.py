"""A statistic with its expected value, and a table of many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

BOUND = 5.0
"""The allowed difference in standard errors. Of 400 correct normal statistics, one exceeds it in
about 4,000 suites. The seeds are fixed, so a suite that passes keeps passing until the data
changes."""


@dataclass(frozen=True)
class Statistic:
    """The observed and the expected value of a statistic."""

    suite: str
    name: str
    expected: float
    found: float
    error: float
    """The standard error; 0 for a statistic without randomness."""
    bound: float = BOUND

    @property
    def off(self) -> float:
        """The difference in standard errors."""
        difference = abs(self.found - self.expected)
        if not self.error:
            return 0.0 if difference <= 1e-9 * max(1.0, abs(self.expected)) else float("inf")
        return difference / self.error

    @property
    def holds(self) -> bool:
        """Whether the statistic lies within its bound."""
        return isfinite(self.found) and self.off <= self.bound


def chi_square(suite: str, name: str, found: float, freedom: float) -> Statistic:
    """Return a sum of squares over its degrees of freedom, by its cube root: this is nearly normal
    (Wilson and Hilferty), even for few degrees.
    """
    spread = 2 / (9 * freedom)
    root = (found / freedom) ** (1 / 3)
    return Statistic(suite, f"{name}, root 3", 1 - spread, root, sqrt(spread))


def mean_of_normals(suite: str, name: str, values: Sequence[float]) -> Statistic:
    """Return the mean of values that are each normal with mean 0 and deviation 1."""
    count = len(values)
    return Statistic(suite, name, 0.0, sum(values) / count, 1 / sqrt(count))


def table(statistics: Iterable[Statistic]) -> str:
    """Return statistics as a table with one per line; those out of bounds are marked."""
    head = ["suite", "statistic", "expected", "found", "std. error", "off by", "bound", ""]
    rows = [head]
    for one in statistics:
        numbers = [f"{one.expected:.4f}", f"{one.found:.4f}", f"{one.error:.4f}"]
        off = [f"{one.off:.2f}", f"{one.bound:g}" if one.error else "exact"]
        rows.append([one.suite, one.name, *numbers, *off, "" if one.holds else "FAILS"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def failures(statistics: Iterable[Statistic]) -> str:
    """Return the table of the statistics that are out of bounds; empty if there are none."""
    wrong = [one for one in statistics if not one.holds]
    return table(wrong) if wrong else ""

"""Both sides of a comparison as arrays, in codes that they share."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from series_assets.core.verify.instants import OPEN
from series_assets.core.verify.values import Coded

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Versions:
    """The versions of one side; all arrays have one entry for each of them."""

    key: Ints
    """The code of the entity; -1 where the table has none."""
    start: Ints
    """When it begins, as it is compared."""
    end: Ints
    """When it ends, as it is compared; ``OPEN`` while current."""
    place: Ints
    """The row in the table that the versions come from."""

    def __len__(self) -> int:
        return len(self.key)

    def take(self, chosen: Ints | Flags) -> "Versions":
        """Return some of the versions."""
        return Versions(self.key[chosen], self.start[chosen], self.end[chosen], self.place[chosen])

    def current(self) -> "Versions":
        """Return the versions without an end, as if they had always been."""
        found = self.take(self.end == OPEN)
        return Versions(found.key, np.zeros_like(found.start), found.end, found.place)

    @property
    def is_open(self) -> Flags:
        """Which versions have no end."""
        found: Flags = self.end == OPEN
        return found


_ROOM = 2**62
"""Codes stay below it, so that they fit into 64 bits."""


def joint_codes(*columns: Ints) -> Ints:
    """Return one code for each row: equal where all columns are. Not for empty arrays."""
    found, width = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        codes, count = _numbered(column)
        if width * count >= _ROOM:  # else mere arithmetic does, which is much faster
            found, width = _renumbered(found)
            if width * count >= _ROOM:
                codes, count = _renumbered(codes)
        found, width = found * count + codes, width * count
    return found


def _numbered(column: Ints) -> tuple[Ints, int]:
    """Return a column as numbers from 0, and how many there may be."""
    low, high = int(column.min(initial=0)), int(column.max(initial=0))
    return (column - low, high - low + 1) if high - low < 2**40 else _renumbered(column)


def _renumbered(column: Ints) -> tuple[Ints, int]:
    codes, known = pd.factorize(column)
    return codes.astype(np.int64), len(known)


def begins(sorted_codes: Ints) -> Flags:
    """Return which entries differ from the one before."""
    found: Flags = np.ones(len(sorted_codes), dtype=bool)
    found[1:] = sorted_codes[1:] != sorted_codes[:-1]
    return found


def occurrences(codes: Ints, order: Ints) -> Ints:
    """Return for each row how many before it, in some order, have the same code."""
    place: Ints = np.empty(len(codes), dtype=np.int64)
    first = np.maximum.accumulate(np.where(begins(codes[order]), np.arange(len(codes)), 0))
    place[order] = np.arange(len(codes)) - first
    return place


def differences(column: Coded, ours: Ints, theirs: Ints, tolerance: float) -> Flags:
    """Tell for pairs of rows whether their values differ by more than the tolerance."""
    differ: Flags = column.ours[ours] != column.theirs[theirs]
    if tolerance and column.our_numbers is not None and column.their_numbers is not None:
        distance = np.abs(column.our_numbers[ours] - column.their_numbers[theirs])
        differ &= ~(distance <= tolerance)
    return differ

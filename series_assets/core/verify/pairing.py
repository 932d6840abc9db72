"""Which version of the table is meant to be which expected one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from series_assets.core.verify.sides import Flags, Ints, Versions, joint_codes, occurrences


@dataclass(frozen=True)
class Pairing:
    """Pairs of versions, as places in the two sides, and what is left."""

    ours: Ints
    theirs: Ints
    missing: Ints
    """Expected versions without a partner."""
    extra: Ints
    """Versions of the table without a partner."""


def pair(
    ours: Versions,
    theirs: Versions,
    our_values: Ints,
    their_values: Ints,
    *,
    values_first: bool = False,
) -> Pairing:
    """Pair the versions of each key in four steps, each among what the one before left.

    Equal in times and values; then in beginning and values; then in beginning; then in values.
    ``…_values`` is a code for all tracked values together. With ``values_first`` the last two
    steps change places, for beginnings that are mere places in a sequence.
    """
    count = len(ours)
    key = np.concatenate([ours.key, theirs.key])
    start = np.concatenate([ours.start, theirs.start])
    end = np.concatenate([ours.end, theirs.end])
    values = np.concatenate([our_values, their_values])
    steps: tuple[Callable[[], Ints], ...] = (
        lambda: joint_codes(key, start, values, end),
        lambda: joint_codes(key, start, values),
        lambda: joint_codes(key, start),
        lambda: joint_codes(key, values),
    )
    if values_first:
        steps = (*steps[:2], steps[3], steps[2])
    free: Flags = np.ones(len(key), dtype=bool)
    pairs_ours, pairs_theirs = [], []
    for codes in steps:
        if not free[:count].any() or not free[count:].any():
            break
        mine, other = _match(codes(), start, free, count)
        free[mine] = free[other] = False
        pairs_ours.append(mine)
        pairs_theirs.append(other - count)
    return Pairing(
        _joined(pairs_ours),
        _joined(pairs_theirs),
        np.flatnonzero(free[:count]),
        np.flatnonzero(free[count:]),
    )


def repeats(versions: Versions, values: Ints) -> Flags:
    """Tell which versions repeat one before them: key, times and values."""
    codes = joint_codes(versions.key, versions.start, versions.end, values)
    found: Flags = occurrences(codes, np.argsort(codes, kind="stable")) > 0
    return found


def _match(codes: Ints, start: Ints, free: Flags, count: int) -> tuple[Ints, Ints]:
    """Pair free rows of one code, the first of one side with the first of the other."""
    sides = []
    for side in (slice(0, count), slice(count, None)):
        rows = np.flatnonzero(free[side]) + (side.start or 0)
        order = np.lexsort((start[rows], codes[rows]))
        sides.append((rows, occurrences(codes[rows], order)))
    (mine, nth), (other, other_nth) = sides
    width = max(int(nth.max(initial=0)), int(other_nth.max(initial=0))) + 1
    _, one, two = np.intersect1d(
        codes[mine] * width + nth,
        codes[other] * width + other_nth,
        assume_unique=True,
        return_indices=True,
    )
    return mine[one], other[two]


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)

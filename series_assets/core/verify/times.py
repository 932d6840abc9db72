"""Bringing the times of both sides to one scale: exact, by rank of loads, by order of versions."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from series_assets.core.errors import InvalidValueError, RequestError
from series_assets.core.verify.instants import FAR, MISSING, OPEN, formatted, instant_of
from series_assets.core.verify.sides import Flags, Ints, Versions, occurrences

TOUCHES, GAP = 1, 0
"""How a version ends that is not current, with ``time: order``: at the next one, or before it."""


def distinct(versions: Versions) -> Ints:
    """Return the times that occur, in order."""
    found: Ints = np.unique(np.concatenate([versions.start, versions.end]))
    found = found[(found != OPEN) & (found != MISSING)]
    return found


def by_rank(
    ours: Versions, theirs: Versions, first: Flags, loads: Sequence[tuple[str, str]]
) -> Versions:
    """Return the versions of the table with the times of loads as first days of periods.

    Without ``loads``, the times that occur are the periods in which a version opened or closed,
    in their order. ``first`` marks versions that begin in 1970, which is no load. Raises
    RequestError where the numbers differ.
    """
    times = distinct(replace(theirs, start=np.where(first, MISSING, theirs.start)))
    if loads:
        days, begun = _loads(loads)
        place = np.searchsorted(begun, times, side="right") - 1
        if (place < 0).any():
            raise RequestError(
                "--loads: the table holds times before the first load",
                "give loaded_at as the moment at which each load began, in UTC",
            )
        periods = days[place]
    else:
        periods = distinct(ours)
        if len(periods) != len(times):
            remedy = "give a CSV of period,loaded_at with --loads"
            if len(times) and times[-1] >= FAR:
                far = formatted(int(times[-1]))
                remedy = f"if {far} means current, use --open-value '{far}', else {remedy}"
            raise RequestError(
                f"--time rank: the table holds {len(times)} different times of loads, but "
                f"versions opened or closed in {len(periods)} periods",
                remedy,
            )
    return replace(
        theirs,
        start=_replaced(theirs.start, times, periods, first),
        end=_replaced(theirs.end, times, periods, np.zeros(len(theirs), dtype=bool)),
    )


def _loads(loads: Sequence[tuple[str, str]]) -> tuple[Ints, Ints]:
    try:
        pairs = sorted((instant_of(at), instant_of(day)) for day, at in loads)
    except InvalidValueError as error:
        raise RequestError(f"--loads {error.problem}", error.remedy) from None
    return np.array([day for _, day in pairs]), np.array([at for at, _ in pairs])


def _replaced(values: Ints, times: Ints, periods: Ints, kept: Flags) -> Ints:
    stays = (values == OPEN) | (values == MISSING) | kept
    if not len(times):
        return values
    place = np.clip(np.searchsorted(times, values), 0, len(times) - 1)
    return np.where(stays, values, periods[place])


def by_order(versions: Versions) -> Versions:
    """Return versions with their place among those of their key as their beginning.

    Their end is ``OPEN``, ``TOUCHES`` or ``GAP``.
    """
    count = len(versions)
    order = np.lexsort((versions.end, versions.start, versions.key))
    key, start, end = versions.key[order], versions.start[order], versions.end[order]
    follows = np.zeros(count, dtype=bool)
    follows[:-1] = (key[1:] == key[:-1]) & (end[:-1] >= start[1:])
    new_end = np.empty(count, dtype=np.int64)
    new_end[order] = np.where(end == OPEN, OPEN, np.where(follows, TOUCHES, GAP))
    return replace(versions, start=occurrences(versions.key, order), end=new_end)


def out_of_order(ours: Ints, theirs: Ints, key: Ints) -> Flags:
    """Tell which pairs of versions, by their places, come earlier than the pair before them."""
    order = np.lexsort((theirs, key))
    found = np.zeros(len(key), dtype=bool)
    falls = (key[order][1:] == key[order][:-1]) & (ours[order][1:] < ours[order][:-1])
    found[order[1:]] = falls
    return found

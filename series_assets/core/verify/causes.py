"""What the findings have in common: the likely mistake, where one explains them.

A finding says what is wrong with a row. A mistake in a pipeline shows in many rows, and what these
share often names it: all missing versions belong to one load, or change one column only. Each cause
is a fact about all findings of a kind, in words that say what to look for.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow.compute as pc

from series_assets.core.verify import times
from series_assets.core.verify.compare import Outcome, Sides, compare
from series_assets.core.verify.instants import DAY, MISSING, OPEN, formatted, length
from series_assets.core.verify.pairing import Pairing
from series_assets.core.verify.sides import Flags, Ints, Versions, begins, joint_codes
from series_assets.core.verify.value_causes import kept_values, value_causes

_FEW = 3
"""Fewer rows than that are no pattern."""
_ZONES = 14 * DAY // 24
"""The largest distance of a local time to UTC."""
_UNITS = (
    (DAY, "d", "day"),
    (1_000_000, "s", "second"),
    (1_000, "ms", "millisecond"),
    (1, "us", "microsecond"),
)


def likely_causes(
    sides: Sides,
    outcome: Outcome,
    *,
    time: str,
    tolerance: float,
    scd2: bool,
    order_by: str | None = None,
) -> Iterator[str]:
    """Yield what explains the findings of a comparison, the most general first.

    ``order_by`` is the column whose times are those of versions, if they are not times of loads.
    """
    unknown = list(_of_keys(sides))
    if unknown:
        yield from unknown
        return
    yield from _of_repeats(sides)
    if scd2:
        exact = time == "exact"
        beginnings = list(_of_beginnings(sides, outcome)) if exact else []
        yield from beginnings
        shifted = None
        if exact and not beginnings:
            shifted = _shifted(sides, outcome, tolerance, are_events=order_by is not None)
        if shifted:
            outcome, text = shifted
            yield text
        rows, pairs = outcome.rows, outcome.pairs
        yield from _of_endings(sides, rows)
        if time != "order":
            yield from _of_intervals(sides, rows, pairs)
            if open_ends := _of_open_ends(sides, rows, pairs):
                yield open_ends
            if order_by:
                yield from _of_order_within(rows, order_by)
            else:
                if not beginnings:
                    yield from _of_loads(sides, rows, pairs)
                if not open_ends:
                    yield from _of_absence(sides, rows)
                yield from _of_order(rows)
        kept = list(kept_values(sides, rows, pairs))
        yield from kept
        if not kept:
            yield from _of_changes(sides, rows, pairs)
    yield from value_causes(sides, outcome.rows, outcome.pairs, tolerance)


def _of_keys(sides: Sides) -> Iterator[str]:
    """Yield why keys of the table are not known."""
    if not len(sides.their_keys):
        yield "the table has no rows"
        return
    if not len(sides.theirs):
        return
    theirs, ours = (
        [str(one) for one in pc.unique(table[sides.key]).to_pylist() if one is not None]
        for table in (sides.their_table, sides.our_table)
    )
    if not theirs or not ours:
        return
    if np.isin(sides.theirs.key, sides.our_keys).any():
        yield from _of_some_keys(theirs, ours)
        return
    alike = {_letters(one): one for one in ours}
    both = next(((one, alike[_letters(one)]) for one in theirs if _letters(one) in alike), None)
    found, wanted = both or (theirs[0], ours[0])
    question = "" if both else "; is it another column, or another series?"
    if not both and _are_cut_off(theirs, ours):
        found, question = theirs[0], ", which begins with it; is it cut off?"
        wanted = next(one for one in ours if one.startswith(found))
    yield (
        f"no {sides.key} of the table is written as delivered: the table has {found}, the "
        f"deliveries have {wanted}{question}"
    )


def _of_some_keys(theirs: Sequence[str], ours: Sequence[str]) -> Iterator[str]:
    """Yield that nearly all unknown keys are delivered ones, written in another way."""
    unknown = sorted({*theirs} - {*ours})
    delivered = {_letters(one): one for one in ours}
    found = [one for one in unknown if _letters(one) in delivered]
    if len(found) >= max(_FEW, 0.9 * len(unknown)):
        yield (
            f"{len(found):,} keys of the table are written in another way than delivered, such as "
            f"{found[0]} instead of {delivered[_letters(found[0])]}"
        )


def _are_cut_off(theirs: Sequence[str], ours: Sequence[str]) -> bool:
    """Return whether each key of the table is the beginning of a delivered one."""
    lengths = {len(one) for one in theirs}
    return all(
        {one for one in theirs if len(one) == size} <= {one[:size] for one in ours}
        for size in lengths
    )


def _letters(key: str) -> str:
    """Return a key without what is lost or added where keys are written in another way."""
    return "".join(filter(str.isalnum, key)).lower().lstrip("0")


def _of_repeats(sides: Sides) -> Iterator[str]:
    """Yield that each row of the table is there several times."""
    rows = sides.theirs
    if len(rows) < _FEW:
        return
    counts = np.unique(joint_codes(rows.key, rows.start, rows.end), return_counts=True)[1]
    if counts.min() > 1:
        yield (
            f"the table has each row at least {counts.min()} times: was it loaded again without "
            "removing its rows, or does a join repeat them?"
        )


def _of_absence(sides: Sides, rows: Versions) -> Iterator[str]:
    """Yield that versions end where a delivery does not contain their key."""
    ours = sides.ours
    if not len(rows) or not len(ours):
        return
    loads = np.union1d(ours.start, ours.end[ours.end != OPEN])
    ends = np.flatnonzero(np.isin(rows.end, loads))
    # Times of both sides at which something begins, and those at which something should end.
    key = np.concatenate([rows.key[ends], rows.key, ours.key, ours.key])
    time = np.concatenate([rows.end[ends], rows.start, ours.start, ours.end])
    codes = joint_codes(key, time)
    gone = ~np.isin(codes[: len(ends)], codes[len(ends) :])
    count = int(gone.sum())
    if count >= max(_FEW, len(ends) / 10):
        yield (
            f"{count:,} versions end on the day of a delivery that does not contain their key: a "
            "delivery is a delta, and a key that it leaves out is unchanged; does the pipeline "
            "read it as a full snapshot and close or delete what is absent?"
        )


def _of_beginnings(sides: Sides, outcome: Outcome) -> Iterator[str]:
    """Yield that the first versions of all loads begin at one time before the first load."""
    ours, rows, pairs = sides.ours, outcome.rows, outcome.pairs
    first = begins(ours.key)
    found = rows.start[pairs.theirs[first[pairs.ours]]]
    if len(found) < _FEW or found[0] == MISSING or (found != found[0]).any():
        return
    if found[0] < ours.start.min() and (ours.start[first] != ours.start[0]).any():
        yield (
            f"first versions begin on {formatted(int(found[0]))}, before the first load: a version "
            "should begin with the load that brings it, or on 1970-01-01"
        )


def _of_loads(sides: Sides, rows: Versions, pairs: Pairing) -> Iterator[str]:
    """Yield periods in which versions should begin or end, but none of the table does.

    Versions that are there but begin at another time are no sign of a skipped load.
    """
    ours = sides.ours
    expected, counts = np.unique(ours.start, return_counts=True)
    there = np.unique(np.concatenate([rows.start, rows.end]))
    missing = np.searchsorted(expected, ours.start[pairs.missing])
    are_missing = 2 * np.bincount(missing, minlength=len(expected)) > counts
    absent: Flags = ~np.isin(expected, there) & (counts >= _FEW) & are_missing
    if not absent.any() or absent.all() or are_missing.all():
        return
    for day, count in zip(expected[absent].tolist(), counts[absent].tolist(), strict=True):
        text = (
            f"no version begins or ends on {formatted(day)}, where {count:,} should begin: was "
            "that load skipped?"
        )
        if day == expected[-1]:
            text += " Option --at compares with an earlier period"
        yield text


def _of_endings(sides: Sides, rows: Versions) -> Iterator[str]:
    """Yield that no version ends, or that ends are written in another way."""
    ours = sides.ours
    if (ours.end != OPEN).any() and len(rows) and (rows.end == OPEN).all():
        yield (
            "no version of the table has an end: does the pipeline close versions? A table of the "
            "current state alone is verified with --as scd1"
        )
    contrary = int((sides.current != (sides.theirs.end == OPEN)).sum())
    if contrary and len(rows):
        yield (
            f"the column that marks current versions contradicts the ends of {contrary:,} versions"
        )


def _of_open_ends(sides: Sides, rows: Versions, pairs: Pairing) -> str:
    """Return that all versions that should be current end at one time; "" if they do not."""
    ends = rows.end[pairs.theirs[sides.ours.is_open[pairs.ours]]]
    if len(ends) < _FEW or ends[0] in (OPEN, MISSING) or (ends != ends[0]).any():
        return ""
    return (
        f"all {len(ends):,} versions that should be current end on {formatted(int(ends[0]))}: the "
        "current version of a key has no end until a later one begins"
    )


def _of_intervals(sides: Sides, rows: Versions, pairs: Pairing) -> Iterator[str]:
    """Yield that each version begins or ends the same span beside its time."""
    begin = rows.start[pairs.theirs] - sides.ours.start[pairs.ours]
    if len(begin) >= _FEW and begin[0] and (begin == begin[0]).all():
        way = "late" if begin[0] > 0 else "early"
        yield f"each version begins {length(abs(int(begin[0])))} {way}"
    mine, other = sides.ours.end[pairs.ours], rows.end[pairs.theirs]
    both = (mine != OPEN) & (other != OPEN)
    early = np.unique(mine[both] - other[both])
    if both.sum() < _FEW or len(early) != 1 or early[0] <= 0:
        return
    for size, unit, name in _UNITS:
        count, rest = divmod(int(early[0]), size)
        if not rest and size * count <= DAY:
            yield (
                f"each version ends {count} {name}{'s' if count != 1 else ''} early: if that is "
                f"the last moment of the version, use --interval closed:{count}{unit}"
            )
            return


def _shifted(
    sides: Sides, outcome: Outcome, tolerance: float, *, are_events: bool
) -> tuple[Outcome, str] | None:
    """Return the comparison with times as those of loads, and how times are off.

    None unless the times of both sides correspond in order, and fewer than half of the findings
    are left then.
    """
    wanted, found = times.distinct(sides.ours), times.distinct(outcome.rows)
    if len(wanted) != len(found) or not len(wanted) or (wanted == found).all():
        return None
    ranked = compare(sides, time="rank", tolerance=tolerance)
    left = sum(finding.count for finding in ranked.findings)
    if 2 * left > sum(finding.count for finding in outcome.findings):
        return None
    rest = "apart from that the table is correct" if not left else "that is not all"
    how = "--time rank compares loads by their order alone"
    shift = _shift(wanted, found, are_events=are_events)
    return ranked, f"the times of the table {shift}; {rest} ({how})"


def _shift(wanted: Ints, found: Ints, *, are_events: bool) -> str:
    """Return in words by how much times are off."""
    off = found - wanted
    low, high = int(np.abs(off).min()), int(np.abs(off).max())
    if len(off) > 1 and not are_events and (found[:-1] == wanted[1:]).all():
        return "are the first day of the next period"
    if (off < 0).any() and (off > 0).any():
        return "are not those of the periods"
    way = "later" if off.max() > 0 else "earlier"
    span = length(high)
    if low != high:
        span = f"{length(low)} to {span}" if low else f"up to {span}"
    text = f"are {span} {way} than expected"
    if high <= _ZONES:
        return f"{text}, as local times are; write them in UTC or with their zone"
    return text if low == high else f"{text}, as the times of runs are"


def _of_order(rows: Versions) -> Iterator[str]:
    """Yield loads that were merged after later ones, or twice."""
    ended = np.flatnonzero((rows.end < rows.start) & (rows.end != MISSING))
    if len(ended) >= _FEW:
        loads, counts = np.unique(
            np.stack([rows.start[ended], rows.end[ended]]), axis=1, return_counts=True
        )
        start, end = map(formatted, loads[:, np.argmax(counts)].tolist())
        yield (
            f"versions that begin on {start} end on {end}: was the load of {end} merged after "
            f"that of {start}, or a second time?"
        )


def _of_order_within(rows: Versions, order_by: str) -> Iterator[str]:
    """Yield that rows were not applied in the order of their times."""
    count = int(((rows.end < rows.start) & (rows.end != MISSING)).sum())
    if count >= _FEW:
        yield (
            f"{count:,} versions end before they begin: are rows applied in the order of the file, "
            f"and not by {order_by}?"
        )


def _of_changes(sides: Sides, rows: Versions, pairs: Pairing) -> Iterator[str]:
    """Yield which changes never opened a version, though others did."""
    ours = sides.ours
    absent: Flags = np.zeros(len(ours), dtype=bool)
    absent[pairs.missing] = True
    later = np.flatnonzero(~begins(ours.key) & np.isin(ours.key, rows.key))
    missing, present = later[absent[later]], later[~absent[later]]
    if len(missing) < _FEW or not len(present):
        return
    changed, blank = _changes(sides, later, len(ours))
    only_blank = ~(changed & ~blank).any(axis=0)
    count = int(only_blank[missing].sum())
    others = len(missing) - count
    overlooked = changed[:, missing].any(axis=1)
    if (
        others
        and not overlooked.all()
        and changed[~overlooked][:, present].any(axis=0).all()  # others open versions
    ):
        names = list(sides.columns)
        yield (
            f"all missing versions change only {_listed(names, overlooked)}, and each version that "
            f"is there changes {_listed(names, ~overlooked)}: does the pipeline compare all "
            "tracked columns?"
        )
    elif (
        count >= _FEW
        and count > len(missing) / 2
        and count > only_blank[later].sum() / 2
        and others < (~only_blank[later]).sum() / 10
    ):
        yield (
            f"{count:,} of {len(missing):,} missing versions differ from the one before only in a "
            "value that appears or disappears: a comparison with NULL by = or <> is neither true "
            "nor false; use IS DISTINCT FROM"
        )


def _changes(sides: Sides, later: Ints, count: int) -> tuple[Flags, Flags]:
    """Return for each column and version whether it changes it, and from or to missing."""
    place = sides.ours.place
    changed = np.zeros((len(sides.columns), count), dtype=bool)
    blank = np.zeros_like(changed)
    for index, column in enumerate(sides.columns.values()):
        now, before = column.ours[place[later]], column.ours[place[later - 1]]
        changed[index, later] = now != before
        blank[index, later] = (now != before) & ((now < 0) | (before < 0))
    return changed, blank


def _listed(names: Sequence[str], chosen: Flags) -> str:
    found = [name for name, one in zip(names, chosen, strict=True) if one]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} or {found[-1]}"

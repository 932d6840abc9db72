"""The likely mistake behind the findings: what they have in common, and in the deliveries.

Wrong rows of a table that a delivery has mean that the pipeline took another row than the last one.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.verify.causes import likely_causes
from series_assets.core.verify.compare import Outcome, Sides
from series_assets.core.verify.instants import DAY, FAR, MISSING, OPEN, formatted, instant_of
from series_assets.core.verify.options import VerifyOptions
from series_assets.core.verify.sides import Flags, Ints, Versions
from series_assets.core.verify.values import coded
from series_assets.pipeline.state import read_delivered
from series_assets.pipeline.truth import dimension_at, last_recorded
from series_assets.pipeline.workspace import Workspace

_SAMPLE = 200
"""How many wrong rows are looked up."""
_FEW = 3
"""Fewer rows than that are no pattern."""
_DATASETS = 3
"""In how many datasets rows with times are looked up, those of most rows."""
_EARLIER = 12
"""In how many datasets rows without times are looked up, the last ones."""
_LONG = 366 * DAY
"""An end that is that much later than the last load does not come from a load."""
_SHARE = 0.6
"""The share of the rows that a cause has to explain."""


def causes_of(
    series: Series,
    workspace: Workspace,
    at: Period,
    sides: Sides,
    found: Outcome,
    options: VerifyOptions,
    table: pa.Table,
) -> Iterator[str]:
    """Yield what explains the findings of a comparison. ``table`` is the tester's.

    Raises RequestError, after the causes found so far, where a dataset cannot be read.
    """
    scd2, profile = options.as_ == "scd2", options.adapted_profile()
    rows, time = found.rows, options.time if scd2 else "exact"
    far = _far_end(sides.ours, rows) if scd2 and time != "order" else OPEN
    if far != OPEN:
        text = formatted(far - options.closed_by())
        yield f"versions end on {text}; if that means current, use --open-value '{text}'"
        return
    if not scd2 and {profile.valid_from, profile.valid_to} <= {*table.column_names}:
        yield "the table has the columns of a history: verify it with --as scd2"
        return
    if newer := _newer_rows(series, workspace, at, sides):
        yield newer
        return
    if not scd2:
        yield from _of_last_load(series, workspace, at, sides)
    truth = series.history
    common = likely_causes(
        sides,
        found,
        time=time,
        tolerance=options.tolerance,
        scd2=scd2,
        order_by=truth.order_by if truth.by_event else None,
    )
    causes = list(common)
    yield from causes
    elsewhere = bool(len(rows)) and not np.isin(rows.start, sides.ours.start).any()
    if not causes and elsewhere and time == "exact":
        yield (
            "no version of the table begins at an expected time; if the tool takes the time of the "
            "run, use --time rank or --time order"
        )
    if time == "order" or (rows.end < rows.start).any():
        return  # rows cannot be assigned to a dataset
    wrong = np.flatnonzero(_wrong(sides, found, options.tolerance))
    total, wrong = len(wrong), wrong[:_SAMPLE]
    if scd2:
        wrong = wrong[[not _is_in_force(sides, rows, int(one)) for one in wrong]]
    yield from _of_deliveries(
        series,
        workspace,
        at,
        sides.their_table.take(pa.array(rows.place[wrong])),
        rows.start[wrong] if scd2 else None,
        _Looked(total > _SAMPLE, len(np.setdiff1d(sides.our_keys, sides.their_keys))),
    )


@dataclass(frozen=True)
class _Looked:
    """What to say beside the number of wrong rows that were looked up."""

    is_sample: bool
    """Whether there are more wrong rows than those."""
    missing_keys: int
    """How many keys are missing from the table."""

    @property
    def rows(self) -> str:
        """What the rows are called."""
        return "examined wrong rows" if self.is_sample else "wrong rows"

    def beside(self, question: str, other: str) -> str:
        """Return a question, or another one where keys are missing too."""
        if self.missing_keys < _FEW:
            return f": {question}"
        return f", and {self.missing_keys:,} keys are missing: {other}"


def _far_end(ours: Versions, rows: Versions) -> int:
    """Return the end that stands for none, OPEN without one.

    It is very far in the future, or the same one, long after the last load, for all versions that
    should be current.
    """
    ends = rows.end[rows.end != OPEN]
    if not len(ends):
        return OPEN
    last = int(ends.max())
    loads = np.concatenate([ours.start, ours.end[ours.end != OPEN]])
    is_late = bool(len(loads)) and last > loads.max() + _LONG
    is_shared = len(ends) == len(rows) and int((ends == last).sum()) >= _FEW
    return last if last >= FAR or (is_late and is_shared) else OPEN


def _newer_rows(series: Series, workspace: Workspace, at: Period, sides: Sides) -> str:
    """Return that the table has keys of later deliveries than the period compared with."""
    last = last_recorded(series, workspace)
    unknown = pa.array(~np.isin(sides.their_keys, sides.our_keys))
    found = {str(one) for one in sides.their_table[sides.key].filter(unknown).to_pylist()}
    if last.k <= at.k or not found:
        return ""
    known = dimension_at(series, workspace, "scd1", last)[sides.key].to_pylist()
    later = len(found & set(known))
    if 2 * later < len(found):
        return ""
    return (
        f"{later:,} of {len(found):,} unknown keys are delivered after {at.key}: the table is "
        "newer than --at says; leave --at out, or verify the table as it was then"
    )


def _of_last_load(series: Series, workspace: Workspace, at: Period, sides: Sides) -> Iterator[str]:
    """Yield that a current state has only the keys of the last delivery."""
    key = series.history.key
    if at.k == 0 or len(sides.their_keys) >= len(sides.our_keys):
        return
    there = {str(one) for one in sides.their_table[key].to_pylist() if one is not None}
    delivered: set[str] = set()
    for part in series.parts:
        keys = read_delivered(part, at, workspace, [key])[key]
        delivered.update(pc.unique(pc.drop_null(keys)).to_pylist())
    if there and there == delivered:
        yield (
            f"the table has exactly the keys of the last delivery, dataset {at.number}: a delivery "
            "is a delta; does the pipeline replace the table where it should merge into it?"
        )


def _wrong(sides: Sides, found: Outcome, tolerance: float) -> Flags:
    """Tell which versions of the table have a wrong value or should not exist."""
    rows, pairs = found.rows, found.pairs
    wrong: Flags = np.zeros(len(rows), dtype=bool)
    wrong[pairs.extra] = np.isin(rows.key[pairs.extra], sides.ours.key)
    for places in sides.wrong_values(rows, pairs, tolerance).values():
        wrong[pairs.theirs[places]] = True
    return wrong


def _is_in_force(sides: Sides, rows: Versions, row: int) -> bool:
    """Tell whether a row has the expected values of its time: then it is a version too many."""
    ours = sides.ours
    in_force = (ours.key == rows.key[row]) & (ours.start <= rows.start[row])
    places = ours.place[in_force & (rows.start[row] < ours.end)]
    return any(
        all(one.ours[place] == one.theirs[rows.place[row]] for one in sides.columns.values())
        for place in places
    )


def _of_deliveries(
    series: Series,
    workspace: Workspace,
    at: Period,
    rows: pa.Table,
    starts: Ints | None,
    looked_up: "_Looked",
) -> Iterator[str]:
    """Yield that wrong rows are those of a delivery, though not the ones that count.

    ``rows`` are wrong rows of the table: the key and the tracked columns by their names in the
    series. ``starts`` says when each begins, None for a current state.
    """
    truth = series.history
    if truth.every_row or rows.num_rows < _FEW:
        return
    if starts is None:
        yield from _of_state(series, workspace, at, rows, looked_up)
        return
    days = [instant_of(key) for key in series.calendar.keys[: at.k + 1]]
    periods = [bisect_right(days, start) - 1 if start != MISSING else -1 for start in starts]
    chosen = [k for k, _ in Counter(k for k in periods if k >= 0).most_common(_DATASETS)]
    looked, taken = 0, 0
    for k in chosen:
        own = [place for place, period in enumerate(periods) if period == k]
        _, same = _delivered(series, workspace, k, rows.take(pa.array(own)))
        looked, taken = looked + len(own), taken + int(same.sum())
    if looked and taken >= _SHARE * looked:
        yield _superseded(taken, looked, truth.order_by, looked_up)


def _of_state(
    series: Series, workspace: Workspace, at: Period, rows: pa.Table, looked_up: "_Looked"
) -> Iterator[str]:
    """Tell whether rows of a current state are superseded rows, or those of earlier datasets."""
    count = rows.num_rows
    seen, last, earlier = np.zeros(count, bool), np.zeros(count, bool), np.zeros(count, bool)
    for k in range(at.k, max(-1, at.k - _EARLIER), -1):
        known, same = _delivered(series, workspace, k, rows)
        last |= same & ~seen
        earlier |= same & seen
        seen |= known
    assert series.truth is not None
    if last.sum() >= _SHARE * count:
        yield _superseded(int(last.sum()), count, series.truth.order_by, looked_up)
    elif (earlier & ~last).sum() >= _SHARE * count:
        stale = int((earlier & ~last).sum())
        yield f"{stale} of {count} {looked_up.rows} have values of an earlier dataset" + (
            looked_up.beside(
                "does the pipeline update the rows that are already there, load by load in "
                "their order?",
                "was a load skipped? Option --at compares with an earlier period",
            )
        )


def _superseded(taken: int, looked: int, order_by: str | None, looked_up: "_Looked") -> str:
    order = f"{order_by} and then by position in the file" if order_by else "position in the file"
    one = f"keep one row of a key in each load, the last by {order}"
    return (
        f"{taken} of {looked} {looked_up.rows} are rows of their dataset that a later row of the "
        f"key supersedes{looked_up.beside(one, f'was a file cut short? Otherwise {one}')}"
    )


def _delivered(series: Series, workspace: Workspace, k: int, rows: pa.Table) -> tuple[Flags, Flags]:
    """Tell which rows have a key that a dataset delivers, and which of them it delivers as such."""
    truth = series.history
    names, kinds = [truth.key, *truth.track], series.kinds
    known, same = np.zeros(rows.num_rows, bool), np.zeros(rows.num_rows, bool)
    for part in series.parts:
        delivered = read_delivered(part, series.calendar.period(k), workspace, names)
        sides = [coded(delivered[name], rows[name], kinds.get(name, "any")) for name in names]
        keys = set(sides[0].ours.tolist())
        lines = set(zip(*(one.ours.tolist() for one in sides), strict=True))
        found = list(zip(*(one.theirs.tolist() for one in sides), strict=True))
        known |= [line[0] in keys for line in found]
        same |= [line in lines for line in found]
    return known, same

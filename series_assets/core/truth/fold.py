"""What a period does to the history of its entities: operations, versions, changed values.

Whole columns, never row by row. A period needs its own rows and the last state that each of its
entities had before, nothing else. Tables are Arrow's; ``Fold.states`` is what the next period's
``earlier`` is read from.

The state of an entity after a period is the tracked values of its last row there, by ``order_by``
and then by the place in the file; without a row, the state before. A version opens where a state
differs from the one before it. With ``history: every_row`` there is a state after each moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.core.arrays import joined, one_array
from series_assets.core.errors import GenerationError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.truth import STATE_ENTITY, Truth
from series_assets.core.truth.columns import Entities, combined, moments

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

INSERT, UPDATE, UNCHANGED, REACTIVATE, DELETE, SUPERSEDED, UNKEYED = range(7)
OPERATIONS = (
    "insert",
    "update",
    "unchanged",
    "reactivate",
    "delete",
    "superseded",
    "unkeyed",
)
"""What a line of the change log may say that a row did."""


@dataclass(frozen=True)
class Fold:
    """What a period does to the history."""

    changes: pa.Table
    """The change log: a line for each row of the file, in its order, then the deletes by key.

    Columns ``row``, the key, ``op``, ``version``, ``changed``, ``previous_dataset``,
    ``previous_row``, ``tied``; whole numbers are int64, ``tied`` is bool, null where empty."""
    cells: pa.Table
    """A line for each changed value: ``row``, the key, ``column``, ``before``, ``after``."""
    states: pa.Table
    """The states that the period leaves: ``STATE_COLUMNS``, the key, the tracked columns."""

    @cached_property
    def operations(self) -> dict[str, int]:
        """How many lines each operation has; only those that occur, in the order of OPERATIONS."""
        counted = pc.value_counts(self.changes["op"]).to_pylist()
        found = {one["values"]: int(one["counts"]) for one in counted}
        return {name: found[name] for name in OPERATIONS if name in found}

    @property
    def versions(self) -> int:
        """How many versions the period opens."""
        return int(pc.sum(self.states["state_opens"]).as_py() or 0)

    @property
    def ties(self) -> int:
        """How many states the place in the file decided, where another choice would differ."""
        return int(pc.sum(self.states["state_tied"]).as_py() or 0)


def fold(
    truth: Truth,
    period: Period,
    rows: pa.Table,
    entities: Entities,
    earlier: pa.Table,
    deletes: Sequence[str] = (),
) -> Fold:
    """Return what the rows of a period do to the history.

    ``rows`` are the period's, as text, in the order of the file; ``entities`` those that it
    delivers or deletes. ``earlier`` holds the last state before the period of each of them that had
    one, in the columns of ``Fold.states`` and ``STATE_ENTITY``. ``deletes`` are the keys that the
    period deletes: it delivers none of them.
    Raises GenerationError where ``time: event`` cannot date a row.
    """
    return _Folding(truth, period, rows, entities, earlier, deletes).fold()


class _Folding:
    """One period in the making: arrays over rows, over winners, and over states before."""

    def __init__(
        self,
        truth: Truth,
        period: Period,
        rows: pa.Table,
        entities: Entities,
        earlier: pa.Table,
        deletes: Sequence[str],
    ) -> None:
        self.truth, self.period, self.deletes = truth, period, deletes
        self.count = rows.num_rows
        self.earlier = earlier
        self.keys = joined(rows[truth.key].chunks, pa.string())
        self.entity = entities.of_rows
        # Rows and earlier states share one numbering: row ``i``, then state ``count + j``.
        self.values = {name: combined(rows[name], earlier[name]) for name in truth.track}
        self.dates = one_array(rows[truth.order_by]) if truth.by_event else None
        self.earlier_of: Ints = np.full(len(entities.keys), -1, dtype=np.int64)
        self.earlier_of[earlier[STATE_ENTITY].to_numpy()] = np.arange(earlier.num_rows)
        self._order(rows)

    def _order(self, rows: pa.Table) -> None:
        """Sort the keyed rows by entity, moment and place; find winners and ties."""
        codes = self.entity
        keyed = np.flatnonzero(codes >= 0)
        ranks, most = moments(rows, self.truth)
        order = keyed[np.argsort(codes[keyed] * most + ranks[keyed], kind="stable")]
        sorted_codes, sorted_ranks = codes[order], ranks[order]
        last_of_key = _ends(sorted_codes)
        last_of_moment = last_of_key | _ends(sorted_ranks)
        wins = last_of_moment if self.truth.every_row else last_of_key
        self.winners: Ints = order[wins]
        self.first_of_key: Flags = _begins(codes[self.winners])
        self.tied: Flags = np.zeros(self.count, dtype=bool)
        if self.truth.order_by and len(order):
            ends = np.flatnonzero(last_of_moment)
            moment: Ints = np.cumsum(last_of_moment) - last_of_moment
            winner = order[ends[moment]]
            rivals = wins[ends[moment]] & ~last_of_moment
            differ = self._compared(order[rivals], winner[rivals]).counts > 0
            self.tied[order[rivals][differ]] = True
            self.tied[winner[rivals][differ]] = True

    def _compared(self, these: Ints, those: Ints) -> "_Compared":
        """Compare the tracked columns of some rows and states with others, pair by pair."""
        pairs = pa.array(these), pa.array(those)
        columns = self.values.values()
        after, before = ([column.take(side) for column in columns] for side in pairs)
        return _Compared(these, before, after)

    def fold(self) -> Fold:
        """Return what the period does."""
        winners, first = self.winners, self.first_of_key
        own = self.entity[winners]
        self.before: Ints = self.earlier_of[own] if len(own) else own
        known = self.before >= 0
        source = np.where(known, self.count + self.before, -1)
        previous = np.where(first, source, np.roll(winners, 1))
        had = previous >= 0
        changed = np.zeros(len(winners), dtype=np.int64)
        compared = self._compared(winners[had], previous[had])
        changed[had] = compared.counts
        returns = first & known & self._of_earlier("state_deleted", False).astype(bool)
        op = np.where(~had, INSERT, np.where(changed > 0, UPDATE, UNCHANGED))
        op[returns] = REACTIVATE
        opens = op != UNCHANGED
        version = self._versions(opens)
        opening = self._opening(opens)
        opened_in = np.where(
            opening >= 0, self.period.number, self._of_earlier("state_opened_in", 0)
        )
        opened_row = np.where(
            opening >= 0, winners[opening] + 1, self._of_earlier("state_opened_row", 0)
        )
        valid_from = self._valid_from(op, opening)
        previous_in = np.where(first, self._of_earlier("state_opened_in", 0), np.roll(opened_in, 1))
        previous_row = np.where(
            first, self._of_earlier("state_opened_row", 0), np.roll(opened_row, 1)
        )
        gone = self._gone()
        return Fold(
            self._changes(op, version, changed, had, previous_in, previous_row, gone),
            self._cells(compared),
            self._states(version, opened_in, opened_row, valid_from, opens, gone),
        )

    def _of_earlier(self, name: str, otherwise: Any) -> NDArray[Any]:
        """Return a column of the states before, for each winner's entity."""
        values = self.earlier[name].to_numpy()
        if not len(values):
            return np.full(len(self.before), otherwise)
        return np.where(self.before >= 0, values[self.before], otherwise)

    def _versions(self, opens: Flags) -> Ints:
        """Return the number of the version that is current after each winner."""
        so_far: Ints = np.cumsum(opens)
        starts = np.flatnonzero(self.first_of_key)
        group = np.cumsum(self.first_of_key) - 1
        before_group: Ints = (so_far - opens)[starts]
        base: Ints = self._of_earlier("state_version", 0) + so_far
        return base - before_group[group] if len(starts) else base

    def _opening(self, opens: Flags) -> Ints:
        """Return which winner opened the version of each, -1 where an earlier period did."""
        places = np.arange(len(opens))
        latest = np.maximum.accumulate(np.where(opens, places, -1)) if len(opens) else places
        start = np.maximum.accumulate(np.where(self.first_of_key, places, 0))
        return np.where(latest >= start, latest, -1)

    def _valid_from(self, op: Ints, opening: Ints) -> pa.Array:
        """Return when the version of each winner began, as an ISO day."""
        earlier = one_array(self.earlier["state_valid_from"])
        count, start = len(op), self.period.key
        if self.dates is None:
            own = pa.array([start], pa.string()).take(pa.array(np.zeros(count, dtype=np.int64)))
        else:
            own = self.dates.take(pa.array(self.winners))
            if own.null_count:
                raise GenerationError(
                    f"{own.null_count} of its rows have no {self.truth.order_by}, by which "
                    "truth.time: event dates them",
                    "use truth.time: load, or make sure that it is never missing",
                )
            late = pc.max_element_wise(own, pa.scalar(start))
            own = pc.if_else(pa.array(op == REACTIVATE), late, own)
        before = earlier.take(pa.array(self.before, mask=self.before < 0))
        found = pc.if_else(pa.array(opening >= 0), own.take(pa.array(opening.clip(0))), before)
        self._refuse_inversions(op, own, before)
        return found

    def _refuse_inversions(self, op: Ints, own: pa.Array, before: pa.Array) -> None:
        """Refuse versions that would begin before, or with, the version before them."""
        if self.dates is None:
            return
        opens = pa.array((op == UPDATE) & self.first_of_key)
        wrong = pc.sum(pc.and_(opens, pc.less_equal(own, before))).as_py() or 0
        if wrong:
            raise GenerationError(
                f"{wrong} of its entities have a new version that would begin no later than the "
                f"one before, because {self.truth.order_by} lies outside its period",
                "use truth.time: load, or constrain the column to its window",
            )

    def _gone(self) -> Ints:
        """Return which of the states before are deleted now, by key."""
        if not self.deletes:
            return np.empty(0, dtype=np.int64)
        table = self.earlier
        live = pc.equal(table["state_deleted"], 0)
        wanted = pc.is_in(table[self.truth.key], value_set=pa.array(self.deletes, pa.string()))
        places = np.flatnonzero(pc.and_(live, wanted).to_numpy(zero_copy_only=False))
        names = one_array(table[self.truth.key]).take(pa.array(places))
        order: Ints = pc.sort_indices(names).to_numpy().astype(np.int64)
        return places[order]

    def _changes(
        self,
        op: Ints,
        version: Ints,
        changed: Ints,
        had: Flags,
        previous_in: Ints,
        previous_row: Ints,
        gone: Ints,
    ) -> pa.Table:
        count, winners = self.count, self.winners
        every_op = np.where(self.entity < 0, UNKEYED, SUPERSEDED)
        every_op[winners] = op
        deleted = self.earlier.take(pa.array(gone))

        def spread(values: Ints, given: Flags | None, of_deleted: str | None) -> pa.Array:
            """Put what winners have into their rows, null elsewhere; then what deletes have."""
            column, there = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
            column[winners], there[winners] = values, True if given is None else given
            tail = pa.nulls(len(gone), pa.int64())
            if of_deleted is not None:
                tail = one_array(deleted[of_deleted]).cast(pa.int64())
            return joined([pa.array(column, mask=~there), tail], pa.int64())

        names = pa.array(OPERATIONS)
        all_ops = np.concatenate([every_op, np.full(len(gone), DELETE)])
        tied = np.concatenate([self.tied, np.zeros(len(gone), dtype=bool)])
        key = joined([self.keys, one_array(deleted[self.truth.key])], pa.string())
        row = joined(
            [pa.array(np.arange(1, count + 1, dtype=np.int64)), pa.nulls(len(gone), pa.int64())],
            pa.int64(),
        )
        return pa.table(
            {
                "row": row,
                self.truth.key: key,
                "op": names.take(pa.array(all_ops)),
                "version": spread(version, None, "state_version"),
                "changed": spread(changed, had, None),
                "previous_dataset": spread(previous_in, had, "state_opened_in"),
                "previous_row": spread(previous_row, had, "state_opened_row"),
                "tied": pa.array(tied),
            }
        )

    def _cells(self, compared: "_Compared") -> pa.Table:
        rows, columns, before, after = compared.cells()
        return pa.table(
            {
                "row": pa.array(rows + 1),
                self.truth.key: self.keys.take(pa.array(rows)),
                "column": pa.array(self.truth.track, pa.string()).take(pa.array(columns)),
                "before": before,
                "after": after,
            }
        )

    def _states(
        self,
        version: Ints,
        opened_in: Ints,
        opened_row: Ints,
        valid_from: pa.Array,
        opens: Flags,
        gone: Ints,
    ) -> pa.Table:
        winners = self.winners
        count, start = len(winners), self.period.key
        deleted = self.earlier.take(pa.array(gone))
        own: Mapping[str, Any] = {
            "state_row": pa.array(winners + 1),
            "state_version": pa.array(version),
            "state_opened_in": pa.array(opened_in),
            "state_opened_row": pa.array(opened_row),
            "state_valid_from": valid_from,
            "state_opens": pa.array(opens.astype(np.int64)),
            "state_deleted": pa.array(np.zeros(count, dtype=np.int64)),
            "state_tied": pa.array(self.tied[winners].astype(np.int64)),
            self.truth.key: _taken(self.keys, winners),
            **{name: _taken(column, winners) for name, column in self.values.items()},
        }
        zeros = pa.array(np.zeros(len(gone), dtype=np.int64))
        of_deleted: Mapping[str, Any] = {
            "state_row": pa.nulls(len(gone), pa.int64()),
            "state_valid_from": pa.array([start] * len(gone), pa.string()),
            "state_opens": zeros,
            "state_deleted": pc.add(zeros, 1),
            "state_tied": zeros,
        }
        columns = {"state_place": pa.array(np.arange(count + len(gone)))}
        for name, column in own.items():
            tail = of_deleted.get(name)
            if tail is None:
                tail = one_array(deleted[name])
            columns[name] = joined([column, tail.cast(column.type)], column.type)
        return pa.table(columns)


class _Compared:
    """The tracked columns of some rows beside those of what came before each."""

    def __init__(self, rows: Ints, before: Sequence[pa.Array], after: Sequence[pa.Array]) -> None:
        self.rows, self.before, self.after = rows, before, after
        sides = zip(before, after, strict=True)
        differ = [_unequal(one, other) for one, other in sides]
        self.differ: Flags = np.array(differ, dtype=bool).reshape(len(differ), len(rows))
        """A line for each column, a place for each row."""

    @property
    def counts(self) -> Ints:
        """In how many columns each row differs."""
        found: Ints = self.differ.sum(axis=0)
        return found

    def cells(self) -> tuple[Ints, Ints, pa.Array, pa.Array]:
        """Return the row, the column and both values of each difference, by row and column."""
        by_row = np.argsort(self.rows)
        differ = self.differ.T[by_row]
        places, columns = differ.nonzero()
        # Values are put together column by column, and taken from there row by row.
        in_order = np.cumsum(self.differ).reshape(self.differ.shape) - 1
        order = pa.array(in_order.T[by_row][differ])
        before, after = (
            pa.concat_arrays(
                [
                    pa.array([], pa.string()),
                    *(c.filter(pa.array(f)) for c, f in zip(side, self.differ, strict=True)),
                ]
            ).take(order)
            for side in (self.before, self.after)
        )
        return self.rows[by_row][places], columns, before, after


def _taken(column: pa.Array, places: Ints) -> pa.Array:
    """Return values of a column, without copying them where they follow each other there."""
    first = int(places[0]) if len(places) else 0
    if np.array_equal(places, np.arange(first, first + len(places))):
        return column.slice(first, len(places))
    return column.take(pa.array(places))


def _unequal(one: pa.Array, other: pa.Array) -> Flags:
    """Tell where two columns differ; missing equals missing."""
    differ = pc.not_equal(one, other)
    if differ.null_count:
        both_missing = pc.and_(one.is_null(), other.is_null())
        differ = pc.if_else(both_missing, False, pc.fill_null(differ, True))
    found: Flags = differ.to_numpy(zero_copy_only=False)
    return found


def _begins(values: Ints) -> Flags:
    """Tell where a run of equal values begins."""
    found: Flags = np.ones(len(values), dtype=bool)
    found[1:] = values[1:] != values[:-1]
    return found


def _ends(values: Ints) -> Flags:
    """Tell where a run of equal values ends."""
    found: Flags = np.ones(len(values), dtype=bool)
    found[:-1] = values[1:] != values[:-1]
    return found

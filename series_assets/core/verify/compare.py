"""The comparison itself: from both sides as arrays to findings with examples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from series_assets.core.verify import times
from series_assets.core.verify.instants import MISSING, OPEN, formatted
from series_assets.core.verify.pairing import Pairing, pair, repeats
from series_assets.core.verify.report import EXAMPLES, KINDS, Example, Finding
from series_assets.core.verify.sides import Flags, Ints, Versions, differences, joint_codes
from series_assets.core.verify.values import Coded, shown

EPOCH = 0
"""1970-01-01, where some tools let first versions begin."""


@dataclass(frozen=True)
class Sides:
    """Both sides of a comparison."""

    ours: Versions
    """The expected versions, by key and time."""
    numbers: Ints
    """Their version numbers."""
    theirs: Versions
    """The versions of the table, without rows that only mark a deletion."""
    current: Flags
    """Which of them the table has as current."""
    marked: Ints
    """The keys that the table marks as deleted."""
    deleted: Ints
    """The keys that are expected to be deleted and have no expected versions (``scd1``)."""
    our_keys: Ints
    """The code of the key in each row of ``our_table``."""
    their_keys: Ints
    """The code of the key in each row of ``their_table``."""
    key_count: int
    """How many different keys both sides have together."""
    columns: Mapping[str, Coded]
    """The tracked columns, each over all rows of the two tables."""
    our_table: pa.Table
    """The expected rows as text: the key and the tracked columns by their names."""
    their_table: pa.Table
    """The rows of the table: the same columns."""
    key: str
    """The identifier's name."""

    def wrong_values(self, rows: Versions, pairs: Pairing, tolerance: float) -> dict[str, Ints]:
        """Return for each tracked column the pairs whose values differ by more than the tolerance.

        ``rows`` are the versions of the table that ``pairs`` refers to.
        """
        mine, other = self.ours.place[pairs.ours], rows.place[pairs.theirs]
        return {
            name: np.flatnonzero(differences(column, mine, other, tolerance))
            for name, column in self.columns.items()
        }


@dataclass(frozen=True)
class Outcome:
    """What a comparison found."""

    findings: tuple[Finding, ...]
    correct: int
    """How many expected versions have a row that is equal in everything."""
    since_1970: int
    """How many first versions begin in 1970, which is accepted."""
    rows: Versions
    """The versions of the table as they were compared, without repetitions."""
    pairs: Pairing
    """Which of them is which expected version."""


def compare(
    sides: Sides,
    *,
    time: str = "exact",
    loads: Sequence[tuple[str, str]] = (),
    tolerance: float = 0.0,
    scd2: bool = True,
) -> Outcome:
    """Compare a table with the expected history. ``time`` is one of ``TIMES``.

    Raises RequestError where ``rank`` cannot tell which load is which period.
    """
    return _Comparison(sides, time, loads, tolerance, scd2).outcome()


def ranked(sides: Sides, loads: Sequence[tuple[str, str]]) -> Versions:
    """Return the versions of the table as ``time="rank"`` compares them.

    Raises RequestError as ``compare``.
    """
    return _Comparison(sides, "rank", loads, 0.0, True).theirs


class _Comparison:
    def __init__(
        self,
        sides: Sides,
        time: str,
        loads: Sequence[tuple[str, str]],
        tolerance: float,
        scd2: bool,
    ) -> None:
        self.sides, self.tolerance, self.scd2 = sides, tolerance, scd2
        self.ordered = time == "order"
        our_values, their_values = self._value_codes()
        repeated = repeats(sides.theirs, their_values)
        self.repeated = np.flatnonzero(repeated)
        self.raw = sides.theirs.take(~repeated)
        self.current: Flags = sides.current[~repeated]
        self.ours, theirs, self.since_1970 = sides.ours, self.raw, 0
        first = self._since_1970()
        if time == "rank":
            theirs = times.by_rank(self._seen(first), theirs, first, loads)
        if self.ordered:
            self.ours, theirs = times.by_order(self.ours), times.by_order(theirs)
        elif first.any():
            theirs = replace(
                theirs, start=np.where(first, self._first_start[theirs.key], theirs.start)
            )
        self.theirs = theirs
        self.pairs: Pairing = pair(
            self.ours, theirs, our_values, their_values[~repeated], values_first=self.ordered
        )
        self.found: dict[str, Finding] = {}

    def _value_codes(self) -> tuple[Ints, Ints]:
        """Return a code for all tracked values together, for the versions of each side."""
        ours, theirs = self.sides.ours, self.sides.theirs
        columns = [
            np.concatenate([column.ours[ours.place], column.theirs[theirs.place]])
            for column in self.sides.columns.values()
        ]
        codes = joint_codes(*columns) if columns else np.zeros(len(ours) + len(theirs), np.int64)
        return codes[: len(ours)], codes[len(ours) :]

    @cached_property
    def _first_start(self) -> Ints:
        """When the first expected version of each key begins; ``MISSING`` where there is none."""
        found = np.full(self.sides.key_count, MISSING, dtype=np.int64)
        found[self.sides.ours.key[::-1]] = self.sides.ours.start[::-1]
        return found

    def _since_1970(self) -> Flags:
        first: Flags = (self.raw.start == EPOCH) & (self._first_start[self.raw.key] > EPOCH)
        if not self.scd2:
            first = np.zeros(len(self.raw), dtype=bool)
        self.since_1970 = int(first.sum())
        return first

    def _seen(self, first: Flags) -> Versions:
        """Return the expected versions without beginnings that the table has in 1970."""
        hidden = np.zeros(self.sides.key_count, dtype=bool)
        hidden[self.raw.key[first]] = True
        ours = self.ours
        unseen = hidden[ours.key] & (ours.start == self._first_start[ours.key])
        return replace(ours, start=np.where(unseen, MISSING, ours.start))

    def outcome(self) -> Outcome:
        """Return what was found."""
        self._entities()
        self._unpaired()
        if self.scd2:
            self._intervals()
            self._times()
            self._flags()
        self._values()
        findings = tuple(self.found[kind] for kind in KINDS if kind in self.found)
        return Outcome(findings, self._correct(), self.since_1970, self.theirs, self.pairs)

    def _correct(self) -> int:
        wrong = np.zeros(len(self.ours), dtype=bool)
        pairs = self.pairs
        for places in self._wrong_values.values():
            wrong[pairs.ours[places]] = True
        if self.scd2:
            for differ in self._time_differences():
                wrong[pairs.ours[differ]] = True
            wrong[pairs.ours[self._wrongly_current]] = True
        wrong[pairs.missing] = True
        return int((~wrong).sum())

    def _add(self, kind: str, places: Ints, example: Callable[[int], Example]) -> None:
        if len(places):
            examples = tuple(example(int(place)) for place in places[:EXAMPLES])
            before = self.found.get(kind)
            if before:
                examples = (*before.examples, *examples)[:EXAMPLES]
            count = len(places) + (before.count if before else 0)
            self.found[kind] = Finding(kind, count, examples)

    def _entities(self) -> None:
        """Find keys of one side only, and how many current rows each key has."""
        sides, count = self.sides, self.sides.key_count
        expected = np.bincount(self.ours.key, minlength=count) > 0
        expected[sides.deleted] = True
        expected_open = np.bincount(sides.ours.key[sides.ours.is_open], minlength=count) > 0
        marked = np.zeros(count, dtype=bool)
        marked[sides.marked] = True
        there = (np.bincount(self.raw.key, minlength=count) > 0) | marked
        current = np.bincount(self.raw.key[self.current], minlength=count)
        self.known, self.there, self.expected_open = expected, there, expected_open
        self.current_rows = current
        many = expected & (current > 1)
        none = expected_open & there & (current == 0)
        rows = {
            "missing_entity": (expected & ~there & (expected_open | self.scd2), "no row", "a row"),
            "unknown_entity": (there & ~expected, "a row", "none"),
            "two_current": (many, "", ""),
            "no_current": (none & ~marked, "no current row", "1"),
            "not_deleted": (
                expected & ~expected_open & (current > 0) & ~marked,
                "current",
                "deleted",
            ),
            "wrongly_deleted": (none & marked, "deleted", "current"),
        }
        self.several = many
        for kind, (flags, found, wanted) in rows.items():

            def example(key: int, found: str = found, wanted: str = wanted) -> Example:
                return self._of_key(key, found or f"{current[key]} current rows", wanted or "1")

            self._add(kind, np.flatnonzero(flags), example)

    def _of_key(self, key: int, found: str, expected: str) -> Example:
        return Example(self._key(key), None, "", found, expected)

    def _unpaired(self) -> None:
        pairs = self.pairs
        missing = pairs.missing[self.there[self.ours.key[pairs.missing]]]
        extra = pairs.extra[self.known[self.raw.key[pairs.extra]]]
        if self.scd2:
            self._add("missing_version", missing, lambda place: self._of_ours(place))
        else:  # a current state has one row a key, so the others are no versions
            keys = self.raw.key[extra]
            extra = extra[self.expected_open[keys] & ~self.several[keys]]
        self._add(
            "extra_version",
            extra,
            lambda place: self._of_theirs(place, self._span(self.raw, place), "no such version"),
        )
        again = self.repeated[self.known[self.sides.theirs.key[self.repeated]]]
        self._add(
            "duplicate_version",
            again,
            lambda place: Example(
                self._key(int(self.sides.theirs.key[place])),
                None,
                "",
                f"{self._span(self.sides.theirs, place)} again",
                "one row",
            ),
        )

    def _intervals(self) -> None:
        """Find versions that end before they begin, or begin before the one before them ends."""
        raw = self.raw
        inverted = (raw.end <= raw.start) & self.known[raw.key]
        self._add(
            "inverted_interval",
            np.flatnonzero(inverted),
            lambda place: self._of_theirs(place, self._span(raw, place), "an end after it"),
        )
        rows = np.flatnonzero(~inverted & self.known[raw.key])
        order = rows[np.lexsort((raw.end[rows], raw.start[rows], raw.key[rows]))]
        if len(order) < 2:
            return
        # If any two meet, two neighbors do, so neighbors are enough.
        same = raw.key[order][1:] == raw.key[order][:-1]
        overlaps = order[1:][same & (raw.end[order][:-1] > raw.start[order][1:])]
        self._add(
            "overlap",
            overlaps,
            lambda place: self._of_theirs(
                place, self._span(raw, place), "a start at the end of the version before"
            ),
        )

    def _time_differences(self) -> tuple[Flags, Flags]:
        """Tell which pairs begin and which end at another time."""
        pairs = self.pairs
        start, other = self.ours.start[pairs.ours], self.theirs.start[pairs.theirs]
        begin: Flags = start != other
        if self.ordered:
            begin = times.out_of_order(start, other, self.ours.key[pairs.ours])
        end: Flags = self.ours.end[pairs.ours] != self.theirs.end[pairs.theirs]
        return begin, end

    def _times(self) -> None:
        begin, end = map(np.flatnonzero, self._time_differences())
        raw, ours, pairs = self.raw, self.sides.ours, self.pairs

        def example(column: str, found: Ints, wanted: Ints, index: int) -> Example:
            mine, other = pairs.ours[index], pairs.theirs[index]
            texts = formatted(found[other]), formatted(wanted[mine])
            if self.ordered:
                texts = f"{texts[0]}", f"the position of version {self.sides.numbers[mine]}"
                if column == "valid_to":
                    ends = {OPEN: "no end", times.TOUCHES: "the beginning of the next version"}
                    texts = (
                        texts[0],
                        ends.get(int(self.ours.end[mine]), "an end, as it was deleted"),
                    )
            return self._of_pair(mine, column, *texts)

        self._add(
            "wrong_valid_from", begin, lambda i: example("valid_from", raw.start, ours.start, i)
        )
        self._add("wrong_valid_to", end, lambda i: example("valid_to", raw.end, ours.end, i))

    @cached_property
    def _wrong_values(self) -> dict[str, Ints]:
        return self.sides.wrong_values(self.raw, self.pairs, self.tolerance)

    @cached_property
    def _wrongly_current(self) -> Ints:
        """The pairs whose version is marked as current, or not, against its own end and ours.

        Keys with another number of current rows than expected are findings of their own.
        """
        ours, theirs = self.sides.ours.is_open[self.pairs.ours], self.current[self.pairs.theirs]
        contrary = theirs != self.raw.is_open[self.pairs.theirs]
        as_many = self.current_rows == self.expected_open
        return np.flatnonzero(contrary & (theirs != ours) & as_many[self.ours.key[self.pairs.ours]])

    def _flags(self) -> None:
        marked = self.current[self.pairs.theirs]

        def example(index: int) -> Example:
            found, wanted = ("true", "false") if marked[index] else ("false", "true")
            return self._of_pair(self.pairs.ours[index], "is_current", found, wanted)

        self._add("wrong_value", self._wrongly_current, example)

    def _values(self) -> None:
        pairs, sides = self.pairs, self.sides
        for name, wrong in self._wrong_values.items():

            def example(index: int, name: str = name) -> Example:
                mine, other = pairs.ours[index], pairs.theirs[index]
                found = shown(sides.their_table[name], int(self.raw.place[other]))
                wanted = shown(sides.our_table[name], int(sides.ours.place[mine]))
                return self._of_pair(mine, name, found, wanted)

            self._add("wrong_value", wrong, example)

    def _of_pair(self, mine: Any, column: str, found: str, expected: str) -> Example:
        key, version = self._key(int(self.ours.key[mine])), int(self.sides.numbers[mine])
        return Example(key, version if self.scd2 else None, column, found, expected)

    def _of_ours(self, place: int) -> Example:
        span = self._span(self.sides.ours, place)
        return self._of_pair(place, "", "no such version", span)

    def _of_theirs(self, place: int, found: str, expected: str) -> Example:
        return Example(self._key(int(self.raw.key[place])), None, "", found, expected)

    def _span(self, versions: Versions, place: int) -> str:
        if not self.scd2:
            return "a row"
        end = versions.end[place]
        until = "current" if end == OPEN else f"until {formatted(end)}"
        return f"a version from {formatted(versions.start[place])}, {until}"

    def _key(self, code: int) -> str:
        """Return the identifier with a code."""
        for keys, table in (
            (self.sides.our_keys, self.sides.our_table),
            (self.sides.their_keys, self.sides.their_table),
        ):
            places = np.flatnonzero(keys == code)
            if len(places):
                value = table[self.sides.key][int(places[0])].as_py()
                return "" if value is None else str(value)
        return ""

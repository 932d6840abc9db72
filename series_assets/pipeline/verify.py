"""Verifying a tester's table: the expected history and the table, brought together and compared."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np
import pyarrow as pa

from series_assets.core.errors import InvalidValueError, RequestError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.plan.truth import Truth
from series_assets.core.verify.compare import Sides, compare, ranked
from series_assets.core.verify.instants import (
    MISSING,
    OPEN,
    holds_numbers,
    instant_of,
    instants,
)
from series_assets.core.verify.options import TableColumns, VerifyOptions, find_columns
from series_assets.core.verify.report import VerificationReport
from series_assets.core.verify.sides import Flags, Ints, Versions, occurrences
from series_assets.core.verify.values import Coded, coded, flags
from series_assets.pipeline.progress import counted
from series_assets.pipeline.tied_states import TiedEntities, tied_entities
from series_assets.pipeline.truth import dimension_at, last_recorded
from series_assets.pipeline.verify_causes import causes_of
from series_assets.pipeline.workspace import Workspace


def verify_table(
    series: Series,
    workspace: Workspace,
    table: pa.Table,
    options: VerifyOptions,
    at: Period | None = None,
    name: str = "the table",
) -> VerificationReport:
    """Compare a table with the expected history as of a period, by default the last recorded one.

    ``name`` is how messages call the table. Raises RequestError where a column is missing or holds
    what it cannot hold, or where the history is not recorded.
    """
    options.check()
    recorded = last_recorded(series, workspace)  # refuses a series without a history
    truth, at = series.truth, at or recorded
    assert truth is not None
    if options.time == "rank" and truth.by_event:
        raise RequestError(
            "--time rank is for versions that begin with their load, but the series has "
            "truth.time: event",
            "use --time exact or --time order",
        )
    try:
        columns = find_columns(table.column_names, truth.key, truth.track, options)
        expected = dimension_at(series, workspace, options.as_, at)
        tied = tied_entities(series, workspace, at)
        sides = _Bringing(series.kinds, truth, options, columns, table, expected, tied)
        return sides.report(series, workspace, at)
    except InvalidValueError as error:
        raise RequestError(error.problem, error.remedy, file=name, colon=False) from None


class _Bringing:
    """Both sides on their way from tables to arrays."""

    def __init__(
        self,
        kinds: Mapping[str, str],
        truth: Truth,
        options: VerifyOptions,
        places: TableColumns,
        table: pa.Table,
        expected: pa.Table,
        tied: TiedEntities,
    ) -> None:
        self.truth, self.options, self.places, self.table = truth, options, places, table
        self.scd2, self.profile = options.as_ == "scd2", options.adapted_profile()
        self.notes: list[str] = []
        self.expected, self.tied = expected, tied
        names = [truth.key, *truth.track]
        self.ours = pa.concat_tables([expected.select(names), tied.rows]).combine_chunks()
        self.theirs = pa.table(
            {truth.key: table[places.key]}
            | {name: table[place] for name, place in places.values.items()}
        )
        found = {name: self._coded(name, kinds.get(name, "any")) for name in names}
        key = found.pop(truth.key)
        self.columns = found
        self.key_count = int(max(key.ours.max(initial=-1), key.theirs.max(initial=-1))) + 2
        # Rows without a key are one entity that was never delivered.
        self.our_keys = key.ours
        self.their_keys = np.where(key.theirs < 0, self.key_count - 1, key.theirs)

    def _coded(self, name: str, kind: str) -> Coded:
        tolerance = self.options.tolerance if name != self.truth.key else 0.0
        with _about(name):
            return coded(self.ours[name], self.theirs[name], kind, tolerance)

    def report(self, series: Series, workspace: Workspace, at: Period) -> VerificationReport:
        """Return the report as of a period."""
        theirs, current, marked = self._their_versions()
        ours, deleted = self._our_versions()
        sides = Sides(
            ours,
            _numbers(ours),
            theirs,
            current,
            marked,
            deleted,
            self.our_keys,
            self.their_keys,
            self.key_count,
            self.columns,
            self.ours,
            self.theirs,
            self.truth.key,
        )
        sides, ties = self._with_ties(sides)
        options = self.options
        found = compare(
            sides,
            time=options.time if self.scd2 else "exact",
            loads=options.loads,
            tolerance=options.tolerance,
            scd2=self.scd2,
        )
        if found.since_1970:
            self.notes.append(
                f"{found.since_1970:,} first versions begin on 1970-01-01, which is accepted"
            )
        if without_key := int(self.theirs[self.truth.key].null_count):
            rows = counted(without_key, "row")
            self.notes.append(f"{rows} without {self.truth.key}, counted as one key")
        causes: list[str] = []
        looked_for = causes_of(series, workspace, at, sides, found, options, self.table)
        try:
            for cause in looked_for if found.findings else ():
                causes.append(cause)  # those before an error count
        except RequestError as error:
            self.notes.append(f"some causes were not looked for: {error}")
        return VerificationReport(
            series.name,
            options.as_,
            at.key,
            len(sides.ours),
            self.table.num_rows,
            found.correct,
            found.findings,
            ties,
            self.places.ignored,
            tuple(self.notes),
            tuple(causes),
        )

    def _our_versions(self) -> tuple[Versions, Ints]:
        """Return the expected versions, and the keys that are deleted and have none."""
        count = self.expected.num_rows
        keys, place = self.our_keys[:count], np.arange(count)
        if self.scd2:
            start = instants(self.expected["valid_from"], MISSING)
            end = instants(self.expected["valid_to"], OPEN)
            return Versions(keys, start, end, place), np.empty(0, dtype=np.int64)
        gone: Flags = self.expected["is_deleted"].combine_chunks().to_numpy(zero_copy_only=False)
        alive = Versions(keys, np.zeros(count, np.int64), np.full(count, OPEN), place)
        return alive.take(~gone), keys[gone]

    def _their_versions(self) -> tuple[Versions, Flags, Ints]:
        """Return the versions of the table, which are current, and the keys marked as deleted."""
        count, keys = self.table.num_rows, self.their_keys
        start, end = np.zeros(count, np.int64), np.full(count, OPEN)
        if self.scd2:
            assert self.places.valid_from and self.places.valid_to
            start = self._instants(self.places.valid_from, MISSING)
            end = self._ends(self.places.valid_to)
        found = Versions(keys, start, end, np.arange(count))
        current: Flags = end == OPEN
        if self.places.current:
            current = self._flags(self.places.current)
        if not self.places.deleted:
            return found, current, np.empty(0, dtype=np.int64)
        deleted = self._flags(self.places.deleted)
        marked = np.unique(keys[deleted & current])
        return found.take(~deleted), current[~deleted], marked

    def _flags(self, name: str) -> Flags:
        with _about(name):
            return flags(self.table[name])

    def _instants(self, name: str, missing: int) -> Ints:
        column = self.table[name]
        if self.options.time == "exact" and holds_numbers(column):
            raise InvalidValueError(
                f"column '{name}' holds numbers, not times", "use --time rank or --time order"
            )
        with _about(name):
            return instants(column, missing)

    def _ends(self, name: str) -> Ints:
        end, closed = self._instants(name, OPEN), self.options.closed_by()
        value = self.profile.open_value
        if value is not None:
            try:
                end = np.where(end == instant_of(value), OPEN, end)
            except InvalidValueError as error:
                raise RequestError(f"--open-value {error.problem}", error.remedy) from None
        return np.where(end == OPEN, OPEN, end + closed) if closed else end

    def _with_ties(self, sides: Sides) -> tuple[Sides, int]:
        """Return the expected versions that follow from the tied rows that the table took."""
        if not self.tied.rows.num_rows:
            return sides, 0
        values = np.stack([np.zeros_like(self.our_keys), *(c.ours for c in self.columns.values())])
        others = np.stack(
            [np.zeros_like(self.their_keys), *(c.theirs for c in self.columns.values())]
        )
        theirs, timed = self._timed(sides)
        found = self.tied.taken(
            self.our_keys,
            values,
            self.expected.num_rows,
            theirs,
            others,
            timed=timed,
            only_last=not self.scd2,
        )
        if not found.keys:
            return sides, 0
        ours = sides.ours
        kept = ours.take(~np.isin(ours.key, list(found.keys)))
        added = found.versions if self.scd2 else found.versions.current()
        both = Versions(
            *(
                np.concatenate([getattr(kept, name), getattr(added, name)])
                for name in ("key", "start", "end", "place")
            )
        )
        ours = both.take(np.lexsort((both.start, both.key)))
        return replace(sides, ours=ours, numbers=_numbers(ours)), found.ties

    def _timed(self, sides: Sides) -> tuple[Versions, bool]:
        """Return the versions of the table, and whether they have the times of the deliveries."""
        options = self.options
        if options.time == "rank" and self.scd2:
            # By the periods of our own rows; others may open and close versions in other periods.
            with suppress(RequestError):
                return ranked(sides, options.loads), True
        return sides.theirs, options.time == "exact"


@contextmanager
def _about(column: str) -> Iterator[None]:
    """Name a column of the table where a block finds that it holds what it cannot hold."""
    try:
        yield
    except InvalidValueError as error:
        raise InvalidValueError(f"column '{column}' {error.problem}", error.remedy) from None


def _numbers(ours: Versions) -> Ints:
    """Return the number of each version among those of its key; they are sorted."""
    return occurrences(ours.key, np.arange(len(ours))) + 1

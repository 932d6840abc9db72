"""The reference table: all entities so far, in SQLite (contract, section 6).

Each entity is one row. Its integer key combines the period that introduced it and its position in
that period, so "as of period k" is a bound on the key. A second table records each period: the
number of its entities and the fingerprint of the files that it was generated from. ``core`` decides
which entities are sampled.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, repeat
from typing import TYPE_CHECKING

from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.plan.series import BOOKKEEPING
from series_assets.storage.period_table import PeriodTable
from series_assets.storage.sqlite import (
    column_names,
    insert_rows,
    open_database,
    quoted,
    snapshot,
    table_names,
    transaction,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_KEY, _PERIOD = BOOKKEEPING
KEYS_PER_PERIOD = 2**32
"""Position ``p`` of period ``k`` has the key ``k * 2**32 + p``."""
Recorded = dict[int, tuple[int, str]]
"""The number of entities and the fingerprint of each recorded period."""


class ReferenceTable(PeriodTable):
    """The reference table of one series in its database."""

    @property
    def name(self) -> str:
        """The table's name."""
        return self.series.table

    def replace(self, k: int, entities: "pd.DataFrame | None") -> None:
        """Replace the entities that period ``k`` introduced, in one transaction.

        ``entities`` is typed, with one row for each entity; None for a period without new records.
        """
        key, first = self.series.calendar.keys[k], k * KEYS_PER_PERIOD
        with open_database(self.layout.database) as connection, transaction(connection):
            self._check_owner(connection)
            if entities is not None:
                self._create_tables(connection, k, entities)
            elif self.name not in table_names(connection):
                self._require({}, range(k), period=key)
            connection.execute(
                f"DELETE FROM {self._table} WHERE {_KEY} >= ? AND {_KEY} < ?",
                (first, first + KEYS_PER_PERIOD),
            )
            if entities is not None:
                self._insert(connection, k, entities)
            count = 0 if entities is None else len(entities)
            connection.execute(
                f"INSERT OR REPLACE INTO {self._periods} VALUES (?, ?, ?, ?, ?)",
                (k, key, count, self.series.fingerprint, self._owner),
            )

    def _create_tables(
        self, connection: sqlite3.Connection, k: int, entities: "pd.DataFrame"
    ) -> None:
        """Create both tables, also in place of tables with other columns."""
        names = list(entities.columns)
        if self._columns(connection) == names:
            return
        recorded = self._recorded_in(connection)
        if any(j != k and mark == self.series.fingerprint for j, (_, mark) in recorded.items()):
            raise GenerationError(
                "its new records have other columns than those of the periods recorded so far; "
                "nothing was recorded",
                series=self.series.name,
                period=self.series.calendar.keys[k],
            )
        self._drop(connection)
        columns = "".join(f", {quoted(name)}" for name in names)
        connection.execute(
            f"CREATE TABLE {self._table} ({_KEY} INTEGER PRIMARY KEY, {_PERIOD} TEXT{columns})"
        )
        connection.execute(
            f"CREATE TABLE {self._periods} (period INTEGER PRIMARY KEY, starts TEXT, "
            "entities INTEGER, fingerprint TEXT, owner TEXT)"
        )

    def _insert(self, connection: sqlite3.Connection, k: int, entities: "pd.DataFrame") -> None:
        from series_assets.storage.sqlite_values import to_sqlite

        first, period = k * KEYS_PER_PERIOD, self.series.calendar.keys[k]
        values = (to_sqlite(entities[name]) for name in entities.columns)
        columns = ", ".join([_KEY, _PERIOD, *map(quoted, entities.columns)])
        keys = range(first, first + len(entities))
        insert_rows(
            connection,
            f"INSERT INTO {self._table} ({columns}) VALUES",
            zip(keys, repeat(period, len(keys)), *values, strict=True),
            len(entities.columns) + 2,
        )

    def require_periods(self, before: int, reader: str = "", *, period: str = "") -> None:
        """Require that all periods before ``before`` are recorded from the current files.

        ``period`` is the key of the period that needs them, ``reader`` anything else that does.
        Raises RequestError that names the periods to generate first.
        """
        self._require(self._recorded(check_owner=True), range(before), reader, period)

    def _require(
        self,
        recorded: Mapping[int, tuple[int, str]],
        periods: Iterable[int],
        reader: str = "",
        period: str = "",
    ) -> None:
        keys = self.series.calendar.keys
        periods = list(periods)
        missing = [k for k in periods if k not in recorded]
        stale = [k for k in periods if k in recorded and recorded[k][1] != self.series.fingerprint]
        if not missing and not stale:
            return
        again = sorted({*missing, *stale})
        span = f"{keys[again[0]]}..{keys[again[-1]]}" if len(again) > 1 else keys[again[0]]
        reasons = []
        if missing:
            reasons.append(f"nothing is recorded yet for {_shortened(keys[k] for k in missing)}")
        if stale:
            reasons.append(
                f"{_shortened(keys[k] for k in stale)} {'was' if len(stale) == 1 else 'were'} "
                "generated from different versions of the two files"
            )
        problem = f"samples from all periods before it, but {' and '.join(reasons)}"
        raise RequestError(
            problem if period else f"{self.series.name}, {reader} {problem}",
            f"first generate {span} (materialize new_records and reference_table of "
            f"{'these partitions' if len(again) > 1 else 'this partition'}, or run "
            f"series-assets generate with --periods {span})",
            series=self.series.name if period else "",
            period=period,
            colon=False,
        )

    def current_counts(self) -> dict[int, int]:
        """Return how many entities each period introduced, if recorded from the current files."""
        recorded = self._recorded(check_owner=False).items()
        return {k: count for k, (count, mark) in recorded if mark == self.series.fingerprint}

    def recorded_periods(self) -> dict[int, tuple[str, int]] | None:
        """Return the key and number of entities of each period, recorded from any files.

        None where there is no reference table.
        """
        if not self.layout.database.exists():
            return None
        with open_database(self.layout.database, read_only=True) as connection:
            if self.name not in table_names(connection):
                return None
            rows = connection.execute(f"SELECT period, starts, entities FROM {self._periods}")
            return {k: (key, int(entities)) for k, key, entities in rows}

    def entities_before(self, k: int) -> "KnownEntities":
        """Return the entities of all periods before ``k``. Raises as ``require_periods`` does."""
        recorded = self._recorded(check_owner=True)
        self._require(recorded, range(k), period=self.series.calendar.keys[k])
        return KnownEntities(tuple(recorded[j][0] for j in range(k)))

    def fetch(self, keys: "NDArray[np.int64]", columns: Sequence[str]) -> "pd.DataFrame":
        """Return the typed values of the given rows, in the order of the keys, with repeats.

        Raises RequestError where another run has since recorded some of them from other files.
        """
        import numpy as np
        import pandas as pd

        from series_assets.core.records import frame_of_columns
        from series_assets.storage.sqlite_values import from_sqlite

        # SQLite reads each row once and in key order several times as fast.
        unique, positions = np.unique(keys, return_inverse=True)
        names = ", ".join(f"kept.{quoted(name)}" for name in columns)
        database = self.layout.database
        with open_database(database, read_only=True) as connection, snapshot(connection):
            periods = np.unique(keys // KEYS_PER_PERIOD).tolist()
            self._require(self._recorded_in(connection), periods, "the period being generated")
            rows = connection.execute(
                f"SELECT kept.{_KEY}, {names} FROM json_each(?) AS wanted "
                f"CROSS JOIN {self._table} AS kept ON kept.{_KEY} = wanted.value",
                (json.dumps(unique.tolist()),),
            ).fetchall()
        if len(rows) != len(unique):
            raise GenerationError(
                f"{self.name} lacks rows that it should have",
                "regenerate its periods",
                file=database,
            )
        found, *values = zip(*rows, strict=True)
        order = np.argsort(np.array(found, dtype=np.int64))[positions]
        kinds = self.series.kinds
        typed = {
            name: from_sqlite(column, kinds.get(name, "any")).take(order).reset_index(drop=True)
            for name, column in zip(columns, values, strict=True)
        }
        return frame_of_columns(typed, pd.Index(columns))

    def columns(self) -> list[str]:
        """Return the columns of the data in their order; none before any period is recorded."""
        with open_database(self.layout.database, read_only=True) as connection:
            return self._columns(connection)

    def _recorded(self, *, check_owner: bool) -> Recorded:
        if not self.layout.database.exists():
            return {}
        with open_database(self.layout.database, read_only=True) as connection:
            if check_owner:
                self._check_owner(connection)
            return self._recorded_in(connection)

    def _recorded_in(self, connection: sqlite3.Connection) -> Recorded:
        if not {self.name, f"{self.name}_periods"} <= set(table_names(connection)):
            return {}
        rows = connection.execute(f"SELECT period, entities, fingerprint FROM {self._periods}")
        return {period: (entities, fingerprint) for period, entities, fingerprint in rows}

    def _columns(self, connection: sqlite3.Connection) -> list[str]:
        names = column_names(connection, self.name)
        return [name for name in names if name not in BOOKKEEPING]


@dataclass(frozen=True)
class KnownEntities:
    """The number of entities that each period so far introduced."""

    counts: tuple[int, ...]

    @cached_property
    def total(self) -> int:
        """The number of all entities; their ranks are 0 to ``total - 1``."""
        return sum(self.counts)

    def keys(self, ranks: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the keys of the entities with the given ranks, in the shape of ``ranks``."""
        import numpy as np

        ends = np.array(list(accumulate(self.counts)), dtype=np.int64)
        periods = np.searchsorted(ends, ranks, side="right")
        firsts = ends - np.array(self.counts, dtype=np.int64)
        return periods * KEYS_PER_PERIOD + (ranks - firsts[periods])


def _shortened(keys: Iterable[str]) -> str:
    keys = list(keys)
    return ", ".join(keys) if len(keys) <= 4 else f"{keys[0]}, {keys[1]}, … {keys[-1]}"

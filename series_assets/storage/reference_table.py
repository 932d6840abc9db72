"""The reference table: the entities so far, in SQLite (contract, section 6).

One row an entity, under an integer key made of the period that introduced it and its place in
that period; "as of period k" is a bound on that key. Beside it stands a table of periods: what
made their rows, and how many there are. Which entities are drawn is decided in ``core``.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.plan.series import BOOKKEEPING, Series
from series_assets.storage.files import Layout
from series_assets.storage.sqlite import open_database, quoted, snapshot, table_names, transaction

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_KEY, _PERIOD = BOOKKEEPING
KEYS_PER_PERIOD = 2**32
"""Keys of one period: place ``p`` of period ``k`` has the key ``k * 2**32 + p``."""


@dataclass(frozen=True)
class ReferenceTable:
    """The reference table of one series in its database."""

    series: Series
    layout: Layout

    @property
    def _table(self) -> str:
        return quoted(self.series.table)

    @property
    def _periods(self) -> str:
        return quoted(f"{self.series.table}_periods")

    @property
    def _owner(self) -> str:
        """Where the series' files are, as seen from the database: both may move together."""
        folder, base = self.layout.folder.resolve(), self.layout.database.resolve().parent
        return Path(os.path.relpath(folder, base)).as_posix()

    def replace(self, k: int, entities: "pd.DataFrame | None") -> None:
        """Put the entities that period ``k`` introduced in place of those it had before.

        ``entities`` is typed, one row an entity, in the columns of the data; None for a period
        without new records. One transaction.
        """
        key = self.series.calendar.keys[k]
        with open_database(self.layout.database) as connection, transaction(connection):
            self._check_owner(connection)
            if entities is not None:
                self._match_columns(connection, k, entities)
            elif self.series.table not in table_names(connection):
                self._refuse_others({}, range(k), period=key)
            bounds = (k * KEYS_PER_PERIOD, (k + 1) * KEYS_PER_PERIOD)
            connection.execute(
                f"DELETE FROM {self._table} WHERE {_KEY} >= ? AND {_KEY} < ?", bounds
            )
            if entities is not None:
                self._insert(connection, k, entities)
            count = 0 if entities is None else len(entities)
            connection.execute(
                f"INSERT OR REPLACE INTO {self._periods} VALUES (?, ?, ?, ?, ?)",
                (k, key, count, self.series.fingerprint, self._owner),
            )

    def _match_columns(
        self, connection: sqlite3.Connection, k: int, entities: "pd.DataFrame"
    ) -> None:
        """Make both tables anew where their columns are others: other files made their rows."""
        names = list(entities.columns)
        if self._columns(connection) == names:
            return
        made = self._made(connection)
        if any(j != k and mark == self.series.fingerprint for j, (_, mark) in made.items()):
            raise GenerationError(
                "its new records have other columns than those of the periods recorded so far; "
                "nothing was recorded",
                series=self.series.name,
                period=self.series.calendar.keys[k],
            )
        connection.execute(f"DROP TABLE IF EXISTS {self._table}")
        connection.execute(f"DROP TABLE IF EXISTS {self._periods}")
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
        marks = ", ".join("?" * (len(entities.columns) + 2))
        keys = range(first, first + len(entities))
        connection.executemany(
            f"INSERT INTO {self._table} ({columns}) VALUES ({marks})",
            zip(keys, repeat(period, len(keys)), *values, strict=True),
        )

    def require_periods(self, before: int, for_what: str = "", *, period: str = "") -> None:
        """Refuse unless all periods before ``before`` are recorded, and made by these files.

        ``period`` is the key of the period that draws from them, ``for_what`` what else does.
        Raises RequestError that names what to make first.
        """
        made: dict[int, tuple[int, str]] = {}
        if self.layout.database.exists():
            with open_database(self.layout.database, read_only=True) as connection:
                self._check_owner(connection)
                made = self._made(connection)
        self._refuse_others(made, range(before), for_what, period)

    def _refuse_others(
        self,
        made: Mapping[int, tuple[int, str]],
        periods: Iterable[int],
        for_what: str = "",
        period: str = "",
    ) -> None:
        """Refuse unless all the periods are among those recorded, and made by these files."""
        keys = self.series.calendar.keys
        periods = list(periods)
        missing = [k for k in periods if k not in made]
        stale = [k for k in periods if k in made and made[k][1] != self.series.fingerprint]
        if not missing and not stale:
            return
        again = sorted({*missing, *stale})
        span = f"{keys[again[0]]}..{keys[again[-1]]}" if len(again) > 1 else keys[again[0]]
        why = []
        if missing:
            why.append(f"nothing is recorded yet for {_some(keys[k] for k in missing)}")
        if stale:
            why.append(
                f"{_some(keys[k] for k in stale)} {'was' if len(stale) == 1 else 'were'} made from "
                "other contents of the two files"
            )
        problem = f"draws from all periods before it, but {' and '.join(why)}"
        raise RequestError(
            problem if period else f"{self.series.name}, {for_what} {problem}",
            f"first make {span} (materialise new_records and reference_table of "
            f"{'these partitions' if len(again) > 1 else 'this partition'}, or run "
            f"series-assets generate with --periods {span})",
            series=self.series.name if period else "",
            period=period,
            colon=False,
        )

    def current_counts(self) -> dict[int, int]:
        """Return how many entities each period introduced, where made by these very files."""
        if not self.layout.database.exists():
            return {}
        with open_database(self.layout.database, read_only=True) as connection:
            made = self._made(connection)
        return {k: count for k, (count, mark) in made.items() if mark == self.series.fingerprint}

    def recorded_periods(self) -> dict[int, tuple[str, int]] | None:
        """Return the key of each period and how many entities it introduced, whatever made them.

        None where there is no reference table.
        """
        if not self.layout.database.exists():
            return None
        with open_database(self.layout.database, read_only=True) as connection:
            if self.series.table not in table_names(connection):
                return None
            rows = connection.execute(f"SELECT period, starts, entities FROM {self._periods}")
            return {k: (key, int(entities)) for k, key, entities in rows}

    def entities_before(self, k: int) -> "KnownEntities":
        """Return the entities of all periods before ``k``, as ranks to draw and keys to fetch.

        Raises RequestError, as ``require_periods``.
        """
        made: dict[int, tuple[int, str]] = {}
        if self.layout.database.exists():
            with open_database(self.layout.database, read_only=True) as connection:
                self._check_owner(connection)
                made = self._made(connection)
        self._refuse_others(made, range(k), period=self.series.calendar.keys[k])
        return KnownEntities(tuple(made[j][0] for j in range(k)))

    def fetch(self, keys: "NDArray[np.int64]", columns: Sequence[str]) -> "pd.DataFrame":
        """Return the values of the given rows, typed, in the order of the keys (repeats kept).

        Raises RequestError where another run has since made some of them from other files.
        """
        import numpy as np
        import pandas as pd

        from series_assets.core.records import frame_of_columns
        from series_assets.storage.sqlite_values import from_sqlite

        # Each row once and in the order of the file, which SQLite reads several times as fast.
        wanted, places = np.unique(keys, return_inverse=True)
        names = ", ".join(f"kept.{quoted(name)}" for name in columns)
        with (
            open_database(self.layout.database, read_only=True) as connection,
            snapshot(connection),
        ):
            made = self._made(connection)
            periods = np.unique(keys // KEYS_PER_PERIOD).tolist()
            self._refuse_others(made, periods, "the period being made")
            rows = connection.execute(
                f"SELECT kept.{_KEY}, {names} FROM json_each(?) AS wanted "
                f"CROSS JOIN {self._table} AS kept ON kept.{_KEY} = wanted.value",
                (json.dumps(wanted.tolist()),),
            ).fetchall()
        if len(rows) != len(wanted):
            raise GenerationError(
                f"{self.series.table} lacks rows that it should have",
                "make its periods again",
                file=self.layout.database,
            )
        found, *values = zip(*rows, strict=True)
        order = np.argsort(np.array(found, dtype=np.int64))[places]
        kinds = self.series.kinds
        restored_columns = {
            name: from_sqlite(column, kinds.get(name, "any")).take(order).reset_index(drop=True)
            for name, column in zip(columns, values, strict=True)
        }
        return frame_of_columns(restored_columns, pd.Index(columns))

    def columns(self) -> list[str]:
        """Return the columns of the data, in their order; empty before any period was made."""
        with open_database(self.layout.database, read_only=True) as connection:
            return self._columns(connection)

    def drop(self, *, take_over: bool = False) -> bool:
        """Drop the table; tell whether there was one. Refuses a table as ``check_owner``."""
        if not self.layout.database.exists():
            return False
        with open_database(self.layout.database) as connection, transaction(connection):
            there = self.series.table in table_names(connection)
            self._check_owner(connection, take_over=take_over)
            connection.execute(f"DROP TABLE IF EXISTS {self._table}")
            connection.execute(f"DROP TABLE IF EXISTS {self._periods}")
        return there

    def check_owner(self, *, take_over: bool = False) -> None:
        """Refuse a table that another series, or somebody else, made under our table's name.

        ``take_over`` lets one pass whose series has no folder any more. Raises RequestError.
        """
        if self.layout.database.exists():
            with open_database(self.layout.database, read_only=True) as connection:
                self._check_owner(connection, take_over=take_over)

    def _check_owner(self, connection: sqlite3.Connection, *, take_over: bool = False) -> None:
        table, database = self.series.table, self.layout.database
        known = table_names(connection)
        self._check_folder(connection, known)
        if table in known and f"{table}_periods" not in known:
            raise RequestError(
                f"its table {table} was not made by series_assets",
                "rename it, or name another database as exhibit_db_path",
                file=database,
            )
        if table not in known:
            return
        owners = connection.execute(f"SELECT DISTINCT owner FROM {self._periods}").fetchall()
        for (owner,) in owners:
            folder = (database.resolve().parent / owner).resolve()
            if owner == self._owner:
                continue
            if not folder.exists():
                if take_over:
                    continue
                raise RequestError(
                    f"its table {table} belongs to the series whose files were in {folder}, which "
                    "is away",
                    "bring that folder back, or, if it is gone for good, run series-assets clean "
                    f"{self.series.name} --take-over, which removes the table and the files of "
                    "this series, and make all periods again",
                    file=database,
                )
            raise RequestError(
                f"its table {table} belongs to the series whose files are in {folder}",
                "name another database as exhibit_db_path, or give this series another name",
                file=database,
            )

    def _check_folder(self, connection: sqlite3.Connection, known: Sequence[str]) -> None:
        """Refuse a folder in which another series has its files, under the same names as ours."""
        for name in known:
            other = name.removesuffix("_reference_periods")
            if other in (name, self.series.name) or f"{other}_reference" not in known:
                continue
            columns = connection.execute(f"PRAGMA table_info({quoted(name)})")
            if "owner" not in [column for _, column, *_ in columns]:  # the user's own
                continue
            owners = connection.execute(f"SELECT DISTINCT owner FROM {quoted(name)}").fetchall()
            if (self._owner,) in owners and self.layout.dataset(1).exists():
                raise RequestError(
                    f"holds the files of the series '{other}'",
                    "name another folder for those of this one, or remove them and the database "
                    "first",
                    file=self.layout.folder,
                )

    def _made(self, connection: sqlite3.Connection) -> dict[int, tuple[int, str]]:
        if not {self.series.table, f"{self.series.table}_periods"} <= set(table_names(connection)):
            return {}
        rows = connection.execute(f"SELECT period, entities, fingerprint FROM {self._periods}")
        return {period: (entities, mark) for period, entities, mark in rows}

    def _columns(self, connection: sqlite3.Connection) -> list[str]:
        rows = connection.execute(f"PRAGMA table_info({self._table})")
        return [name for _, name, *_ in rows if name not in BOOKKEEPING]


@dataclass(frozen=True)
class KnownEntities:
    """How many entities each of the periods so far introduced."""

    counts: tuple[int, ...]

    @cached_property
    def total(self) -> int:
        """How many there are: ranks go from 0 to one less."""
        return sum(self.counts)

    def keys(self, ranks: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the keys of the entities with the given ranks. Shape as given."""
        import numpy as np

        ends = np.array(list(accumulate(self.counts)), dtype=np.int64)
        periods = np.searchsorted(ends, ranks, side="right")
        firsts = ends - np.array(self.counts, dtype=np.int64)
        return periods * KEYS_PER_PERIOD + (ranks - firsts[periods])


def _some(keys: Iterable[str]) -> str:
    keys = list(keys)
    return ", ".join(keys) if len(keys) <= 4 else f"{keys[0]}, {keys[1]}, … {keys[-1]}"

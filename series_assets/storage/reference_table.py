"""The reference table in SQLite: all entities so far (contract, section 6).

Each entity is one row. A second table records each period: the number of its entities and the
fingerprint of the files that it was generated from. ``core`` decides which entities are sampled.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from series_assets.core.errors import GenerationError
from series_assets.core.plan.series import BOOKKEEPING
from series_assets.storage.entities import (
    KEYS_PER_PERIOD,
    EntityLookup,
    EntityTable,
    Recorded,
)
from series_assets.storage.period_table import PeriodTable
from series_assets.storage.sqlite import (
    column_names,
    create_if_missing,
    fetch_columns,
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


class SqliteReferenceTable(PeriodTable, EntityTable):
    """The reference table of one series in its database."""

    def prepare(self, folder: Path) -> None:
        """Create the database where there is none. Raises GenerationError."""
        create_if_missing(self.layout.database, folder)

    @property
    def name(self) -> str:
        """The table's name."""
        return self.series.table

    def replace(self, k: int, entities: "pd.DataFrame | None", folder: Path | None = None) -> None:
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
            raise self._different_columns(k)
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

    def fetch(self, keys: "NDArray[np.int64]", columns: Sequence[str]) -> "pd.DataFrame":
        """Return the typed values of the given rows, in the order of the keys, with repeats.

        Raises RequestError where another run has since recorded some of them from other files.
        """
        import numpy as np

        from series_assets.storage.sqlite_values import typed_frame

        # SQLite reads each row once and in key order several times as fast.
        unique, positions = np.unique(keys, return_inverse=True)
        names = ", ".join(f"kept.{quoted(name)}" for name in columns)
        database = self.layout.database
        with open_database(database, read_only=True) as connection, snapshot(connection):
            periods = np.unique(keys // KEYS_PER_PERIOD).tolist()
            self._require(self._recorded_in(connection), periods, "the period being generated")
            cursor = connection.execute(
                f"SELECT kept.{_KEY}, {names} FROM json_each(?) AS wanted "
                f"CROSS JOIN {self._table} AS kept ON kept.{_KEY} = wanted.value",
                (json.dumps(unique.tolist()),),
            )
            found, *values = fetch_columns(cursor)
        if len(found) != len(unique):
            raise GenerationError(
                f"{self.name} lacks rows that it should have",
                "regenerate its periods",
                file=database,
            )
        order = np.argsort(np.array(found, dtype=np.int64))[positions]
        return typed_frame(dict(zip(columns, values, strict=True)), self.series.kinds, order)

    def lookup(
        self, identifiers: Sequence[str], before: int | None = None
    ) -> AbstractContextManager[EntityLookup]:
        """Provide a lookup with temporary indexes, see ``entity_lookup``."""
        from series_assets.storage.entity_lookup import entity_lookup

        return entity_lookup(self, identifiers, before)

    def columns(self) -> list[str]:
        """Return the columns of the data in their order; none before any period is recorded."""
        with open_database(self.layout.database, read_only=True) as connection:
            return self._columns(connection)

    def _recorded(self, *, check_owner: bool, periods: Sequence[int] | None = None) -> Recorded:
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

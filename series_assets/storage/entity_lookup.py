"""Looking entities up in the reference table by their identifiers, and what it knows of them.

The table itself has no index on its text: one would double the file and slow every period. So a
lookup has one of its own, in a temporary table of SQLite's, on disk where entities are many: the
memory it takes does not grow with their number.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from series_assets.core.plan.series import BOOKKEEPING
from series_assets.core.records import as_text
from series_assets.storage.reference_table import KEYS_PER_PERIOD, ReferenceTable
from series_assets.storage.sqlite import explain_sqlite_errors, open_database, quoted

Keys = NDArray[np.int64]
"""Keys of the reference table, one for each value asked for; −1 where it has none."""

_KEY, _ = BOOKKEEPING
_AT_ONCE = 50_000
"""Values in one question to SQLite."""


@contextmanager
def entity_lookup(
    table: ReferenceTable, identifiers: Sequence[str], before: int | None = None
) -> Iterator["EntityLookup"]:
    """Provide a lookup by some identifier columns, as the reference table is now.

    It knows the entities that periods before ``before`` introduced, or all of them. Raises
    GenerationError where the database cannot be read.
    """
    with open_database(table.layout.database, read_only=True) as connection:
        bound = -1 if before is None else before * KEYS_PER_PERIOD
        indexes = {
            name: _index(connection, table.series.table, name, f"identifiers_{place}", bound)
            for place, name in enumerate(identifiers)
        }
        yield EntityLookup(table, connection, indexes)


def _index(connection: sqlite3.Connection, table: str, name: str, index: str, bound: int) -> str:
    """Make a temporary table of an identifier's values with the keys of their entities."""
    column = f"kept.{quoted(name)}"
    connection.execute(f"CREATE TEMP TABLE {index} (identifier TEXT, entity INTEGER)")
    connection.execute(
        f"INSERT INTO temp.{index} SELECT CAST({column} AS TEXT), kept.{_KEY} "
        f"FROM main.{quoted(table)} AS kept "
        f"WHERE {column} IS NOT NULL AND (kept.{_KEY} < ?1 OR ?1 < 0)",
        (bound,),
    )
    # Made afterwards, it is sorted at once: ten times as fast as insertions in any order.
    connection.execute(f"CREATE INDEX temp.by_{index} ON {index} (identifier, entity)")
    return index


class EntityLookup:
    """The entities of a reference table, found by their identifiers."""

    def __init__(
        self, table: ReferenceTable, connection: sqlite3.Connection, indexes: Mapping[str, str]
    ) -> None:
        self._table, self._connection, self._indexes = table, connection, indexes

    def keys(self, name: str, values: Sequence[str | None], before: int | None = None) -> Keys:
        """Return where each value of an identifier was recorded first.

        −1 where that was in none of the periods before ``before``. Raises GenerationError.
        """
        wanted = sorted({value for value in values if value is not None})
        found: dict[str | None, int] = {}
        for first in range(0, len(wanted), _AT_ONCE):
            some = wanted[first : first + _AT_ONCE]
            for place, key in self._first(name, some):
                if key is not None and (before is None or key < before * KEYS_PER_PERIOD):
                    found[some[place]] = key
        return np.array([found.get(value, -1) for value in values], dtype=np.int64)

    def _first(self, name: str, values: Sequence[str]) -> list[tuple[int, int | None]]:
        return self._fetch(
            "SELECT wanted.key, (SELECT known.entity "
            f"FROM temp.{self._indexes[name]} AS known WHERE known.identifier = wanted.value "
            "ORDER BY known.entity LIMIT 1) FROM json_each(?) AS wanted",
            values,
        )

    def texts(self, keys: Keys, columns: Sequence[str]) -> dict[str, pa.Array]:
        """Return what was recorded under the keys, as text; null for the key −1.

        Raises GenerationError.
        """
        if not (keys >= 0).any():
            return {name: pa.nulls(len(keys), pa.string()) for name in columns}
        wanted, inverse = np.unique(keys, return_inverse=True)
        names = ", ".join(f"kept.{quoted(name)}" for name in columns)
        rows = self._fetch(
            f"SELECT kept.{_KEY}, {names} FROM json_each(?) AS wanted "
            f"JOIN main.{quoted(self._table.series.table)} AS kept ON kept.{_KEY} = wanted.value",
            wanted.tolist(),
        )
        found, *values = zip(*rows, strict=True) if rows else [()] * (len(columns) + 1)
        # A key that is none of the table's leads to the null that is put behind all values.
        place = np.full(len(wanted), len(found))
        place[np.searchsorted(wanted, np.array(found, dtype=np.int64))] = np.arange(len(found))
        take = pa.array(place[inverse])
        return {
            name: _texts((*column, None)).take(take)
            for name, column in zip(columns, values, strict=True)
        }

    def _fetch(self, statement: str, values: Sequence[str] | Sequence[int]) -> list[Any]:
        with explain_sqlite_errors(self._table.layout.database):
            wanted = json.dumps(values, ensure_ascii=False)
            return self._connection.execute(statement, (wanted,)).fetchall()


def _texts(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values, type=pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # numbers are among them
        frame = pd.DataFrame({"value": pd.Series(values, dtype=object)})
        return pa.array(as_text(frame)["value"].tolist(), type=pa.string())

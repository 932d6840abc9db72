"""Looking up entities in a reference table in SQLite by their identifiers.

The table has no index on identifiers, which would double the file and slow down every period. A
lookup creates a temporary one, on disk if it is large, so memory does not grow with the entities.
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
from series_assets.storage.entities import KEYS_PER_PERIOD, EntityLookup, ReferenceTable
from series_assets.storage.sqlite import explain_sqlite_errors, open_database, quoted

Keys = NDArray[np.int64]
"""Keys of the reference table, one for each value; −1 where it has none."""

_KEY, _ = BOOKKEEPING
_BATCH = 50_000
"""Values in one query."""


@contextmanager
def entity_lookup(
    table: ReferenceTable, identifiers: Sequence[str], before: int | None = None
) -> Iterator["SqliteEntityLookup"]:
    """Provide a lookup by some identifier columns in the current reference table.

    It has the entities that periods before ``before`` introduced, or all. Raises GenerationError.
    """
    with open_database(table.layout.database, read_only=True) as connection:
        bound = -1 if before is None else before * KEYS_PER_PERIOD
        indexes = {
            name: _index(connection, table.series.table, name, f"identifiers_{place}", bound)
            for place, name in enumerate(identifiers)
        }
        yield SqliteEntityLookup(table, connection, indexes)


def _index(connection: sqlite3.Connection, table: str, name: str, index: str, bound: int) -> str:
    """Create a temporary, indexed table of an identifier's values with their entities' keys."""
    column = f"kept.{quoted(name)}"
    connection.execute(f"CREATE TEMP TABLE {index} (identifier TEXT, entity INTEGER)")
    connection.execute(
        f"INSERT INTO temp.{index} SELECT CAST({column} AS TEXT), kept.{_KEY} "
        f"FROM main.{quoted(table)} AS kept "
        f"WHERE {column} IS NOT NULL AND (kept.{_KEY} < :bound OR :bound < 0)",
        {"bound": bound},
    )
    # Created last, the index is sorted at once: ten times as fast as insertions.
    connection.execute(f"CREATE INDEX temp.by_{index} ON {index} (identifier, entity)")
    return index


class SqliteEntityLookup(EntityLookup):
    """The entities of a reference table in SQLite, found in temporary indexes."""

    def __init__(
        self, table: ReferenceTable, connection: sqlite3.Connection, indexes: Mapping[str, str]
    ) -> None:
        self._table, self._connection, self._indexes = table, connection, indexes

    def keys(self, name: str, values: Sequence[str | None], before: int | None = None) -> Keys:
        """Return the first key recorded for each value of an identifier.

        −1 where no period before ``before`` recorded it. Raises GenerationError.
        """
        statement = (
            "SELECT wanted.key, (SELECT known.entity "
            f"FROM temp.{self._indexes[name]} AS known WHERE known.identifier = wanted.value "
            "ORDER BY known.entity LIMIT 1) FROM json_each(?) AS wanted"
        )
        distinct = sorted({value for value in values if value is not None})
        key_of: dict[str | None, int] = {}
        for start in range(0, len(distinct), _BATCH):
            batch = distinct[start : start + _BATCH]
            for position, key in self._fetch(statement, batch):
                if key is not None and (before is None or key < before * KEYS_PER_PERIOD):
                    key_of[batch[position]] = key
        return np.array([key_of.get(value, -1) for value in values], dtype=np.int64)

    def texts(self, keys: Keys, columns: Sequence[str]) -> dict[str, pa.Array]:
        """Return the recorded values as text, null for the key −1. Raises GenerationError."""
        if not (keys >= 0).any():
            return {name: pa.nulls(len(keys), pa.string()) for name in columns}
        unique, inverse = np.unique(keys, return_inverse=True)
        names = ", ".join(f"kept.{quoted(name)}" for name in columns)
        rows = self._fetch(
            f"SELECT kept.{_KEY}, {names} FROM json_each(?) AS wanted "
            f"JOIN main.{quoted(self._table.series.table)} AS kept ON kept.{_KEY} = wanted.value",
            unique.tolist(),
        )
        found, *values = zip(*rows, strict=True) if rows else [()] * (len(columns) + 1)
        # Unknown keys select the null that is appended to the values.
        position = np.full(len(unique), len(found))
        position[np.searchsorted(unique, np.array(found, dtype=np.int64))] = np.arange(len(found))
        selection = pa.array(position[inverse])
        return {
            name: _texts((*column, None)).take(selection)
            for name, column in zip(columns, values, strict=True)
        }

    def _fetch(self, statement: str, values: Sequence[str] | Sequence[int]) -> list[Any]:
        with explain_sqlite_errors(self._table.layout.database):
            parameters = (json.dumps(values, ensure_ascii=False),)
            return self._connection.execute(statement, parameters).fetchall()


def _texts(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values, type=pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # some are numbers
        frame = pd.DataFrame({"value": pd.Series(values, dtype=object)})
        return pa.array(as_text(frame)["value"].tolist(), type=pa.string())

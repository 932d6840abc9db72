"""What the reference table knows of the entities that a dataset names.

The table has no index on its text: one would double the file. Instead the identifiers of the
periods that matter are read once, as numbers of 64 bits each; which entity a row is about is then
a search among numbers, and only the entities of the dataset are read as a whole, by their keys.
"""

import io
import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from series_assets.core.errors import GenerationError
from series_assets.core.plan.series import BOOKKEEPING
from series_assets.core.records import as_text
from series_assets.storage.reference_table import PLACES, ReferenceTable
from series_assets.storage.sqlite import opened, quoted

Keys = NDArray[np.int64]
"""Keys of the reference table, one for each value asked for; −1 where it has none."""

_KEY, _ = BOOKKEEPING
_CELL, _LINE = "char(31)", "char(10)"
"""Between the identifiers and the entities; no identifier holds either."""


class Recorded:
    """The identifiers recorded before some period, as they are when this is made."""

    def __init__(self, table: ReferenceTable, before: int) -> None:
        """Read the identifiers of all periods before ``before``; of none, nothing is opened.

        Raises GenerationError where the database cannot be read.
        """
        self._table = table
        names = table.series.roles.identifiers
        self._known = {name: (np.empty(0, np.uint64), np.empty(0, np.int64)) for name in names}
        if not before:
            return
        chunks: dict[str, list[tuple[Any, Any]]] = {name: [] for name in names}
        with opened(table.layout.database, read_only=True) as connection:
            for k in range(before):
                rows = _identifiers(connection, table, k)
                for name, those in zip(names, rows.columns[1:], strict=True):
                    chunks[name].append(_numbers(rows.column(0), those.combine_chunks()))
        for name, found in chunks.items():
            numbers, places = (np.concatenate(side) for side in zip(*found, strict=True))
            order = np.lexsort((places, numbers))
            self._known[name] = numbers[order], places[order]

    def keys(self, name: str, values: pa.Array, before: int) -> Keys:
        """Return where each value of an identifier was first recorded before a period.

        That is told by 64 bits of it: whoever needs to be sure compares the text itself.
        """
        numbers, places = self._known[name]
        found = np.full(len(values), -1, dtype=np.int64)
        if not len(numbers) or not len(values):
            return found
        wanted, rows = _numbers(np.arange(len(values)), values)
        at = np.searchsorted(numbers, wanted)
        at[at == len(numbers)] = 0
        there = (numbers[at] == wanted) & (places[at] < before * PLACES)
        found[rows[there]] = places[at[there]]
        return found

    def texts(self, keys: Keys, columns: Sequence[str]) -> dict[str, pa.Array]:
        """Return what was recorded under the keys, as text; null for the key −1."""
        if not (keys >= 0).any():
            return {name: pa.nulls(len(keys), pa.string()) for name in columns}
        wanted, inverse = np.unique(keys, return_inverse=True)
        names = ", ".join(f"kept.{quoted(name)}" for name in columns)
        with opened(self._table.layout.database, read_only=True) as connection:
            rows = connection.execute(
                f"SELECT kept.{_KEY}, {names} FROM json_each(?) AS wanted "
                f"JOIN {quoted(self._table.series.table)} AS kept ON kept.{_KEY} = wanted.value",
                (json.dumps(wanted.tolist()),),
            ).fetchall()
        found, *values = zip(*rows, strict=True)
        # A key that is none of the table's leads to the null that is put behind all values.
        place = np.full(len(wanted), len(found))
        place[np.searchsorted(wanted, np.array(found, dtype=np.int64))] = np.arange(len(found))
        take = pa.array(place[inverse])
        return {
            name: _texts((*column, None)).take(take)
            for name, column in zip(columns, values, strict=True)
        }


def _identifiers(connection: sqlite3.Connection, table: ReferenceTable, k: int) -> pa.Table:
    """Return the keys and the identifiers (as text) of the entities that a period introduced.

    SQLite hands them over as one text, which takes a quarter of the time of its rows.
    """
    names = table.series.roles.identifiers
    cells = [_KEY, *(f"coalesce({quoted(name)}, '')" for name in names)]
    (text,) = connection.execute(
        f"SELECT group_concat({f' || {_CELL} || '.join(cells)}, {_LINE}) "
        f"FROM {quoted(table.series.table)} WHERE {_KEY} >= ? AND {_KEY} < ?",
        (k * PLACES, (k + 1) * PLACES),
    ).fetchone()
    columns = [_KEY, *names]
    kinds = dict.fromkeys(columns, pa.string()) | {_KEY: pa.int64()}
    if text is None:
        return pa.table({name: pa.array([], kind) for name, kind in kinds.items()})
    try:
        return csv.read_csv(
            io.BytesIO(text.encode()),
            read_options=csv.ReadOptions(column_names=columns, use_threads=False),
            parse_options=csv.ParseOptions(delimiter="\x1f", quote_char=False),
            convert_options=csv.ConvertOptions(
                column_types=kinds, null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid:
        raise GenerationError(
            f"{table.series.table} holds identifiers that are none",
            "make reference_table of all periods again",
            file=table.layout.database,
        ) from None


def _texts(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values, type=pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # numbers are among them
        frame = pd.DataFrame({"value": pd.Series(values, dtype=object)})
        return pa.array(as_text(frame)["value"].tolist(), type=pa.string())


def _numbers(keys: Any, values: pa.Array) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return 64 bits of each value that is there, and the key that goes with it."""
    there = values.is_valid().to_numpy(zero_copy_only=False)
    texts = values.drop_null().to_numpy(zero_copy_only=False)
    numbers = pd.util.hash_array(texts, categorize=False)
    return numbers, np.asarray(keys, dtype=np.int64)[there]

"""The reference table in Parquet: a file for each period, and with several shards for each shard.

A file holds the entities that its period introduced, one a row, and in its mark their number and
the fingerprint of the files that they were generated from.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.core.arrays import one_array
from series_assets.core.errors import GenerationError
from series_assets.core.typed_records import text_table
from series_assets.storage.entities import (
    KEYS_PER_PERIOD,
    EntityLookup,
    EntityTable,
    Recorded,
    ReferenceTable,
)
from series_assets.storage.parquet_files import ParquetFiles
from series_assets.storage.series_table import TablesOfShards

if TYPE_CHECKING:
    import pandas as pd

_REMEDY = "regenerate its periods"


class ParquetReferenceTable(ParquetFiles, EntityTable):
    """The reference table of one series, or of one shard, in its folder ``reference``."""

    rows, whole = "entities", "the reference table"

    def file(self, number: int) -> Path:
        """Return the path of the file of a period; see the base class."""
        return self.layout.entities(number)

    def existing_files(self) -> list[Path]:
        """Return the existing files of all periods and shards."""
        return self.layout.existing_entities()

    def prepare(self, folder: Path) -> None:
        """Do nothing: files are created as they are written."""

    def replace(self, k: int, entities: "pd.DataFrame | None", folder: Path | None = None) -> None:
        """Replace the file of period ``k``, atomically; see the base class."""
        from series_assets.storage.sqlite_values import to_sqlite

        columns = {}
        if entities is not None:
            self._check_columns(k, list(map(str, entities.columns)))
            columns = {str(n): pa.array(to_sqlite(entities[n])) for n in entities.columns}
        elif not any(self.marks()):
            self._require({}, range(k), period=self.series.calendar.keys[k])
        count = 0 if entities is None else len(entities)
        mark = {"fingerprint": self.series.fingerprint, "entities": count}
        self.put(k, pa.table(columns), folder, mark)

    def _check_columns(self, k: int, names: list[str]) -> None:
        """Refuse columns other than those of the periods that the same files generated."""
        for j, mark in self.marks():
            self.check_series(mark)
            is_current = mark["fingerprint"] == self.series.fingerprint
            if j != k and is_current and mark["entities"]:
                if self._columns_of(j) != names:
                    raise self._different_columns(k)
                return

    def recorded_periods(self) -> dict[int, tuple[str, int]] | None:
        """Return the key and number of entities of each recorded period; see the base class."""
        found = {k: (str(mark["period"]), int(mark["entities"])) for k, mark in self.marks()}
        return found or None

    def _recorded(self, *, check_owner: bool, periods: Sequence[int] | None = None) -> Recorded:
        found: Recorded = {}
        for k, mark in self.marks(periods):
            if check_owner:
                self.check_series(mark)
            # A file of a calendar with other periods counts as one of other contents.
            is_own = mark["period"] == self.series.calendar.keys[k]
            found[k] = (int(mark["entities"]), str(mark["fingerprint"]) if is_own else "")
        return found

    def columns(self) -> list[str]:
        """Return the columns of the first period that has entities."""
        for k, mark in self.marks():
            if mark["entities"]:
                return self._columns_of(k)
        return []

    def _columns_of(self, k: int) -> list[str]:
        with self.opened(k) as file:
            names: list[str] = file.schema_arrow.names
        return names

    def fetch(self, keys: NDArray[np.int64], columns: Sequence[str]) -> "pd.DataFrame":
        """Return the typed values of the given rows; see the base class."""
        from series_assets.storage.sqlite_values import typed_frame

        unique, positions = np.unique(keys, return_inverse=True)
        periods = np.unique(unique // KEYS_PER_PERIOD).tolist()
        recorded = self._recorded(check_owner=False, periods=periods)
        self._require(recorded, periods, "the period being generated")
        values: dict[str, list[Any]] = {name: [] for name in columns}
        for k in periods:
            table = self.read(k, columns)
            places = unique[unique // KEYS_PER_PERIOD == k] % KEYS_PER_PERIOD
            if len(places) and places[-1] >= table.num_rows:
                raise GenerationError("lacks rows that it should have", _REMEDY, file=self.place)
            rows = table.take(places)
            for name in columns:
                values[name] += rows[name].to_pylist()
        return typed_frame(values, self.series.kinds, positions)

    def read(self, k: int, columns: Sequence[str]) -> pa.Table:
        """Return columns of the entities that period ``k`` introduced. Raises GenerationError."""
        with self.opened(k) as file:
            table = file.read(list(dict.fromkeys(columns)), use_threads=False)
        if missing := [name for name in columns if name not in table.column_names]:
            raise GenerationError(f"has no column '{missing[0]}'", _REMEDY, file=self.file(k + 1))
        return table

    @contextmanager
    def lookup(
        self, identifiers: Sequence[str], before: int | None = None
    ) -> Iterator["ParquetEntityLookup"]:
        """Provide a lookup that reads one period at a time; see the base class."""
        recorded = self.recorded_periods() or {}
        periods = [
            k for k, (_, count) in recorded.items() if count and (before is None or k < before)
        ]
        yield ParquetEntityLookup(self, periods)


class ShardedReferenceTable(TablesOfShards, ReferenceTable):
    """What all shards have recorded. Entities are read from the tables of the ``parts``."""

    _table = ParquetReferenceTable

    def prepare(self, folder: Path) -> None:
        """Do nothing: files are created as they are written."""

    def _recorded(self, *, check_owner: bool, periods: Sequence[int] | None = None) -> Recorded:
        """Return the periods that all shards have recorded; of no fingerprint if they differ."""
        of_parts = [part._recorded(check_owner=check_owner, periods=periods) for part in self.parts]
        found: Recorded = {}
        for k, (_, mark) in of_parts[0].items():
            if all(k in one for one in of_parts):
                same = all(one[k][1] == mark for one in of_parts)
                found[k] = (sum(one[k][0] for one in of_parts), mark if same else "")
        return found


class ParquetEntityLookup(EntityLookup):
    """The entities of a reference table in Parquet, found period by period."""

    def __init__(self, table: ParquetReferenceTable, periods: Sequence[int]) -> None:
        self._table, self._periods = table, periods

    def keys(
        self, name: str, values: Sequence[str | None], before: int | None = None
    ) -> NDArray[np.int64]:
        """Return the first key recorded for each value; see the base class."""
        wanted = pa.array(values, pa.string())
        found = np.full(len(wanted), -1, dtype=np.int64)
        for k in self._periods:
            if before is not None and k >= before:
                break
            recorded = one_array(text_table(self._table.read(k, [name]))[name])
            places = pc.index_in(wanted, value_set=recorded, skip_nulls=True)
            places = pc.fill_null(places, -1).to_numpy().astype(np.int64)
            is_first = (found < 0) & (places >= 0)
            found[is_first] = k * KEYS_PER_PERIOD + places[is_first]
        return found

    def texts(self, keys: NDArray[np.int64], columns: Sequence[str]) -> dict[str, pa.Array]:
        """Return the recorded values as text; see the base class."""
        order = np.argsort(keys, kind="stable")
        blocks: dict[str, list[Any]] = {name: [] for name in columns}
        unknown = int((keys < 0).sum())
        for name in columns:
            blocks[name].append(pa.nulls(unknown, pa.string()))
        wanted = keys[order][unknown:]
        for k in np.unique(wanted // KEYS_PER_PERIOD).tolist():
            table = text_table(self._table.read(k, columns))
            places = wanted[wanted // KEYS_PER_PERIOD == k] % KEYS_PER_PERIOD
            rows = pa.array(places, mask=places >= table.num_rows)
            for name in columns:
                blocks[name].append(one_array(table[name]).take(rows))
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        return {name: pa.concat_arrays(blocks[name]).take(back) for name in columns}

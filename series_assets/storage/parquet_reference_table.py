"""The reference table in Parquet: a file for each period, and with several shards for each shard.

A file holds the entities that its period introduced, one a row, and in its metadata the mark of the
period: their number and the fingerprint of the files that they were generated from. Nothing but
whole files is read or written, so it needs no database and no lock, and works on storage that has
neither.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from series_assets.core.errors import GenerationError
from series_assets.storage import files
from series_assets.storage.entities import (
    KEYS_PER_PERIOD,
    EntityLookup,
    EntityTable,
    Recorded,
    ReferenceTable,
)
from series_assets.storage.parquet_marks import (
    Mark,
    check_series,
    read_mark,
    remove_marked,
    unreadable,
    with_mark,
)
from series_assets.storage.tables import TablesOfShards

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

_WHOLE = "the reference table"
_REMEDY = "regenerate its periods"


class ParquetReferenceTable(EntityTable):
    """The reference table of one series, or of one shard, in its folder ``reference``."""

    @property
    def place(self) -> Path:
        """The folder of all periods."""
        return self.layout.entities(1).parent.parent

    def prepare(self, folder: Path) -> None:
        """Do nothing: files are created as they are written."""

    def replace(self, k: int, entities: "pd.DataFrame | None", folder: Path | None = None) -> None:
        """Replace the file of period ``k``, atomically; see the base class."""
        import pandas as pd

        period = self.series.calendar.period(k)
        if entities is None:
            if not any(self._marks()):
                self._require({}, range(k), period=period.key)
            entities = pd.DataFrame()
        else:
            self._check_columns(k, list(map(str, entities.columns)))
        target = self.layout.entities(period.number)
        written = (folder or target.parent) / f"entities_{period.number}_{target.name}"
        files.write_parquet(written, self._as_table(period.key, entities))
        files.replace(written, target)

    def _as_table(self, key: str, entities: "pd.DataFrame") -> "pa.Table":
        import pyarrow as pa

        from series_assets.storage.sqlite_values import to_sqlite

        mark = {
            "series": self.series.name,
            "period": key,
            "fingerprint": self.series.fingerprint,
            "entities": len(entities),
        }
        columns = {str(name): pa.array(to_sqlite(entities[name])) for name in entities.columns}
        return with_mark(pa.table(columns), mark)

    def _check_columns(self, k: int, names: list[str]) -> None:
        """Refuse columns other than those of the periods that the same files generated."""
        for j, mark in self._marks():
            check_series(mark, self.series, self.layout)
            is_current = mark["fingerprint"] == self.series.fingerprint
            if j == k or not is_current or not mark["entities"]:
                continue
            if self._columns_of(j) != names:
                raise GenerationError(
                    "its new records have different columns from those of the periods recorded "
                    "so far; nothing was recorded",
                    series=self.series.name,
                    period=self.series.calendar.keys[k],
                )
            return

    def recorded_periods(self) -> dict[int, tuple[str, int]] | None:
        """Return the key and number of entities of each recorded period; see the base class."""
        marks = dict(self._marks())
        found = {k: (str(mark["period"]), int(mark["entities"])) for k, mark in marks.items()}
        return found or None

    def _recorded(self, *, check_owner: bool, periods: Sequence[int] | None = None) -> Recorded:
        found: Recorded = {}
        for k, mark in self._marks(periods):
            if check_owner:
                check_series(mark, self.series, self.layout)
            # A file of a calendar with other periods counts as one of other contents.
            is_own = mark["period"] == self.series.calendar.keys[k]
            found[k] = (int(mark["entities"]), str(mark["fingerprint"]) if is_own else "")
        return found

    def _marks(self, periods: Sequence[int] | None = None) -> Iterator[tuple[int, Mark]]:
        """Yield the mark of each recorded period, of those asked for or of all, in order."""
        for k in range(self.series.calendar.count) if periods is None else periods:
            mark = read_mark(self.layout.entities(k + 1), _WHOLE)
            if mark is not None:
                yield k, mark

    def check_owner(self, *, take_over: bool = False) -> None:
        """Refuse the files of another series in the folder. Raises RequestError."""
        for _, mark in self._marks():
            check_series(mark, self.series, self.layout)
            return

    def drop(self, *, take_over: bool = False) -> bool:
        """Remove the files of all shards; return whether there were any."""
        return remove_marked(self.layout.existing_entities(), self.place)

    def columns(self) -> list[str]:
        """Return the columns of the first period that has entities."""
        for k, mark in self._marks():
            if mark["entities"]:
                return self._columns_of(k)
        return []

    def _columns_of(self, k: int) -> list[str]:
        from pyarrow import parquet

        with self.layout.entities(k + 1).open("rb") as stream:
            names: list[str] = parquet.read_schema(stream).names
        return names

    def fetch(self, keys: "NDArray[np.int64]", columns: Sequence[str]) -> "pd.DataFrame":
        """Return the typed values of the given rows; see the base class."""
        import numpy as np
        import pandas as pd

        from series_assets.core.records import frame_of_columns
        from series_assets.storage.sqlite_values import from_sqlite

        unique, positions = np.unique(keys, return_inverse=True)
        periods = np.unique(unique // KEYS_PER_PERIOD).tolist()
        recorded = self._recorded(check_owner=False, periods=periods)
        self._require(recorded, periods, "the period being generated")
        values: dict[str, list[Any]] = {name: [] for name in columns}
        for k, table in self.selected(unique, columns):
            places = unique[unique // KEYS_PER_PERIOD == k] % KEYS_PER_PERIOD
            if len(places) and places[-1] >= table.num_rows:
                raise GenerationError("lacks rows that it should have", _REMEDY, file=self.place)
            rows = table.take(places)
            for name in columns:
                values[name] += rows[name].to_pylist()
        kinds = self.series.kinds
        typed = {
            name: from_sqlite(values[name], kinds.get(name, "any"))
            .take(positions)
            .reset_index(drop=True)
            for name in columns
        }
        return frame_of_columns(typed, pd.Index(columns))

    def selected(
        self, keys: "NDArray[np.int64]", columns: Sequence[str]
    ) -> Iterator[tuple[int, "pa.Table"]]:
        """Yield the periods of the keys, with the columns of all of their entities, in order.

        One period is in memory at a time. Raises GenerationError for a file that is unreadable.
        """
        import numpy as np

        for k in np.unique(keys // KEYS_PER_PERIOD).tolist():
            yield k, self.read(k, columns)

    def read(self, k: int, columns: Sequence[str]) -> "pa.Table":
        """Return columns of the entities that period ``k`` introduced. Raises GenerationError."""
        from pyarrow import parquet

        path = self.layout.entities(k + 1)
        try:
            with path.open("rb") as stream:
                table = parquet.read_table(
                    stream, columns=list(dict.fromkeys(columns)), use_threads=False
                )
        except (OSError, ValueError) as error:
            raise unreadable(path, _WHOLE, error) from error
        if missing := [name for name in columns if name not in table.column_names]:
            raise GenerationError(f"has no column '{missing[0]}'", _REMEDY, file=path)
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

    def recorded_periods(self) -> dict[int, tuple[str, int]] | None:
        """Return the periods that all shards have recorded, with the number of all entities."""
        of_parts = [part.recorded_periods() or {} for part in self.parts]
        found = {
            k: (key, sum(one[k][1] for one in of_parts))
            for k, (key, _) in of_parts[0].items()
            if all(k in one for one in of_parts)
        }
        return found or None

    def _recorded(self, *, check_owner: bool, periods: Sequence[int] | None = None) -> Recorded:
        """Return the periods that all shards have recorded; of no fingerprint if they differ."""
        of_parts = [part._recorded(check_owner=check_owner, periods=periods) for part in self.parts]
        found: Recorded = {}
        for k, (_, mark) in of_parts[0].items():
            if all(k in one for one in of_parts):
                same = all(one[k][1] == mark for one in of_parts)
                found[k] = (sum(one[k][0] for one in of_parts), mark if same else "")
        return found

    def columns(self) -> list[str]:
        """Return the columns of the data in their order."""
        return self.parts[0].columns()


class ParquetEntityLookup(EntityLookup):
    """The entities of a reference table in Parquet, found period by period."""

    def __init__(self, table: ParquetReferenceTable, periods: Sequence[int]) -> None:
        self._table, self._periods = table, periods

    def keys(
        self, name: str, values: Sequence[str | None], before: int | None = None
    ) -> "NDArray[np.int64]":
        """Return the first key recorded for each value; see the base class."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = pa.array(values, pa.string())
        found = np.full(len(wanted), -1, dtype=np.int64)
        for k in self._periods:
            if before is not None and k >= before:
                break
            recorded = _texts(self._table.read(k, [name])[name])
            places = pc.index_in(wanted, value_set=recorded, skip_nulls=True)
            places = pc.fill_null(places, -1).to_numpy().astype(np.int64)
            is_first = (found < 0) & (places >= 0)
            found[is_first] = k * KEYS_PER_PERIOD + places[is_first]
        return found

    def texts(self, keys: "NDArray[np.int64]", columns: Sequence[str]) -> "dict[str, pa.Array]":
        """Return the recorded values as text; see the base class."""
        import numpy as np
        import pyarrow as pa

        order = np.argsort(keys, kind="stable")
        blocks: dict[str, list[Any]] = {name: [] for name in columns}
        unknown = int((keys < 0).sum())
        for name in columns:
            blocks[name].append(pa.nulls(unknown, pa.string()))
        wanted = keys[order][unknown:]
        for k, table in self._table.selected(wanted, columns):
            places = wanted[wanted // KEYS_PER_PERIOD == k] % KEYS_PER_PERIOD
            rows = pa.array(places, mask=places >= table.num_rows)
            for name in columns:
                blocks[name].append(_texts(table[name]).take(rows))
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        return {name: pa.concat_arrays(blocks[name]).take(back) for name in columns}


def _texts(column: "pa.ChunkedArray") -> "pa.Array":
    """Return stored values as the text that a CSV has."""
    import pyarrow as pa

    from series_assets.core.records import texts_of

    if pa.types.is_floating(column.type):
        return pa.array(texts_of(column.to_pandas()), pa.string())
    return column.combine_chunks().cast(pa.string())

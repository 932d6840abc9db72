"""The table of states in Parquet: a file for each period, and with several shards for each shard.

A file holds the states that its period left, one a row, and in its mark the digests by which a
period that follows from it is known to be current. Rows are sorted by a hash of the entity's
identifier, so that they are found without reading the identifiers. One file is in memory at a time,
and of a file the columns that are needed.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.parquet import ParquetFile

from series_assets.core.plan.truth import STATE_DATASET, STATE_HASH
from series_assets.core.truth.columns import no_states, with_entities
from series_assets.storage.hash_runs import Ints, hashes_of
from series_assets.storage.parquet_files import Mark, ParquetFiles
from series_assets.storage.series_table import TablesOfShards
from series_assets.storage.states import States, StateTable

_PLACE = "state_place"
"""Numbers the states of a period; the order of those of an entity in the file says the same."""
_STORED = {
    **dict.fromkeys(
        ("state_row", "state_version", "state_opened_in", "state_opened_row"), pa.int32()
    ),
    **dict.fromkeys(("state_opens", "state_deleted", "state_tied"), pa.bool_()),
}
"""Smaller types, in which whole numbers are stored; in memory they are int64."""


class ParquetStateTable(ParquetFiles, StateTable):
    """The states of one series, or of one shard, in its folder ``states``."""

    _format = "parquet 1"
    rows, whole = "states", "the table of states"

    def file(self, number: int) -> Path:
        """Return the path of the file of a period; see the base class."""
        return self.layout.states(number)

    def existing_files(self) -> list[Path]:
        """Return the existing files of all periods and shards."""
        return self.layout.existing_states()

    def recorded_periods(self) -> int:
        """Return how many periods are recorded and current; see the base class."""
        return len(self._chain(self.series.calendar.count))

    def require_periods(self, before: int) -> None:
        """Refuse unless all periods before ``before`` are recorded; see the base class."""
        self._require(before)

    def content(self, k: int) -> str:
        """Return the digest of the delivered file of period ``k``; see the base class."""
        return str(self._require(k + 1, reading=True)[k]["content"])

    def tied_periods(self, last: int) -> list[int]:
        """Return the periods in which the place decided, from their marks; see the base class."""
        marks = self._require(last + 1, reading=True)
        return [k for k, mark in enumerate(marks) if mark["ties"]]

    def latest(self, keys: pa.Array, before: int) -> pa.Table:
        """Return the last state of each entity, the newest file first; see the base class."""
        found, hashes = [with_entities(no_states(self.truth), [])], hashes_of(keys)
        entities = np.argsort(hashes)
        hashes, wanted = hashes[entities], keys.take(pa.array(entities))
        for k, mark in reversed(list(enumerate(self._require(before)))):
            if not len(wanted):
                break
            if not mark["states"]:
                continue
            with self.opened(k) as file:
                rows = _last_rows(self._hashes(file), hashes)
                states = self._as_states(file) if (rows >= 0).any() else None
            if states is not None:
                rows = self._confirmed(rows, states, wanted)
                taken = states.take(pa.array(rows[rows >= 0]))
                found.append(with_entities(taken, entities[rows >= 0]))
            entities = entities[rows < 0]
            hashes, wanted = hashes[rows < 0], wanted.filter(pa.array(rows < 0))
        return pa.concat_tables(found)

    def _confirmed(self, rows: Ints, states: pa.Table, wanted: pa.Array) -> Ints:
        """Return the rows of entities in a file that were found by the hashes of their keys.

        Two entities have the same hash hardly ever; then all keys are looked up.
        """
        keys, there = states[self.truth.key].combine_chunks(), rows >= 0
        same = pc.equal(keys.take(pa.array(rows[there])), wanted.filter(pa.array(there)))
        if pc.all(same).as_py():
            return rows
        # From the end, so that the first occurrence is the last state.
        places = pc.index_in(wanted, value_set=keys[::-1]).fill_null(len(keys))
        return len(keys) - 1 - places.to_numpy().astype(np.int64)

    def _hashes(self, file: ParquetFile) -> Ints:
        """Return the hash of each row of a file, in order."""
        return file.read([STATE_HASH], use_threads=False).column(0).to_numpy()

    def changes(self, last: int) -> pa.Table:
        """Return the states that open a version or delete, file by file; see the base class."""
        found = self._none_yet()
        for k in range(len(self._require(last + 1, reading=True))):
            with self.opened(k) as file:
                states = self._as_states(file)
            flags = [pc.equal(states[name], 1) for name in ("state_opens", "state_deleted")]
            found.append(_of_dataset(k, states.filter(pc.or_(*flags))))
        return pa.concat_tables(found)

    def states_of(self, keys: pa.Array, last: int) -> pa.Table:
        """Return all states of some entities, file by file; see the base class."""
        found, hashes = self._none_yet(), hashes_of(pc.unique(keys))
        for k in range(len(self._require(last + 1, reading=True))):
            with self.opened(k) as file:
                rows = np.flatnonzero(np.isin(self._hashes(file), hashes))
                if not len(rows):
                    continue
                states = self._as_states(file).take(pa.array(rows))
            wanted = pc.is_in(states[self.truth.key], value_set=keys)
            found.append(_of_dataset(k, states.filter(wanted)))
        return pa.concat_tables(found)

    def _none_yet(self) -> list[pa.Table]:
        return [no_states(self.truth).append_column(STATE_DATASET, pa.array([], pa.int64()))]

    def _as_states(self, file: ParquetFile) -> pa.Table:
        """Return all states in a file, in the columns of ``Fold.states``."""
        schema = no_states(self.truth).schema
        stored = file.read([name for name in schema.names if name != _PLACE], use_threads=False)
        place = pa.nulls(stored.num_rows, pa.int64())
        return pa.table(
            {
                name: place if name == _PLACE else stored[name].cast(schema.field(name).type)
                for name in schema.names
            }
        )

    def replace(self, k: int, states: pa.Table, content: str, folder: Path | None = None) -> None:
        """Replace the file of period ``k``, atomically; see the base class."""
        self._own_mark(k)
        chain = self._require(k)
        key, parent = self.series.calendar.keys[k], chain[-1]["digest"] if chain else ""
        mark = {
            "states": states.num_rows,
            "ties": pc.sum(states["state_tied"]).as_py() or 0,
            "settings": self._settings,
            "content": content,
            "parent": parent,
            "digest": self._digest(key, content, parent),
        }
        how = {"compression": "lz4", "dictionaries": False}
        self.put(k, self._as_stored(states), folder, mark, **how)

    def _as_stored(self, states: pa.Table) -> pa.Table:
        """Return states as a file has them: sorted by hash, those of an entity by time."""
        hashes = hashes_of(states[self.truth.key])
        order = np.argsort(hashes, kind="stable")
        columns = {STATE_HASH: pa.array(hashes[order])}
        for name in states.column_names:
            if name != _PLACE:
                column = states[name].combine_chunks().take(pa.array(order))
                columns[name] = column.cast(_STORED.get(name, column.type))
        return pa.table(columns)

    def _require(self, before: int, reading: bool = False) -> list[Mark]:
        """Return the marks of the periods before ``before``; refuse where one is not current."""
        chain = self._chain(before)
        self._refuse(before, len(chain), reading)
        return chain

    def _chain(self, before: int) -> list[Mark]:
        """Return the marks of the first periods that follow each other, up to ``before``."""
        chain: list[Mark] = []
        for k in range(before):
            mark, parent = self._own_mark(k), chain[-1]["digest"] if chain else ""
            if mark is None or (mark["settings"], mark["parent"]) != (self._settings, parent):
                break
            chain.append(mark)
        return chain

    def _own_mark(self, k: int) -> Mark | None:
        """Return the mark of period ``k``, if it has a file. Refuses that of another series."""
        mark = self.mark(k)
        if mark is not None:
            self.check_series(mark)
        return mark


class ShardedStates(TablesOfShards, States):
    """What all shards have recorded. States are read from the tables of the ``parts``."""

    _table = ParquetStateTable

    def recorded_periods(self) -> int:
        """Return how many periods all shards have recorded, which are current."""
        return min(part.recorded_periods() for part in self.parts)

    def require_periods(self, before: int) -> None:
        """Refuse unless all shards have recorded all periods before ``before``."""
        for part in self.parts:
            part.require_periods(before)


def _last_rows(stored: Ints, hashes: Ints) -> Ints:
    """Return the last row with each of some hashes, -1 without one. Both are sorted."""
    rows: Ints = np.searchsorted(stored, hashes, side="right") - 1
    rows[stored[rows] != hashes] = -1
    return rows


def _of_dataset(k: int, states: pa.Table) -> pa.Table:
    """Return states of a period with a column for the number of their dataset."""
    return states.append_column(STATE_DATASET, pa.array([k + 1] * states.num_rows, pa.int64()))

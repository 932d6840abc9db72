"""The table of states in Parquet: a file for each period, and with several shards for each shard.

A file holds the states that its period left, one a row in the order of the fold, and in its mark
the digests by which a period that follows from it is known to be current. Nothing but complete
files is read or written, so it needs no database and no lock, and works on storage that has
neither. One file is in memory at a time, and of a file the columns that are needed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.truth.columns import no_states
from series_assets.storage import files
from series_assets.storage.parquet_marks import (
    Mark,
    check_series,
    read_mark,
    remove_marked,
    unreadable,
    with_mark,
)
from series_assets.storage.states import StateTable

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_WHOLE = "the table of states"
_PLACE = "state_place"
"""Numbers the states of a period; their order in the file says the same."""


class ParquetStateTable(StateTable):
    """The states of one series, or of one shard, in its folder ``states``."""

    _format = "parquet 1"

    @property
    def place(self) -> Path:
        """The folder of all periods."""
        return self.layout.states(1).parent.parent

    def check_owner(self, *, take_over: bool = False) -> None:
        """Refuse the files of another series in the folder. Raises RequestError."""
        if not self.place.is_dir():
            return
        for k in range(self.series.calendar.count):
            mark = self._mark(k)  # which is checked
            if mark is not None:
                return

    def drop(self, *, take_over: bool = False) -> bool:
        """Remove the files of all shards; return whether there were any."""
        return remove_marked(self.layout.existing_states(), self.place)

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
        found, wanted = [no_states(self.truth)], pc.unique(keys)
        if before == 0:
            return found[0]
        for k, mark in reversed(list(enumerate(self._require(before)))):
            if not len(wanted):
                break
            if not mark["states"]:
                continue
            with self._opened(k) as file:
                recorded = file.read([self.truth.key], use_threads=False).column(0).combine_chunks()
                # From the end, so that the first occurrence is the last state.
                places = pc.index_in(wanted, value_set=recorded[::-1])
                is_found = pc.is_valid(places)
                if pc.any(is_found).as_py():
                    rows = pc.subtract(len(recorded) - 1, places.drop_null())
                    found.append(self._as_states(file).take(rows))
            wanted = wanted.filter(pc.invert(is_found))
        return pa.concat_tables(found)

    def changes(self, last: int) -> pa.Table:
        """Return the states that open a version or delete, file by file; see the base class."""
        return self._selected(last, ("state_opens", "state_deleted"))

    def states_of(self, keys: pa.Array, last: int) -> pa.Table:
        """Return all states of some entities, file by file; see the base class."""
        return self._selected(last, (), pc.unique(keys))

    def _selected(self, last: int, flags: Sequence[str], keys: pa.Array | None = None) -> pa.Table:
        """Return the states up to period ``last`` with one of the flags, or of the entities."""
        marks = self._require(last + 1, reading=True)
        found = [no_states(self.truth).append_column("dataset", pa.array([], pa.int64()))]
        for k in range(len(marks)):
            with self._opened(k) as file:
                states = self._as_states(file)
            if keys is not None:
                states = states.filter(pc.is_in(states[self.truth.key], value_set=keys))
            elif flags:
                one, other = (pc.equal(states[name], 1) for name in flags)
                states = states.filter(pc.or_(one, other))
            dataset = pa.array([k + 1] * states.num_rows, pa.int64())
            found.append(states.append_column("dataset", dataset))
        return pa.concat_tables(found)

    def _as_states(self, file: "ParquetFile") -> pa.Table:
        """Return all states in a file, in the columns of ``Fold.states``."""
        names = no_states(self.truth).schema.names
        stored = file.read([name for name in names if name != _PLACE], use_threads=False)
        place = pa.nulls(stored.num_rows, pa.int64())
        return pa.table({name: place if name == _PLACE else stored[name] for name in names})

    def replace(self, k: int, states: pa.Table, content: str, folder: Path | None = None) -> None:
        """Replace the file of period ``k``, atomically; see the base class."""
        self._mark(k)
        chain = self._require(k)
        period, parent = self.series.calendar.period(k), chain[-1]["digest"] if chain else ""
        mark = {
            "series": self.series.name,
            "period": period.key,
            "states": states.num_rows,
            "ties": pc.sum(states["state_tied"]).as_py() or 0,
            "settings": self._settings,
            "content": content,
            "parent": parent,
            "digest": self._digest(period.key, content, parent),
        }
        target = self.layout.states(period.number)
        written = (folder or target.parent) / f"states_{period.number}_{target.name}"
        files.write_parquet(written, with_mark(states.drop_columns([_PLACE]), mark))
        files.replace(written, target)

    def _require(self, before: int, reading: bool = False) -> list[Mark]:
        """Return the marks of the periods before ``before``; refuse where one is not current."""
        chain = self._chain(before)
        self._refuse(before, len(chain), reading)
        return chain

    def _chain(self, before: int) -> list[Mark]:
        """Return the marks of the first periods that follow each other, up to ``before``."""
        chain: list[Mark] = []
        for k in range(before):
            mark, parent = self._mark(k), chain[-1]["digest"] if chain else ""
            if mark is None or (mark["settings"], mark["parent"]) != (self._settings, parent):
                break
            chain.append(mark)
        return chain

    def _mark(self, k: int) -> Mark | None:
        """Return the mark of period ``k``, if it has a file. Refuses that of another series."""
        mark = read_mark(self.layout.states(k + 1), _WHOLE)
        if mark is not None:
            check_series(mark, self.series, self.layout)
        return mark

    @contextmanager
    def _opened(self, k: int) -> "Iterator[ParquetFile]":
        """Open the file of period ``k``. Raises GenerationError where it is unreadable."""
        from pyarrow import parquet

        path = self.layout.states(k + 1)
        try:
            with path.open("rb") as stream:
                yield parquet.ParquetFile(stream)
        except (OSError, ValueError) as error:
            raise unreadable(path, _WHOLE, error) from error

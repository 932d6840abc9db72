"""The table of states: what each delivered entity was after each period, in SQLite.

The key of a state is made of the period that left it and its place there, so "as of a period" is a
bound on the key and nothing is stored twice. A row holds a group of a few consecutive states.
Beside it is a table of periods. It has the runs of hashes that find the last state of an entity
before a period (see ``hash_runs``), and the digest of each period, which covers the settings, the
delivered file and the digest of the period before, so that a period whose predecessors have changed
is known to be stale. What a state is, is decided in ``core/truth``.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.errors import GenerationError
from series_assets.core.plan.truth import STATE_DATASET
from series_assets.core.truth.columns import no_states, with_entities
from series_assets.storage.entities import KEYS_PER_PERIOD
from series_assets.storage.hash_runs import Ints, Run, hashes_of, merged, runs_before
from series_assets.storage.period_table import PeriodTable
from series_assets.storage.sqlite import (
    column_names,
    open_database,
    snapshot,
    table_names,
    transaction,
)
from series_assets.storage.state_groups import TOGETHER, PackedStates, fetched
from series_assets.storage.states import StateTable

_GROUP, _NUMBERS, _TEXTS = "state_group", "numbers", "texts"
"""The number of a group, and its states (see ``state_groups``)."""
_GROUPS = KEYS_PER_PERIOD // TOGETHER
"""Numbers of the groups of a period: the state with the key ``q`` is in group ``q // TOGETHER``."""
_HASH = np.dtype("<i8")
"""How the numbers of runs are stored."""


class SqliteStateTable(PeriodTable, StateTable):
    """The table of states of a series with a ``truth`` block, in its database."""

    _format = 4

    @property
    def name(self) -> str:
        """The table's name."""
        return self.series.states_table

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """Open the database for reading, as it is at one moment.

        Raises GenerationError where the block finds states that cannot be unpacked.
        """
        database = self.layout.database
        try:
            with open_database(database, read_only=True) as connection, snapshot(connection):
                yield connection
        except ValueError as error:
            raise GenerationError(
                f"its table {self.name} is damaged",
                f"run series-assets generate {self.series.name}, which gives the same data again",
                file=database,
            ) from error

    def latest(self, keys: pa.Array, before: int) -> pa.Table:
        """Return the last state of each entity, found by its hash; see the base class."""
        if before == 0:
            return with_entities(no_states(self.truth), [])
        hashes = hashes_of(keys)
        by_hash = np.argsort(hashes)
        hashes = hashes[by_hash]
        with self._snapshot() as connection:
            self._require(connection, before)
            if np.all(hashes[1:] != hashes[:-1]):
                last = self._last_keys(connection, hashes, before)
                places = np.argsort(last)[np.count_nonzero(last < 0) :]
                found = self._fetched(connection, last[places]).drop_columns(STATE_DATASET)
                entities = by_hash[places]
                same = pc.equal(found[self.truth.key], keys.take(pa.array(entities)))
                if pc.all(same, min_count=0).as_py():
                    return with_entities(found, entities)
            # Two entities have the same hash, which hardly ever happens.
            found = self._fetched(connection, self._all_keys(connection, hashes, before))
        return self._last_of(keys, found.drop_columns(STATE_DATASET))

    def _runs_before(self, connection: sqlite3.Connection, period: int) -> Iterator[Run]:
        """Yield the runs that cover all periods before one, the latest first."""
        return runs_before(period, partial(self._run, connection))

    def _run(self, connection: sqlite3.Connection, k: int) -> Run:
        """Return the run that a period keeps."""
        first, hashes, keys = connection.execute(
            f"SELECT first, hashes, state_keys FROM {self._periods} WHERE period = ?", (k,)
        ).fetchone()
        return Run(first, np.frombuffer(hashes, _HASH), np.frombuffer(keys, _HASH))

    def _last_keys(self, connection: sqlite3.Connection, hashes: Ints, before: int) -> Ints:
        """Return the key of the last state before a period with each hash, -1 without one."""
        found = np.full(len(hashes), -1)
        missing = np.arange(len(hashes))
        for run in self._runs_before(connection, before):
            keys = run.last(hashes[missing])
            found[missing] = keys
            missing = missing[keys < 0]
        return found

    def _all_keys(self, connection: sqlite3.Connection, hashes: Ints, before: int) -> Ints:
        """Return the keys of all states before a period with one of some hashes."""
        runs = self._runs_before(connection, before)
        return np.sort(np.concatenate([run.all(hashes) for run in runs]))

    def _fetched(self, connection: sqlite3.Connection, keys: Ints) -> pa.Table:
        """Return the states with some sorted keys, with a column ``dataset``."""
        groups, group_of = np.unique(keys // TOGETHER, return_inverse=True)
        cursor = connection.execute(
            f"SELECT {_GROUP}, {_NUMBERS}, {_TEXTS} FROM json_each(?) AS wanted "
            f"CROSS JOIN {self._table} AS kept ON kept.{_GROUP} = wanted.value",
            (json.dumps(groups.tolist()),),
        )
        parts, first = [], 0
        for numbers, starts, states in fetched(cursor):
            if not np.array_equal(numbers, groups[first : first + len(numbers)]):
                raise ValueError("a group is missing")
            begin, end = np.searchsorted(group_of, [first, first + len(numbers)])
            places = starts[group_of[begin:end] - first] + keys[begin:end] % TOGETHER
            parts.append(states.take(places))
            first += len(numbers)
        return self._as_table(keys, PackedStates.joined(parts))

    def _last_of(self, keys: pa.Array, states: pa.Table) -> pa.Table:
        """Return the last state of each of the entities, among ``states`` in order of time."""
        import pandas as pd

        states = states.filter(pc.is_in(states[self.truth.key], value_set=keys))
        texts = pd.Series(states[self.truth.key].to_pandas(), dtype=object)
        last = states.take(pa.array(np.flatnonzero(~texts.duplicated(keep="last"))))
        return with_entities(last, pc.index_in(last[self.truth.key], value_set=keys).to_numpy())

    def changes(self, last: int) -> pa.Table:
        """Return the states that open a version or delete; see the base class."""
        keys, parts = [np.empty(0, dtype=np.int64)], []
        with self._snapshot() as connection:
            self._require(connection, last + 1, reading=True)
            cursor = connection.execute(
                f"SELECT {_GROUP}, {_NUMBERS}, {_TEXTS} FROM {self._table} WHERE {_GROUP} < ? "
                f"ORDER BY {_GROUP}",
                ((last + 1) * _GROUPS,),
            )
            for groups, starts, states in fetched(cursor):
                chosen = np.flatnonzero(
                    states.numbers["state_opens"] | states.numbers["state_deleted"]
                )
                group_of = np.searchsorted(starts, chosen, side="right") - 1
                keys.append(groups[group_of] * TOGETHER + chosen - starts[group_of])
                parts.append(states.take(chosen))
            return self._as_table(np.concatenate(keys), PackedStates.joined(parts))

    def states_of(self, keys: pa.Array, last: int) -> pa.Table:
        """Return all states of some entities; see the base class."""
        hashes = np.unique(hashes_of(keys))
        with self._snapshot() as connection:
            self._require(connection, last + 1, reading=True)
            table = self._fetched(connection, self._all_keys(connection, hashes, last + 1))
        return table.filter(pc.is_in(table[self.truth.key], value_set=pa.array(keys)))

    def tied_periods(self, last: int) -> list[int]:
        """Return the periods in which the place decided; see the base class."""
        with self._snapshot() as connection:
            self._require(connection, last + 1, reading=True)
            rows = connection.execute(
                f"SELECT period FROM {self._periods} WHERE period <= ? AND ties > 0 ORDER BY 1",
                (last,),
            ).fetchall()
        return [k for (k,) in rows]

    def _as_table(self, keys: Ints, states: PackedStates) -> pa.Table:
        """Return states with a column for the number of the dataset of each."""
        table = states.unpacked(self.truth)
        return table.append_column(STATE_DATASET, pa.array(keys // KEYS_PER_PERIOD + 1))

    def replace(self, k: int, states: pa.Table, content: str, folder: Path | None = None) -> None:
        """Replace the states of period ``k``, in one transaction; see the base class."""
        with open_database(self.layout.database) as connection, transaction(connection):
            self._check_owner(connection)
            self._create_tables(connection)
            parent = self._require(connection, k)
            bounds = (k * _GROUPS, (k + 1) * _GROUPS)
            connection.execute(
                f"DELETE FROM {self._table} WHERE {_GROUP} >= ? AND {_GROUP} < ?", bounds
            )
            self._insert(connection, k, states)
            hashes = hashes_of(states[self.truth.key])
            order = np.argsort(hashes, kind="stable")
            own = Run(k, hashes[order], k * KEYS_PER_PERIOD + order)
            run = merged(k, own, partial(self._run, connection))
            key = self.series.calendar.keys[k]
            row = (
                k,
                key,
                states.num_rows,
                int(pc.sum(states["state_tied"]).as_py() or 0),
                self._settings,
                content,
                parent,
                self._digest(key, content, parent),
                self._owner,
                run.first,
                run.hashes.astype(_HASH).tobytes(),
                run.keys.astype(_HASH).tobytes(),
            )
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT OR REPLACE INTO {self._periods} VALUES ({marks})", row)

    def _insert(self, connection: sqlite3.Connection, k: int, states: pa.Table) -> None:
        """Add the states of a period to the table, in their order."""
        groups = PackedStates.of(self.truth, states).groups()
        rows = zip(count(k * _GROUPS), *groups, strict=False)
        connection.executemany(f"INSERT INTO {self._table} VALUES (?, ?, ?)", rows)

    def _create_tables(self, connection: sqlite3.Connection) -> None:
        """Create both tables where there are none, or where other settings made them."""
        if column_names(connection, self.name) == [_GROUP, _NUMBERS, _TEXTS]:
            return
        self._drop(connection)
        connection.execute(
            f"CREATE TABLE {self._table} ({_GROUP} INTEGER PRIMARY KEY, {_NUMBERS}, {_TEXTS})"
        )
        connection.execute(
            f"CREATE TABLE {self._periods} (period INTEGER PRIMARY KEY, starts TEXT, "
            "states INTEGER, ties INTEGER, settings TEXT, content TEXT, parent TEXT, digest TEXT, "
            "owner TEXT, first INTEGER, hashes BLOB, state_keys BLOB)"
        )

    def require_periods(self, before: int) -> None:
        """Refuse unless all periods before ``before`` are recorded; see the base class."""
        if not self.layout.database.exists():
            self._refuse(before, 0, reading=False)
            return
        with open_database(self.layout.database, read_only=True) as connection:
            self._check_owner(connection)
            self._require(connection, before)

    def recorded_periods(self) -> int:
        """Return how many periods are recorded and current; see the base class."""
        if not self.layout.database.exists():
            return 0
        with open_database(self.layout.database, read_only=True) as connection:
            return len(self._chain(connection))

    def content(self, k: int) -> str:
        """Return the digest of the delivered file of period ``k``; see the base class."""
        with self._snapshot() as connection:
            self._require(connection, k + 1, reading=True)
            (found,) = connection.execute(
                f"SELECT content FROM {self._periods} WHERE period = ?", (k,)
            ).fetchone()
        return str(found)

    def _chain(self, connection: sqlite3.Connection) -> list[str]:
        """Return the digests of the periods that follow each other, made by current settings."""
        if f"{self.series.states_table}_periods" not in table_names(connection):
            return []
        rows: Mapping[int, tuple[str, str, str]] = {
            period: (settings, parent, digest)
            for period, settings, parent, digest in connection.execute(
                f"SELECT period, settings, parent, digest FROM {self._periods}"
            )
        }
        chain: list[str] = []
        for k in range(self.series.calendar.count):
            settings, parent, digest = rows.get(k, ("", "", ""))
            if settings != self._settings or parent != (chain[-1] if chain else ""):
                break
            chain.append(digest)
        return chain

    def _require(self, connection: sqlite3.Connection, before: int, reading: bool = False) -> str:
        """Return the digest of the period before ``before``; refuse where one is not current."""
        chain = self._chain(connection)
        if len(chain) < before:
            self._refuse(before, len(chain), reading)
        return chain[before - 1] if before else ""

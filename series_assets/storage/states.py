"""The table of states: what each delivered entity was after each period, in SQLite.

A row is a state that a period left; its key is made of the period and its place there, so "as of
a period" is a bound on the key and nothing is stored twice. An index by the hash of the entity's
identifier finds the last state before a period: an index of the identifiers themselves would be
several times as large. Beside it is a table of periods with the digest of each: it covers the
settings, the delivered file and the digest of the period before, so that a period whose
predecessors have changed is known to be stale. What a state is, is decided in ``core/truth``.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.core.errors import RequestError
from series_assets.core.plan.truth import STATE_COLUMNS, Truth
from series_assets.core.truth.columns import no_states
from series_assets.core.truth.packing import pack, unpack
from series_assets.storage.period_table import PeriodTable
from series_assets.storage.sqlite import (
    column_names,
    fetch_columns,
    insert_rows,
    open_database,
    quoted,
    snapshot,
    table_names,
    transaction,
)

_KEY, _COLUMNS = "state_key", ("entity", "flags", "state")
"""The key of a state; the hash of its entity, what statements ask for, and all else, packed."""
_FORMAT = 2
"""Counts the ways in which states have been stored; it is part of the digests."""
PLACES = 2**32
"""Keys of one period: place ``p`` of period ``k`` has the key ``k * 2**32 + p``."""
_FLAGS = {"state_opens": 1, "state_deleted": 2, "state_tied": 4}
_PACKED = tuple(name for name in STATE_COLUMNS[1:] if name not in _FLAGS)
_SELECTED = "kept.flags, kept.state"

_CACHE = "PRAGMA cache_size = -65536"
"""64 MB in place of two: each period looks up and adds keys all over the index."""


class StateTable(PeriodTable):
    """The table of states of a series with a ``truth`` block, in its database."""

    @property
    def name(self) -> str:
        """The table's name."""
        return self.series.states_table

    @cached_property
    def truth(self) -> Truth:
        """What the series asks for."""
        assert self.series.truth is not None
        return self.series.truth

    @cached_property
    def _packed(self) -> list[str]:
        """The columns that are packed into one."""
        return [*_PACKED, self.truth.key, *self.truth.track]

    @cached_property
    def _settings(self) -> str:
        """A digest of what states depend on beside the delivered files."""
        parts = [self.series.fingerprint, self.truth.identity, _FORMAT]
        text = json.dumps(parts, ensure_ascii=False)
        return sha256(text.encode()).hexdigest()[:16]

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """Open the database for reading, as it is at one moment."""
        database = self.layout.database
        with open_database(database, read_only=True) as connection, snapshot(connection):
            connection.execute(_CACHE)
            yield connection

    def latest(self, keys: pa.Array, before: int) -> pa.Table:
        """Return the last state before period ``before`` of those of the entities that had one.

        ``keys`` are identifiers. Raises RequestError unless all periods before are recorded and
        current.
        """
        if before == 0:
            return no_states(self.truth)
        hashes = np.unique(_hashes(keys))
        wanted = json.dumps(hashes.tolist())
        with self._snapshot() as connection:
            self._require(connection, before)
            cursor = connection.execute(
                f"SELECT {_SELECTED} FROM json_each(?) AS wanted CROSS JOIN {self._table} AS kept "
                f"ON kept.{_KEY} = (SELECT max(one.{_KEY}) FROM {self._table} AS one "
                f"WHERE one.entity = wanted.value AND one.{_KEY} < ?)",
                (wanted, before * PLACES),
            )
            found = self._as_table(*fetch_columns(cursor))
            known = pc.is_in(found[self.truth.key], value_set=pa.array(keys))
            if len(hashes) == len(keys) and pc.all(known, min_count=0).as_py():
                return found
            cursor = connection.execute(self._all_of_entities, (wanted, before * PLACES))
            _, *columns = fetch_columns(cursor)
        return self._last_of(keys, self._as_table(*columns))

    @cached_property
    def _all_of_entities(self) -> str:
        """A statement for all states before a key of entities with some hashes."""
        return (
            f"SELECT kept.{_KEY} / {PLACES} + 1, {_SELECTED} FROM json_each(?) AS wanted "
            f"CROSS JOIN {self._table} AS kept ON kept.entity = wanted.value "
            f"AND kept.{_KEY} < ? ORDER BY kept.{_KEY}"
        )

    def _last_of(self, keys: pa.Array, states: pa.Table) -> pa.Table:
        """Return the last state of each of the entities, among ``states`` in order of time."""
        import pandas as pd

        states = states.filter(pc.is_in(states[self.truth.key], value_set=pa.array(keys)))
        texts = pd.Series(states[self.truth.key].to_pandas(), dtype=object)
        return states.take(pa.array(np.flatnonzero(~texts.duplicated(keep="last"))))

    def changes(self, last: int) -> pa.Table:
        """Return the states up to period ``last`` that open a version or delete, in order of time.

        With a column ``dataset``, the number of the dataset that each comes from. Raises
        RequestError unless all periods up to it are recorded and current.
        """
        flags = _FLAGS["state_opens"] | _FLAGS["state_deleted"]
        with self._snapshot() as connection:
            self._require(connection, last + 1, reading=True)
            cursor = connection.execute(
                f"SELECT {_KEY} / {PLACES} + 1, {_SELECTED} FROM {self._table} AS kept "
                f"WHERE {_KEY} < ? AND flags & {flags} ORDER BY {_KEY}",
                ((last + 1) * PLACES,),
            )
            return self._with_datasets(*fetch_columns(cursor))

    def states_of(self, keys: pa.Array, last: int) -> pa.Table:
        """Return all states up to period ``last`` of some entities, in order of time.

        With a column ``dataset``, as ``changes``. Raises RequestError as it does.
        """
        wanted = json.dumps(np.unique(_hashes(keys)).tolist())
        with self._snapshot() as connection:
            self._require(connection, last + 1, reading=True)
            bound = (last + 1) * PLACES
            cursor = connection.execute(self._all_of_entities, (wanted, bound))
            table = self._with_datasets(*fetch_columns(cursor))
        return table.filter(pc.is_in(table[self.truth.key], value_set=pa.array(keys)))

    def _with_datasets(self, datasets: list[int], *columns: list[Any]) -> pa.Table:
        """Return states with a column for the number of the dataset of each."""
        table = self._as_table(*columns)
        return table.append_column("dataset", pa.array(datasets, pa.int64()))

    def tied_periods(self, last: int) -> list[int]:
        """Return the periods up to ``last`` in which the place in the file decided on a state.

        Raises RequestError unless all of them are recorded and current.
        """
        with self._snapshot() as connection:
            self._require(connection, last + 1, reading=True)
            rows = connection.execute(
                f"SELECT DISTINCT {_KEY} / {PLACES} FROM {self._table} "
                f"WHERE {_KEY} < ? AND flags & {_FLAGS['state_tied']} ORDER BY 1",
                ((last + 1) * PLACES,),
            ).fetchall()
        return [k for (k,) in rows]

    def _as_table(self, flags_of: list[int], packed_in: list[str]) -> pa.Table:
        if not flags_of:
            return no_states(self.truth)
        flags, packed = pa.array(flags_of, pa.int64()), pa.array(packed_in, pa.string())
        schema = no_states(self.truth).schema
        columns = {
            name: pc.bit_wise_and(pc.shift_right(flags, bit.bit_length() - 1), 1)
            for name, bit in _FLAGS.items()
        }
        types = [schema.field(name).type for name in self._packed]
        columns |= dict(zip(self._packed, unpack(packed, types), strict=True))
        columns["state_place"] = pa.nulls(len(flags), pa.int64())
        return pa.table({name: columns[name] for name in schema.names})

    def replace(self, k: int, states: pa.Table, content: str) -> None:
        """Put the states of period ``k`` in place of those it had before, in one transaction.

        ``content`` is a digest of the delivered file that they come from. Raises RequestError
        unless all periods before are recorded and current.
        """
        with open_database(self.layout.database) as connection, transaction(connection):
            connection.execute(_CACHE)
            self._check_owner(connection)
            self._create_tables(connection)
            parent = self._require(connection, k)
            bounds = (k * PLACES, (k + 1) * PLACES)
            connection.execute(
                f"DELETE FROM {self._table} WHERE {_KEY} >= ? AND {_KEY} < ?", bounds
            )
            # As they are looked up: neighbours in the index are neighbours in the table.
            hashes = _hashes(states[self.truth.key])
            order = np.lexsort((states["state_place"].to_numpy(), hashes))
            states = states.take(pa.array(order))
            flags = sum(states[name].to_numpy() * bit for name, bit in _FLAGS.items())
            packed = pack([states[name].combine_chunks() for name in self._packed])
            insert_rows(
                connection,
                f"INSERT INTO {self._table} ({', '.join([_KEY, *_COLUMNS])}) VALUES",
                zip(
                    range(k * PLACES, k * PLACES + states.num_rows),
                    hashes[order].tolist(),
                    np.asarray(flags).tolist(),
                    packed.to_pandas(deduplicate_objects=False).tolist(),
                    strict=True,
                ),
                len(_COLUMNS) + 1,
            )
            digest = self._digest(self.series.calendar.keys[k], content, parent)
            connection.execute(
                f"INSERT OR REPLACE INTO {self._periods} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    k,
                    self.series.calendar.keys[k],
                    states.num_rows,
                    self._settings,
                    content,
                    parent,
                    digest,
                    self._owner,
                ),
            )

    def _digest(self, key: str, content: str, parent: str) -> str:
        text = json.dumps([self._settings, key, content, parent])
        return sha256(text.encode()).hexdigest()[:16]

    def _create_tables(self, connection: sqlite3.Connection) -> None:
        """Create both tables where there are none, or where other settings made them."""
        if column_names(connection, self.name) == [_KEY, *_COLUMNS]:
            return
        self._drop(connection)
        columns = "".join(f", {name}" for name in _COLUMNS)
        connection.execute(f"CREATE TABLE {self._table} ({_KEY} INTEGER PRIMARY KEY{columns})")
        index = quoted(f"{self.series.states_table}_by_entity")
        connection.execute(f"CREATE INDEX {index} ON {self._table} (entity)")
        connection.execute(
            f"CREATE TABLE {self._periods} (period INTEGER PRIMARY KEY, starts TEXT, "
            "states INTEGER, settings TEXT, content TEXT, parent TEXT, digest TEXT, owner TEXT)"
        )

    def require_periods(self, before: int) -> None:
        """Refuse unless all periods before ``before`` are recorded, and current.

        Raises RequestError that names what to make first.
        """
        if not self.layout.database.exists():
            self._refuse(before, 0, reading=False)
            return
        with open_database(self.layout.database, read_only=True) as connection:
            self._check_owner(connection)
            self._require(connection, before)

    def recorded_periods(self) -> int:
        """Return how many periods are recorded and current, counted from the first without gaps."""
        if not self.layout.database.exists():
            return 0
        with open_database(self.layout.database, read_only=True) as connection:
            return len(self._chain(connection))

    def content(self, k: int) -> str:
        """Return the digest of the delivered file that the states of period ``k`` come from.

        Raises RequestError unless it and all periods before are recorded and current.
        """
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

    def _refuse(self, before: int, made: int, reading: bool) -> None:
        if before <= made:
            return
        keys = self.series.calendar.keys
        span = keys[made] if made == before - 1 else f"{keys[made]}..{keys[before - 1]}"
        problem = f"of {span} are missing, or made from other contents"
        who = "the states" if reading else "its states follow from those before it, but the states"
        raise RequestError(
            f"{who} {problem} of the two files or of a period before",
            f"first run series-assets generate {self.series.name} --periods {span}, or materialize "
            "state of these partitions",
            series=self.series.name,
            period="" if reading else keys[before],
        )


def _hashes(keys: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """Return a number for each identifier; two of them hardly ever have the same."""
    import pandas as pd

    texts = np.array(keys.to_pandas(deduplicate_objects=False), dtype=object)
    return pd.util.hash_array(texts, categorize=False).view(np.int64)

"""The states of entities that tie, and the history that follows from the rows a table took."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.plan.truth import STATE_DATASET
from series_assets.core.verify.instants import OPEN, instant_of
from series_assets.core.verify.sides import Ints, Versions
from series_assets.core.verify.ties import State, Version, adopted, by_entity
from series_assets.pipeline.truth import tied_rows
from series_assets.pipeline.workspace import Workspace
from series_assets.storage import files
from series_assets.storage.tables import state_table


@dataclass(frozen=True)
class Taken:
    """The history of the entities of which a table took other rows than expected."""

    keys: tuple[int, ...]
    versions: Versions
    ties: int
    """How many rows were taken in place of the expected ones."""


@dataclass(frozen=True)
class TiedEntities:
    """All states of the entities that tie in some period, and the rows that tie."""

    rows: pa.Table
    """The key and the tracked columns, as text: first of the states, then of the tied rows."""
    states: tuple[tuple[str, str, bool, bool], ...]
    """Of each state: the ISO day since when, its moment, whether it is deleted, whether it ties."""
    rivals: tuple[str, ...]
    """Of each tied row: its moment."""

    def taken(
        self,
        our_keys: Ints,
        our_values: Ints,
        offset: int,
        theirs: Versions,
        their_values: Ints,
        *,
        timed: bool,
        only_last: bool,
    ) -> Taken:
        """Return the history of the entities of which the table took other rows.

        ``our_keys`` and ``our_values`` (one line a column) are codes of the rows that ``rows`` is
        the end of, from ``offset``; ``their_values`` those of the table's rows.
        """
        keys, versions, ties = [], [], 0
        rows = np.flatnonzero(np.isin(theirs.key, our_keys[offset:]))
        held: dict[int, list[tuple[int, int, tuple[int, ...]]]] = {}
        for row in rows:
            values = tuple(their_values[:, theirs.place[row]].tolist())
            held.setdefault(int(theirs.key[row]), []).append(
                (int(theirs.start[row]), int(theirs.end[row]), values)
            )
        count = len(self.states)
        states = list(self._states(our_keys, our_values, offset))
        codes = our_keys[offset : offset + count].tolist()
        for key, its_states in by_entity(codes, states).items():
            found = adopted(its_states, held.get(key, []), timed=timed, only_last=only_last)
            if found:
                keys.append(key)
                versions += [(key, version) for version in found[0]]
                ties += found[1]
        return Taken(tuple(keys), _as_versions(versions), ties)

    def _states(self, our_keys: Ints, our_values: Ints, offset: int) -> Iterator[State]:
        rivals: dict[tuple[int, str], list[int]] = {}
        for place, moment in enumerate(self.rivals, start=offset + len(self.states)):
            rivals.setdefault((int(our_keys[place]), moment), []).append(place)
        for place, (since, moment, deleted, tied) in enumerate(self.states, start=offset):
            its_rivals = rivals.get((int(our_keys[place]), moment), []) if tied else []
            yield State(
                instant_of(since),
                place,
                tuple(our_values[:, place].tolist()),
                deleted,
                tuple((one, tuple(our_values[:, one].tolist())) for one in its_rivals),
            )


def _as_versions(found: list[tuple[int, Version]]) -> Versions:
    columns = [
        [key for key, _ in found],
        [one.since for _, one in found],
        [OPEN if one.until is None else one.until for _, one in found],
        [one.place for _, one in found],
    ]
    return Versions(*(np.array(column, dtype=np.int64) for column in columns))


def tied_entities(series: Series, workspace: Workspace, at: Period) -> TiedEntities:
    """Return the entities that tie in a period up to ``at``, with all their states.

    Raises as ``tied_rows``.
    """
    found = [_tied_in(part, workspace, at) for part in series.parts]
    states, tied, of_states, rivals = zip(*found, strict=True)
    rows = pa.concat_tables([*states, *tied])
    return TiedEntities(rows, tuple(chain(*of_states)), tuple(chain(*rivals)))


def _tied_in(
    series: Series, workspace: Workspace, at: Period
) -> tuple[pa.Table, pa.Table, list[tuple[str, str, bool, bool]], list[str]]:
    """Return what ``TiedEntities`` has of one part, its rows as those of states and tied rows."""
    truth = series.history
    table = state_table(series, workspace.layout(series))
    tied = tied_rows(series, workspace, at)
    names = [truth.key, *truth.track]
    states = table.states_of(pc.unique(tied[truth.key].combine_chunks()), at.k)
    day_of = _days(series, workspace)

    def moment(dataset: int, row: int | None) -> str:
        """Rows that can tie share it: the period, and with ``every_row`` the day."""
        return f"{dataset} {day_of(dataset, row) if truth.every_row and row else ''}"

    of_states = []
    names_of_facts = (STATE_DATASET, "state_row", "state_deleted", "state_tied")
    facts = (states[name].to_pylist() for name in names_of_facts)
    for dataset, row, is_deleted, is_tied in zip(*facts, strict=True):
        first = series.calendar.keys[dataset - 1]
        since = day_of(dataset, row) if truth.by_event and row else first
        of_states.append((since, moment(dataset, row), bool(is_deleted), bool(is_tied)))
    places = zip(tied[STATE_DATASET].to_pylist(), tied["state_row"].to_pylist(), strict=True)
    return states.select(names), tied.select(names), of_states, [moment(*one) for one in places]


def _days(series: Series, workspace: Workspace) -> Callable[[int, int], str]:
    """Return a function that gives the day of a row of a dataset by ``order_by``."""
    order_by = series.history.order_by

    @cache
    def column(dataset: int) -> pa.ChunkedArray:
        path = workspace.layout(series).dataset(dataset)
        return files.read_table(path, [order_by] if order_by else []).column(0)

    def day_of(dataset: int, row: int) -> str:
        return str(column(dataset)[row - 1].as_py())

    return day_of

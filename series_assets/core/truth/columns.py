"""Columns of text as numbers: equal values have equal codes, later moments have larger ranks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.core.arrays import joined
from series_assets.core.plan.truth import STATE_COLUMNS, STATE_ENTITY, Truth

_TYPES = {"state_valid_from": pa.string()}
_SPAN = r"^(-?[0-9]+ days?( [+-]?[0-9:.]+)?|[0-9]+:[0-9]{2}:[0-9]{2}(\.[0-9]+)?)$"
"""How files write a difference between two dates or times."""


def combined(first: pa.ChunkedArray, second: pa.ChunkedArray) -> pa.Array:
    """Return the values of two columns of text as one array."""
    chunks = [*first.chunks, *second.chunks]
    return joined([chunk.cast(pa.string()) for chunk in chunks], pa.string())


@dataclass(frozen=True)
class Entities:
    """The entities of a period: those of its rows by their first occurrence, then any others."""

    keys: pa.Array
    """Their identifiers, each once."""
    of_rows: NDArray[np.int64]
    """The place of each row's entity among them; -1 where the row has no identifier."""


def entities_of(identifiers: pa.ChunkedArray, others: Sequence[str] = ()) -> Entities:
    """Return the entities of some rows, and others that have no row."""
    coded = joined(identifiers.chunks, pa.string()).dictionary_encode()
    of_rows = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    keys = joined([coded.dictionary, pa.array(others, pa.string())], pa.string())
    return Entities(pc.unique(keys) if others else keys, of_rows)


def with_entities(states: pa.Table, places: Sequence[int] | NDArray[Any]) -> pa.Table:
    """Return states with the column ``STATE_ENTITY``: the place of the entity among some."""
    return states.append_column(STATE_ENTITY, pa.array(places, pa.int64()))


def moments(rows: pa.Table, truth: Truth) -> tuple[NDArray[np.int64], int]:
    """Return the rank of each row by ``order_by`` and how many ranks there are.

    Missing values come first. Numbers are ordered as numbers, differences between dates by their
    length, all else as its text, which for ISO days is their order. Without ``order_by`` all rows
    have one rank.
    """
    import pandas as pd

    from series_assets.core.records import column_from_text

    count = rows.num_rows
    if truth.order_by is None:
        return np.zeros(count, dtype=np.int64), 1
    coded = combined(rows[truth.order_by], pa.chunked_array([], pa.string())).dictionary_encode()
    texts = coded.dictionary
    values = column_from_text(texts.to_pandas(), truth.order_kind)
    if truth.order_kind == "any" and pc.all(pc.match_substring_regex(texts, _SPAN)).as_py():
        values = pd.to_timedelta(values)
    order = values.sort_values(kind="stable").index.to_numpy()
    rank = np.empty(len(order) + 1, dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    rank[-1] = 0  # code -1: missing
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return rank[codes], len(order) + 1


def no_states(truth: Truth) -> pa.Table:
    """Return an empty table of states."""
    names = (*STATE_COLUMNS, truth.key, *truth.track)
    types = {name: pa.int64() for name in STATE_COLUMNS} | _TYPES
    return pa.schema({name: types.get(name, pa.string()) for name in names}).empty_table()

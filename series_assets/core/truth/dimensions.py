"""The expected dimension: current state (SCD1) and history (SCD2) from the states of all periods.

"As of a period" is a bound on the states that are read, and decided by who reads them.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.core.plan.truth import STATE_DATASET, Truth


def history(truth: Truth, states: pa.Table) -> pa.Table:
    """Return the versions of all entities, sorted by key and version (SCD2).

    ``states`` are those that open a version or delete an entity, in order of time for each entity,
    with a column ``STATE_DATASET``: the number of the dataset that each comes from.
    Columns: the key, the tracked columns, ``version``, ``valid_from``, ``valid_to`` (text, ISO
    days; half open, null while current), ``is_current`` (bool), ``opened_in``, ``closed_in``,
    ``row`` (int64; the datasets in which it opened and closed, and the row that opened it).
    """
    states = _by_key(truth, states)
    key, last = states[truth.key].combine_chunks(), _are_last(truth, states)
    following = pa.array(np.arange(1, states.num_rows + 1), mask=last)
    begun = states["state_valid_from"].combine_chunks()
    dataset = states[STATE_DATASET].combine_chunks()
    found = pa.table(
        {
            truth.key: key,
            **{name: states[name] for name in truth.track},
            "version": states["state_version"],
            "valid_from": begun,
            "valid_to": begun.take(following),
            "is_current": pa.array(last),
            "opened_in": dataset,
            "closed_in": dataset.take(following),
            "row": states["state_row"],
        }
    )
    return found.filter(pc.equal(states["state_deleted"], 0))


def current(truth: Truth, states: pa.Table) -> pa.Table:
    """Return the last version of each entity, sorted by key (SCD1).

    ``states`` as for ``history``. Columns: the key, the tracked columns, ``version``, ``since``
    (text, the ISO day on which it began or, if deleted, ended) and ``is_deleted`` (bool).
    """
    states = _by_key(truth, states)
    states = states.filter(pa.array(_are_last(truth, states)))
    return pa.table(
        {
            truth.key: states[truth.key],
            **{name: states[name] for name in truth.track},
            "version": states["state_version"],
            "since": states["state_valid_from"],
            "is_deleted": pc.equal(states["state_deleted"], 1),
        }
    )


def _are_last(truth: Truth, states: pa.Table) -> NDArray[np.bool_]:
    """Tell which states, sorted by key, are the last one of their entity."""
    key = states[truth.key].combine_chunks()
    last = np.ones(len(key), dtype=bool)
    last[:-1] = pc.not_equal(key[1:], key[:-1]).to_numpy(zero_copy_only=False)
    return last


def _by_key(truth: Truth, states: pa.Table) -> pa.Table:
    """Sort by key and, within a key, by time."""
    keys = pa.table({"key": states[truth.key], "place": pa.array(np.arange(states.num_rows))})
    order = pc.sort_indices(keys, sort_keys=[("key", "ascending"), ("place", "ascending")])
    return states.take(order).combine_chunks()

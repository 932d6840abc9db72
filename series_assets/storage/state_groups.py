"""Groups of states, as they are stored in SQLite: their numbers in one value, texts in another.

A row of SQLite for each state, with a value for each column, takes several times as long.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from series_assets.core.arrays import one_array
from series_assets.core.plan.truth import Truth
from series_assets.core.truth.columns import no_states
from series_assets.core.truth.packing import pack, unpack

Ints = NDArray[np.int64]

TOGETHER = 16
"""How many states are in a group: of more, a lookup would read too many that it does not need."""
_TYPES = {
    "state_row": "<i4",
    "state_version": "<i4",
    "state_opened_in": "<i4",
    "state_opened_row": "<i4",
    "state_opens": "i1",
    "state_deleted": "i1",
    "state_tied": "i1",
}
"""The numbers of a state, and how each is stored; -1 where it is missing."""
_LENGTH = "length"
_NUMBERS = np.dtype([*_TYPES.items(), (_LENGTH, "<i4")])
"""The numbers of a state, and how many bytes its text has."""
_GROUPS_FETCHED = 5_000


@dataclass(frozen=True)
class PackedStates:
    """Some states in order, as they are stored."""

    numbers: NDArray[Any]
    """Of each state, a record of ``_NUMBERS``."""
    texts: pa.Array
    """All other columns of each state, packed into one text."""

    @classmethod
    def of(cls, truth: Truth, states: pa.Table) -> "PackedStates":
        """Pack a table of states."""
        texts = pack([one_array(states[name]) for name in _texts(truth)])
        numbers = np.empty(len(texts), _NUMBERS)
        for name in _TYPES:
            numbers[name] = states[name].fill_null(-1).to_numpy()
        numbers[_LENGTH] = np.diff(_offsets(texts))
        return cls(numbers, texts)

    @classmethod
    def joined(cls, parts: "list[PackedStates]") -> "PackedStates":
        """Return the states of all parts."""
        return cls(
            np.concatenate([np.empty(0, _NUMBERS), *(part.numbers for part in parts)]),
            pa.concat_arrays([pa.array([], pa.large_string()), *(part.texts for part in parts)]),
        )

    def take(self, places: Ints) -> "PackedStates":
        """Return the states at some places."""
        return PackedStates(self.numbers[places], self.texts.take(pa.array(places)))

    def unpacked(self, truth: Truth) -> pa.Table:
        """Return them as a table of states, without their places."""
        schema, names = no_states(truth).schema, _texts(truth)
        columns = dict(zip(names, unpack(self.texts, len(names)), strict=True))
        for name in _TYPES:
            numbers = self.numbers[name].astype(np.int64)
            columns[name] = pa.array(numbers, mask=numbers < 0)
        columns["state_place"] = pa.nulls(len(self.texts), pa.int64())
        return pa.table({name: columns[name] for name in schema.names})

    def groups(self) -> tuple[list[bytes], list[bytes]]:
        """Return the numbers of each group, and its texts in UTF-8, one behind the other."""
        size, content = TOGETHER * _NUMBERS.itemsize, self.numbers.tobytes()
        numbers = [content[start : start + size] for start in range(0, len(content), size)]
        bounds = [*_offsets(self.texts)[:-1:TOGETHER].tolist(), int(_offsets(self.texts)[-1])]
        content = self.texts.buffers()[2].to_pybytes() if bounds[-1] else b""
        return numbers, [content[start:end] for start, end in pairwise(bounds)]


def fetched(cursor: sqlite3.Cursor) -> Iterator[tuple[Ints, Ints, PackedStates]]:
    """Yield the states of fetched groups, some groups at a time.

    A row has the number of a group, its numbers and its texts. Yields the numbers of the groups,
    where each begins among the states, and the states. Raises ValueError where a stored value is
    damaged.
    """
    while rows := cursor.fetchmany(_GROUPS_FETCHED):
        groups, numbers, texts = zip(*rows, strict=True)
        states = np.frombuffer(b"".join(numbers), _NUMBERS)
        sizes = np.array(list(map(len, numbers))) // _NUMBERS.itemsize
        offsets = np.concatenate([[0], np.cumsum(states[_LENGTH], dtype=np.int64)])
        content = b"".join(texts)
        if offsets[-1] != len(content):
            raise ValueError("texts of other lengths")
        buffers = pa.py_buffer(offsets), pa.py_buffer(content)
        packed = pa.LargeStringArray.from_buffers(len(states), *buffers)
        packed.validate(full=True)
        yield np.array(groups), np.cumsum(sizes) - sizes, PackedStates(states, packed)


def _texts(truth: Truth) -> list[str]:
    """Return the columns that are packed into one text: those that ``_NUMBERS`` does not have."""
    numbers = {*_TYPES, "state_place"}
    return [name for name in no_states(truth).schema.names if name not in numbers]


def _offsets(texts: pa.Array) -> NDArray[np.int32]:
    """Return where each of some texts, which are not a slice, begins in the buffer, and the end."""
    return np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1)

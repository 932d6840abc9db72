"""Sorted runs of hashes, which find the last state of an entity before a period.

Each period keeps a run: the hashes of the entities that it leaves a state of, and the keys of these
states. That of every sixteenth period includes those of the fifteen periods before it, that of
every 256th those of the 255 before it, and so on, so that few runs cover all periods before any
given one. An index of SQLite would be rewritten all over in each period.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_PERIODS_TOGETHER = 16
_MOST_STATES = 4_000_000
"""Runs are not merged beyond this size, which takes 64 MB."""


@dataclass(frozen=True)
class Run:
    """The states of some consecutive periods, by the hash of the entity and then by time."""

    first: int
    """The first period covered; the last is the one that keeps the run."""
    hashes: Ints
    keys: Ints

    def last(self, wanted: Ints) -> Ints:
        """Return the key of the last state with each of some sorted hashes, -1 without one."""
        if not len(self.hashes):
            return np.full(len(wanted), -1)
        places = np.searchsorted(self.hashes, wanted, side="right") - 1
        return np.where(self.hashes[places] == wanted, self.keys[places], -1)

    def all(self, wanted: Ints) -> Ints:
        """Return the keys of all states with one of some hashes."""
        return self.keys[np.isin(self.hashes, wanted)]


def hashes_of(identifiers: pa.Array | pa.ChunkedArray) -> Ints:
    """Return a number for each identifier; two of them hardly ever have the same.

    Identifiers of one length are hashed together, eight bytes at a time.
    """
    texts = pa.concat_arrays([pa.array([], pa.string()), *_chunks(identifiers)])
    lengths = pc.binary_length(texts).to_numpy()
    found = np.empty(len(texts), dtype=np.uint64)
    for length in (different := np.unique(lengths)):
        places = np.flatnonzero(lengths == length)
        chosen = texts if len(different) == 1 else texts.take(pa.array(places))
        _, _, content = chosen.buffers()
        width = -(-length // 8) * 8
        padded = np.zeros((len(places), width), dtype=np.uint8)
        if length:
            found_bytes = np.frombuffer(content, np.uint8, len(places) * length)
            padded[:, :length] = found_bytes.reshape(len(places), length)
        found[places] = _mixed(padded.view("<u8"), length)
    return found.view(np.int64)


def _chunks(identifiers: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    is_chunked = isinstance(identifiers, pa.ChunkedArray)
    return identifiers.chunks if is_chunked else [identifiers]


def _mixed(words: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """Return a number for each row of words: multiplied and folded with the next word."""
    mixed = np.full(len(words), length, dtype=np.uint64)
    for word in words.T:
        mixed = (mixed ^ word) * _FACTOR
        mixed ^= mixed >> np.uint64(32)
    return mixed * _FACTOR


def runs_before(period: int, run_of: Callable[[int], Run]) -> Iterator[Run]:
    """Yield the runs that cover all periods before one, the latest first."""
    while period > 0:
        run = run_of(period - 1)
        yield run
        period = run.first


def merged(period: int, own: Run, run_of: Callable[[int], Run]) -> Run:
    """Return the run that a period keeps: its ``own``, or one that includes those before it."""
    firsts = _firsts(period)
    runs, size, kept = [own], len(own.hashes), 1
    for run in runs_before(period, run_of) if firsts else ():
        size += len(run.hashes)
        if run.first < firsts[-1] or size > _MOST_STATES:
            break
        runs.append(run)
        if run.first in firsts:
            kept = len(runs)
    return _joined(runs[:kept])


def _firsts(period: int) -> list[int]:
    """Return the periods with which a merged run of a period may begin, the latest first."""
    found, span = [], _PERIODS_TOGETHER
    while (period + 1) % span == 0:
        found.append(period + 1 - span)
        span *= _PERIODS_TOGETHER
    return found


def _joined(runs: Sequence[Run]) -> Run:
    """Return one run of several, which are given the latest first."""
    if len(runs) == 1:
        return runs[0]
    runs = runs[::-1]
    hashes = np.concatenate([run.hashes for run in runs])
    order = np.argsort(hashes, kind="stable")  # equal ones stay in order of time
    keys = np.concatenate([run.keys for run in runs])
    return Run(runs[0].first, hashes[order], keys[order])

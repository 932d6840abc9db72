"""What the states of a series are to their callers, wherever they are kept.

A state is what a delivered entity was after a period (``core/truth``). Each period is recorded with
a digest, which covers the settings, the delivered file and the digest of the period before, so that
a period whose predecessors have changed is known to be stale.
"""

import json
from abc import abstractmethod
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from series_assets.core.errors import RequestError
from series_assets.core.plan.truth import Truth
from series_assets.storage.series_table import SeriesTable

if TYPE_CHECKING:
    import pyarrow as pa


class States(SeriesTable):
    """The recorded states of a series: its table of states, or those of all its shards."""

    @abstractmethod
    def recorded_periods(self) -> int:
        """Return how many periods are recorded and current, counted from the first without gaps."""

    @abstractmethod
    def require_periods(self, before: int) -> None:
        """Refuse unless all periods before ``before`` are recorded, and current.

        Raises RequestError that names what to generate first.
        """


class StateTable(States):
    """The states of a series that is not divided, or of one shard.

    Entities stay in their shard, so the history of a shard follows from its own parts alone.
    """

    _format: ClassVar[int | str]
    """Counts the ways in which states have been stored; it is part of the digests."""

    @cached_property
    def truth(self) -> Truth:
        """What the series asks for."""
        assert self.series.truth is not None
        return self.series.truth

    @abstractmethod
    def latest(self, keys: "pa.Array", before: int) -> "pa.Table":
        """Return the last state before period ``before`` of those of the entities that had one.

        ``keys`` are identifiers, each once; the column ``STATE_ENTITY`` says at which place there
        the entity of a state is. Raises RequestError unless all periods before are recorded and
        current.
        """

    @abstractmethod
    def changes(self, last: int) -> "pa.Table":
        """Return the states up to period ``last`` that open a version or delete, in order of time.

        With a column ``dataset``, the number of the dataset that each comes from. Raises
        RequestError unless all periods up to it are recorded and current.
        """

    @abstractmethod
    def states_of(self, keys: "pa.Array", last: int) -> "pa.Table":
        """Return all states up to period ``last`` of some entities, in order of time.

        With a column ``dataset``, as ``changes``. Raises RequestError as it does.
        """

    @abstractmethod
    def tied_periods(self, last: int) -> list[int]:
        """Return the periods up to ``last`` in which the place in the file decided on a state.

        Raises RequestError unless all of them are recorded and current.
        """

    @abstractmethod
    def replace(self, k: int, states: "pa.Table", content: str, folder: Path | None = None) -> None:
        """Put the states of period ``k`` in place of those it had before, atomically.

        ``content`` is a digest of the delivered file that they come from; ``folder`` is for
        temporary files. Raises RequestError unless all periods before are recorded and current.
        """

    @abstractmethod
    def content(self, k: int) -> str:
        """Return the digest of the delivered file that the states of period ``k`` come from.

        Raises RequestError unless it and all periods before are recorded and current.
        """

    @cached_property
    def _settings(self) -> str:
        """A digest of what states depend on beside the delivered files."""
        return _digest_of([self.series.fingerprint, self.truth.identity, self._format], False)

    def _digest(self, key: str, content: str, parent: str) -> str:
        """Return the digest of a period from its key, its file and the digest before."""
        return _digest_of([self._settings, key, content, parent])

    def _refuse(self, before: int, recorded: int, reading: bool) -> None:
        """Refuse unless so many periods as ``before`` are among those recorded and current.

        ``reading`` says that they are to be read, else that period ``before`` follows from them.
        """
        if before <= recorded:
            return
        keys = self.series.calendar.keys
        span = keys[recorded] if recorded == before - 1 else f"{keys[recorded]}..{keys[before - 1]}"
        problem = f"of {span} are missing, or were generated from another version"
        who = "the states" if reading else "its states follow from those before it, but the states"
        raise RequestError(
            f"{who} {problem} of the two files or of an earlier period",
            f"first run series-assets generate {self.series.name} --periods {span}, or materialize "
            "state of these partitions",
            series=self.series.name,
            period="" if reading else keys[before],
        )


def _digest_of(content: object, ascii_only: bool = True) -> str:
    text = json.dumps(content, ensure_ascii=ascii_only)
    return sha256(text.encode()).hexdigest()[:16]

"""What a reference table is to its callers, wherever it is kept (contract, section 6).

A reference table records the entities that each period introduced, with the fingerprint of the
files that the period was generated from. An entity's integer key combines its period and its
position there, so "as of period k" is a bound on the key.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from series_assets.core.errors import GenerationError, RequestError
from series_assets.storage.series_table import SeriesTable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

KEYS_PER_PERIOD = 2**32
"""Position ``p`` of period ``k`` has the key ``k * 2**32 + p``."""
Recorded = dict[int, tuple[int, str]]
"""The number of entities and the fingerprint of each recorded period."""


class ReferenceTable(SeriesTable):
    """What a series has recorded: its reference table, or those of all its shards."""

    @abstractmethod
    def prepare(self, folder: Path) -> None:
        """Create what it is kept in, with temporary files in ``folder``."""

    @abstractmethod
    def _recorded(self, *, check_owner: bool, periods: Sequence[int] | None = None) -> Recorded:
        """Return which of the periods, by default of all, are recorded, from whatever files."""

    def require_periods(self, before: int, reader: str = "", *, period: str = "") -> None:
        """Require that all periods before ``before`` are recorded from the current files.

        ``period`` is the key of the period that needs them, ``reader`` anything else that does.
        Raises RequestError that names the periods to generate first.
        """
        recorded = self._recorded(check_owner=True, periods=range(before))
        self._require(recorded, range(before), reader, period)

    def current_counts(self) -> dict[int, int]:
        """Return how many entities each period introduced, if recorded from the current files."""
        recorded = self._recorded(check_owner=False).items()
        return {k: count for k, (count, mark) in recorded if mark == self.series.fingerprint}

    def entities_before(self, k: int) -> "KnownEntities":
        """Return the entities of all periods before ``k``. Raises as ``require_periods`` does."""
        recorded = self._recorded(check_owner=True, periods=range(k))
        keys = self.series.calendar.keys
        reader = "the reference table after the last period"
        self._require(recorded, range(k), reader, keys[k] if k < len(keys) else "")
        return KnownEntities(tuple(recorded[j][0] for j in range(k)))

    def _require(
        self,
        recorded: Mapping[int, tuple[int, str]],
        periods: Iterable[int],
        reader: str = "",
        period: str = "",
    ) -> None:
        keys = self.series.calendar.keys
        periods = list(periods)
        missing = [k for k in periods if k not in recorded]
        stale = [k for k in periods if k in recorded and recorded[k][1] != self.series.fingerprint]
        if not missing and not stale:
            return
        again = sorted({*missing, *stale})
        span = f"{keys[again[0]]}..{keys[again[-1]]}" if len(again) > 1 else keys[again[0]]
        reasons = []
        if missing:
            reasons.append(f"nothing is recorded yet for {_shortened(keys[k] for k in missing)}")
        if stale:
            reasons.append(
                f"{_shortened(keys[k] for k in stale)} {'was' if len(stale) == 1 else 'were'} "
                "generated from another version of the series' two files"
            )
        problem = f"samples from all periods before it, but {' and '.join(reasons)}"
        raise RequestError(
            problem if period else f"{self.series.name}, {reader} {problem}",
            f"first generate {span} (materialize new_records and reference_table of "
            f"{'these partitions' if len(again) > 1 else 'this partition'}, or run "
            f"series-assets generate with --periods {span})",
            series=self.series.name if period else "",
            period=period,
            colon=False,
        )


class EntityTable(ReferenceTable):
    """The reference table of a series that is not divided, or of one shard."""

    @abstractmethod
    def columns(self) -> list[str]:
        """Return the columns of the data in their order; none before any period is recorded."""

    @abstractmethod
    def recorded_periods(self) -> dict[int, tuple[str, int]] | None:
        """Return the key and number of entities of each period, recorded from any files.

        None where there is no reference table.
        """

    def _different_columns(self, k: int) -> GenerationError:
        return GenerationError(
            "its new records have different columns from those of the periods recorded so far; "
            "nothing was recorded",
            series=self.series.name,
            period=self.series.calendar.keys[k],
        )

    @abstractmethod
    def replace(self, k: int, entities: "pd.DataFrame | None", folder: Path | None = None) -> None:
        """Replace the entities that period ``k`` introduced, atomically.

        ``entities`` is typed, with one row for each entity; None for a period without new records.
        ``folder`` is for temporary files.
        """

    @abstractmethod
    def fetch(self, keys: "NDArray[np.int64]", columns: Sequence[str]) -> "pd.DataFrame":
        """Return the typed values of the given rows, in the order of the keys, with repeats.

        Raises RequestError where another run has since recorded some of them from other files.
        """

    @abstractmethod
    def lookup(
        self, identifiers: Sequence[str], before: int | None = None
    ) -> "AbstractContextManager[EntityLookup]":
        """Provide a lookup of entities by some identifier columns.

        It has the entities that periods before ``before`` introduced, or all. Raises
        GenerationError.
        """


class EntityLookup(ABC):
    """The entities of a reference table, found by their identifiers."""

    @abstractmethod
    def keys(
        self, name: str, values: Sequence[str | None], before: int | None = None
    ) -> "NDArray[np.int64]":
        """Return the first key recorded for each value of an identifier.

        −1 where no period before ``before`` recorded it. Raises GenerationError.
        """

    @abstractmethod
    def texts(self, keys: "NDArray[np.int64]", columns: Sequence[str]) -> "dict[str, pa.Array]":
        """Return the recorded values as text, null for the key −1. Raises GenerationError."""


@dataclass(frozen=True)
class KnownEntities:
    """The number of entities that each period so far introduced."""

    counts: tuple[int, ...]

    @cached_property
    def total(self) -> int:
        """The number of all entities; their ranks are 0 to ``total - 1``."""
        return sum(self.counts)

    def keys(self, ranks: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the keys of the entities with the given ranks, in the shape of ``ranks``."""
        import numpy as np

        ends = np.array(list(accumulate(self.counts)), dtype=np.int64)
        periods = np.searchsorted(ends, ranks, side="right")
        firsts = ends - np.array(self.counts, dtype=np.int64)
        return periods * KEYS_PER_PERIOD + (ranks - firsts[periods])


def _shortened(keys: Iterable[str]) -> str:
    keys = list(keys)
    return ", ".join(keys) if len(keys) <= 4 else f"{keys[0]}, {keys[1]}, … {keys[-1]}"

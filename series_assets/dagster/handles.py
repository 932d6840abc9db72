"""What goes from op to op and from asset to asset: specifications, integers and paths of files.

Never the records themselves, so that a range of a hundred periods takes the memory of one.
"""

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from series_assets.core.errors import (
    NO_MEMORY,
    GenerationError,
    RequestError,
    SeriesError,
)
from series_assets.core.plain_text import visible
from series_assets.core.plan.constraints import Broken
from series_assets.core.plan.series import Series
from series_assets.core.spec.specification import Specification
from series_assets.reporting.record_summary import Contents
from series_assets.storage import files
from series_assets.storage.reference_table import ReferenceTable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class NewRecords:
    """The new records of a period; no file and no specification where it has none."""

    records: Path | None
    specification: Specification | None
    contents: Contents | None = None
    said: tuple[str, ...] = ()
    broken: tuple[Broken, ...] = ()
    """The constraints of the specification that some of them do not meet."""


@dataclass(frozen=True)
class Failed:
    """What went wrong with a period; it goes on in its place, so that those before it are kept."""

    message: str
    trace: str | None
    """The traceback of what no user can mend; None where the message says it all."""

    @classmethod
    def by(cls, error: Exception, where: str) -> "Failed":
        """Return what is to be told of an error; ``where`` names series and period."""
        cause = error.__cause__ if isinstance(error, GenerationError) else None
        if isinstance(error, SeriesError):
            trace = "".join(traceback.format_exception(cause)) if cause else None
            told = str(error)
            return cls(told if where in told else f"{where}: {told}", trace)
        told = f"{where}: failed unexpectedly: {type(error).__name__}: {error}"
        if isinstance(error, MemoryError):
            told = f"{where}: {NO_MEMORY}"
        return cls(told, "".join(traceback.format_exception(error)))

    def failure(self) -> dg.Failure:
        """Return the exception that ends a step with this message."""
        text = dg.MetadataValue.text(visible(self.trace or ""))
        metadata = {"traceback": text} if self.trace else None
        return dg.Failure(visible(self.message), metadata=metadata, allow_retries=False)


@dataclass(frozen=True)
class NewEntities:
    """Where in the file of a period's new records its entities occur for the first time."""

    places: Path | None
    """A file of integers; None where there are no new records."""
    count: int
    """How many entities there are."""
    contents: Contents | None = None
    """Of their rows."""


@dataclass(frozen=True)
class Draw:
    """The keys of the entities drawn for a period, one for each existing row."""

    keys: Path
    """A file of integers."""


@dataclass(frozen=True)
class ExistingRecords:
    """The existing records of a period and the specification they were made from."""

    records: Path
    specification: Specification
    said: tuple[str, ...] = ()
    broken: tuple[Broken, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """What a period delivers, and the specification of its existing records if it has any."""

    records: Path
    existing_specification: Specification | None
    new: int
    existing: int
    said: tuple[str, ...] = ()
    """What Exhibit said in the run of the existing records."""
    contents: Contents | None = None
    picture: bytes | None = None
    """A PNG of what the dataset holds."""
    broken: tuple[Broken, ...] = ()
    """The constraints that some of the existing records do not meet."""


@dataclass(frozen=True)
class AsOf:
    """The reference table as it stood after a period."""

    key: str
    table: ReferenceTable

    @property
    def made(self) -> bool:
        """Whether the period and all before it are recorded."""
        made = self.table.made()
        return all(k in made for k in range(self._periods))

    def path(self) -> Path:
        """Raise RequestError: the entities of a period have no file of their own."""
        raise RequestError(
            f"{self.table.series.name}: its reference table is kept in a database, not in files; "
            "annotate the input pd.DataFrame to get its entities, or AsOf"
        )

    def load(self) -> "pd.DataFrame":
        """Return the entities as first recorded, typed, the oldest first.

        Raises RequestError where a period up to this one is missing or made from other contents.
        """
        import numpy as np

        self.table.require(self._periods, f"the reference table after period {self.key}")
        known = self.table.known_before(self._periods)
        return self.table.fetch(known.keys(np.arange(known.total)), self.table.columns())

    @property
    def _periods(self) -> int:
        return self.table.series.calendar.index(self.key) + 1


@dataclass(frozen=True)
class RecordsFile:
    """Records of a period on disk."""

    records: Path | None
    """None where there are none."""
    series: Series
    asset: str
    key: str
    fingerprint: str | None = None
    """What the records were made from, where a specification beside them says so."""

    @property
    def made(self) -> bool:
        """Whether the period is there."""
        return self.records is not None

    def path(self) -> Path:
        """Return the path of the CSV. Raises RequestError where there is none."""
        if self.records is None:
            raise RequestError(
                f"{self.series.name}, period {self.key}: its {self.asset.replace('_', ' ')} "
                f"{'is' if self.asset == 'dataset' else 'are'} missing; make {self.asset} first"
            )
        return self.records

    def load(self) -> "pd.DataFrame":
        """Return the records as a pandas frame, typed. Raises RequestError where there are none."""
        from series_assets.core.records import typed

        return typed(files.read_csv(self.path()), self.series.kinds)

"""What goes from op to op and from asset to asset: specifications, integers and paths of files.

Never the records themselves, so that a range of a hundred periods takes the memory of one.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from series_assets.core.errors import RequestError
from series_assets.core.series import Series
from series_assets.core.specification import Specification
from series_assets.storage import files


@dataclass(frozen=True)
class NewRecords:
    """The new records of a period; no file and no specification where it has none."""

    records: Path | None
    specification: Specification | None
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewEntities:
    """Where in the file of a period's new records its entities occur for the first time."""

    records: Path | None
    places: list[int]


@dataclass(frozen=True)
class Draw:
    """The keys of the entities drawn for a period, one for each existing row."""

    keys: list[int]


@dataclass(frozen=True)
class ExistingRecords:
    """The existing records of a period and the specification they were made from."""

    records: Path
    specification: Specification
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """What a period delivers, and the specification of its existing records if it has any."""

    records: Path
    existing_specification: Specification | None
    new: int
    existing: int
    said: tuple[str, ...] = ()
    """What Exhibit said in the run of the existing records."""


@dataclass(frozen=True)
class AsOf:
    """The reference table as it stood after a period."""

    key: str


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

    def load(self) -> Any:
        """Return the records as a pandas frame, typed. Raises RequestError where there are none."""
        from series_assets.core.records import typed

        if self.records is None:
            raise RequestError(
                f"{self.series.name}, period {self.key}: its {self.asset.replace('_', ' ')} "
                f"{'is' if self.asset == 'dataset' else 'are'} missing; make {self.asset} first"
            )
        return typed(files.read_csv(self.records), self.series.kinds)

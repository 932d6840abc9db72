"""What an asset downstream gets of a period: a handle, which reads only what is asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.storage import files
from series_assets.storage.reference_table import ReferenceTable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ReferenceTableSnapshot:
    """The reference table as it stood after a period."""

    key: str
    """The partition key of the period."""
    table: ReferenceTable

    @property
    def made(self) -> bool:
        """Whether the period and all before it are recorded."""
        made = self.table.current_counts()
        return all(k in made for k in range(self._periods))

    def path(self) -> Path:
        """Raise RequestError: the entities of a period have no file of their own."""
        raise RequestError(
            "its reference table is kept in a database, not in files",
            "annotate the input pd.DataFrame to get its entities, or ReferenceTableSnapshot",
            series=self.table.series.name,
        )

    def load(self) -> "pd.DataFrame":
        """Return the entities as first recorded, typed, the oldest first.

        Raises RequestError where a period up to this one is missing or made from other contents.
        """
        import numpy as np

        self.table.require_periods(self._periods, f"the reference table after period {self.key}")
        known = self.table.entities_before(self._periods)
        return self.table.fetch(known.keys(np.arange(known.total)), self.table.columns())

    @property
    def _periods(self) -> int:
        return self.table.series.calendar.period_for_key(self.key).number


@dataclass(frozen=True)
class RecordsFile:
    """Records of a period on disk."""

    records: Path | None
    """None where there are none."""
    series: Series
    asset: str
    key: str

    @property
    def made(self) -> bool:
        """Whether the period is there."""
        return self.records is not None

    def path(self) -> Path:
        """Return the path of the CSV. Raises RequestError where there is none."""
        if self.records is None:
            raise RequestError(
                f"its {self.asset.replace('_', ' ')} "
                f"{'is' if self.asset == 'dataset' else 'are'} missing",
                f"make {self.asset} first",
                series=self.series.name,
                period=self.key,
            )
        return self.records

    def load(self) -> "pd.DataFrame":
        """Return the records as a pandas frame, typed. Raises RequestError where there are none."""
        from series_assets.core.records import typed

        return typed(files.read_csv(self.path()), self.series.kinds)

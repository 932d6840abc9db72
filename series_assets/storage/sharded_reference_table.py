"""The reference tables of all shards of a series, seen as one."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from series_assets.storage.entities import EntityTable, Recorded, ReferenceTable
from series_assets.storage.parquet_reference_table import ParquetReferenceTable


class ShardedReferenceTable(ReferenceTable):
    """What all shards have recorded. Entities are read from the tables of the ``parts``."""

    @cached_property
    def parts(self) -> tuple[EntityTable, ...]:
        """The table of each shard."""
        pairs = zip(self.series.parts, self.layout.parts, strict=True)
        return tuple(ParquetReferenceTable(series, layout) for series, layout in pairs)

    @property
    def place(self) -> Path:
        """The folder of all periods."""
        return self.parts[0].place

    def prepare(self, folder: Path) -> None:
        """Do nothing: files are created as they are written."""

    def recorded_periods(self) -> dict[int, tuple[str, int]] | None:
        """Return the periods that all shards have recorded, with the number of all entities."""
        of_parts = [part.recorded_periods() or {} for part in self.parts]
        found = {
            k: (key, sum(one[k][1] for one in of_parts))
            for k, (key, _) in of_parts[0].items()
            if all(k in one for one in of_parts)
        }
        return found or None

    def _recorded(self, *, check_owner: bool, periods: Sequence[int] | None = None) -> Recorded:
        """Return the periods that all shards have recorded; of no fingerprint if they differ."""
        of_parts = [part._recorded(check_owner=check_owner, periods=periods) for part in self.parts]
        found: Recorded = {}
        for k, (_, mark) in of_parts[0].items():
            if all(k in one for one in of_parts):
                same = all(one[k][1] == mark for one in of_parts)
                found[k] = (sum(one[k][0] for one in of_parts), mark if same else "")
        return found

    def check_owner(self, *, take_over: bool = False) -> None:
        """Refuse the files of another series in the folder. Raises RequestError."""
        self.parts[0].check_owner(take_over=take_over)

    def drop(self, *, take_over: bool = False) -> bool:
        """Remove the files of all shards; return whether there were any."""
        return self.parts[0].drop(take_over=take_over)

    def columns(self) -> list[str]:
        """Return the columns of the data in their order."""
        return self.parts[0].columns()

"""The states of all shards of a series, seen as one."""

from functools import cached_property
from pathlib import Path

from series_assets.storage.parquet_states import ParquetStateTable
from series_assets.storage.states import States, StateTable


class ShardedStates(States):
    """What all shards have recorded. States are read from the tables of the ``parts``."""

    @cached_property
    def parts(self) -> tuple[StateTable, ...]:
        """The table of each shard."""
        pairs = zip(self.series.parts, self.layout.parts, strict=True)
        return tuple(ParquetStateTable(series, layout) for series, layout in pairs)

    @property
    def place(self) -> Path:
        """The folder of all periods."""
        return self.parts[0].place

    def check_owner(self, *, take_over: bool = False) -> None:
        """Refuse the files of another series in the folder. Raises RequestError."""
        self.parts[0].check_owner(take_over=take_over)

    def drop(self, *, take_over: bool = False) -> bool:
        """Remove the files of all shards; return whether there were any."""
        return self.parts[0].drop(take_over=take_over)

    def recorded_periods(self) -> int:
        """Return how many periods all shards have recorded, which are current."""
        return min(part.recorded_periods() for part in self.parts)

    def require_periods(self, before: int) -> None:
        """Refuse unless all shards have recorded all periods before ``before``."""
        for part in self.parts:
            part.require_periods(before)

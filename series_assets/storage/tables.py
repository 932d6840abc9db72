"""The tables of a series: its reference table and its states, wherever they are kept.

SQLite holds both, or Parquet does: for shards and for object storage.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from series_assets.core.plan.series import Series
from series_assets.storage.layout import Layout
from series_assets.storage.remote import is_remote

if TYPE_CHECKING:
    from series_assets.storage.entities import ReferenceTable
    from series_assets.storage.states import States, StateTable


@dataclass(frozen=True)
class SeriesTable(ABC):
    """What a series has recorded: its table, or those of all its shards."""

    series: Series
    layout: Layout

    @property
    def parts(self) -> tuple[Any, ...]:
        """The tables of all shards; the table itself where there is only one."""
        return (self,)

    @property
    @abstractmethod
    def place(self) -> Path:
        """The file or folder in which it is kept, for messages and metadata."""

    @abstractmethod
    def check_owner(self, *, take_over: bool = False) -> None:
        """Refuse a table, or a folder, that belongs to another series or program.

        ``take_over`` accepts the table of a series whose folder no longer exists. Raises
        RequestError.
        """

    @abstractmethod
    def drop(self, *, take_over: bool = False) -> bool:
        """Remove the table and return whether it existed. Raises as ``check_owner`` does."""


class TablesOfShards(SeriesTable):
    """The tables of all shards of a series, seen as one."""

    _table: ClassVar[type[SeriesTable]]

    @cached_property
    def parts(self) -> tuple[Any, ...]:
        """The table of each shard."""
        pairs = zip(self.series.parts, self.layout.parts, strict=True)
        return tuple(self._table(series, layout) for series, layout in pairs)

    @property
    def place(self) -> Path:
        """The folder of all periods."""
        place: Path = self.parts[0].place
        return place

    def check_owner(self, *, take_over: bool = False) -> None:
        """Refuse the files of another series in the folder. Raises RequestError."""
        self.parts[0].check_owner(take_over=take_over)

    def drop(self, *, take_over: bool = False) -> bool:
        """Remove the files of all shards; return whether there were any."""
        return self.parts[0].drop(take_over=take_over)


def reference_table(series: Series, layout: Layout) -> "ReferenceTable":
    """Return the reference table of a series, or of a shard, whose files have this layout."""
    if series.is_sharded:
        from series_assets.storage.parquet_reference_table import ShardedReferenceTable

        return ShardedReferenceTable(series, layout)
    if layout.keeps_parquet:
        from series_assets.storage.parquet_reference_table import ParquetReferenceTable

        return ParquetReferenceTable(series, layout)
    from series_assets.storage.reference_table import SqliteReferenceTable

    return SqliteReferenceTable(series, layout)


def all_reference_tables(series: Series, layout: Layout) -> "tuple[ReferenceTable, ...]":
    """Return the reference tables of either kind that a series may have had, for removal."""
    from series_assets.storage.parquet_reference_table import ParquetReferenceTable
    from series_assets.storage.reference_table import SqliteReferenceTable

    parquet = ParquetReferenceTable(series, layout)
    if is_remote(layout.folder):
        return (parquet,)
    return SqliteReferenceTable(series, layout), parquet


def states_of(series: Series, layout: Layout) -> "States":
    """Return the states of a series, or of a shard, whose files have this layout."""
    if series.is_sharded:
        from series_assets.storage.parquet_states import ShardedStates

        return ShardedStates(series, layout)
    if layout.keeps_parquet:
        from series_assets.storage.parquet_states import ParquetStateTable

        return ParquetStateTable(series, layout)
    from series_assets.storage.sqlite_states import SqliteStateTable

    return SqliteStateTable(series, layout)


def state_table(series: Series, layout: Layout) -> "StateTable":
    """Return the table of states of a series that is not divided, or of one shard."""
    [table] = states_of(series, layout).parts
    return table


def all_states_of(series: Series, layout: Layout) -> "tuple[States, ...]":
    """Return the states of either kind that a series may have had, for removal."""
    from series_assets.storage.parquet_states import ParquetStateTable
    from series_assets.storage.sqlite_states import SqliteStateTable

    parquet = ParquetStateTable(series, layout)
    if is_remote(layout.folder):
        return (parquet,)
    return SqliteStateTable(series, layout), parquet

"""What a series has recorded in a table, or in one for each of its shards."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from series_assets.core.plan.series import Series
from series_assets.storage.layout import Layout


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

"""What the tables of a series in its database share: names, ownership and removal.

Beside each table is a table of its recorded periods, whose rows name the folder of the series'
files as the owner. Several series may share a database, but not a table or a folder.
"""

import os
import sqlite3
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from series_assets.core.errors import RequestError
from series_assets.storage.series_table import SeriesTable
from series_assets.storage.sqlite import (
    column_names,
    open_database,
    quoted,
    table_names,
    transaction,
)


class PeriodTable(SeriesTable):
    """A table of one series with rows for each period, in the series' database."""

    @property
    def place(self) -> Path:
        """The database."""
        return self.layout.database

    @property
    @abstractmethod
    def name(self) -> str:
        """The table's name."""

    @property
    def _table(self) -> str:
        return quoted(self.name)

    @property
    def _periods(self) -> str:
        return quoted(f"{self.name}_periods")

    @property
    def _owner(self) -> str:
        """The series' folder relative to the database, so that both can be moved together."""
        folder, base = self.layout.folder.resolve(), self.layout.database.resolve().parent
        return Path(os.path.relpath(folder, base)).as_posix()

    def drop(self, *, take_over: bool = False) -> bool:
        """Drop the table and return whether it existed. Raises as ``check_owner`` does."""
        if not self.layout.database.exists():
            return False
        with open_database(self.layout.database) as connection, transaction(connection):
            existed = self.name in table_names(connection)
            self._check_owner(connection, take_over=take_over)
            self._drop(connection)
        return existed

    def _drop(self, connection: sqlite3.Connection) -> None:
        for table in (self._table, self._periods):
            connection.execute(f"DROP TABLE IF EXISTS {table}")

    def check_owner(self, *, take_over: bool = False) -> None:
        """Refuse a table, or a folder, that belongs to another series or program.

        ``take_over`` accepts the table of a series whose folder no longer exists. Raises
        RequestError.
        """
        if self.layout.database.exists():
            with open_database(self.layout.database, read_only=True) as connection:
                self._check_owner(connection, take_over=take_over)

    def _check_owner(self, connection: sqlite3.Connection, *, take_over: bool = False) -> None:
        database, tables = self.layout.database, table_names(connection)
        self._check_folder(connection, tables)
        if self.name not in tables:
            return
        if f"{self.name}_periods" not in tables:
            raise RequestError(
                f"its table {self.name} was not created by series_assets",
                "rename it, or name another database as exhibit_db_path",
                file=database,
            )
        for owner in _owners(connection, self._periods):
            folder = (database.resolve().parent / owner).resolve()
            if owner == self._owner:
                continue
            if folder.exists():
                raise RequestError(
                    f"its table {self.name} belongs to the series whose files are in {folder}",
                    "name another database as exhibit_db_path, or give this series another name",
                    file=database,
                )
            if not take_over:
                raise RequestError(
                    f"its table {self.name} belongs to the series whose files were in {folder}, "
                    "which no longer exists",
                    "restore that folder, or, if it is gone permanently, run series-assets clean "
                    f"{self.series.name} --take-over, which removes the table and the files of "
                    "this series, and regenerate all periods",
                    file=database,
                )

    def _check_folder(self, connection: sqlite3.Connection, tables: Sequence[str]) -> None:
        """Refuse a folder that already holds the files of another series in this database."""
        for table in tables:
            other = table.removesuffix("_reference_periods")
            if other in (table, self.series.name) or f"{other}_reference" not in tables:
                continue
            if "owner" not in column_names(connection, table):  # a table of the user's
                continue
            owners = _owners(connection, quoted(table))
            if self._owner in owners and self.layout.dataset(1).exists():
                raise RequestError(
                    f"holds the files of the series '{other}'",
                    "choose another folder for this series, or remove those files and the database "
                    "first",
                    file=self.layout.folder,
                )


def _owners(connection: sqlite3.Connection, periods: str) -> list[str]:
    return [owner for (owner,) in connection.execute(f"SELECT DISTINCT owner FROM {periods}")]

"""Ownership of reference tables: several series may share a database, but not a table or folder.

Each row of a table of periods names the folder of the series' files.
"""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.storage.files import Layout
from series_assets.storage.sqlite import column_names, quoted, table_names


def relative_folder(layout: Layout) -> str:
    """Return the series' folder relative to the database, so that both can be moved together."""
    folder, base = layout.folder.resolve(), layout.database.resolve().parent
    return Path(os.path.relpath(folder, base)).as_posix()


def check(
    connection: sqlite3.Connection, series: Series, layout: Layout, *, take_over: bool = False
) -> None:
    """Refuse a reference table, or a folder, that belongs to another series or program.

    ``take_over`` accepts the table of a series whose folder no longer exists. Raises RequestError.
    """
    table, database = series.table, layout.database
    tables = table_names(connection)
    _check_folder(connection, series, layout, tables)
    if table not in tables:
        return
    if f"{table}_periods" not in tables:
        raise RequestError(
            f"its table {table} was not made by series_assets",
            "rename it, or name another database as exhibit_db_path",
            file=database,
        )
    for owner in _owners(connection, f"{table}_periods"):
        folder = (database.resolve().parent / owner).resolve()
        if owner == relative_folder(layout):
            continue
        if folder.exists():
            raise RequestError(
                f"its table {table} belongs to the series whose files are in {folder}",
                "name another database as exhibit_db_path, or give this series another name",
                file=database,
            )
        if not take_over:
            raise RequestError(
                f"its table {table} belongs to the series whose files were in {folder}, which "
                "is away",
                "bring that folder back, or, if it is gone for good, run series-assets clean "
                f"{series.name} --take-over, which removes the table and the files of this "
                "series, and make all periods again",
                file=database,
            )


def _check_folder(
    connection: sqlite3.Connection, series: Series, layout: Layout, tables: Sequence[str]
) -> None:
    """Refuse a folder that already holds the files of another series in the same database."""
    for name in tables:
        other = name.removesuffix("_reference_periods")
        if other in (name, series.name) or f"{other}_reference" not in tables:
            continue
        if "owner" not in column_names(connection, name):  # a table of the user's
            continue
        if relative_folder(layout) in _owners(connection, name) and layout.dataset(1).exists():
            raise RequestError(
                f"holds the files of the series '{other}'",
                "name another folder for those of this one, or remove them and the database first",
                file=layout.folder,
            )


def _owners(connection: sqlite3.Connection, periods_table: str) -> list[str]:
    rows = connection.execute(f"SELECT DISTINCT owner FROM {quoted(periods_table)}")
    return [owner for (owner,) in rows]

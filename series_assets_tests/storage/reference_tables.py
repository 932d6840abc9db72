"""Reference tables with given entities, and their rows."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from series_assets.core.plan.series import Series
from series_assets.storage.entities import KEYS_PER_PERIOD
from series_assets.storage.layout import Layout
from series_assets.storage.reference_table import SqliteReferenceTable
from series_assets_tests.builders import a_series


def a_table(folder: Path, series: Series | None = None, data: str = "demo") -> SqliteReferenceTable:
    """Return the table of a series whose files are in ``folder / data``."""
    layout = Layout(folder=folder / data, database=folder / "exhibit.db")
    layout.folder.mkdir(exist_ok=True)
    return SqliteReferenceTable(series or a_series(), layout)


def entities(*identifiers: str, **columns: Sequence[Any]) -> pd.DataFrame:
    """Return typed rows: identifiers, and columns as given."""
    return pd.DataFrame({"id": list(identifiers), **columns}, dtype=object).infer_objects()


def keys(*places: tuple[int, int]) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Return the keys of the given positions in the given periods."""
    return np.array([k * KEYS_PER_PERIOD + place for k, place in places], dtype=np.int64)


def rows(table: SqliteReferenceTable, statement: str) -> list[tuple[Any, ...]]:
    """Return the result of a statement, read without the package's own code."""
    with closing(sqlite3.connect(table.layout.database)) as connection:
        return connection.execute(statement).fetchall()

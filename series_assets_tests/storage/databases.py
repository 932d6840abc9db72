"""Small databases of tests, and what they contain, read without the package's own code."""

import sqlite3
from contextlib import closing
from pathlib import Path

from series_assets.core.spec.specification import Specification
from series_assets_tests.builders import a_specification


def a_database(path: Path, *statements: str) -> Path:
    """Create a database by running statements in it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    """Return the result of a statement, read without the package's own code."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def names(path: Path) -> list[str]:
    """Return the names of the tables in a database."""
    found = rows(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [str(name) for (name,) in found]


def contents(path: Path) -> list[str]:
    """Return the statements that create a database's contents."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def drawing_from(anonymising_set: str) -> Specification:
    """Return a specification with a column that has the given anonymising set."""
    specification = a_specification()
    specification["columns"]["region"]["anonymising_set"] = anonymising_set
    return specification

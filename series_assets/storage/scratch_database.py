"""Copies of a user's tables for a run of Exhibit, which writes to its database.

A scratch database holds what a run may read, and lasts no longer than the run.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from series_assets.core.errors import GenerationError
from series_assets.core.spec.specification import Specification, is_select
from series_assets.storage import sql_guard
from series_assets.storage.sqlite import (
    address_of,
    create_if_missing,
    insert_rows,
    open_database,
    quoted,
    reading_address,
    table_names,
    transaction,
)

if TYPE_CHECKING:
    import pandas as pd


def copy_for_run(database: Path, scratch: Path, specification: Specification) -> None:
    """Create ``scratch`` with the tables that a run of the specification may read.

    These are the tables that its columns name and Exhibit's values for them; or all of the user's
    tables where an SQL statement may name any. Reference tables and tables of states are
    not copied: they may be long, and sampled entities are passed in memory.
    """
    scratch.unlink(missing_ok=True)
    with (
        open_database(database, read_only=True),
        open_database(scratch, scratch=True) as connection,
    ):
        connection.execute("ATTACH ? AS source", (reading_address(database),))
        known = table_names(connection, "source", views=True)
        views = set(known) - set(table_names(connection, "source"))
        with transaction(connection):
            for name in known:
                if _is_needed(name, known, specification):
                    _copy_table(connection, name, view_in=database if name in views else None)


def _is_needed(name: str, known: list[str], specification: Specification) -> bool:
    base = name.removesuffix("_periods")
    is_ours = base.endswith(("_reference", "_states"))
    if is_ours and {base, f"{base}_periods"} <= set(known):
        return False
    columns = specification["columns"].values()
    sets = [str(column.get("anonymising_set") or "") for column in columns]
    if any(map(is_select, sets)):
        return True
    tables = {text.split(".")[0] for text in sets} | {column.get("h3_table") for column in columns}
    return name in tables or name.startswith(f"temp_{specification['metadata'].get('id')}_")


def _copy_table(connection: sqlite3.Connection, name: str, *, view_in: Path | None = None) -> None:
    """Copy one table from the attached source, keeping the order of its rows.

    A view of the database ``view_in`` is evaluated, within the limits of an SQL set.
    """
    table = quoted(name)
    columns = connection.execute(f"PRAGMA source.table_info({table})").fetchall()
    declared = ", ".join(f"{quoted(column)} {type_}" for _, column, type_, *_ in columns)
    connection.execute(f"CREATE TABLE main.{table} ({declared})")
    names = ", ".join(quoted(column) for _, column, *_ in columns)
    if view_in is None:
        connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM source.{table}")
        return
    try:
        rows = sql_guard.run(view_in, f"SELECT {names} FROM {table}")
    except sql_guard.StatementError as error:
        problem = f"its view '{name}' {error.problem}"
        raise GenerationError(problem, error.remedy, file=view_in) from None
    _insert(connection, name, len(columns), rows)


def _insert(
    connection: sqlite3.Connection, table: str, columns: int, rows: Iterable[Sequence[Any]]
) -> None:
    insert_rows(connection, f"INSERT INTO main.{quoted(table)} VALUES", rows, columns)


def copy_renamed(source: Path, target: Path, prefix: str, new_prefix: str) -> bool:
    """Copy the tables that begin with ``prefix`` to ``target``, renamed; return whether any exist.

    Creates ``target`` where there are tables to copy.
    """
    with open_database(source, read_only=True) as connection:
        names = [name for name in table_names(connection) if name.startswith(prefix)]
    if not names:
        return False
    create_if_missing(target)
    with open_database(target) as connection:
        connection.execute("ATTACH ? AS source", (address_of(source, "ro"),))
        with transaction(connection):
            for name in names:
                _copy_table(connection, name)
                renamed = quoted(new_prefix + name.removeprefix(prefix))
                connection.execute(f"DROP TABLE IF EXISTS main.{renamed}")
                connection.execute(f"ALTER TABLE main.{quoted(name)} RENAME TO {renamed}")
    return True


def write_frame(database: Path, name: str, frame: "pd.DataFrame") -> None:
    """Write a frame to a scratch database as a table, replacing any table of that name."""
    with open_database(database, scratch=True) as connection, transaction(connection):
        connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
        names = ", ".join(map(quoted, frame.columns))
        connection.execute(f"CREATE TABLE {quoted(name)} ({names})")
        rows = zip(*(frame[column].tolist() for column in frame.columns), strict=True)
        _insert(connection, name, len(frame.columns), rows)

"""What a specification needs of the database and of Exhibit's models, held against what is there.

Exhibit looks these up in the middle of a run, and fails on a missing one with an error of some
library.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from series_assets.core.errors import Fault, InputError
from series_assets.core.plan.series import Series
from series_assets.core.spec.specification import PAIRED, REGEX, Specification, is_select
from series_assets.storage import sql_guard
from series_assets.storage.sqlite import installed_database, opened, quoted, tables

EXHIBITS = {
    "birds": {"common_name", "scientific_name"},
    "dates": {"date"},
    "mountains": {"range", "peak"},
    "patients": {"gender", "age_group", "first_name", "last_name", "dob", "CHI"},
}
"""The tables that Exhibit comes with, and their columns, by which a database for it is known."""


def check_lookups(series: Series, database: Path, *, any_database: bool = False) -> None:
    """Refuse a series whose tables are not in its database. Raises InputError."""
    if faults := lookup_faults(series, database, any_database=any_database):
        raise InputError(faults)


def lookup_faults(series: Series, database: Path, *, any_database: bool = False) -> list[Fault]:
    """Return what is wrong with the database of a series, or with what it is asked for.

    A database that is not made yet is looked at as what it will be a copy of. ``any_database``
    allows one with none of Exhibit's tables.
    """
    if not any_database and (foreign := _of_another_program(database)):
        return [Fault(series.user_input_file, foreign)]
    return [
        Fault(series.specification_file, text)
        for text in missing_lookups(series.specification, database)
    ]


def missing_lookups(specification: Specification, database: Path) -> Iterator[str]:
    """Yield what the specification needs of the database and does not find there."""
    yield from _missing_models(specification)
    place = database if database.exists() else installed_database()
    yield from _faulty_statements(specification, database, place)
    needs = list(_needs(specification))
    if not needs:
        return
    own = _own_prefix(specification)
    with opened(place, read_only=True) as connection:
        known = {name.lower(): name for name in tables(connection, views=True)}
        views = set(known.values()) - set(tables(connection))
        for key, table, column, uniques in needs:
            if table.lower() not in known:
                remedy = _REMEDY_FOR_OWN if table.startswith(own) else _REMEDY
                yield f"{key} needs the table '{table}', which {database} lacks; {remedy}"
                continue
            rows = connection.execute(f"PRAGMA table_info({quoted(table)})")
            columns = [name for _, name, *_ in rows]
            if column is not None and column not in columns:
                yield (
                    f"{key} needs the column '{column}' of the table '{table}' in {database}, "
                    f"which has {', '.join(columns)}"
                )
                continue
            shown = known[table.lower()]
            if not uniques and shown not in views:
                continue
            what = f"COUNT(DISTINCT {quoted(column)})" if column else "COUNT(*)"
            try:
                ((count,),) = sql_guard.run(place, f"SELECT {what} FROM {quoted(table)}")
            except sql_guard.StatementError as error:
                kind = "view" if shown in views else "table"
                yield f"{key} reads the {kind} '{shown}' of {database}, which {error}"
                continue
            if count < uniques:
                yield (
                    f"{key} has only {count} different values in {database}, "
                    f"fewer than the column's uniques {uniques}"
                )


_REMEDY = "name the database that has it with exhibit_db_path in user_input.yml, or add it there"
_REMEDY_FOR_OWN = (
    "exhibit fromdata puts the values of linked columns, and of columns with more uniques than "
    "inline_limit, into its database: name that one with exhibit_db_path in user_input.yml, or "
    "make both files and the database with series-assets new NAME --from-data FILE.csv --id COLUMN"
)


def _own_prefix(specification: Specification) -> str:
    """Return how the tables begin in which Exhibit keeps what it has seen in somebody's data."""
    return f"temp_{specification['metadata'].get('id')}_"


def _of_another_program(database: Path) -> str | None:
    """Return what to say of a database with nothing of Exhibit's or ours in it, if it is one."""
    if not database.exists():
        return None
    with opened(database, read_only=True) as connection:
        known = set(tables(connection, views=True))
        ours = any(
            columns <= {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
            for table, columns in EXHIBITS.items()
        )
    series = {name.removesuffix("_periods") for name in known if name.endswith("_periods")}
    if ours or any(name.endswith("_reference") for name in series & known):
        return None
    return (
        f"the database {database} has none of Exhibit's tables ({', '.join(EXHIBITS)}), so it "
        "seems to belong to another program; leave exhibit_db_path empty, or set "
        "SERIES_ASSETS_ANY_DATABASE=1 to say that it is meant"
    )


def _faulty_statements(specification: Specification, database: Path, place: Path) -> Iterator[str]:
    """Yield what is wrong with the SQL statements, which are prepared but not run."""
    columns = specification["columns"]
    own = f"temp_{specification['metadata'].get('id')}"
    for name, column in columns.items():
        if not is_select(statement := column.get("anonymising_set")):
            continue
        beside = {own: list(columns), "temp_original_values": [name]}
        try:
            sql_guard.check(place, statement, beside)
        except sql_guard.StatementError as error:
            lacking = re.search(r"no such table: (?:main\.)?(.+?);", str(error))
            yield f"columns.{name}.anonymising_set " + (
                f"needs the table '{lacking[1]}', which {database} lacks" if lacking else str(error)
            )


def _missing_models(specification: Specification) -> Iterator[str]:
    folder = installed_database().parents[1] / "models"
    for name in specification.get("models") or {}:
        if not (folder / f"{name}.pickle").is_file():
            yield (
                f"models.{name} is not among Exhibit's models; put {name}.pickle into {folder}, "
                "or leave models empty"
            )


def _needs(
    specification: Specification,
) -> Iterator[tuple[str, str, str | None, int]]:
    """Yield for each need its key, table, column, and how many different values it has to have."""
    metadata, columns = specification["metadata"], specification["columns"]
    own = _own_prefix(specification)
    grouped = {name for _, members in specification["linked_columns"] for name in members}
    for number, members in specification["linked_columns"]:
        key = f"linked_columns [{', '.join(members)}]"
        first = columns[members[0]]["anonymising_set"].split(".")[0]
        if number == 0:
            yield key, f"{own}matrix", None, 0
            yield key, f"{own}lookup", None, 0
        elif first == "random":
            yield key, f"{own}{number}", None, 0
        else:
            yield key, first, None, 0
    for name, column in columns.items():
        place = f"columns.{name}.anonymising_set"
        if column["type"] == "geospatial":
            yield f"columns.{name}.h3_table", column["h3_table"], "h3", 0
            continue
        if column["type"] != "categorical" or is_select(column["anonymising_set"]):
            continue
        if column["original_values"] in (PAIRED, REGEX) or name in grouped:
            continue
        table, _, field = column["anonymising_set"].partition(".")
        if table != "random":
            yield f"{place} '{column['anonymising_set']}'", table, field or None, column["uniques"]
        elif column["uniques"] > metadata["inline_limit"]:
            values = f"{own}{name.replace(' ', '$')}"
            yield f"columns.{name} (more uniques than inline_limit)", values, None, 0

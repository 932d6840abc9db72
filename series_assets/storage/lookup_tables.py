"""Checking that the database and Exhibit's models have what a specification needs.

Exhibit would fail in the middle of a run, with an error of some library.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from series_assets.core.errors import Fault, InputError, fault_at
from series_assets.core.plan.series import Series
from series_assets.core.spec.specification import PAIRED, REGEX, Specification, is_select
from series_assets.storage import sql_guard
from series_assets.storage.sqlite import (
    column_names,
    installed_database,
    open_database,
    quoted,
    table_names,
)

EXHIBIT_TABLES = {
    "birds": {"common_name", "scientific_name"},
    "dates": {"date"},
    "mountains": {"range", "peak"},
    "patients": {"gender", "age_group", "first_name", "last_name", "dob", "CHI"},
}
"""The tables of Exhibit's own database and their columns, which identify a copy of it."""


def check_lookups(series: Series, database: Path, *, any_database: bool = False) -> None:
    """Refuse a series whose database lacks tables that it needs. Raises InputError."""
    if faults := lookup_faults(series, database, any_database=any_database):
        raise InputError(faults)


def lookup_faults(series: Series, database: Path, *, any_database: bool = False) -> list[Fault]:
    """Return the faults of a series' database, and of the specification's references to it.

    Instead of a database that does not exist yet, Exhibit's own is checked, of which it will be a
    copy. ``any_database`` allows one without any of Exhibit's tables.
    """
    is_named = series.database is not None
    if not any_database and (foreign := _foreign_database(database, is_named=is_named)):
        return [foreign.in_file(series.user_input_file)]
    missing = missing_lookups(series.specification, database)
    return [fault.in_file(series.specification_file) for fault in missing]


@dataclass(frozen=True)
class _Need:
    """A table that a key of the specification needs in the database."""

    place: str
    value: str
    """The key's value, or the reason for needing the table; follows the place in a message."""
    table: str
    column: str | None = None
    uniques: int = 0
    """The required number of distinct values in the column, or rows in the table."""

    def fault(self, problem: str, remedy: str = "") -> Fault:
        """Return a fault of the key."""
        return fault_at(self.place, f"{self.value} {problem}".strip(), remedy)


def missing_lookups(specification: Specification, database: Path) -> Iterator[Fault]:
    """Yield a fault for each need of the specification that is not met."""
    yield from _missing_models(specification)
    source = database if database.exists() else installed_database()
    yield from _faulty_statements(specification, database, source)
    needs = list(_needs(specification))
    if not needs:
        return
    own = _own_prefix(specification)
    with open_database(source, read_only=True) as connection:
        known = {name.lower(): name for name in table_names(connection, views=True)}
        views = set(known.values()) - set(table_names(connection))
        for need in needs:
            if need.table.lower() not in known:
                remedy = _REMEDY_FOR_OWN if need.table.startswith(own) else _REMEDY
                problem = f"needs the table '{need.table}', which {database} lacks"
                yield need.fault(problem, remedy)
                continue
            columns = column_names(connection, need.table)
            if need.column is not None and need.column not in columns:
                yield need.fault(
                    f"needs the column '{need.column}' of the table '{need.table}' in {database}, "
                    f"which has {', '.join(columns)}"
                )
                continue
            name = known[need.table.lower()]
            if need.uniques or name in views:
                kind = f"{'view' if name in views else 'table'} '{name}'"
                yield from _too_few_values(need, source, database, kind)


def _too_few_values(need: _Need, source: Path, database: Path, kind: str) -> Iterator[Fault]:
    """Yield a fault where a table has too few values, or a view cannot be read."""
    counted = f"COUNT(DISTINCT {quoted(need.column)})" if need.column else "COUNT(*)"
    try:
        ((count,),) = sql_guard.run(source, f"SELECT {counted} FROM {quoted(need.table)}")
    except sql_guard.StatementError as error:
        problem = f"reads the {kind} of {database}, which {error.problem}"
        yield need.fault(problem, error.remedy)
        return
    if count < need.uniques:
        yield need.fault(
            f"has only {count} different values in {database}, fewer than the column's uniques "
            f"{need.uniques}"
        )


_REMEDY = "name the database that has it with exhibit_db_path in user_input.yml, or add it there"
_REMEDY_FOR_OWN = (
    "exhibit fromdata puts the values of linked columns, and of columns with more uniques than "
    "inline_limit, into its database: name that one with exhibit_db_path in user_input.yml, or "
    "make both files and the database with series-assets new NAME --from-data FILE.csv --id COLUMN"
)


def _own_prefix(specification: Specification) -> str:
    """Return the prefix of the tables in which Exhibit stores values from a user's data."""
    return f"temp_{specification['metadata'].get('id')}_"


def _foreign_database(database: Path, *, is_named: bool) -> Fault | None:
    """Return a fault if a database has none of Exhibit's tables and no reference table.

    ``is_named`` says that the user input names it.
    """
    if not database.exists():
        return None
    if database.is_file() and not database.stat().st_size:
        remedy = (
            "name a database with Exhibit's tables, or leave exhibit_db_path empty to get one"
            if is_named
            else "remove it, then generate all periods again, which gives the same data"
        )
        problem = f"the database {database} is empty"
        return Fault("", "exhibit_db_path", problem, remedy, place_first=False)
    with open_database(database, read_only=True) as connection:
        known = set(table_names(connection, views=True))
        is_exhibits = any(
            columns <= set(column_names(connection, table))
            for table, columns in EXHIBIT_TABLES.items()
        )
    series = {name.removesuffix("_periods") for name in known if name.endswith("_periods")}
    if is_exhibits or any(name.endswith("_reference") for name in series & known):
        return None
    return Fault(
        "",
        "exhibit_db_path",
        f"the database {database} has none of Exhibit's tables ({', '.join(EXHIBIT_TABLES)}), so "
        "it seems to belong to another program",
        "leave exhibit_db_path empty, or set SERIES_ASSETS_ANY_DATABASE=1 to use it anyway",
        place_first=False,
    )


def _faulty_statements(
    specification: Specification, database: Path, source: Path
) -> Iterator[Fault]:
    """Yield the faults of SQL statements, which are prepared but not run."""
    columns = specification["columns"]
    own = f"temp_{specification['metadata'].get('id')}"
    for name, column in columns.items():
        if not is_select(statement := column.get("anonymising_set")):
            continue
        temporary = {own: list(columns), "temp_original_values": [name]}
        try:
            sql_guard.check(source, statement, temporary)
        except sql_guard.StatementError as error:
            place = f"columns.{name}.anonymising_set"
            if error.missing_table:
                yield fault_at(
                    place, f"needs the table '{error.missing_table}', which {database} lacks"
                )
            else:
                yield fault_at(place, error.problem, error.remedy)


def _missing_models(specification: Specification) -> Iterator[Fault]:
    folder = installed_database().parents[1] / "models"
    for name in specification.get("models") or {}:
        if not (folder / f"{name}.pickle").is_file():
            yield fault_at(
                f"models.{name}",
                "is not among Exhibit's models",
                f"put {name}.pickle into {folder}, or leave models empty",
            )


def _needs(specification: Specification) -> Iterator[_Need]:
    metadata, columns = specification["metadata"], specification["columns"]
    own = _own_prefix(specification)
    grouped = {name for _, members in specification["linked_columns"] for name in members}
    for number, members in specification["linked_columns"]:
        first = columns[members[0]]["anonymising_set"].split(".")[0]
        needed = [f"{own}{number}" if first == "random" else first]
        if number == 0:
            needed = [f"{own}matrix", f"{own}lookup"]
        for table in needed:
            yield _Need("linked_columns", f"[{', '.join(members)}]", table)
    for name, column in columns.items():
        place = f"columns.{name}"
        if column["type"] == "geospatial":
            yield _Need(f"{place}.h3_table", "", column["h3_table"], "h3")
            continue
        values = column.get("anonymising_set")
        if column["type"] != "categorical" or is_select(values):
            continue
        if column["original_values"] in (PAIRED, REGEX) or name in grouped:
            continue
        table, _, field = values.partition(".")
        uniques = column["uniques"]
        if table != "random":
            yield _Need(f"{place}.anonymising_set", f"'{values}'", table, field or None, uniques)
        elif uniques > metadata["inline_limit"]:
            table = f"{own}{name.replace(' ', '$')}"
            yield _Need(place, "(more uniques than inline_limit)", table)

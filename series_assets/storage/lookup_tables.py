"""What a specification needs of the database and of Exhibit's models, held against what is there.

Exhibit looks these up in the middle of a run, and fails on a missing one with an error of some
library.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from series_assets.core.errors import Fault, InputError, fault_at
from series_assets.core.plan.series import Series
from series_assets.core.spec.specification import PAIRED, REGEX, Specification, is_select
from series_assets.storage import sql_guard
from series_assets.storage.sqlite import installed_database, open_database, quoted, table_names

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
        return [foreign.in_file(series.user_input_file)]
    missing = missing_lookups(series.specification, database)
    return [fault.in_file(series.specification_file) for fault in missing]


@dataclass(frozen=True)
class _Need:
    """A table that some key of the specification needs of the database."""

    place: str
    named: str
    """What follows the place in a sentence: the value of the key, or why it needs the table."""
    table: str
    column: str | None = None
    uniques: int = 0
    """How many different values the column, or the table, has to have."""

    def fault(self, problem: str, remedy: str = "") -> Fault:
        """Return a fault at the place."""
        return fault_at(self.place, f"{self.named} {problem}".strip(), remedy)


def missing_lookups(specification: Specification, database: Path) -> Iterator[Fault]:
    """Yield what the specification needs of the database and does not find there."""
    yield from _missing_models(specification)
    place = database if database.exists() else installed_database()
    yield from _faulty_statements(specification, database, place)
    needs = list(_needs(specification))
    if not needs:
        return
    own = _own_prefix(specification)
    with open_database(place, read_only=True) as connection:
        known = {name.lower(): name for name in table_names(connection, views=True)}
        views = set(known.values()) - set(table_names(connection))
        for need in needs:
            if need.table.lower() not in known:
                remedy = _REMEDY_FOR_OWN if need.table.startswith(own) else _REMEDY
                problem = f"needs the table '{need.table}', which {database} lacks"
                yield need.fault(problem, remedy)
                continue
            rows = connection.execute(f"PRAGMA table_info({quoted(need.table)})")
            columns = [name for _, name, *_ in rows]
            if need.column is not None and need.column not in columns:
                yield need.fault(
                    f"needs the column '{need.column}' of the table '{need.table}' in {database}, "
                    f"which has {', '.join(columns)}"
                )
                continue
            shown = known[need.table.lower()]
            if need.uniques or shown in views:
                yield from _few_values(need, place, database, shown, shown in views)


def _few_values(
    need: _Need, place: Path, database: Path, shown: str, is_view: bool
) -> Iterator[Fault]:
    """Yield that a table has too few values, or that a view cannot be read."""
    what = f"COUNT(DISTINCT {quoted(need.column)})" if need.column else "COUNT(*)"
    try:
        ((count,),) = sql_guard.run(place, f"SELECT {what} FROM {quoted(need.table)}")
    except sql_guard.StatementError as error:
        kind = "view" if is_view else "table"
        problem = f"reads the {kind} '{shown}' of {database}, which {error.problem}"
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
    """Return how the tables begin in which Exhibit keeps what it has seen in somebody's data."""
    return f"temp_{specification['metadata'].get('id')}_"


def _of_another_program(database: Path) -> Fault | None:
    """Return the fault of a database with nothing of Exhibit's or ours in it, if it is one."""
    if not database.exists():
        return None
    with open_database(database, read_only=True) as connection:
        known = set(table_names(connection, views=True))
        ours = any(
            columns <= {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
            for table, columns in EXHIBITS.items()
        )
    series = {name.removesuffix("_periods") for name in known if name.endswith("_periods")}
    if ours or any(name.endswith("_reference") for name in series & known):
        return None
    return Fault(
        "",
        "exhibit_db_path",
        f"the database {database} has none of Exhibit's tables ({', '.join(EXHIBITS)}), so it "
        "seems to belong to another program",
        "leave exhibit_db_path empty, or set SERIES_ASSETS_ANY_DATABASE=1 to say that it is meant",
        place_first=False,
    )


def _faulty_statements(
    specification: Specification, database: Path, place: Path
) -> Iterator[Fault]:
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
            place_of = f"columns.{name}.anonymising_set"
            if error.lacking:
                yield fault_at(
                    place_of, f"needs the table '{error.lacking}', which {database} lacks"
                )
            else:
                yield fault_at(place_of, error.problem, error.remedy)


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
        wanted = [f"{own}{number}" if first == "random" else first]
        if number == 0:
            wanted = [f"{own}matrix", f"{own}lookup"]
        for table in wanted:
            yield _Need("linked_columns", f"[{', '.join(members)}]", table)
    for name, column in columns.items():
        place = f"columns.{name}"
        if column["type"] == "geospatial":
            yield _Need(f"{place}.h3_table", "", column["h3_table"], "h3")
            continue
        chosen = column.get("anonymising_set")
        if column["type"] != "categorical" or is_select(chosen):
            continue
        if column["original_values"] in (PAIRED, REGEX) or name in grouped:
            continue
        table, _, field = chosen.partition(".")
        if table != "random":
            named = f"'{chosen}'"
            uniques = column["uniques"]
            yield _Need(f"{place}.anonymising_set", named, table, field or None, uniques)
        elif column["uniques"] > metadata["inline_limit"]:
            values = f"{own}{name.replace(' ', '$')}"
            yield _Need(place, "(more uniques than inline_limit)", values)

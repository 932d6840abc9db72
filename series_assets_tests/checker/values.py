"""Values of single columns: their form, the values that a column lists, and pools of values."""

import re
from collections.abc import Mapping
from typing import Any

from series_assets_tests.checker.delivered import DeliveredData
from series_assets_tests.checker.finished import ISO_DAY, Row, ensure, some
from series_assets_tests.checker.rules import Rules

_WRITTEN_AS_MISSING = {"nan", "NaN", "None", "NaT", "<NA>", "Missing data"}
_INTEGER = re.compile(r"-?\d+")
_IDENTIFIER_FORMS = {
    "uuid": re.compile(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}"),
    "pseudo_chi": re.compile(r"([0-2]\d|3[01])13[2-9]\d{5}"),
    "range": re.compile(r"0|[1-9]\d*"),
}


def check_values(rules: Rules, rows: list[Row], where: str) -> None:
    """Values have the form of their column's type, and are missing only where they may be."""
    for name, column in rules.columns.items():
        for out in rules.outputs(name):
            values = [row[out] for row in rows]
            known = _values_in_tables(rules, name)
            fault = next((v for v in values if v in _WRITTEN_AS_MISSING - known), None)
            ensure(fault is None, f"{where}: {out} has {fault!r} where a value is missing")
            if "" in values:
                ensure(rules.may_lack(name), f"{where}: {out} lacks values; none may be missing")
            _check_format(rules, name, column, [value for value in values if value], where)
    for name in rules.derived:
        for value in {row[name] for row in rows}:
            ensure(value not in _WRITTEN_AS_MISSING, f"{where}: {name} has {value!r} for missing")
            ensure(_is_shortest_form(value), f"{where}: {name} has {value}, not its shortest form")


def _is_shortest_form(value: str) -> bool:
    """Return whether a text is not a number, or the shortest one that reads back the same."""
    if not re.fullmatch(r"-?\d+\.\d*([eE][-+]?\d+)?", value):
        return True
    return repr(float(value)) == value


def _check_format(
    rules: Rules, name: str, column: Mapping[str, Any], values: list[str], where: str
) -> None:
    match column["type"]:
        case "continuous" if name in rules.targets("assign_value"):
            pass  # the constraint's own text
        case "uuid":
            kind = column["anonymising_set"]
            odd = [value for value in values if not _IDENTIFIER_FORMS[kind].fullmatch(value)]
            ensure(not odd, f"{where}: {name} is {kind}, but holds {some(odd)}")
        case "continuous" | "geospatial":
            whole = column.get("precision") == "integer"
            odd = [
                value
                for value in values
                if (not _INTEGER.fullmatch(value) if whole else repr(float(value)) != value)
            ]
            ensure(not odd, f"{where}: {name} holds numbers in other forms: {some(odd)}")
        case "date":
            odd = [value for value in values if not ISO_DAY.fullmatch(value)]
            ensure(not odd, f"{where}: {name} holds days that are not ISO: {some(odd)}")
        case _:
            known = _listed_values(rules, name)
            odd = [value for value in values if known is not None and value not in known]
            ensure(not odd, f"{where}: {name} holds values it does not list: {some(odd)}")


def listed_table(column: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """Return the rows of the table of values of a column; None if it has no such table."""
    values = column.get("original_values")
    if not isinstance(values, list) or column["anonymising_set"] != "random":
        return None
    header, *rows = [[cell.strip() for cell in row.split("|")] for row in values]
    return [dict(zip(header, row, strict=False)) for row in rows[:-1]]


def _listed_values(rules: Rules, name: str) -> set[str] | None:
    """Return the values that a categorical column may have; None if it lists none."""
    return None if name in rules.targets("assign_value") else _values_of_table(rules, name)


def _values_in_tables(rules: Rules, name: str) -> set[str]:
    """Return all values in the tables of a column and its paired columns, except the last row.

    An action can restore a listed value in a column that has an anonymising set.
    """
    tables = [
        rules.columns[leader].get("original_values")
        for leader in [name, *(rules.columns[name].get("paired_columns") or [])]
    ]
    rows = [row for table in tables if isinstance(table, list) for row in table[1:-1]]
    return {cell.strip() for row in rows for cell in row.split("|")}


def _values_of_table(rules: Rules, name: str) -> set[str] | None:
    for leader in [name, *(rules.columns[name].get("paired_columns") or [])]:
        if table := listed_table(rules.columns[leader]):
            return {row[name if leader == name else f"paired_{name}"] for row in table}
    return None


def check_pools(data: DeliveredData) -> None:
    """Regex columns have one pool of values over the series, and pairs are the listed ones."""
    rules = data.rules
    every = [row for rows in data.datasets for row in rows]
    for name, column in rules.columns.items():
        if column.get("original_values") == "regex" and name not in rules.targets():
            values = {row[name] for row in every} - {""}
            odd = [v for v in values if not re.fullmatch(column["anonymising_set"], v)]
            ensure(not odd, f"{name} holds values that are not of its pattern: {some(odd)}")
            ensure(
                len(values) <= column["uniques"],
                f"{name} has {len(values)} values over the series, its uniques is "
                f"{column['uniques']}",
            )
        table, pairs = listed_table(column), column.get("paired_columns") or []
        if table and pairs and not {name, *pairs} & rules.targets():
            known = {(row[name], *(row[f"paired_{pair}"] for pair in pairs)) for row in table}
            found = {(row[name], *(row[pair] for pair in pairs)) for row in every}
            unlisted = [values for values in found - known if all(values)]
            ensure(
                not unlisted,
                f"{name} and {some(pairs)} hold pairs not listed: {some(unlisted)}",
            )

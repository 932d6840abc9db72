"""Reads properties of a specification: a plain dict in Exhibit's own form, never mutated."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from math import prod
from typing import Any

from series_assets.core.spec.column_types import DERIVED_KIND, TYPES, outputs_of
from series_assets.core.spec.markers import MISSING as MISSING
from series_assets.core.spec.markers import PAIRED as PAIRED
from series_assets.core.spec.markers import REGEX as REGEX

Specification = dict[str, Any]
Window = tuple[int, str, str, str]
"""A period, a date column, and the first and last day that it may have in that period."""


def columns_of_type(specification: Specification, *types: str) -> list[str]:
    """Return the columns of the given types, in the order of the specification."""
    return [name for name, column in specification["columns"].items() if column["type"] in types]


def calculations_of(specification: Specification) -> dict[str, str]:
    """Return the derived columns that Exhibit computes (it skips names with "Example")."""
    found: Mapping[str, str] = specification["derived_columns"]
    return {name: text for name, text in found.items() if "Example" not in name}


def is_select(anonymising_set: object) -> bool:
    """Return whether an anonymising set is an SQL statement."""
    return isinstance(anonymising_set, str) and anonymising_set.strip().upper()[:6] == "SELECT"


def selection_of(statement: str) -> str:
    """Return what an SQL statement selects: its part before FROM."""
    return re.split(r"\bFROM\b", statement, maxsplit=1, flags=re.IGNORECASE)[0]


def looked_up_by(specification: Specification, name: str) -> set[str]:
    """Return the columns of the series by which the SQL statement of a column looks it up."""
    statement = specification["columns"][name]["anonymising_set"]
    table = f"temp_{specification['metadata'].get('id')}"
    matches = re.findall(rf'\b{re.escape(table)}\.(?:"([^"]+)"|(\w+))', selection_of(statement))
    return {quoted or plain for quoted, plain in matches} - {name}


def is_paired(column: Mapping[str, Any]) -> bool:
    """Return whether a column's values follow from those of its paired column."""
    values = column.get("original_values")  # a table, once Exhibit has read it
    return isinstance(values, str) and values == PAIRED


def output_columns(specification: Specification, name: str) -> list[str]:
    """Return the output columns of a column: two for a geospatial one."""
    column = specification["columns"].get(name)
    return [name] if column is None else outputs_of(column["type"], name)


def all_outputs(specification: Specification, names: Iterable[str]) -> list[str]:
    """Return the output columns of several columns, in order."""
    return [out for name in names for out in output_columns(specification, name)]


def column_kinds(specification: Specification) -> dict[str, str]:
    """Return the kind of each output column, a key of ``KINDS``."""
    kinds = {
        output: TYPES[column["type"]].kind_of(column)
        for name, column in specification["columns"].items()
        for output in output_columns(specification, name)
    }
    return kinds | dict.fromkeys(calculations_of(specification), DERIVED_KIND)


def window_size(column: Mapping[str, Any]) -> int | None:
    """Return the number of dates in the window of a date column; None if an end is open."""
    start, end, frequency = column.get("from"), column.get("to"), column["frequency"]
    if start is None or end is None:
        return None
    if frequency == "D":
        return (date.fromisoformat(end) - date.fromisoformat(start)).days + 1
    import pandas as pd

    return len(pd.date_range(start, end, freq=frequency))


def windows_without_dates(
    columns: Mapping[str, Mapping[str, Any]], windows: Iterable[Window]
) -> Iterator[Window]:
    """Yield the windows that contain no date of their column's frequency, in order."""
    windows = list(windows)
    days: dict[str, list[str]] = {}
    for name in {name for _, name, _, _ in windows}:
        import pandas as pd

        own = [window for window in windows if window[1] == name]
        # Exhibit counts a multiple such as 2W from the window's start: the base decides.
        every = pd.tseries.frequencies.to_offset(columns[name]["frequency"]).base
        first, last = min(start for *_, start, _ in own), max(end for *_, end in own)
        days[name] = pd.date_range(first, last, freq=every).strftime("%Y-%m-%d").tolist()
    for window in windows:
        _, name, start, end = window
        place = bisect_left(days[name], start)
        if place == len(days[name]) or days[name][place] > end:
            yield window


def combinations(specification: Specification) -> int:
    """Return the number of rows in a full cross join; 1 without cross-joined columns."""
    return prod(
        column["uniques"]
        for column in specification["columns"].values()
        if column.get("cross_join_all_unique_values") and not is_paired(column)
    )


def closure(names: Iterable[str], groups: Iterable[Iterable[str]]) -> set[str]:
    """Return the transitive closure of names over groups."""
    found, open_groups = set(names), [set(group) for group in groups]
    while touched := [group for group in open_groups if group & found and not group <= found]:
        found = found.union(*touched)
    return found


def inseparable_groups(specification: Specification) -> list[set[str]]:
    """Return the pairs and linked groups, whose columns can only be static together."""
    pairs = [
        {name, *column["paired_columns"]}
        for name, column in specification["columns"].items()
        if column.get("paired_columns")
    ]
    return pairs + [set(members) for _, members in specification["linked_columns"]]

"""Specifications that Exhibit 0.9.9 accepts but gets wrong, or that make it crash.

Each check reports one such case with its key and a remedy. Expressions and actions are in
``constraint_limits``, the form of a specification in ``schema``; what only a run can show is left
to the trial.
"""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from series_assets.core.errors import Fault, fault_at
from series_assets.core.spec.constraint_limits import action_faults, expression_faults
from series_assets.core.spec.dates import FIRST, LAST
from series_assets.core.spec.specification import (
    PAIRED,
    REGEX,
    Specification,
    calculations_of,
    combinations,
    is_select,
    looked_up_by,
    selection_of,
)

TAKEN_NAMES = {
    "key": "cross joins",
    "test_expression": "basic constraints",
    "probability_vector": "tables of values",
}
UNUSABLE = re.compile(r"[~|,`$\r\n\t]")
"""Characters that no column name may contain."""
_IN_DATABASE = "Number of unique values is above inline limit"
"""What Exhibit writes where it puts the values of a column into its database."""
_WIDEST = 100_000_000
"""The widest range of whole numbers; Exhibit takes 2 GB of memory for it."""
_MAX_REGEX_CHARACTERS = 2_000_000
_CLASS = r"\[(?:[^\]^-]-[^\]-]|[^\]^-][^\]-]*)\](?:\{\d+\})?"
_PLAIN = r"[^\[\]{}\\()|+*?^$](?:\{\d\})?"


def exhibit_limit_faults(specification: Specification) -> Iterator[Fault]:
    """Yield a fault for each part of a well-formed specification that Exhibit gets wrong."""
    yield from _name_faults(specification)
    yield from _value_faults(specification)
    yield from _date_and_number_faults(specification)
    yield from _statement_faults(specification)
    yield from expression_faults(specification)
    yield from action_faults(specification)
    for name in specification.get("models") or {}:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            yield fault_at(
                f"models.{name}",
                "is not the plain name of a model",
                "put the model into Exhibit's folder models and give its name without folder "
                "and ending",
            )


def _name_faults(specification: Specification) -> Iterator[Fault]:
    sections = dict.fromkeys(specification["columns"], "columns")
    sections |= dict.fromkeys(calculations_of(specification), "derived_columns")
    names_in_code: dict[str, str] = {}
    for name, section in sections.items():
        place = f"{section}.{name}"
        if name in TAKEN_NAMES:
            yield fault_at(
                place, f"has a name that Exhibit uses in {TAKEN_NAMES[name]}", "rename it"
            )
        if UNUSABLE.search(name) or name != name.strip() or not name:
            yield fault_at(
                f"{section}.{name!r}",
                "has a name that Exhibit would misread",
                "leave out ~ | , ` $, tabs, line breaks, and spaces at its ends",
            )
        in_code = name.replace(" ", "__")
        if in_code in names_in_code:
            problem = f"and '{names_in_code[in_code]}' are the same to Exhibit"
            yield fault_at(place, problem, "rename one of them")
        names_in_code[in_code] = name


def _value_faults(specification: Specification) -> Iterator[Fault]:
    columns, limit = specification["columns"], specification["metadata"]["inline_limit"]
    numbers = set(specification["metadata"]["numerical_columns"]) & set(columns)
    for name, column in columns.items():
        if column["type"] != "categorical":
            continue
        values, source = column["original_values"], column["anonymising_set"]
        if isinstance(values, list):
            yield from _table_faults(name, column, numbers)
        elif values == REGEX:
            yield from _regex_faults(name, source, column["uniques"])
        elif values != PAIRED and not is_select(source) and column["uniques"] <= limit:
            yield fault_at(
                f"columns.{name}.original_values",
                f"lists no values, but its uniques {column['uniques']} are within "
                f"inline_limit {limit}",
                "list them, or give the number of values that the database holds",
            )
        elif values == _IN_DATABASE and source != "random" and not is_select(source):
            problem = f"says that a database holds the values, but they come from the set {source}"
            yield fault_at(f"columns.{name}.original_values", problem, "leave it empty")
        for pair in column["paired_columns"] or []:
            if columns[pair]["anonymising_set"] != source:
                problem = f"and its pair '{pair}' have different anonymising_sets"
                yield fault_at(f"columns.{name}", problem, "Exhibit needs the same one")
    for _, members in specification["linked_columns"]:
        if len({columns[name]["anonymising_set"].split(".")[0] for name in members}) > 1:
            problem = f"[{', '.join(members)}] have different anonymising_sets"
            yield fault_at("linked_columns", problem, "Exhibit needs the same one")


def _regex_faults(name: str, pattern: str, uniques: int) -> Iterator[Fault]:
    """Exhibit understands a few regex characters and takes all others literally."""
    # It generates all unique values before it picks any, a character at a time.
    length = sum(map(int, re.findall(r"\{(\d{1,9})\d*\}", pattern))) or len(pattern)
    if length * uniques > _MAX_REGEX_CHARACTERS:
        yield fault_at(
            f"columns.{name}",
            f"has uniques {uniques} with up to {length} characters each",
            f"use fewer or shorter ones, with {_MAX_REGEX_CHARACTERS:,} characters in all at the "
            "most",
        )
        return
    readable = re.fullmatch(rf"(?:{_CLASS}(?![0-9])|{_PLAIN})+", pattern)
    if not readable or re.search(r"\.\{", pattern):
        yield fault_at(
            f"columns.{name}.anonymising_set",
            f"'{pattern}' has a character that Exhibit takes literally",
            "use plain characters, [abc] or [a-z] for one of several, {2} after either, "
            "and no digit right after a bracket",
        )


def _table_faults(name: str, column: dict[str, Any], numbers: set[str]) -> Iterator[Fault]:
    place = f"columns.{name}.original_values"
    header, *body = [[cell.strip() for cell in row.split("|")] for row in column["original_values"]]
    for row in body:
        # Exhibit reads the last row, that of missing data, only where a value is missing.
        may_be_short = row is body[-1] and not column["miss_probability"]
        if len(row) > len(header) or (len(row) < len(header) and not may_be_short):
            yield fault_at(
                place,
                f"has {len(header)} columns, but its row '{' | '.join(row)}' has {len(row)}",
                "separate the values of all columns with |",
            )
            return
    if column["anonymising_set"] == "random":
        for pair in column["paired_columns"] or []:
            if f"paired_{pair}" not in header:
                problem = f"has no column 'paired_{pair}' with the values that go with those of"
                yield fault_at(place, f"{problem} {name}")
    repeated = [value for value, count in Counter(row[0] for row in body).items() if count > 1]
    if repeated and numbers:
        yield fault_at(
            place,
            f"lists '{repeated[0]}' twice, so Exhibit cannot apply its weights",
            "keep one of its rows",
        )
    probability = header.index("probability_vector")
    for row in body:
        if not _has_valid_weights(row, probability):
            yield fault_at(
                place,
                f"has a row '{' | '.join(row)}' without a probability, or with something that "
                "is not a number from 0 up",
            )
            return
    if not any(float(row[probability]) for row in body[:-1]):
        problem = "gives no value a probability above 0"
        yield fault_at(place, problem, "give one to at least one value")
    for heading in header[probability + 1 :]:
        similar = get_close_matches(heading, numbers - set(header), n=1)
        if heading not in numbers and similar:
            problem = f"has a column '{heading}', which is not a numerical column"
            yield fault_at(place, problem, f"did you mean '{similar[0]}'?")
    for number in sorted(numbers & set(header)):
        weights = [row[header.index(number)] for row in body if len(row) > header.index(number)]
        if "" in weights:
            yield fault_at(
                place,
                f"has a row '{' | '.join(body[weights.index('')])}' without a weight for {number}",
                "write 0.0 if it has none",
            )
        elif not any(map(float, weights)):
            yield fault_at(
                place,
                f"gives {number} no weight above 0, so that it could have no value",
                "give one to at least one value, or leave the weights out",
            )


def _has_valid_weights(row: list[str], probability: int) -> bool:
    """Return whether a table row has a probability; weights behind it may be empty."""
    cells = [*row[probability : probability + 1], *filter(None, row[probability + 1 :])]
    try:
        return bool(row[probability:]) and all(0 <= float(cell) < float("inf") for cell in cells)
    except ValueError:
        return False


def _date_and_number_faults(specification: Specification) -> Iterator[Fault]:
    for name, column in specification["columns"].items():
        for end in ("from", "to"):
            if column.get(end) and not FIRST.isoformat() <= column[end] <= LAST.isoformat():
                yield fault_at(
                    f"columns.{name}.{end}",
                    f"{column[end]} is outside Exhibit's range of dates, {FIRST} to {LAST}",
                    "use a date between them",
                )
        if column["type"] == "date" and not is_select(column.get("anonymising_set")):
            if column["frequency"] is None and None in (column.get("from"), column.get("to")):
                remedy = "Exhibit needs it, for example D"
                yield fault_at(f"columns.{name}.frequency", "is empty", remedy)
        elif column["type"] == "continuous":
            parameters = column["distribution_parameters"]
            low, high = parameters.get("target_min"), parameters.get("target_max")
            if low is not None and high is not None and low > high:
                yield Fault(
                    "",
                    f"columns.{name}.distribution_parameters.target_min",
                    f"columns.{name}: target_min {low} is above target_max {high}",
                    "swap them",
                    place_first=False,
                )
            is_whole = column["precision"] == "integer" and None not in (low, high)
            if is_whole and high - low > _WIDEST:
                yield fault_at(
                    f"columns.{name}.distribution_parameters",
                    f"has a range of {high - low:,.0f} whole numbers, of which Exhibit lists each",
                    f"use a range of {_WIDEST:,} or less, or precision: float",
                )
            if (parameters.get("target_std") or 0) < 0:
                place = f"columns.{name}.distribution_parameters.target_std"
                yield fault_at(place, f"is {parameters['target_std']}", "it cannot be below 0")


def _statement_faults(specification: Specification) -> Iterator[Fault]:
    columns, metadata = specification["columns"], specification["metadata"]
    table = f"temp_{metadata.get('id')}"
    linked = [name for _, members in specification["linked_columns"] for name in members]
    generated = {*metadata["uuid_columns"], *linked}
    for name in (*metadata["categorical_columns"], *metadata["date_columns"]):
        statement = columns[name].get("anonymising_set")
        if not is_select(statement):
            generated.add(name)
            continue
        place = f"columns.{name}.anonymising_set"
        if not metadata.get("id"):
            problem = "is an SQL statement, for which Exhibit needs metadata.id"
            yield fault_at(place, problem, "give one")
            continue
        if combinations(specification) > 1:
            yield fault_at(
                place,
                "is an SQL statement, which Exhibit cannot join while columns are cross-joined",
                "set cross_join_all_unique_values: false",
            )
        selection = selection_of(statement)
        joined = looked_up_by(specification, name)
        if len(joined) != 1:
            which = "no column" if not joined else f"the columns {', '.join(sorted(joined))}"
            yield fault_at(
                place,
                f"selects {which} of {table} beside '{name}'",
                f"Exhibit can join on exactly one, written {table}.column",
            )
        if not re.search(rf"\bAS\s+\"?{re.escape(name)}\"?(?!\w)", selection, re.IGNORECASE):
            yield fault_at(place, f"selects nothing called '{name}'", f"write … AS {name}")
        for other in sorted(joined - generated):
            yield fault_at(
                place,
                f"joins on '{other}', which comes after '{name}'",
                f"put it before '{name}' in metadata.categorical_columns",
            )
        generated.add(name)

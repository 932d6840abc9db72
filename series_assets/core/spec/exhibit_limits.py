"""What Exhibit 0.9.9 would take without a word and get wrong, or die of with a raw Python error.

Each rule refuses one such case with the key and the remedy. What the form of a specification is
stands in ``schema``; what only a run can show is left to a trial.
"""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from series_assets.core.errors import Fault, fault_at, suggestion
from series_assets.core.spec import expressions, mentions
from series_assets.core.spec.dates import FIRST, LAST
from series_assets.core.spec.specification import (
    PAIRED,
    REGEX,
    Specification,
    calculations_of,
    combinations,
    is_select,
    output_columns,
)

_ANY_COLUMN = (
    "make_null",
    "make_not_null",
    "sort_ascending",
    "sort_descending",
    "make_distinct",
    "make_same",
    "make_almost_same",
    "shift_distribution_right",
    "shift_distribution_left",
    "assign_value",
)
_PAIR_OF_COLUMNS = (
    "sort_and_skew_right",
    "sort_and_skew_left",
    "sort_and_make_peak",
    "sort_and_make_valley",
)
_SEQUENCES = ("generate_as_sequence", "generate_as_repeating_sequence")
ACTIONS = (*_ANY_COLUMN, *_PAIR_OF_COLUMNS, *_SEQUENCES, "make_outlier", "geo_make_regions")
"""The actions of custom constraints; Exhibit takes any other word and does nothing."""

TAKEN_NAMES = {
    "key": "cross joins",
    "test_expression": "basic constraints",
    "probability_vector": "tables of values",
}
_CLOCK = ("now", "today")
"""Texts that pandas takes for the moment of the run where a date is wanted."""
UNUSABLE = re.compile(r"[~|,`$\r\n\t]")


def unsupported_in_exhibit(specification: Specification) -> Iterator[Fault]:
    """Yield a fault for each case in a specification of right form that cannot be right."""
    yield from _names(specification)
    yield from _values(specification)
    yield from _dates_and_numbers(specification)
    yield from _statements(specification)
    yield from expressions.checked(specification, _expressions(specification))
    yield from _actions(specification)
    for name in specification.get("models") or {}:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            yield fault_at(
                f"models.{name}",
                "is not the plain name of a model",
                "put the model into Exhibit's folder models and give its name without folder "
                "and ending",
            )


def _names(specification: Specification) -> Iterator[Fault]:
    sections = dict.fromkeys(specification["columns"], "columns")
    sections |= dict.fromkeys(calculations_of(specification), "derived_columns")
    safe: dict[str, str] = {}
    for name, section in sections.items():
        place = f"{section}.{name}"
        if name in TAKEN_NAMES:
            yield fault_at(
                place, f"has a name that Exhibit uses in {TAKEN_NAMES[name]}", "rename it"
            )
        if UNUSABLE.search(name) or name != name.strip() or not name:
            yield fault_at(
                f"{section}.{name!r}",
                "has a name that Exhibit cannot keep apart",
                "leave out ~ | , ` $, tabs, line breaks, and blanks at its ends",
            )
        folded = name.replace(" ", "__")
        if folded in safe:
            yield fault_at(
                place, f"and '{safe[folded]}' are the same to Exhibit", "rename one of them"
            )
        safe[folded] = name


def _values(specification: Specification) -> Iterator[Fault]:
    columns, limit = specification["columns"], specification["metadata"]["inline_limit"]
    for name, column in columns.items():
        if column["type"] != "categorical":
            continue
        values, chosen = column["original_values"], column["anonymising_set"]
        if isinstance(values, list):
            numbers = set(specification["metadata"]["numerical_columns"]) & set(columns)
            yield from _table(name, column, numbers)
        elif values == REGEX:
            yield from _pattern(name, chosen, column["uniques"])
        elif values not in (PAIRED, REGEX) and not is_select(chosen) and column["uniques"] <= limit:
            yield fault_at(
                f"columns.{name}.original_values",
                f"lists no values, but its uniques {column['uniques']} are within "
                f"inline_limit {limit}",
                "list them, or give the number of values that the database holds",
            )
        for pair in column["paired_columns"] or []:
            if columns[pair]["anonymising_set"] != chosen:
                yield fault_at(
                    f"columns.{name}",
                    f"and its pair '{pair}' have different anonymising_sets",
                    "Exhibit needs the same one",
                )
    for _, members in specification["linked_columns"]:
        sets = {columns[name]["anonymising_set"].split(".")[0] for name in members}
        if len(sets) > 1:
            yield fault_at(
                "linked_columns",
                f"[{', '.join(members)}] have different anonymising_sets",
                "Exhibit needs the same one",
            )


_MOST_CHARACTERS = 2_000_000
_CLASS = r"\[(?:[^\]^-]-[^\]-]|[^\]^-][^\]-]*)\](?:\{\d+\})?"
_PLAIN = r"[^\[\]{}\\()|+*?^$](?:\{\d\})?"


def _pattern(name: str, pattern: str, uniques: int) -> Iterator[Fault]:
    """Exhibit knows a few signs of regular expressions and takes all others for themselves."""
    # Exhibit makes them all before it draws any, a character at a time.
    length = sum(map(int, re.findall(r"\{(\d{1,9})\d*\}", pattern))) or len(pattern)
    if length * uniques > _MOST_CHARACTERS:
        yield fault_at(
            f"columns.{name}",
            f"has uniques {uniques} with up to {length} characters each",
            f"use fewer or shorter ones, with {_MOST_CHARACTERS:,} characters in all at the most",
        )
        return
    readable = re.fullmatch(rf"(?:{_CLASS}(?![0-9])|{_PLAIN})+", pattern)
    if not readable or re.search(r"\.\{", pattern):
        yield fault_at(
            f"columns.{name}.anonymising_set",
            f"'{pattern}' has a sign that Exhibit takes for itself",
            "use plain characters, [abc] or [a-z] for one of several, {2} behind either, "
            "and no digit right behind a bracket",
        )


def _table(name: str, column: dict[str, Any], numbers: set[str]) -> Iterator[Fault]:
    rows = [[cell.strip() for cell in row.split("|")] for row in column["original_values"]]
    header, *body = rows
    if column["anonymising_set"] == "random":
        for pair in column["paired_columns"] or []:
            if f"paired_{pair}" not in header:
                yield fault_at(
                    f"columns.{name}.original_values",
                    f"has no column 'paired_{pair}' with the values that go with those of {name}",
                )
    twice = [value for value, often in Counter(row[0] for row in body).items() if often > 1]
    if twice and numbers:
        yield fault_at(
            f"columns.{name}.original_values",
            f"lists '{twice[0]}' twice, with which Exhibit cannot weigh numbers",
            "keep one of its rows",
        )
    place = header.index("probability_vector")
    for row in body:
        try:
            cells = [float(cell) for cell in row[place : place + 1]]
            cells += [float(cell) for cell in row[place + 1 :] if cell]
        except ValueError:
            cells = []
        if not cells or not all(0 <= cell < float("inf") for cell in cells):
            yield fault_at(
                f"columns.{name}.original_values",
                f"has a row '{' | '.join(row)}' without a probability, or with something that "
                "is no number from 0 up",
            )
            return
    if not any(float(row[place]) for row in body[:-1]):
        yield fault_at(
            f"columns.{name}.original_values",
            "gives no value a probability above 0",
            "give one to at least one value",
        )
    for heading in header[place + 1 :]:
        near = get_close_matches(heading, numbers - set(header), n=1)
        if heading not in numbers and near:
            yield fault_at(
                f"columns.{name}.original_values",
                f"has a column '{heading}', which is no number of the specification",
                f"did you mean '{near[0]}'?",
            )
    for other in sorted(numbers & set(header)):
        weights = [row[header.index(other)] for row in body if len(row) > header.index(other)]
        if not any(float(weight or 0) for weight in weights):
            yield fault_at(
                f"columns.{name}.original_values",
                f"gives {other} no weight above 0, so that it could have no value",
                "give one to at least one value, or leave the weights out",
            )


def _dates_and_numbers(specification: Specification) -> Iterator[Fault]:
    for name, column in specification["columns"].items():
        for end in ("from", "to"):
            if column.get(end) and not FIRST.isoformat() <= column[end] <= LAST.isoformat():
                yield fault_at(
                    f"columns.{name}.{end}",
                    f"{column[end]} is out of reach for Exhibit, whose days go from {FIRST} to "
                    f"{LAST}",
                    "use a day between them",
                )
        if column["type"] == "date" and not is_select(column.get("anonymising_set")):
            if column["frequency"] is None and None in (column.get("from"), column.get("to")):
                yield fault_at(
                    f"columns.{name}.frequency", "is empty", "Exhibit needs it, for example D"
                )
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


def _statements(specification: Specification) -> Iterator[Fault]:
    columns, metadata = specification["columns"], specification["metadata"]
    own = f"temp_{metadata.get('id')}"
    grouped = [name for _, members in specification["linked_columns"] for name in members]
    ready = {*metadata["uuid_columns"], *grouped}
    for name in (*metadata["categorical_columns"], *metadata["date_columns"]):
        statement = columns[name].get("anonymising_set")
        if not is_select(statement):
            ready.add(name)
            continue
        place = f"columns.{name}.anonymising_set"
        if not metadata.get("id"):
            yield fault_at(
                place, "is an SQL statement, for which Exhibit needs metadata.id", "give one"
            )
            continue
        if combinations(specification) > 1:
            yield fault_at(
                place,
                "is an SQL statement, which Exhibit cannot join while columns are cross-joined",
                "set cross_join_all_unique_values: false",
            )
        chosen = re.split(r"\bFROM\b", statement, maxsplit=1, flags=re.IGNORECASE)[0]
        found = re.findall(rf'\b{re.escape(own)}\.(?:"([^"]+)"|(\w+))', chosen)
        joined = {quoted or plain for quoted, plain in found} - {name}
        if len(joined) != 1:
            which = "no column" if not joined else f"the columns {', '.join(sorted(joined))}"
            yield fault_at(
                place,
                f"selects {which} of {own} beside '{name}'",
                f"Exhibit can join on exactly one, written {own}.column",
            )
        if not re.search(rf"\bAS\s+\"?{re.escape(name)}\"?(?!\w)", chosen, re.IGNORECASE):
            yield fault_at(place, f"selects nothing called '{name}'", f"write … AS {name}")
        for other in sorted(joined - ready):
            yield fault_at(
                place,
                f"joins on '{other}', which is made after '{name}'",
                f"put it before '{name}' in metadata.categorical_columns",
            )
        ready.add(name)


def _expressions(specification: Specification) -> Iterator[tuple[expressions.Expression, Fault]]:
    """Yield what is wrong with expressions beside what ``expressions`` refuses, and with which."""
    columns = specification["columns"]
    outputs = [out for name in columns for out in output_columns(specification, name)]
    constraints = specification["constraints"]
    for text in constraints["basic_constraints"] or []:
        place = "constraints.basic_constraints"
        for problem, remedy in _of_basic(text, columns, outputs):
            yield (place, text), fault_at(place, f"'{text}' {problem}", remedy)
    for name, custom in (constraints["custom_constraints"] or {}).items():
        text, place = custom.get("filter") or "", f"constraints.custom_constraints.{name}.filter"
        for problem, remedy in _of_filter(text, columns, outputs):
            yield (place, text), fault_at(place, f"'{text}' {problem}", remedy)
    known = list(outputs)
    for name, text in calculations_of(specification).items():
        place = f"derived_columns.{name}"
        for problem, remedy in _of_calculation(text, known):
            yield (place, text), fault_at(place, f"'{text}' {problem}", remedy)
        known.append(name)


def _of_basic(text: str, columns: dict[str, Any], outputs: list[str]) -> Iterator[tuple[str, str]]:
    """Yield problems of a basic constraint, each with its remedy."""
    parts = mentions.split_constraint(text)
    if parts and " " in parts[2] and "~" not in parts[2]:
        yield (
            "has blanks in its expression, at which Exhibit stumbles",
            f"write {parts[2].replace(' ', '')}, or ~my column~ for a name",
        )
        return
    if parts and "__" in parts[0]:
        yield (
            "adjusts a column with __ in its name, which Exhibit takes for a blank",
            "rename it",
        )
    if parts and parts[1] == "==" and _is_whole_of_fraction(columns, parts[0], parts[2]):
        yield (
            "asks whole numbers to equal what may be a fraction",
            "use <= or >=, or precision: float",
        )
    yield from _unknown(parts[2] if parts else "", outputs)


def _of_filter(text: str, columns: dict[str, Any], outputs: list[str]) -> Iterator[tuple[str, str]]:
    """Yield problems of a filter, each with its remedy."""
    often = re.fullmatch(r"~?(.+?)~?\s+with_(high|low)_frequency", text)
    if often and columns.get(often[1], {}).get("type") == "continuous":
        yield (
            "counts how often a number occurs, which Exhibit can for categories and identifiers "
            "only",
            "",
        )
    yield from _unknown(re.sub(r"\bwith_(high|low)_frequency\b", "", text), outputs)


def _of_calculation(text: str, known: list[str]) -> Iterator[tuple[str, str]]:
    """Yield problems of a derived column, each with its remedy."""
    torn = [
        quote
        for quote in re.findall(r"""["']([^"']*)["']""", text)
        if re.search(r"\b\s\b", quote) and quote not in known
    ]
    words = text
    for column in sorted(known, key=len, reverse=True):
        words = words.replace(column, column.replace(" ", "__"))
    if torn or re.search(r"\w\s(and|or|in|not)\s\w", words):
        yield (
            "has a blank between two words, which Exhibit takes for part of a column's name",
            "use & and | between brackets, and values without blanks",
        )
    else:
        yield from _unknown(re.sub(r"\b\s\b", "__", text), known)


def _unknown(text: str, known: list[str]) -> Iterator[tuple[str, str]]:
    if unknown := mentions.unknown_names(text, known):
        first = sorted(unknown)[0].replace("__", " ")
        yield f"names '{first}', which is no column made before it", suggestion(first, known)


def _is_whole_of_fraction(columns: dict[str, Any], name: str, expression: str) -> bool:
    """Tell whether a column of whole numbers is set against an expression that may be none."""
    if columns[name].get("precision") != "integer":
        return False
    others = mentions.in_constraint(expression, columns)
    fractions = any(columns[other].get("precision") == "float" for other in others)
    return fractions or "/" in expression or bool(re.search(r"\d\.\d*[1-9]", expression))


def _actions(specification: Specification) -> Iterator[Fault]:
    columns = specification["columns"]
    for name, custom in (specification["constraints"]["custom_constraints"] or {}).items():
        for target, actions in custom["targets"].items():
            place = f"constraints.custom_constraints.{name}.targets.{target}"
            names = [part.strip() for part in target.split(",")]
            for action in (part.strip() for part in actions.split(",")):
                if wrong := _of_action(action, names, columns):
                    yield fault_at(place, *wrong)


def _of_action(
    action: str, names: list[str], columns: dict[str, Any]
) -> tuple[str] | tuple[str, str] | None:
    """Return the problem of an action, with the remedy where there is one; None if it is right."""
    word, *arguments = action.split("$")
    types = {columns[name]["type"] for name in names}
    if word not in ACTIONS:
        return f"'{action}' is not an action that Exhibit knows", suggestion(word, ACTIONS)
    if arguments and word != "assign_value":
        return (f"'{action}' has an argument, which only assign_value takes",)
    if word == "assign_value" and len(arguments) != 1:
        what = "several values" if arguments else "nothing"
        return f"'{action}' assigns {what}", "write assign_value$value"
    if word == "assign_value" and "continuous" in types and not _is_number(arguments[0]):
        return f"'{action}' assigns text to a column of numbers", "write a number behind the $"
    if word == "assign_value" and "date" in types and arguments[0].strip().lower() in _CLOCK:
        problem = f"'{action}' reads the clock, so that no two runs agree"
        return problem, "write a day, as 2024-01-31"
    if word in _PAIR_OF_COLUMNS and len(names) != 2:
        return (f"'{word}' needs exactly two columns, the one to sort by and the one to skew",)
    if word in _PAIR_OF_COLUMNS and columns[names[1]]["type"] != "continuous":
        return (f"'{word}' skews '{names[1]}', which is not a continuous column",)
    if word == "make_outlier" and types != {"continuous"}:
        return (f"'{word}' needs continuous columns",)
    if word == "geo_make_regions" and types != {"geospatial"}:
        return (f"'{word}' needs geospatial columns",)
    if word in _SEQUENCES and not all(
        isinstance(columns[name].get("original_values"), list) for name in names
    ):
        return (f"'{word}' needs columns whose values are listed in original_values",)
    return None


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False

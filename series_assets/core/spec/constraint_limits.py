"""Expressions and constraint actions that Exhibit 0.9.9 accepts but gets wrong.

Whether an expression is safe to evaluate at all is decided in ``expressions``.
"""

import re
from collections.abc import Iterator
from typing import Any

from series_assets.core.errors import Fault, fault_at, suggestion
from series_assets.core.spec import expressions, mentions
from series_assets.core.spec.literals import parse_day
from series_assets.core.spec.specification import Specification, all_outputs, calculations_of

_ANY_COLUMN = (
    *("make_null", "make_not_null", "sort_ascending", "sort_descending", "make_distinct"),
    *("make_same", "make_almost_same", "shift_distribution_right", "shift_distribution_left"),
    "assign_value",
)
_PAIR_OF_COLUMNS = (
    *("sort_and_skew_right", "sort_and_skew_left"),
    *("sort_and_make_peak", "sort_and_make_valley"),
)
_SEQUENCES = ("generate_as_sequence", "generate_as_repeating_sequence")
ACTIONS = (*_ANY_COLUMN, *_PAIR_OF_COLUMNS, *_SEQUENCES, "make_outlier", "geo_make_regions")
"""The actions of custom constraints; Exhibit ignores any other word."""
_CLOCK = ("now", "today")
"""Texts that pandas reads as the current time where a date is expected."""

Problem = tuple[str, str]
"""What is wrong, to follow the expression or the action, and the remedy ("" for none)."""


def expression_faults(specification: Specification) -> Iterator[Fault]:
    """Yield a fault for each expression that is unsafe, or that Exhibit gets wrong."""
    yield from expressions.checked(specification, _problems_by_expression(specification))


def _problems_by_expression(
    specification: Specification,
) -> Iterator[tuple[expressions.Expression, Fault]]:
    columns = specification["columns"]
    outputs = all_outputs(specification, columns)
    constraints = specification["constraints"]
    found: list[tuple[str, str, Iterator[Problem]]] = [
        ("constraints.basic_constraints", text, _of_basic_constraint(text, columns, outputs))
        for text in constraints["basic_constraints"] or []
    ]
    for name, custom in (constraints["custom_constraints"] or {}).items():
        text, place = custom.get("filter") or "", f"constraints.custom_constraints.{name}.filter"
        found.append((place, text, _of_filter(text, columns, outputs)))
    known = list(outputs)
    for name, text in calculations_of(specification).items():
        found.append((f"derived_columns.{name}", text, _of_calculation(text, [*known])))
        known.append(name)
    for place, text, problems in found:
        for problem, remedy in problems:
            yield (place, text), fault_at(place, f"'{text}' {problem}", remedy)


def _of_basic_constraint(
    text: str, columns: dict[str, Any], outputs: list[str]
) -> Iterator[Problem]:
    parts = mentions.split_constraint(text)
    if parts is None:
        return
    column, operator, expression = parts
    if " " in expression and "~" not in expression:
        yield (
            "has spaces in its expression, which Exhibit cannot parse",
            f"write {expression.replace(' ', '')}, or ~my column~ for a name",
        )
        return
    if "__" in column:
        yield "adjusts a column with __ in its name, which Exhibit takes for a space", "rename it"
    if operator == "==" and _may_be_fraction_of_integer(columns, column, expression):
        yield (
            "compares whole numbers with what may be a fraction",
            "use <= or >=, or precision: float",
        )
    yield from _unknown_names(expression, outputs)


def _of_filter(text: str, columns: dict[str, Any], outputs: list[str]) -> Iterator[Problem]:
    frequency = re.fullmatch(r"~?(.+?)~?\s+with_(high|low)_frequency", text)
    if frequency and columns.get(frequency[1], {}).get("type") == "continuous":
        yield (
            "counts how often a number occurs, which Exhibit can do only for categories and "
            "identifiers",
            "",
        )
    yield from _unknown_names(re.sub(r"\bwith_(high|low)_frequency\b", "", text), outputs)


def _of_calculation(text: str, known: list[str]) -> Iterator[Problem]:
    split_values = [
        quote
        for quote in re.findall(r"""["']([^"']*)["']""", text)
        if re.search(r"\b\s\b", quote) and quote not in known
    ]
    words = text
    for column in sorted(known, key=len, reverse=True):
        words = words.replace(column, column.replace(" ", "__"))
    if split_values or re.search(r"\w\s(and|or|in|not)\s\w", words):
        yield (
            "has a space between two words, which Exhibit takes for part of a column's name",
            "use & and | between parentheses, and values without spaces",
        )
    else:
        yield from _unknown_names(mentions.derivation_code(text), known)


def _unknown_names(text: str, known: list[str]) -> Iterator[Problem]:
    if unknown := mentions.unknown_names(text, known):
        first = sorted(unknown)[0].replace("__", " ")
        yield f"names '{first}', which is not a known column", suggestion(first, known)


def _may_be_fraction_of_integer(columns: dict[str, Any], name: str, expression: str) -> bool:
    """Return whether an integer column is compared with an expression that may be a fraction."""
    if columns.get(name, {}).get("precision") != "integer":
        return False
    others = mentions.in_constraint(expression, columns)
    fractions = any(columns[other].get("precision") == "float" for other in others)
    return fractions or "/" in expression or bool(re.search(r"\d\.\d*[1-9]", expression))


def action_faults(specification: Specification) -> Iterator[Fault]:
    """Yield a fault for each action that Exhibit lacks, or that does not suit its columns."""
    columns = specification["columns"]
    for name, custom in (specification["constraints"]["custom_constraints"] or {}).items():
        for target, actions in custom["targets"].items():
            place = f"constraints.custom_constraints.{name}.targets.{target}"
            names = [part.strip() for part in target.split(",")]
            for action in (part.strip() for part in actions.split(",")):
                if problem := _of_action(action, names, columns):
                    yield fault_at(place, *problem)
                elif action == "geo_make_regions" and custom.get("filter"):
                    yield fault_at(
                        place,
                        f"'{action}' with a filter: Exhibit removes places of other rows",
                        "leave out the filter",
                    )


def _of_action(action: str, names: list[str], columns: dict[str, Any]) -> Problem | None:
    word, *arguments = action.split("$")
    types = {columns[name]["type"] for name in names}
    if word not in ACTIONS:
        return f"'{action}' is not an action that Exhibit knows", suggestion(word, ACTIONS)
    if "uuid" in types:
        return f"'{action}' acts on an identifier, which no constraint may change", ""
    if word == "assign_value":
        return _of_assignment(action, arguments, types)
    if arguments:
        return f"'{action}' has an argument, which only assign_value takes", ""
    if word in _PAIR_OF_COLUMNS and len(names) != 2:
        return f"'{word}' needs exactly two columns, the one to sort by and the one to skew", ""
    if word in _PAIR_OF_COLUMNS and columns[names[1]]["type"] != "continuous":
        return f"'{word}' skews '{names[1]}', which is not a continuous column", ""
    if word == "make_outlier" and types != {"continuous"}:
        return f"'{word}' needs continuous columns", ""
    if word == "geo_make_regions" and types != {"geospatial"}:
        return f"'{word}' needs geospatial columns", ""
    listed = [isinstance(columns[name].get("original_values"), list) for name in names]
    if word in _SEQUENCES and not all(listed):
        return f"'{word}' needs columns whose values are listed in original_values", ""
    return None


def _of_assignment(action: str, values: list[str], types: set[str]) -> Problem | None:
    if len(values) != 1:
        what = "several values" if values else "nothing"
        return f"'{action}' assigns {what}", "write assign_value$value"
    if "continuous" in types and not _is_number(values[0]):
        return f"'{action}' assigns text to a column of numbers", "write a number after the $"
    if "date" in types and values[0].strip().lower() in _CLOCK:
        problem = f"'{action}' reads the clock, so that no two runs agree"
        return problem, "write a date, such as 2024-01-31"
    if "date" in types and parse_day(values[0]) is None:
        return f"'{action}' assigns what is not a date", "write a date, such as 2024-01-31"
    return None


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False

"""Turns pydantic's errors into faults in the terms of the two files. Has no rules of its own."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError

from series_assets.core.errors import (
    Fault,
    InvalidValueError,
    fault_at,
    join_words,
    nearest,
    sentence,
    suggestion,
)

_MAX_FAULTS = 100
"""Reported for one file."""
_MAX_DIGITS = 100
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping of keys to values",
    "model": "a mapping of keys to values",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "{} is too small", "the smallest is {}"),
    "less_than_equal": ("le", "{} is too large", "the largest is {}"),
    "greater_than": ("gt", "{} is too small", "it has to be more than {}"),
}


def faults_of(
    error: ValidationError,
    file: str,
    known_keys: Mapping[str, Sequence[str]],
    remedies: Mapping[str, str],
    column_types: Collection[str] = (),
) -> Iterable[Fault]:
    """Yield one fault for each of pydantic's errors.

    ``known_keys`` has the allowed keys of each section ("" is the top of the file), from which a
    similar one is suggested; ``remedies`` says what to write for a missing key; ``column_types``
    are the valid types of columns.
    """
    details = error.errors(include_url=False)
    for detail in details[:_MAX_FAULTS]:
        yield _fault(dict(detail), known_keys, remedies, column_types).in_file(file)
    if len(details) > _MAX_FAULTS:
        more = f"{len(details) - _MAX_FAULTS:,} more mistakes of this kind"
        yield Fault(file, "", more, "fix these first")


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return the keys of a model as they are written in the file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _fault(
    detail: Mapping[str, Any],
    known_keys: Mapping[str, Sequence[str]],
    remedies: Mapping[str, str],
    column_types: Collection[str],
) -> Fault:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    parts, model = _place(detail["loc"], column_types)
    place = ".".join(parts)
    if kind == "missing":
        return fault_at(place, "is missing", remedies.get(parts[-1], ""))
    if kind == "extra_forbidden":
        *above, key = parts
        problem = f"unknown key '{key}'" + (f" in {'.'.join(above)}" if above else "")
        return Fault("", place, problem, suggestion(key, known_keys[model]), place_first=False)
    if kind == "invalid_key" or parts[-1:] == ["[key]"]:
        where = ".".join(parts[: -2 if parts[-1] == "[key]" else -1]) or "the file"
        return fault_at(
            where, f"has the key {format_value(given)}, which is not text", "put it in quotes"
        )
    if kind == "value_error":
        raised = context["error"]
        if isinstance(raised, InvalidValueError):
            return fault_at(place, raised.problem, raised.remedy)
        return fault_at(place, str(raised))
    if kind == "literal_error":
        expected = context["expected"].replace("'", "")
        return fault_at(place, f"{format_value(given)} is not known", f"use {expected}")
    if kind.startswith("union_tag"):
        return _column_type_fault(f"{place}.type", kind, context, column_types)
    if kind in _BOUNDS:
        bound, problem, remedy = _BOUNDS[kind]
        limit = context[bound]
        shown = int(limit) if limit == int(limit) else limit
        return fault_at(place, problem.format(given), remedy.format(shown))
    if kind == "finite_number":
        return fault_at(
            place, f"{format_value(given)} is not a finite number", "write it in digits"
        )
    wanted = _KINDS.get(kind.split("_")[0])
    if wanted:
        remedy = "put it in quotes" if wanted == "text" and given is not None else ""
        if isinstance(given, str) and "number" in wanted:
            remedy = _as_number(given, is_whole=wanted == "a whole number")
        return fault_at(place, f"{format_value(given)} is not {wanted}", remedy)
    return fault_at(place, f"{format_value(given)}: {detail['msg']}")


def _as_number(text: str, *, is_whole: bool) -> str:
    """Return what to write instead of a number in another notation; "" for other texts."""
    if re.fullmatch(r"-?\d+" if is_whole else r"-?\d+(\.\d+)?", text):
        return "write it without quotes"
    if re.fullmatch(r"\d{1,3}(,\d{3})+", text):
        return f"write {text.replace(',', '')}"
    return "" if is_whole else decimal_of(text)


def decimal_of(text: str) -> str:
    """Return what to write instead of a percentage, or of a number with a comma; "" for others."""
    if match := re.fullmatch(r"(\d+(?:\.\d+)?) ?%", text):
        return f"write {format(Decimal(match[1]) / 100, 'f')}"
    if re.fullmatch(r"\d+,\d+", text):
        return f"write {text.replace(',', '.')}"
    return ""


def _column_type_fault(
    place: str, kind: str, context: Mapping[str, Any], column_types: Collection[str]
) -> Fault:
    """Return the fault of a missing or unknown column type."""
    if kind == "union_tag_not_found":
        return fault_at(place, "is missing", f"use {join_words(sorted(column_types))}")
    expected = [word.strip(" '") for word in context["expected_tags"].split(",")]
    near = nearest(str(context["tag"]), expected)
    return fault_at(
        place, f"{context['tag']!r} is not known", sentence(f"use {join_words(expected)}", near)
    )


def _place(loc: Sequence[int | str], column_types: Collection[str]) -> tuple[list[str], str]:
    """Return the keys that lead to a place, without the column type that pydantic inserts.

    And the section whose keys are allowed there.
    """
    parts = [str(part) for part in loc]
    model = "" if len(parts) < 2 else parts[0]
    if parts[:1] == ["columns"] and len(parts) > 2 and parts[2] in column_types:
        model = "distribution_parameters" if len(parts) > 4 else parts[2]
        del parts[2]
    elif parts[:2] == ["constraints", "custom_constraints"]:
        model = "custom_constraints"
    return parts, model


def format_value(given: object) -> str:
    """Return a value of the file as a message shows it."""
    if given is None:
        return "(empty)"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, int) and abs(given) >= 10**_MAX_DIGITS:
        return f"a number of more than {_MAX_DIGITS} digits"
    if isinstance(given, str | list | tuple) and len(given) > 10 * _MAX_DIGITS:
        given = given[: 10 * _MAX_DIGITS]  # what is left out would not show
    text = given.isoformat() if isinstance(given, date) else repr(given)
    return text if len(text) <= 60 else text[:57] + "..."

"""pydantic's findings, told in the words of the two files. No rules of their own here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
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

_MOST = 100
"""Faults of a file that anybody would read."""
_LONGEST = 100
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

    ``known_keys`` names, for the last fixed part of a place, the keys allowed there ("" is the
    top of the file), so that an unknown key can be answered with its likely meaning; ``remedies``
    says what to write for a key that is missing. In a file with columns, ``column_types`` are the
    types that they may have.
    """
    details = error.errors(include_url=False)
    for detail in details[:_MOST]:
        yield _fault(dict(detail), known_keys, remedies, column_types).in_file(file)
    if len(details) > _MOST:
        more = f"{len(details) - _MOST:,} more faults of this kind"
        yield Fault(file, "", more, "mend these first")


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
        return _of_error(place, context["error"])
    if kind == "literal_error":
        expected = context["expected"].replace("'", "")
        return fault_at(place, f"{format_value(given)} is not known", f"use {expected}")
    if kind.startswith("union_tag"):
        return _of_type(f"{place}.type", kind, context, column_types)
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
        return fault_at(place, f"{format_value(given)} is not {wanted}", remedy)
    return fault_at(place, f"{format_value(given)}: {detail['msg']}")


def _of_error(place: str, error: ValueError) -> Fault:
    """Return what a validator of our own, or of another library, has against a value."""
    if isinstance(error, InvalidValueError):
        return fault_at(place, error.problem, error.remedy)
    return fault_at(place, str(error))


def _of_type(
    place: str, kind: str, context: Mapping[str, Any], column_types: Collection[str]
) -> Fault:
    """Return what is wrong with the key that says which type a column has."""
    if kind == "union_tag_not_found":
        return fault_at(place, "is missing", f"use {join_words(sorted(column_types))}")
    expected = [word.strip(" '") for word in context["expected_tags"].split(",")]
    near = nearest(str(context["tag"]), expected)
    return fault_at(
        place,
        f"{context['tag']!r} is not known",
        sentence(f"use {join_words(expected)}", near),
    )


def _place(loc: Sequence[int | str], column_types: Collection[str]) -> tuple[list[str], str]:
    """Return the keys that lead to a place in the file, and what the keys there belong to.

    pydantic puts a column's type between its name and its keys.
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
    """Return what stands in the file as its reader would name it."""
    if given is None:
        return "(empty)"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, int) and abs(given) >= 10**_LONGEST:
        return f"a number of more than {_LONGEST} digits"
    if isinstance(given, str | list | tuple) and len(given) > 10 * _LONGEST:
        given = given[: 10 * _LONGEST]  # what is left out would not show
    text = given.isoformat() if isinstance(given, date) else repr(given)
    return text if len(text) <= 60 else text[:57] + "..."

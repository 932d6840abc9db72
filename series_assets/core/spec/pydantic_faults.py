"""pydantic's findings, told in the words of the two files. No rules of their own here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError

from series_assets.core.errors import Fault, did_you_mean, listed

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
    "greater_than_equal": ("ge", "{} is too small; the smallest is {}"),
    "less_than_equal": ("le", "{} is too large; the largest is {}"),
    "greater_than": ("gt", "{} is too small; it has to be more than {}"),
}


def faults_of(
    error: ValidationError,
    file: str,
    known_keys: Mapping[str, Sequence[str]],
    column_types: Collection[str] = (),
) -> Iterable[Fault]:
    """Yield one fault for each of pydantic's errors.

    ``known_keys`` names, for the last fixed part of a place, the keys allowed there ("" is the
    top of the file), so that an unknown key can be answered with its likely meaning. In a file
    with columns, ``column_types`` are the types that they may have.
    """
    details = error.errors(include_url=False)
    for detail in details[:_MOST]:
        yield Fault(file, _sentence(dict(detail), known_keys, column_types))
    if len(details) > _MOST:
        yield Fault(file, f"{len(details) - _MOST:,} more faults of this kind; mend these first")


def with_remedy(fault: Fault, remedies: Mapping[str, str]) -> Fault:
    """Return a fault about a missing key with what to write, where ``remedies`` has it."""
    place, _, rest = fault.message.rpartition(" is ")
    remedy = remedies.get(place.rsplit(".", 1)[-1]) if rest == "missing" else None
    return Fault(fault.file, f"{fault.message}; {remedy}") if remedy else fault


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return the keys of a model as they are written in the file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _sentence(
    detail: Mapping[str, Any],
    known_keys: Mapping[str, Sequence[str]],
    column_types: Collection[str],
) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    parts, model = _place(detail["loc"], column_types)
    place = ".".join(parts)
    if kind == "missing":
        return f"{place} is missing"
    if kind == "extra_forbidden":
        *above, key = parts
        where = f" in {'.'.join(above)}" if above else ""
        return f"unknown key '{key}'{where}{did_you_mean(key, known_keys[model])}"
    if kind == "invalid_key" or parts[-1:] == ["[key]"]:
        above = parts[: -2 if parts[-1] == "[key]" else -1]
        where = ".".join(above) or "the file"
        return f"{where} has the key {told(given)}, which is not text; put it in quotes"
    if kind == "value_error":
        return f"{place} {context['error']}".strip()
    if kind == "literal_error":
        return f"{place} {told(given)} is not known; use {context['expected'].replace(chr(39), '')}"
    if kind == "union_tag_invalid":
        expected = [word.strip(" '") for word in context["expected_tags"].split(",")]
        near = did_you_mean(str(context["tag"]), expected)
        hint = near if "did you mean" in near else ""
        return f"{place}.type {context['tag']!r} is not known; use {listed(expected)}{hint}"
    if kind == "union_tag_not_found":
        return f"{place}.type is missing; use {listed(sorted(column_types))}"
    if kind in _BOUNDS:
        bound, text = _BOUNDS[kind]
        limit = context[bound]
        return f"{place} {text.format(given, int(limit) if limit == int(limit) else limit)}"
    if kind == "finite_number":
        return f"{place} {told(given)} is not a finite number"
    wanted = _KINDS.get(kind.split("_")[0])
    if wanted:
        remedy = "; put it in quotes" if wanted == "text" and given is not None else ""
        return f"{place} {told(given)} is not {wanted}{remedy}"
    return f"{place} {told(given)}: {detail['msg']}"


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


def told(given: object) -> str:
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

"""pydantic's findings, told in the words of the two files. No rules of their own here."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from series_assets.core.errors import Fault, did_you_mean, listed

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
    error: ValidationError, file: str, known_keys: Mapping[str, Sequence[str]]
) -> Iterable[Fault]:
    """Yield one fault for each of pydantic's errors.

    ``known_keys`` names, for the last fixed part of a place, the keys allowed there ("" is the
    top of the file), so that an unknown key can be answered with its likely meaning.
    """
    for detail in error.errors():
        yield Fault(file, _sentence(detail, known_keys))


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return the keys of a model as they are written in the file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _sentence(detail: ErrorDetails, known_keys: Mapping[str, Sequence[str]]) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    place = ".".join(str(part) for part in detail["loc"] if part not in _TAGS)
    if kind == "missing":
        return f"{place} is missing"
    if kind == "extra_forbidden":
        *above, key = [str(part) for part in detail["loc"]]
        tag = next((part for part in reversed(above) if part in known_keys), "")
        inside = ".".join(part for part in above if part not in _TAGS)
        where = f" in {inside}" if inside else ""
        return f"unknown key '{key}'{where}{did_you_mean(key, known_keys[tag])}"
    if kind == "value_error":
        return f"{place} {context['error']}".strip()
    if kind == "literal_error":
        return f"{place} {given!r} is not known; use {context['expected'].replace(chr(39), '')}"
    if kind == "union_tag_invalid":
        expected = [word.strip(" '") for word in context["expected_tags"].split(",")]
        return f"{place}.type {context['tag']!r} is not known; use {listed(expected)}"
    if kind == "union_tag_not_found":
        return f"{place}.type is missing; use {listed(sorted(_TAGS))}"
    if kind in _BOUNDS:
        bound, text = _BOUNDS[kind]
        return f"{place} {text.format(given, context[bound])}"
    if kind == "finite_number":
        return f"{place} {given} is not a finite number"
    wanted = _KINDS.get(kind.split("_")[0])
    if wanted:
        return f"{place} {told(given)} is not {wanted}"
    return f"{place} {told(given)}: {detail['msg']}"


def told(given: object) -> str:
    """Return what stands in the file as its reader would name it."""
    if given is None:
        return "(empty)"
    text = repr(given)
    return text if len(text) <= 60 else text[:57] + "..."


_TAGS = frozenset({"uuid", "categorical", "continuous", "date", "geospatial"})

"""Validators that keys of the user input share; they raise InvalidValueError without a place."""

from typing import Any

from series_assets.core.errors import InvalidValueError
from series_assets.core.spec.pydantic_faults import format_value

NAMES_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        {"type": "null"},
    ]
}
"""What ``names`` accepts, as a JSON Schema."""


def names(value: object) -> object:
    """Return a list of different names; empty for None. Raises InvalidValueError."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidValueError(
            f"{format_value(value)} is not a list of column names", "write [name, name]"
        )
    seen: set[str] = set()
    for name in value:
        if not isinstance(name, str):
            raise InvalidValueError(
                f"holds {format_value(name)}, which is not the name of a column"
            )
        if name in seen:
            raise InvalidValueError(f"names '{name}' twice")
        seen.add(name)
    return value


def flag(value: object) -> object:
    """Return true or false, and nothing that merely looks like it. Raises InvalidValueError."""
    if not isinstance(value, bool):
        raise InvalidValueError(
            f"{format_value(value)} is neither true nor false", "use true or false"
        )
    return value

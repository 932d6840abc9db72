"""Static knowledge of a value in an expression: its shape, its kind, and its maximum size."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from series_assets.core.errors import InvalidValueError
from series_assets.core.spec.column_types import NUMBERS, TYPES
from series_assets.core.spec.specification import Specification, is_select, output_columns

COLUMN, SCALAR = "column", "single value"
TABLE, GROUPS, GROUPED, WINDOW = "table", "groups", "column by groups", "window"
TEXTS, DATES, WEEKS, MOMENT, SHAPE = "str", "dt", "isocalendar()", "@sysdate", "shape"
ROWS = "rows by place"
"""Shapes, on which attributes are looked up. Only the first two can be results."""

NUMBER, TEXT, TIME, PARTS, ANY = "number", "text", "time", "list", "any"
"""Kinds of the elements. ``any`` is accepted by every operation."""

LONGEST = 10_000
"""Maximum number of characters in a resulting cell."""
MOST_FACTORS = 200
"""Maximum number of factors, of some eighteen digits each, in a resulting number."""


class RefusedError(InvalidValueError):
    """An expression may not run; the message continues a sentence that begins with its text."""


class UnreadableExpressionError(RefusedError):
    """The expression has unknown names or invalid syntax: it would merely fail."""


Part = Callable[[], str]
"""Returns the source text of a part of an expression, for messages."""

_UNKNOWN_LENGTH = 200
_PRINTED = 32


@dataclass(frozen=True)
class Value:
    """What is known about a part of an expression without its data."""

    shape: str
    kind: str
    size: int = 1
    """Maximum number of characters of a text, or of factors of a number."""
    is_truth: bool = False
    """Whether the numbers are True and False, which calculations count as 1 and 0."""
    is_whole: bool = False
    """Whether the numbers are whole, although pandas makes floats of them beside missing ones."""

    @property
    def characters(self) -> int:
        """Maximum number of characters of one element as text."""
        return self.size if self.kind in (TEXT, PARTS) else _PRINTED


ANYTHING = Value(COLUMN, ANY)


def joined(values: Iterable[Value]) -> Value:
    """Return the value that can be any of ``values``: text if one may be text."""
    values = list(values)
    kinds = {value.kind for value in values}
    kind = next(kind for kind in (PARTS, TEXT, ANY, TIME, NUMBER) if kind in kinds)
    sizes = [value.characters if kind in (PARTS, TEXT) else value.size for value in values]
    shape = COLUMN if any(value.shape == COLUMN for value in values) else values[0].shape
    is_truth, is_whole = (
        all(getattr(value, name) for value in values) for name in ("is_truth", "is_whole")
    )
    return Value(shape, kind, max(sizes), is_truth, is_whole)


def combined(sign: str, left: Value, right: Value, part: Part) -> Value:
    """Return the result of an operator. Raises RefusedError if it could grow without bound."""
    shape = COLUMN if COLUMN in (left.shape, right.shape) else SCALAR
    kinds = {left.kind, right.kind}
    if PARTS in kinds:
        raise RefusedError(f"calculates with lists of strings in {part()}", "take one by .str[0]")
    if sign in ("*", "%", "**") and TEXT in kinds:
        raise RefusedError(
            f"calculates with text in {part()}, where {sign} would repeat or format it",
            "make numbers of it by .astype('float')",
        )
    kind = next(kind for kind in (ANY, TEXT, TIME, NUMBER) if kind in kinds)
    if kind == TEXT and TIME not in kinds:
        return bounded(Value(shape, TEXT, left.characters + right.characters), part)
    if kind == TEXT:
        return Value(shape, TIME)
    size = left.size + right.size if sign == "*" else max(left.size, right.size)
    sides = (left, right)  # True and False count as 1 and 0
    is_whole = sign != "/" and all(side.is_whole or side.is_truth for side in sides)
    return bounded(Value(shape, kind, size, is_whole=is_whole), part)


def power(base: Value, exponent: float, part: Part) -> Value:
    """Return the result of a power. Raises RefusedError if it could be huge."""
    combined("**", base, Value(SCALAR, NUMBER), part)
    if not abs(exponent) <= MOST_FACTORS:
        raise RefusedError(f"has the exponent {exponent} in {part()}", f"use up to {MOST_FACTORS}")
    size = base.size * max(1, ceil(abs(exponent)))
    is_whole = base.is_whole and exponent >= 0 and exponent == int(exponent)
    return bounded(replace(base, size=size, is_whole=is_whole), part)


def bounded(value: Value, part: Part) -> Value:
    """Return the value itself. Raises RefusedError if it can get too large."""
    is_text = value.kind in (TEXT, PARTS)
    if value.size <= (LONGEST if is_text else MOST_FACTORS):
        return value
    problem = (
        f"could make strings of more than {LONGEST} characters in {part()}"
        if is_text
        else f"multiplies more than {MOST_FACTORS} numbers into one in {part()}"
    )
    raise RefusedError(problem, "shorten it")


def of_columns(specification: Specification) -> dict[str, Value]:
    """Return the value of each output column that is not derived."""
    assigned = max(map(len, _assigned(specification)), default=0)
    found: dict[str, Value] = {}
    for name, column in specification["columns"].items():
        kind = TYPES[column["type"]].kind_of(column)
        if kind in NUMBERS:
            value = Value(COLUMN, NUMBER, is_whole=kind == "integer")
        elif kind == "date" and not is_select(column.get("anonymising_set")):
            value = Value(COLUMN, TIME)
        else:
            value = Value(COLUMN, TEXT, max(_longest(column), assigned))
        found |= dict.fromkeys(output_columns(specification, name), value)
    return found


def _longest(column: Mapping[str, Any]) -> int:
    values = column.get("original_values")
    if not isinstance(values, list) or column["anonymising_set"] != "random":
        return _UNKNOWN_LENGTH
    return max(len(cell.strip()) for row in values for cell in row.split("|"))


def _assigned(specification: Specification) -> Iterable[str]:
    for custom in (specification["constraints"].get("custom_constraints") or {}).values():
        yield from custom["targets"].values()

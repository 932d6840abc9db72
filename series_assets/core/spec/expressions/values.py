"""What is known of a value before anything is computed: its shape, its kind, how large it gets."""

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
"""The shapes: what an attribute is looked up on. Only the first two are values by themselves."""

NUMBER, TEXT, TIME, PARTS, ANY = "number", "text", "time", "list", "any"
"""The kinds: what the elements are. ``any`` is taken for whatever an operation needs."""

LONGEST = 10_000
"""The most characters that an expression may give one cell."""
MOST_FACTORS = 200
"""The most numbers of some eighteen digits that may be multiplied into one."""


class RefusedError(InvalidValueError):
    """An expression may not run; half a sentence that follows its text says why."""


class UnreadableExpressionError(RefusedError):
    """The expression names what is not there, or cannot be read: it would fail, and do no more."""


Part = Callable[[], str]
"""Gives a part of an expression as it was written; asked only where a message needs it."""

_UNKNOWN_LENGTH = 200
_PRINTED = 32


@dataclass(frozen=True)
class Value:
    """A part of an expression, as far as it is known without its data."""

    shape: str
    kind: str
    size: int = 1
    """The most characters of a text, or the most factors of a number."""

    def as_column(self) -> "Value":
        """Return the same for every row."""
        return replace(self, shape=COLUMN)

    @property
    def characters(self) -> int:
        """The most characters of one element as text."""
        return self.size if self.kind in (TEXT, PARTS) else _PRINTED


ANYTHING = Value(COLUMN, ANY)


def joined(values: Iterable[Value]) -> Value:
    """Return what is one or the other: text where one may be text."""
    values = list(values)
    kinds = {value.kind for value in values}
    kind = next(kind for kind in (PARTS, TEXT, ANY, TIME, NUMBER) if kind in kinds)
    sizes = [value.characters if kind in (PARTS, TEXT) else value.size for value in values]
    shape = COLUMN if any(value.shape == COLUMN for value in values) else values[0].shape
    return Value(shape, kind, max(sizes))


def combined(sign: str, left: Value, right: Value, part: Part) -> Value:
    """Return what an operator makes of two values; ``part`` gives how its author wrote it.

    Raises RefusedError where that could repeat text, or grow without bound.
    """
    shape = COLUMN if COLUMN in (left.shape, right.shape) else SCALAR
    kinds = {left.kind, right.kind}
    if PARTS in kinds:
        raise RefusedError(f"calculates with lists of texts in {part()}", "take one by .str[0]")
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
    return bounded(Value(shape, kind, size), part)


def power(base: Value, exponent: float, part: Part) -> Value:
    """Return what a power with a known exponent is. Raises RefusedError where it could be huge."""
    combined("**", base, Value(SCALAR, NUMBER), part)
    if not abs(exponent) <= MOST_FACTORS:
        raise RefusedError(f"has the exponent {exponent} in {part()}", f"use up to {MOST_FACTORS}")
    return bounded(replace(base, size=base.size * max(1, ceil(abs(exponent)))), part)


def bounded(value: Value, part: Part) -> Value:
    """Return a value that cannot get too large. Raises RefusedError for another."""
    if value.kind in (TEXT, PARTS) and value.size > LONGEST:
        raise RefusedError(
            f"could make texts of more than {LONGEST} characters in {part()}", "shorten it"
        )
    if value.kind not in (TEXT, PARTS) and value.size > MOST_FACTORS:
        raise RefusedError(
            f"multiplies more than {MOST_FACTORS} numbers into one in {part()}", "shorten it"
        )
    return value


def of_columns(specification: Specification) -> dict[str, Value]:
    """Return what is known of each column of the data that is not derived."""
    assigned = max(map(len, _assigned(specification)), default=0)
    found: dict[str, Value] = {}
    for name, column in specification["columns"].items():
        kind = TYPES[column["type"]].kind_of(column)
        if kind in NUMBERS:
            value = Value(COLUMN, NUMBER)
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

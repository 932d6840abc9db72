"""What comes out of an allowed attribute or method: the kind, and how large it can get."""

from collections.abc import Mapping
from dataclasses import replace

from series_assets.core.spec.expressions import values
from series_assets.core.spec.expressions.arguments import Given
from series_assets.core.spec.expressions.table import (
    CALCULATED,
    CALCULATIONS,
    CAST,
    CATENATED,
    JOINED,
    PADDED,
    REPLACED,
    SAME,
    SPLIT,
    Use,
)
from series_assets.core.spec.expressions.values import (
    ANY,
    COLUMN,
    NUMBER,
    PARTS,
    TEXT,
    TIME,
    Part,
    Value,
    joined,
)


def of_attribute(use: Use, of: Value) -> Value:
    """Return what an attribute gives, or a method whose arguments do not matter."""
    if use.gives == SAME:
        return replace(of, shape=use.shape)
    return Value(use.shape, use.gives, of.characters if use.gives == TEXT else 1)


def of_method(name: str, use: Use, of: Value, given: Mapping[str, Given], part: Part) -> Value:
    """Return what a method makes of what it is given. Raises RefusedError if it is too much."""
    if use.gives == CALCULATED:
        return _calculated(name, of, given, part)
    if of.kind == ANY and use.gives not in (NUMBER, TEXT, TIME, CAST):
        return replace(of, shape=use.shape)
    if use.gives == JOINED:
        told = ("cond", "periods", "to_replace")
        wanted = [one.value for parameter, one in given.items() if parameter not in told]
        return replace(joined([of, *wanted]), shape=use.shape)
    if use.gives == CAST:
        text = given["dtype"].constant == "str"
        return Value(COLUMN, TEXT, of.characters) if text else Value(COLUMN, NUMBER)
    if use.gives == SPLIT:
        return Value(COLUMN, PARTS, of.characters)
    if use.gives in (PADDED, REPLACED, CATENATED):
        return Value(COLUMN, TEXT, _length(use.gives, of.characters, given))
    for parameter in ("format", "date_format"):
        if parameter in given:
            return Value(use.shape, TEXT, 30 * len(str(given[parameter].constant)))
    return of_attribute(use, of)


def is_regex(name: str, given: Mapping[str, Given]) -> bool:
    """Tell whether a method of ``.str`` takes its pattern for a regular expression."""
    if "regex" in given:
        return given["regex"].constant is not False
    return name != "replace"


def _calculated(name: str, of: Value, given: Mapping[str, Given], part: Part) -> Value:
    if name == "pow":
        exponent = given["other"].constant
        assert isinstance(exponent, int | float)
        return values.power(of, exponent, part)
    other = joined([given["other"].value, *_others(given, "fill_value")])
    return values.combined(CALCULATIONS[name], of, other, part)


def _length(how: str, characters: int, given: Mapping[str, Given]) -> int:
    if how == PADDED:
        width = given["width"].constant
        assert isinstance(width, int)
        return max(characters, width)
    if how == CATENATED:
        more = _others(given, "others", "sep", "na_rep")
        return characters + sum(one.characters for one in more)
    pattern, text = str(given["pat"].constant), str(given["repl"].constant)
    if is_regex("replace", given) or not pattern:
        # An empty match stands before and behind each character; \1 is as long as the text.
        each = len(text) * (characters if "\\" in text else 1)
        return characters + each * (characters + 1)
    return characters + len(text) * (characters // len(pattern))


def _others(given: Mapping[str, Given], *names: str) -> list[Value]:
    return [given[name].value for name in names if name in given]

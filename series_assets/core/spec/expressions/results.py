"""The value of an allowed attribute or method: its kind and maximum size."""

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
    TRUTH,
    WHOLE,
    Use,
)
from series_assets.core.spec.expressions.values import Part, Value, joined


def of_attribute(use: Use, of: Value) -> Value:
    """Return the value of an attribute, or of a method whose arguments do not matter."""
    if use.gives == SAME:  # those for numbers only may give fractions, such as a mean
        is_truth, is_whole = (flag and not use.numbers for flag in (of.is_truth, of.is_whole))
        return replace(of, shape=use.shape, is_truth=is_truth, is_whole=is_whole)
    if use.gives in (TRUTH, WHOLE):
        is_truth = use.gives == TRUTH
        return Value(use.shape, values.NUMBER, is_truth=is_truth, is_whole=not is_truth)
    return Value(use.shape, use.gives, of.characters if use.gives == values.TEXT else 1)


def of_method(name: str, use: Use, of: Value, given: Mapping[str, Given], part: Part) -> Value:
    """Return the value of a method call. Raises RefusedError if it could get too large."""
    if use.gives == CALCULATED:
        return _calculated(name, of, given, part)
    known = (values.NUMBER, TRUTH, WHOLE, values.TEXT, values.TIME, CAST)
    if of.kind == values.ANY and use.gives not in known:
        return replace(of, shape=use.shape)
    if use.gives == JOINED:
        no_result = ("cond", "periods", "to_replace")
        results = [given[name].value for name in given if name not in no_result]
        return replace(joined([of, *results]), shape=use.shape)
    if use.gives == CAST:
        dtype = given["dtype"].constant
        if dtype == "str":
            return Value(values.COLUMN, values.TEXT, of.characters)
        return Value(values.COLUMN, values.NUMBER, is_whole=str(dtype).lower().startswith("int"))
    if use.gives == SPLIT:
        return Value(values.COLUMN, values.PARTS, of.characters)
    if use.gives in (PADDED, REPLACED, CATENATED):
        return Value(values.COLUMN, values.TEXT, _length(use.gives, of.characters, given))
    for parameter in ("format", "date_format"):
        if parameter in given:
            return Value(use.shape, values.TEXT, 30 * len(str(given[parameter].constant)))
    found = of_attribute(use, of)
    summary = given["func"].constant if name == "agg" else name
    counts = name == "agg" and summary in ("count", "nunique")
    keeps = summary in ("sum", "abs", "cumsum", "min", "max", "first", "last")
    keeps = keeps and of.shape != values.WINDOW and (of.is_whole or of.is_truth)
    return replace(found, is_whole=True) if counts or keeps else found


def is_regex(name: str, given: Mapping[str, Given]) -> bool:
    """Return whether a method of ``.str`` treats its pattern as a regular expression."""
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
        # An empty pattern matches around each character; \1 can be as long as the text.
        each = len(text) * (characters if "\\" in text else 1)
        return characters + each * (characters + 1)
    return characters + len(text) * (characters // len(pattern))


def _others(given: Mapping[str, Given], *names: str) -> list[Value]:
    return [given[name].value for name in names if name in given]

"""Checks that the expressions of a specification are safe to evaluate.

Exhibit passes derived columns, basic constraints and filters to pandas' ``eval``, which can reach
any Python object. No expression is evaluated before it has passed these checks.
"""

import keyword
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from series_assets.core.errors import Fault, fault_at
from series_assets.core.spec.expressions import reading, values
from series_assets.core.spec.expressions.checking import BY_GROUPS, CONSTRAINT, DERIVED, Checker
from series_assets.core.spec.expressions.values import (
    ANYTHING,
    RefusedError,
    UnreadableExpressionError,
    Value,
)
from series_assets.core.spec.mentions import derivation_code, in_code
from series_assets.core.spec.specification import Specification

_FREQUENCY = re.compile(r"with_(?:high|low)_frequency")
_CONSTANTS = ("inf", "Inf")


Expression = tuple[str, str]
"""The place of an expression in the specification, and its text."""


@dataclass(frozen=True)
class Refusal:
    """Why an expression may not run."""

    place: str
    text: str
    why: RefusedError
    """Its problem continues a sentence that begins with the expression."""

    @property
    def is_harmless(self) -> bool:
        """Whether the expression would merely fail: unknown names or invalid syntax."""
        return isinstance(self.why, UnreadableExpressionError)

    @property
    def expression(self) -> Expression:
        """The refused expression."""
        return self.place, self.text

    def __str__(self) -> str:
        return self.fault().message

    def fault(self) -> Fault:
        """Return the refusal as a fault of the specification."""
        lines = r"\n".join(self.text.splitlines())
        text = lines if len(lines) <= 200 else f"{lines[:197]}..."
        return fault_at(self.place, f"'{text}' {self.why.problem}", self.why.remedy)


def checked(
    specification: Specification, known: Iterable[tuple[Expression, Fault]]
) -> Iterator[Fault]:
    """Yield a fault for each refused expression, and the ``known`` faults of the others.

    An expression that would merely fail is reported only if it has no known fault.
    """
    found = list(refusals(specification))
    unsafe = [refusal for refusal in found if not refusal.is_harmless]
    yield from (refusal.fault() for refusal in unsafe)
    refused = {refusal.expression for refusal in unsafe}
    others = [(expression, fault) for expression, fault in known if expression not in refused]
    yield from (fault for _, fault in others)
    reported = {expression for expression, _ in others}
    for refusal in found:
        if refusal.is_harmless and refusal.expression not in reported:
            yield refusal.fault()


def refusals(specification: Specification) -> Iterator[Refusal]:
    """Yield a refusal for each expression of a specification that may not run."""
    columns = values.of_columns(specification)
    constraints = specification["constraints"]
    for text in constraints["basic_constraints"] or []:
        yield from _refusals("constraints.basic_constraints", text, columns, basic=True)
    for name, custom in (constraints["custom_constraints"] or {}).items():
        if custom.get("filter") is not None:
            place = f"constraints.custom_constraints.{name}.filter"
            yield from _refusals(place, custom["filter"], columns)
    for name, text in specification["derived_columns"].items():
        try:
            columns[name] = check_derivation(text, columns)
        except RefusedError as error:
            # Exhibit computes no column with "Example" in its name, at least not on purpose.
            if not (isinstance(error, UnreadableExpressionError) and "Example" in name):
                yield Refusal(f"derived_columns.{name}", text, error)
            columns[name] = ANYTHING


def _refusals(
    place: str, text: str, columns: Mapping[str, Value], basic: bool = False
) -> Iterator[Refusal]:
    try:
        check_constraint(text, columns, basic=basic)
    except RefusedError as error:
        yield Refusal(place, text, error)


def check_derivation(text: str, columns: Mapping[str, Value]) -> Value:
    """Return the value of a calculation; ``columns`` are those defined before it.

    Raises RefusedError if it is unsafe, UnreadableExpressionError if it would merely fail.
    """
    code = derivation_code(text)
    _check_names(code, columns, [], "put spaces around the operator if you mean to calculate")
    context = BY_GROUPS if "groupby" in code else DERIVED
    return replace(_checked(code, columns, context), shape=values.COLUMN)


def check_constraint(text: str, columns: Mapping[str, Value], *, basic: bool = False) -> None:
    """Check a filter, or a basic constraint. Raises as ``check_derivation`` does."""
    clean = reading.of_constraint(text)
    _check_names(clean, columns, reading.between_tildes(text), "rename it")
    if _FREQUENCY.search(clean):
        # Exhibit takes the text before these words for the name of a column.
        if basic or _FREQUENCY.sub("", clean, count=1).strip() not in map(in_code, columns):
            raise UnreadableExpressionError(
                "uses frequency, which only a filter of the form 'column with_high_frequency' may",
                "write it in that form, or leave it out",
            )
        return
    _checked(clean, columns, CONSTRAINT)
    if basic:
        parts = reading.sides(clean)
        if len(parts) != 3:
            raise UnreadableExpressionError(
                "is not 'column operator expression' with one operator between spaces",
                "split it into several constraints",
            )
        _checked(parts[2], columns, CONSTRAINT)


def _checked(text: str, columns: Mapping[str, Value], place: str) -> Value:
    tree = reading.parse(text)
    checker = Checker({in_code(name): value for name, value in columns.items()}, place)
    try:
        found = checker.check(tree)
    except RecursionError:
        raise RefusedError("nests too deep", "split it over several columns") from None
    if checker.unknown:
        raise UnreadableExpressionError(
            f"names '{checker.unknown[0]}', which is not a known column"
        )
    return found


def _check_names(text: str, columns: Iterable[str], tilded: Iterable[str], remedy: str) -> None:
    """Raise RefusedError if a mentioned column's name has another meaning in pandas."""
    tilded, bare = set(tilded), reading.unquoted(text)
    for name in columns:
        code = in_code(name)
        if not _is_plain_name(code) and (
            name in tilded or _occurs_in(reading.unquoted(code), bare)
        ):
            raise RefusedError(
                f"names the column '{name}', which pandas would read as something else",
                f"rename the column{'' if remedy == 'rename it' else f', or {remedy}'}",
            )


def _is_plain_name(name: str) -> bool:
    return (
        name.isidentifier()
        and not keyword.iskeyword(name)
        and name == unicodedata.normalize("NFKC", name)
        and name not in _CONSTANTS
        and not name.startswith("__")
    )


def _occurs_in(name: str, text: str) -> bool:
    if keyword.iskeyword(name) or not re.search(r"[^\W\d]", name):
        return False
    return bool(re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text))

"""Expressions of a specification: what pandas would evaluate, held against what is allowed.

Derived columns, basic constraints and the filters of custom ones are handed to pandas' ``eval`` by
Exhibit, with everything in reach. Nothing is, until it has been found harmless here.
"""

import keyword
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from series_assets.core.errors import Fault, fault_at
from series_assets.core.spec.expressions import reading, values
from series_assets.core.spec.expressions.checking import BY_GROUPS, CONSTRAINT, DERIVED, Checker
from series_assets.core.spec.expressions.values import (
    ANYTHING,
    RefusedError,
    UnreadableExpressionError,
    Value,
)
from series_assets.core.spec.mentions import derivation_code
from series_assets.core.spec.specification import Specification

_OFTEN = re.compile(r"with_(?:high|low)_frequency")
_CONSTANTS = ("inf", "Inf")


Expression = tuple[str, str]
"""Where an expression stands in the specification, and its text."""


@dataclass(frozen=True)
class Refusal:
    """Why an expression may not run."""

    place: str
    text: str
    why: RefusedError
    """Its problem is half a sentence that follows the expression."""

    @property
    def plain(self) -> bool:
        """Whether it only names what is not there, or cannot be read: harmless, but useless."""
        return isinstance(self.why, UnreadableExpressionError)

    @property
    def expression(self) -> Expression:
        """Which expression it is about."""
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
    """Yield a fault for each expression that may not run, and the others ``known`` before.

    Of an expression that is refused nothing else is told; one that names what is not there is left
    to the known fault of it, if there is one.
    """
    found = list(refusals(specification))
    refused = {one.expression for one in found if not one.plain}
    yield from (one.fault() for one in found if not one.plain)
    others = [(expression, fault) for expression, fault in known if expression not in refused]
    yield from (fault for _, fault in others)
    settled = {expression for expression, _ in others}
    yield from (one.fault() for one in found if one.plain and one.expression not in settled)


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
    """Return what a calculation makes of the columns, whose values are known so far.

    Raises RefusedError if anything in it is not allowed, UselessError if it would only fail.
    """
    safe = derivation_code(text)
    _check_names(safe, columns, [], "write the sign between blanks if you mean to calculate")
    place = BY_GROUPS if "groupby" in safe else DERIVED
    return _checked(safe, columns, place).as_column()


def check_constraint(text: str, columns: Mapping[str, Value], *, basic: bool = False) -> None:
    """Return nothing for a filter, or a basic constraint, that may be evaluated.

    Raises RefusedError if anything in it is not allowed, UselessError if it would only fail.
    """
    clean = reading.of_constraint(text)
    _check_names(clean, columns, reading.between_tildes(text), "rename it")
    if _OFTEN.search(clean):
        # Exhibit looks up what stands before these words as the name of a column.
        if basic or _OFTEN.sub("", clean, count=1).strip() not in _safe(columns):
            raise UnreadableExpressionError(
                "uses frequency, which only a filter of the form 'column with_high_frequency' can",
                "write it in that form, or leave it out",
            )
        return
    _checked(clean, columns, CONSTRAINT)
    if basic:
        parts = reading.sides(clean)
        if len(parts) != 3:
            raise UnreadableExpressionError(
                "is not 'column operator expression' with one operator between blanks",
                "split it into several constraints",
            )
        _checked(parts[2], columns, CONSTRAINT)


def _safe(columns: Mapping[str, Value]) -> dict[str, Value]:
    return {name.replace(" ", "__"): value for name, value in columns.items()}


def _checked(text: str, columns: Mapping[str, Value], place: str) -> Value:
    tree = reading.parse(text)
    checker = Checker(_safe(columns), place)
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
    """Refuse the mention of a column whose name would be read as something else."""
    tilded, bare = set(tilded), reading.unquoted(text)
    for name in columns:
        safe = name.replace(" ", "__")
        if not _reads_as_itself(safe) and (
            name in tilded or _stands_in(reading.unquoted(safe), bare)
        ):
            raise RefusedError(
                f"names the column '{name}', which pandas would read as something else",
                f"rename the column{'' if remedy == 'rename it' else f', or {remedy}'}",
            )


def _reads_as_itself(name: str) -> bool:
    return (
        name.isidentifier()
        and not keyword.iskeyword(name)
        and name == unicodedata.normalize("NFKC", name)
        and name not in _CONSTANTS
        and not name.startswith("__")
    )


def _stands_in(name: str, text: str) -> bool:
    if keyword.iskeyword(name) or not re.search(r"[^\W\d]", name):
        return False
    return bool(re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text))

"""The rules that a consumer of a dataset relies on: which a series has, and what is found.

Light enough to be loaded with the definitions; how each rule is held against a dataset is in
``evaluate``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from series_assets.checks.constraint_rules import comparisons
from series_assets.core.plan.series import Series
from series_assets.core.spec import mentions
from series_assets.core.spec.literals import parse_day
from series_assets.core.spec.specification import Specification, columns_of_type, output_columns

RULES = {
    "same_columns": "The columns of the first period, in the same order.",
    "counts": "As many rows as asked for, new and existing; the new ones are those of new_records.",
    "identifiers": "Identifiers of new records occur in no earlier period; those of existing "
    "records were all recorded with their entity before the period.",
    "repetitions": "An entity has as many rows as the frequency_distribution gives it.",
    "static_columns": "What an entity keeps for life is as first recorded, and the same in all of "
    "its rows.",
    "linked_columns": "Linked identifiers are one to one, and linked columns are as recorded with "
    "their entity.",
    "dates": "Dates are written as YYYY-MM-DD, and lie in the window that they have in the period; "
    "where all of a window's dates were asked for, none is lacking.",
    "constraints": "Basic constraints hold, where nothing else that the specification asks for can "
    "undo them; other rows in which one does not hold are counted.",
    "fresh_values": "Numbers that are drawn afresh are not those of the period before, nor those "
    "of the new records in existing ones.",
}
"""Every rule by name, in the order they are told, with what it says."""

EXAMPLES = 5
"""How many examples of what is wrong are kept."""


@dataclass(frozen=True)
class Example:
    """One thing that is wrong, as it is shown to people."""

    identifier: str | None
    """The first identifier of the row; None where the fault is not of one row."""
    column: str
    found: str | None
    wanted: str


@dataclass(frozen=True)
class Finding:
    """What came of holding one rule against one dataset."""

    rule: str
    unit: str = "rows"
    """What is counted: ``rows``, ``entities`` or ``columns``."""
    examined: int = 0
    wrong: int = 0
    examples: tuple[Example, ...] = ()
    problem: str | None = None
    """Why the rule could not be held against the dataset at all, and what to do."""
    facts: Mapping[str, int | str] = field(default_factory=dict)
    """More to know, such as the rows asked for."""

    @property
    def holds(self) -> bool:
        """Whether the rule was held against the dataset, and nothing is wrong."""
        return self.problem is None and not self.wrong

    def __str__(self) -> str:
        if self.problem is not None:
            return self.problem
        if not self.wrong:
            return f"{self.examined} {self.unit}, none wrong"
        told = f"{self.wrong} of {self.examined} {self.unit} wrong"
        return f"{told}, such as {_told(self.examples[0])}" if self.examples else told


def _told(example: Example) -> str:
    whose = f"{example.identifier}: " if example.identifier else ""
    found = "nothing" if example.found is None else repr(example.found)
    return f"{whose}{example.column} is {found}, should be {example.wanted}"


def rules_of(series: Series) -> tuple[str, ...]:
    """Return the names of the rules that a series has columns for, in the order of ``RULES``."""
    missing = {
        "static_columns": not static_outputs(series),
        "linked_columns": not linked_outputs(series),
        "dates": not dated(series),
        "constraints": not comparisons(series, series.specification),
        "fresh_values": not fresh_numbers(series),
    }
    return tuple(name for name in RULES if not missing.get(name))


def linked_outputs(series: Series) -> tuple[str, ...]:
    """Return the columns of the data that are linked to an identifier, linked ones included.

    Without the first identifier, by which an entity is told.
    """
    said = series.user_input.linked_columns
    if not set(said) & set(series.roles.identifiers):
        return ()
    outputs = [out for name in said for out in output_columns(series.specification, name)]
    return tuple(name for name in outputs if name != series.first_identifier)


def static_outputs(series: Series) -> tuple[str, ...]:
    """Return the columns of the data that an entity keeps, but identifiers and linked ones."""
    linked = set(linked_outputs(series))
    names = series.roles.static
    outputs = [out for name in names for out in output_columns(series.specification, name)]
    return tuple(name for name in outputs if name not in linked)


def dated(series: Series) -> tuple[str, ...]:
    """Return the date columns, but those that a constraint gives a text that is no day."""
    texts = {
        name
        for name, value in assigned(series.specification)
        if (day := parse_day(value)) is None or day.time
    }
    return tuple(
        name for name in columns_of_type(series.specification, "date") if name not in texts
    )


def assigned(specification: Specification) -> Iterator[tuple[str, str]]:
    """Yield the columns that ``assign_value`` gives a value, each with the value."""
    custom = specification["constraints"]["custom_constraints"] or {}
    for constraint in custom.values():
        for names, actions in constraint["targets"].items():
            for action in actions.split(","):
                word, _, value = action.strip().partition("$")
                if word == "assign_value":
                    yield from ((name.strip(), value) for name in names.split(","))


def fresh_numbers(series: Series) -> tuple[str, ...]:
    """Return the columns of numbers that no two records can share but by the rarest chance.

    Those with all their digits, which spread, which no entity keeps, and which no constraint or
    model sets: ``target_sum`` rounds them, and without a dispersion they follow from categories.
    """
    specification = series.specification
    if specification.get("models"):
        return ()
    columns, constraints = specification["columns"], specification["constraints"]
    custom = (constraints["custom_constraints"] or {}).values()
    touched = set[str]().union(
        *(mentions.in_constraint(t, columns) for t in constraints["basic_constraints"] or []),
        *(mentions.in_list(target, columns) for one in custom for target in one["targets"]),
        series.roles.static,
    )
    return tuple(
        name
        for name in columns_of_type(specification, "continuous")
        if name not in touched and _spreads(columns[name])
    )


def _spreads(column: Mapping[str, Any]) -> bool:
    parameters = column["distribution_parameters"]
    if column["precision"] == "integer" or parameters.get("target_sum") is not None:
        return False
    return column["distribution"] == "normal" or bool(parameters.get("dispersion"))

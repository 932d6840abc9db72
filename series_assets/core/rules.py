"""The rules that a consumer of a dataset relies on: which a series has, and what is found.

Light enough to be loaded with the definitions; how each rule is held against a dataset is in
``holding``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from series_assets.core.series import Series
from series_assets.core.specification import of_type, output_columns

RULES = {
    "same_columns": "The columns of the first period, in the same order.",
    "counts": "As many rows as asked for, new and existing; the new ones are those of new_records.",
    "identifiers": "Identifiers of new records occur in no earlier period; those of existing "
    "records were all recorded with their entity before the period.",
    "repetitions": "An entity has as many rows as the frequency_distribution gives it.",
    "static_columns": "What an entity keeps for life is as first recorded.",
    "linked_columns": "Linked identifiers are one to one, and linked columns are as recorded with "
    "their entity.",
    "dates": "Dates are written as YYYY-MM-DD, and lie in the window that they have in the period.",
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
    looked_at: int = 0
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
            return f"{self.looked_at} {self.unit}, none wrong"
        told = f"{self.wrong} of {self.looked_at} {self.unit} wrong"
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
    """Return the date columns, but those that a constraint gives a text of its own."""
    custom = series.specification["constraints"]["custom_constraints"] or {}
    assigned = {
        name.strip()
        for constraint in custom.values()
        for names, action in constraint["targets"].items()
        if "assign_value" in action
        for name in names.split(",")
    }
    return tuple(n for n in of_type(series.specification, "date") if n not in assigned)

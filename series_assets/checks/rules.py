"""The rules that a consumer of a dataset relies on, and the findings that they lead to.

Light enough to be loaded with Dagster's definitions; ``evaluate`` applies the rules to a dataset.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from series_assets.checks.constraint_rules import comparisons
from series_assets.core.plan.constraints import constrained_columns
from series_assets.core.plan.series import Series
from series_assets.core.spec.literals import parse_day
from series_assets.core.spec.specification import Specification, all_outputs, columns_of_type

TRUTH = "truth"
"""The rule on the delivered history, which series with a ``truth`` block have."""
RULES = {
    "same_columns": "The columns of the first period, in the same order.",
    "counts": "As many new and existing rows as requested; the new ones are those of new_records.",
    "identifiers": "Identifiers of new records occur in no earlier period; those of existing "
    "records were all recorded with their entity before the period.",
    "repetitions": "An entity has as many rows as the frequency_distribution gives it.",
    "static_columns": "Static columns have the values first recorded for their entity, the same in "
    "all of its rows.",
    "linked_columns": "Linked identifiers are one to one, and linked columns have the values "
    "recorded for their entity.",
    "dates": "Dates are written as YYYY-MM-DD and lie in their window of the period; where every "
    "date of a window is requested, none is missing.",
    "constraints": "Basic constraints hold wherever nothing else in the specification can undo "
    "them; other rows that violate one are counted.",
    "fresh_values": "Numbers that are generated afresh differ from those of the previous period "
    "and, in existing records, from those of the new records.",
    TRUTH: "The change log has a line for each row and each delete, the recorded state of an "
    "entity is its last row, it has one open version or none if deleted, and the manifest agrees.",
}
"""Every rule by name with its description, in the order in which they are reported."""

EXAMPLES = 5
"""How many examples of violations are kept for a finding."""


@dataclass(frozen=True)
class Example:
    """One violation of a rule, as it is shown to people."""

    identifier: str | None
    """The first identifier of the row; None if it is not about one row."""
    column: str
    found: str | None
    expected: str

    def __str__(self) -> str:
        row = f"{self.identifier}: " if self.identifier else ""
        found = "nothing" if self.found is None else repr(self.found)
        return f"{row}{self.column} is {found}, should be {self.expected}"


@dataclass(frozen=True)
class Finding:
    """The result of evaluating one rule on one dataset."""

    rule: str
    unit: str = "rows"
    """What is counted: ``rows``, ``entities`` or ``columns``."""
    examined: int = 0
    wrong: int = 0
    examples: tuple[Example, ...] = ()
    problem: str | None = None
    """Why the rule could not be evaluated, and what to do."""
    facts: Mapping[str, int | str] = field(default_factory=dict)
    """Further information, such as the number of rows requested."""

    @property
    def holds(self) -> bool:
        """Whether the rule was evaluated and nothing is wrong."""
        return self.problem is None and not self.wrong

    def __str__(self) -> str:
        if self.problem is not None:
            return self.problem
        if not self.wrong:
            return f"{self.examined} {self.unit}, none wrong"
        text = f"{self.wrong} of {self.examined} {self.unit} wrong"
        return f"{text}, such as {self.examples[0]}" if self.examples else text


def combine_findings(one: Finding, other: Finding) -> Finding:
    """Return the finding on two parts of a dataset; both are about the same rule.

    Numbers are added up. Columns are those of all parts, so the worse part counts.
    """
    total = max if one.unit == "columns" else sum
    facts = dict(one.facts)
    for name, fact in other.facts.items():
        before = facts.get(name, 0)
        is_number = isinstance(fact, int) and isinstance(before, int)
        facts[name] = fact + before if is_number else fact  # type: ignore[operator]
    return Finding(
        one.rule,
        one.unit,
        total((one.examined, other.examined)),
        total((one.wrong, other.wrong)),
        (*one.examples, *other.examples)[:EXAMPLES],
        one.problem or other.problem,
        facts,
    )


def rules_of(series: Series) -> tuple[str, ...]:
    """Return the names of the rules that a series has columns for, in the order of ``RULES``."""
    return tuple(name for name in RULES if name not in _COLUMNS or _COLUMNS[name](series))


def _tracked_columns(series: Series) -> tuple[str, ...]:
    return (series.truth.key, *series.truth.track) if series.truth else ()


def needed_columns(series: Series, rule: str) -> list[str]:
    """Return the columns that a dataset needs for a rule to be evaluated."""
    if rule in ("same_columns", "counts"):
        return []
    columns = _COLUMNS[rule](series) if rule in _COLUMNS else series.roles.identifiers
    return list(dict.fromkeys((series.first_identifier, *columns)))


def linked_outputs(series: Series) -> tuple[str, ...]:
    """Return the linked columns of the data, without the first identifier.

    Empty if no identifier is linked.
    """
    linked = series.user_input.linked_columns
    if not set(linked) & set(series.roles.identifiers):
        return ()
    outputs = all_outputs(series.specification, linked)
    return tuple(name for name in outputs if name != series.first_identifier)


def static_outputs(series: Series) -> tuple[str, ...]:
    """Return the static columns of the data that are neither identifiers nor linked."""
    linked = linked_outputs(series)
    outputs = all_outputs(series.specification, series.roles.static)
    return tuple(name for name in outputs if name not in linked)


def checked_date_columns(series: Series) -> tuple[str, ...]:
    """Return the date columns, except those to which a constraint assigns a text that is no day."""
    texts = {
        name
        for name, value in assigned_values(series.specification)
        if (day := parse_day(value)) is None or day.time
    }
    return tuple(
        name for name in columns_of_type(series.specification, "date") if name not in texts
    )


def assigned_values(specification: Specification) -> Iterator[tuple[str, str]]:
    """Yield the columns to which ``assign_value`` assigns a value, with that value."""
    custom = specification["constraints"]["custom_constraints"] or {}
    for constraint in custom.values():
        for names, actions in constraint["targets"].items():
            for action in actions.split(","):
                word, _, value = action.strip().partition("$")
                if word == "assign_value":
                    yield from ((name.strip(), value) for name in names.split(","))


def fresh_number_columns(series: Series) -> tuple[str, ...]:
    """Return the columns of numbers in which two records practically never share a value.

    They have all their digits and a dispersion (without one they follow from categories), are not
    static, not rounded by ``target_sum``, and not set by a constraint or a model.
    """
    specification = series.specification
    if specification.get("models"):
        return ()
    columns = specification["columns"]
    touched = {*constrained_columns(specification), *series.roles.static}
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


def _compared_columns(series: Series) -> tuple[str, ...]:
    found = comparisons(series, series.specification)
    return (*(one.left for one in found), *(one.right for one in found if one.right_is_column))


_COLUMNS: dict[str, Callable[[Series], tuple[str, ...]]] = {
    "static_columns": static_outputs,
    "linked_columns": linked_outputs,
    "dates": checked_date_columns,
    "constraints": _compared_columns,
    "fresh_values": fresh_number_columns,
    TRUTH: _tracked_columns,
}
"""The columns that each rule is about; a series without such columns does not have the rule."""

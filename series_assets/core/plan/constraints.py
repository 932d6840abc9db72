"""Which constraints can be enforced while static columns keep their values (5.6, 5.7).

Everything here follows from the specification alone; the engine applies it to records.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from series_assets.core.plan.constraint_solver import solved_for
from series_assets.core.spec import mentions
from series_assets.core.spec.specification import (
    Specification,
    all_outputs,
    calculations_of,
    is_select,
    looked_up_by,
    output_columns,
)

_OF_TWO_COLUMNS = ("sort_and_",)
_CHECKED = ("assign_value", "make_null", "make_not_null")
"""Actions whose result can be checked row by row."""


@dataclass(frozen=True)
class BasicConstraint:
    """A basic constraint, and the columns that can be adjusted to meet it."""

    text: str
    """As in the specification."""
    forms: tuple[tuple[str, str], ...]
    """Pairs of a column and the constraint solved for it; the specification's own form first."""


@dataclass(frozen=True)
class RowRequirement:
    """What a custom constraint requires of one column in each row that its filter selects."""

    constraint: str
    column: str
    action: str
    value: str | None
    filter: str | None

    def __str__(self) -> str:
        value = "" if self.value is None else f"${self.value}"
        return f"custom_constraints.{self.constraint}: {self.column}: {self.action}{value}"


@dataclass(frozen=True)
class Violation:
    """A constraint of the specification that some rows of a part break."""

    constraint: str
    rows: int
    of: int
    """The number of rows in the part."""

    def describe(self, part: str) -> str:
        """Return a sentence; ``part`` is ``new records`` or ``existing records``."""
        do = "does" if self.rows == 1 else "do"
        return f"{self.rows} of {self.of} {part} {do} not meet '{self.constraint}'"


@dataclass(frozen=True)
class Unenforced:
    """A constraint or a derivation that is not enforced on existing records."""

    place: str
    """Its place in the specification."""
    reason: str

    def __str__(self) -> str:
        return f"{self.place} is not enforced in existing records: {self.reason}"


@dataclass(frozen=True)
class ConstraintPlan:
    """The constraints to apply to finished records, and those to check afterwards."""

    rules: tuple[BasicConstraint, ...] = ()
    requirements: tuple[RowRequirement, ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)
    """The custom constraints to apply, in Exhibit's form, without static target columns."""
    deferred: frozenset[tuple[str, str]] = frozenset()
    """Those of them, by name and target, that the specification still has: Exhibit must not run
    them before what they depend on."""
    rules_first: bool = False
    """Whether any of the custom ones depends on a column that ``rules`` adjust."""
    arranged: frozenset[str] = frozenset()
    """The columns that an action sorted or shaped, so that nothing may change them later."""
    unenforced: tuple[Unenforced, ...] = ()


def constraints_on_new_records(specification: Specification) -> ConstraintPlan:
    """Return the constraints to check on the new records that Exhibit generated."""
    custom = specification["constraints"]["custom_constraints"] or {}
    return ConstraintPlan(
        rules=tuple(_rules(specification)),
        requirements=tuple(_requirements(custom)),
        arranged=frozenset(_arranged(custom)),
    )


def constraints_on_existing_records(
    specification: Specification,
    kept: Mapping[str, Any],
    drawn: Collection[str],
    removed: Collection[str] = (),
) -> ConstraintPlan:
    """Return the constraints to apply to existing records and to check on them.

    ``specification`` is the unmodified one of the period, ``kept`` the custom constraints and
    ``removed`` the basic ones that the specification of existing records has or lacks, ``drawn``
    the output columns that come from the reference table.
    """
    custom = specification["constraints"]["custom_constraints"] or {}
    names = _all_columns(specification)
    # Constraints between columns from the reference table already hold there.
    rules = tuple(
        rule
        for rule in _rules(specification)
        if not mentions.in_constraint(rule.text, names) <= set(drawn)
    )
    adjusted = {column for rule in rules if rule.text in removed for column, _ in rule.forms}
    adjusted -= set(drawn)
    applied, deferred = _applied(specification, kept, set(drawn), adjusted)
    requirements = (
        demand
        for demand in _requirements(custom)
        if not _is_of_record({demand.column}, demand.action, demand.filter, drawn)
    )
    return ConstraintPlan(
        rules=rules,
        requirements=tuple(requirements),
        custom=applied,
        deferred=frozenset(deferred),
        rules_first=any(
            adjusted & _mentioned_in(constraint, target, names)
            for constraint in applied.values()
            for target in constraint["targets"]
        ),
        arranged=frozenset(_arranged(custom)),
        unenforced=tuple(_unenforced(specification, rules, set(drawn), names)),
    )


def bounds_that_blank(text: str, columns: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the column that a basic constraint adjusts, and those that it goes missing with.

    Exhibit blanks a date or a fraction where a date or a fraction on the other side is missing. A
    whole number stays as it is, and so does what has a whole number anywhere on the other side.
    """
    parts = mentions.split_constraint(text)
    if parts is None or not _is_blanked(columns.get(parts[0], {})):
        return "", ()
    column, _, expression = parts
    others = mentions.in_constraint(expression, columns) - {column}
    return column, tuple(sorted(others)) if all(_is_blanked(columns[n]) for n in others) else ()


def _is_blanked(column: Mapping[str, Any]) -> bool:
    return column.get("type") == "date" or column.get("precision") == "float"


def targets_of(custom: Mapping[str, Any]) -> frozenset[str]:
    """Return the columns that custom constraints act on."""
    return frozenset(
        name
        for constraint in custom.values()
        for key in constraint["targets"]
        for name in _names(key)
    )


def constrained_columns(specification: Specification) -> set[str]:
    """Return the columns that basic constraints mention, or custom ones act on."""
    constraints, columns = specification["constraints"], specification["columns"]
    basic = (mentions.in_constraint(t, columns) for t in constraints["basic_constraints"] or ())
    return set(targets_of(constraints["custom_constraints"] or {})).union(*basic)


def _rules(specification: Specification) -> Iterator[BasicConstraint]:
    columns = specification["columns"]
    for text in specification["constraints"]["basic_constraints"] or []:
        parts = mentions.split_constraint(text)
        if parts is None or parts[0] not in columns:
            continue
        forms = [(parts[0], text)]
        for name in sorted(mentions.in_constraint(parts[2], columns)):
            solved = solved_for(name, text)
            if solved and columns[name]["type"] == columns[parts[0]]["type"]:
                forms.append((name, solved))
        yield BasicConstraint(text, tuple(forms))


def _requirements(custom: Mapping[str, Any]) -> Iterator[RowRequirement]:
    """Yield the last action on each column, where it can be checked row by row."""
    actions = [
        (name, column, action, constraint.get("filter"))
        for name, constraint in custom.items()
        for target, actions in constraint["targets"].items()
        for action in _split(actions)
        for column in _names(target)
    ]
    found: dict[str, RowRequirement | None] = {}
    # Exhibit runs make_null and then make_not_null before all other actions.
    order = {"make_null": 0, "make_not_null": 1}
    for name, column, action, where in sorted(actions, key=lambda item: order.get(item[2], 2)):
        word, _, value = action.partition("$")
        can_check = word in _CHECKED and not (where or "").endswith("_frequency")
        requirement = RowRequirement(name, column, word, value or None, where)
        found[column] = requirement if can_check else None
    yield from filter(None, found.values())


def _arranged(custom: Mapping[str, Any]) -> Iterator[str]:
    for constraint in custom.values():
        for target, actions in constraint["targets"].items():
            if set(_words(actions)) - set(_CHECKED):
                yield from _names(target)


def _applied(
    specification: Specification, kept: Mapping[str, Any], drawn: set[str], adjusted: set[str]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the constraints to apply to finished records, without their static targets.

    These are the removed ones, and those that come after one of them and mention a column that it
    changes, or one that a removed basic constraint has ``adjusted``. The second result are the
    names and targets of the latter.
    """
    names = _all_columns(specification)
    found: dict[str, Any] = {}
    deferred: list[tuple[str, str]] = []
    changed = set(adjusted)
    for name, constraint in (specification["constraints"]["custom_constraints"] or {}).items():
        targets = {}
        for target, actions in constraint["targets"].items():
            free = _without(target, actions, drawn)
            is_kept = target in kept.get(name, {}).get("targets", {})
            if not free or (is_kept and not _mentioned_in(constraint, target, names) & changed):
                continue
            targets[", ".join(free)] = actions
            changed |= {out for one in free for out in (one, *output_columns(specification, one))}
            if is_kept:
                deferred.append((name, target))
        if targets:
            found[name] = {**constraint, "targets": targets}
    return found, deferred


def _mentioned_in(constraint: Mapping[str, Any], target: str, names: set[str]) -> set[str]:
    """Return the columns that a custom constraint reads, and those of one of its targets."""
    return (
        mentions.in_constraint(constraint.get("filter"), names)
        | mentions.in_list(constraint.get("partition"), names)
        | mentions.in_list(target, names)
    )


def _is_of_record(
    columns: set[str], actions: str, where: str | None, drawn: Collection[str]
) -> bool:
    """Return whether a row met the constraint when it was recorded, and so still does."""
    can_check = set(_words(actions)) <= set(_CHECKED)
    return can_check and columns <= set(drawn) and not mentions.unknown_names(where or "", drawn)


def _without(target: str, actions: str, drawn: set[str]) -> list[str]:
    """Return the generated columns of a target; none if the action needs all its columns."""
    names = _names(target)
    free = [name for name in names if name not in drawn]
    together = any(word.startswith(_OF_TWO_COLUMNS) for word in _words(actions))
    return [] if together and free != names else free


def _unenforced(
    specification: Specification,
    rules: tuple[BasicConstraint, ...],
    drawn: set[str],
    names: set[str],
) -> Iterator[Unenforced]:
    for rule in rules:
        if not any(column not in drawn for column, _ in rule.forms):
            yield Unenforced(
                f"constraints.basic_constraints '{rule.text}'",
                f"{rule.forms[0][0]} stays as recorded, and the rest cannot be rearranged to "
                "adjust another column",
            )
    for name, constraint in (specification["constraints"]["custom_constraints"] or {}).items():
        for target, actions in constraint["targets"].items():
            lost = [column for column in _names(target) if column in drawn]
            if lost and not _is_of_record(set(lost), actions, constraint.get("filter"), drawn):
                stay = "stays" if len(lost) == 1 else "stay"
                yield Unenforced(
                    f"constraints.custom_constraints.{name}.targets.{target}",
                    f"{' and '.join(lost)} {stay} as recorded",
                )
    for name, column in specification["columns"].items():
        looked_up = name in drawn and is_select(column.get("anonymising_set"))
        for other in sorted(looked_up_by(specification, name) - drawn if looked_up else ()):
            yield Unenforced(
                f"columns.{name}.anonymising_set",
                f"{name} stays as recorded, while {other}, which it is looked up by, is generated "
                "again",
            )
    for name, text in calculations_of(specification).items():
        fresh = mentions.in_derivation(text, names) - drawn
        if name in drawn and fresh:
            yield Unenforced(
                f"derived_columns.{name} '{text}'",
                f"{name} stays as recorded, while {sorted(fresh)[0]} is regenerated",
            )


def _all_columns(specification: Specification) -> set[str]:
    columns = specification["columns"]
    outputs = all_outputs(specification, columns)
    return {*columns, *outputs, *calculations_of(specification)}


def _names(target: str) -> list[str]:
    return [name.strip() for name in target.split(",")]


def _split(actions: str) -> list[str]:
    return [action.strip() for action in actions.split(",")]


def _words(actions: str) -> list[str]:
    return [action.partition("$")[0] for action in _split(actions)]

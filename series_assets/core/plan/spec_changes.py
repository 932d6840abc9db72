"""The two specifications of a period (contract, sections 4 and 5).

Each is derived from the original specification and ``k``, never from the previous period.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from series_assets.core.plan.calendar import Calendar
from series_assets.core.plan.constraints import (
    ConstraintPlan,
    constraints_on_existing_records,
    targets_of,
)
from series_assets.core.plan.date_shifts import move_dates
from series_assets.core.plan.seeds import RunNumber, existing_seed
from series_assets.core.spec import mentions
from series_assets.core.spec.column_types import TYPES
from series_assets.core.spec.specification import (
    PAIRED,
    Specification,
    all_outputs,
    calculations_of,
    output_columns,
)


@dataclass(frozen=True)
class Roles:
    """The roles of columns in a series."""

    identifiers: tuple[str, ...]
    """The uuid columns; the first one identifies the entity."""
    static: tuple[str, ...]
    """Columns that an entity keeps, with those paired or linked with them; may be derived."""
    moved: tuple[str, ...]
    """The date columns that move with the period."""


@dataclass(frozen=True)
class Removed:
    """What was removed from the specification because existing records cannot meet it (5.6)."""

    basic_constraints: tuple[str, ...] = ()
    custom_constraints: tuple[str, ...] = ()
    """Constraints by name, single targets as ``name: target``."""
    derived_columns: tuple[str, ...] = ()
    restored_constraints: tuple[str, ...] = ()
    """Those of the basic constraints that are enforced afterwards (5.7)."""
    restored_derived: tuple[tuple[str, str], ...] = ()
    """Name and calculation of the derived columns that are computed afterwards (5.7)."""
    among_moved: tuple[str, ...] = ()
    """Those of the restored constraints that mention no static column."""
    constraint_plan: ConstraintPlan = field(default_factory=ConstraintPlan)
    """What is enforced on finished records, and what cannot be."""
    targets: frozenset[str] = frozenset()
    """The columns that custom constraints of the specification act on."""


def specification_of_period(
    specification: Specification, calendar: Calendar, roles: Roles, k: int
) -> Specification:
    """Return a copy with the dates of period ``k``, see ``date_shifts``."""
    changed = deepcopy(specification)
    move_dates(changed, roles.moved, calendar, k)
    return changed


def new_specification(
    specification: Specification, calendar: Calendar, roles: Roles, run: RunNumber, rows: int
) -> Specification:
    """Return the specification of the ``rows`` new records of a run (section 4)."""
    changed = specification_of_period(specification, calendar, roles, run.k)
    if run == RunNumber(0):  # the first period runs the specification as it is
        return changed
    changed["metadata"]["random_seed"] += run.index
    for name in roles.identifiers:
        if "uuid_seed" in changed["columns"][name]:
            changed["columns"][name]["uuid_seed"] += run.index
    resize(changed, rows)
    return changed


def existing_specification(
    specification: Specification,
    calendar: Calendar,
    roles: Roles,
    run: RunNumber,
    rows: int,
    table: str,
) -> tuple[Specification, Removed]:
    """Return the specification of the ``rows`` existing records of a run, and what it lacks.

    ``table`` is the name of the reference table (section 5.5).
    """
    changed = specification_of_period(specification, calendar, roles, run.k)
    resize(changed, rows)
    metadata = changed["metadata"]
    metadata["random_seed"] = existing_seed(metadata["random_seed"], run)
    removed = _remove(changed, roles)
    drawn = {
        name: output_columns(specification, name) for name in (*roles.identifiers, *roles.static)
    }
    statics = [name for static in roles.static for name in drawn[static]]
    first, *others = [name for names in drawn.values() for name in names]
    uniques = max(rows, metadata["inline_limit"] + 1)

    columns: dict[str, Any] = {}
    for name, column in changed["columns"].items():
        if name not in drawn:
            columns[name] = column
        for output in drawn.get(name, ()):
            columns[output] = _drawn(column, output, first, others, uniques, table)
    for name in statics:
        columns.setdefault(name, _drawn({}, name, first, others, uniques, table))
    changed["columns"] = columns

    gone = {*drawn, *removed.derived_columns}
    categorical = [name for name in metadata["categorical_columns"] if name not in drawn]
    for key in (meaning.metadata_list for meaning in TYPES.values()):
        metadata[key] = [name for name in metadata[key] if name not in gone]
    metadata["categorical_columns"] = [first, *others, *categorical]
    changed["linked_columns"] = [
        [number, members]
        for number, members in changed["linked_columns"]
        if not set(members) & set(roles.static)
    ]
    changed["constraints"]["allow_duplicates"] = True
    return changed, removed


def _drawn(
    column: dict[str, Any], name: str, first: str, others: list[str], uniques: int, table: str
) -> dict[str, Any]:
    """Return the column as a categorical one whose values come from the reference table."""
    more = column if column.get("type") == "categorical" else {}
    return {
        **more,
        "type": "categorical",
        "paired_columns": list(others) if name == first else [first],
        "uniques": uniques,
        "original_values": "random" if name == first else PAIRED,
        "cross_join_all_unique_values": False,
        "miss_probability": 0,
        "anonymising_set": table,
    }


def resize(changed: Specification, rows: int) -> None:
    """Set the number of rows, in place, and scale each ``target_sum``, which applies to a run."""
    share = Fraction(rows, changed["metadata"]["number_of_rows"])
    changed["metadata"]["number_of_rows"] = rows
    for column in changed["columns"].values():
        parameters = column.get("distribution_parameters") or {}
        if parameters.get("target_sum") is not None:
            scaled = Fraction(str(parameters["target_sum"])) * share
            exact = scaled.denominator == 1
            parameters["target_sum"] = int(scaled) if exact else float(scaled)


def _remove(changed: Specification, roles: Roles) -> Removed:
    """Remove from ``changed`` what mentions a static or a moved column, and return it."""
    unmodified = {**changed, "constraints": dict(changed["constraints"])}
    calculations = calculations_of(changed)
    static = {*roles.static, *all_outputs(changed, roles.static)}
    forbidden = {*static, *roles.moved}
    names = {*changed["columns"], *calculations, *forbidden}
    lost: set[str] = static & calculations.keys()
    while more := {
        name
        for name in calculations.keys() - lost
        if mentions.in_derivation(calculations[name], names) & forbidden
    }:
        lost |= more
        forbidden |= more
    changed["derived_columns"] = {
        name: text for name, text in changed["derived_columns"].items() if name not in lost
    }

    constraints = changed["constraints"]
    basic = constraints["basic_constraints"] or []
    out = [text for text in basic if mentions.in_constraint(text, names) & forbidden]
    if out:
        constraints["basic_constraints"] = [text for text in basic if text not in out]
    custom, removed_custom = _custom_without(
        constraints["custom_constraints"] or {}, names, forbidden
    )
    if removed_custom:
        constraints["custom_constraints"] = custom
    constraint_plan = constraints_on_existing_records(
        unmodified, custom, {*static, *roles.identifiers}, out
    )
    met = {
        rule.text for rule in constraint_plan.rules if any(c not in static for c, _ in rule.forms)
    }
    return Removed(
        basic_constraints=tuple(out),
        custom_constraints=tuple(removed_custom),
        derived_columns=tuple(name for name in calculations if name in lost),
        restored_constraints=tuple(text for text in out if text in met),
        restored_derived=tuple(
            (name, text)
            for name, text in calculations.items()
            if name in lost and name not in static
        ),
        among_moved=tuple(text for text in out if not mentions.in_constraint(text, names) & static),
        constraint_plan=constraint_plan,
        targets=targets_of(unmodified["constraints"]["custom_constraints"] or {}),
    )


def _custom_without(
    custom: dict[str, Any], names: set[str], forbidden: set[str]
) -> tuple[dict[str, Any], list[str]]:
    kept, removed = {}, []
    for name, constraint in custom.items():
        mentioned = mentions.in_constraint(constraint.get("filter"), names)
        mentioned |= mentions.in_list(constraint.get("partition"), names)
        if mentioned & forbidden:
            removed.append(name)
            continue
        targets = {
            target: action
            for target, action in constraint["targets"].items()
            if not mentions.in_list(target, names) & forbidden
        }
        dropped = [target for target in constraint["targets"] if target not in targets]
        if targets:
            kept[name] = {**constraint, "targets": targets}
            removed += [f"{name}: {target}" for target in dropped]
        else:
            removed.append(name)
    return kept, removed

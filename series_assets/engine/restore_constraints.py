"""Applying to existing records what their specification had to leave out (contract, 5.7)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import exhibit as stock
from exhibit.core.constants import MISSING_DATA_STR

from series_assets.core.plan.constraints import (
    ConstraintPlan,
    Violation,
    bounds_that_blank,
    targets_of,
)
from series_assets.core.plan.seeds import derive
from series_assets.core.plan.spec_changes import Removed
from series_assets.core.spec import mentions
from series_assets.core.spec.specification import Specification, calculations_of, output_columns
from series_assets.engine.enforce_constraints import Enforcer, handler_of

DeriveColumn = Callable[[pd.DataFrame, str], "pd.Series[Any]"]


@dataclass
class RunSpecification:
    """The specification as Exhibit runs it: tables parsed, weights computed."""

    content: Specification = field(default_factory=dict)

    def recorded_by(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Return a step of a run that first records the specification that it is given."""

        def recorded(spec_dict: Specification, data: pd.DataFrame) -> Any:
            self.content = spec_dict
            return step(spec_dict, data)

        return recorded


def restore(
    records: pd.DataFrame,
    removed: Removed,
    unmodified: Specification,
    seed: int,
    derive_column: DeriveColumn,
    ran: Specification,
    fixed: frozenset[str],
) -> tuple[pd.DataFrame, tuple[Violation, ...]]:
    """Return the existing records with constraints applied and derived columns computed.

    Also returns the constraints that they still do not meet. ``unmodified`` is the period's
    specification before anything was removed from it, ``ran`` the one that Exhibit ran; the
    ``fixed`` columns come from the reference table and are not changed.
    """
    original = records
    rng = np.random.default_rng(derive(seed, "constraints"))
    # Fixed columns are defined as in new records, the others as Exhibit has run them.
    own = {name: column for name, column in unmodified["columns"].items() if name in fixed}
    definition = {**ran, "columns": {**ran["columns"], **own}}
    records = records.copy(deep=False)
    if removed.among_moved:
        handler = handler_of({**definition, "_rng": rng}, records)
        records = handler.process_basic_constraints(list(removed.among_moved))
    records = _blanked_beside_bounds(records, removed, definition, fixed)
    again = np.random.default_rng(derive(seed, "constraints", "again"))
    if removed.constraint_plan.rules_first:
        first = np.random.default_rng(derive(seed, "constraints", "first"))
        rules = ConstraintPlan(rules=removed.constraint_plan.rules)
        records = Enforcer(definition, rules, fixed, first).enforce_all(records)
    definition = {**definition, "_rng": again}
    records = _with_custom(records, removed, definition)
    if _needs_other_numbers(records, removed, unmodified, definition):
        records = _with_regenerated_numbers(records, removed, definition, fixed)
    enforcer = Enforcer(definition, removed.constraint_plan, fixed, again)
    records = enforcer.enforce_each(enforcer.enforce_all(records)).copy()
    changed = {name for name in original if not records[name].equals(original[name])}
    calculations = calculations_of(unmodified)
    names = {*unmodified["columns"], *calculations, *original}
    restored = dict(removed.restored_derived)
    for name, calculation in calculations.items():
        is_affected = mentions.in_derivation(calculation, names) & changed
        if name in restored or (is_affected and name not in fixed):
            records[name] = derive_column(records, calculation)
            changed.add(name)
    return records, enforcer.broken(records)


def _blanked_beside_bounds(
    records: pd.DataFrame, removed: Removed, definition: Specification, fixed: frozenset[str]
) -> pd.DataFrame:
    """Return the records with values blanked where a bound is missing, as Exhibit does.

    Only for removed constraints: Exhibit has applied the others itself.
    """
    for text in removed.basic_constraints:
        column, bounds = bounds_that_blank(text, definition["columns"])
        if text in removed.among_moved or column in fixed or not bounds:
            continue
        missing = records[list(bounds)].isna().any(axis=1)
        records = records.assign(**{column: records[column].mask(missing)})
    return records


def _with_custom(
    records: pd.DataFrame, removed: Removed, definition: Specification
) -> pd.DataFrame:
    """Return the records with custom constraints applied."""
    for constraint in removed.constraint_plan.custom.values():
        for target, actions in constraint["targets"].items():
            names = [name.strip() for name in target.split(",")]
            single = {**constraint, "targets": {target: actions}}
            changed = _apply_custom(records, single, definition)
            outputs = [out for name in names for out in output_columns(definition, name)]
            records = records.assign(**{name: changed[name] for name in outputs})
    return records


def _needs_other_numbers(
    records: pd.DataFrame, removed: Removed, unmodified: Specification, definition: Specification
) -> bool:
    """Tell whether numbers have to be regenerated, as Exhibit does if a category was changed.

    It was here, or would have been in Exhibit's run of ``definition`` if it were not static.
    """
    if _changes_categories(removed.constraint_plan.custom, definition):
        return True
    would, did = (
        _changes_categories(one["constraints"]["custom_constraints"] or {}, one)
        for one in (unmodified, definition)
    )
    return would and not did and _weighs_gaps(records, definition)


def _changes_categories(custom: Mapping[str, Any], specification: Specification) -> bool:
    """Tell whether custom constraints act on a category."""
    columns = specification["columns"]
    return any(columns.get(name, {}).get("type") == "categorical" for name in targets_of(custom))


def _weighs_gaps(records: pd.DataFrame, definition: Specification) -> bool:
    """Tell whether a category with gaps gives its values different weights for some number.

    Otherwise regenerated numbers have the distribution that they have already.
    """
    weights: dict[tuple[str, str], set[float]] = {}
    for (number, category, _), found in definition.get("weights_table", {}).items():
        weights.setdefault((number, category), set()).add(round(found["weights"].weight, 9))
    uneven = {category for (_, category), known in weights.items() if len(known) > 1}
    return bool(records[[name for name in records if name in uneven]].isna().any(axis=None))


def _apply_custom(
    records: pd.DataFrame, constraint: dict[str, Any], definition: Specification
) -> pd.DataFrame:
    """Return the records after one custom constraint."""
    return handler_of(definition, records).process_custom_constraints({"single": constraint})


def _with_regenerated_numbers(
    records: pd.DataFrame, removed: Removed, definition: Specification, fixed: frozenset[str]
) -> pd.DataFrame:
    """Return the records with numbers regenerated with the weights of the changed categories.

    As in Exhibit, targets of constraints are not regenerated, and gaps stay.
    """
    columns, metadata = definition["columns"], definition["metadata"]
    categories = [n for n in columns if columns[n]["type"] == "categorical" and n in records]
    known = records.copy(deep=False)
    for name in categories:
        known[name] = known[name].astype(object)
        known[name] = known[name].where(known[name].notna(), MISSING_DATA_STR)
    kept = fixed | removed.targets | set(definition["derived_columns"])
    for name in metadata["numerical_columns"]:
        has_value = records[name].notna() if name not in kept else pd.Series(False, records.index)
        if has_value.any():
            numbers = stock.generate_continuous_column(
                spec_dict=definition, anon_df=known.loc[has_value], col_name=name
            )
            records[name] = records[name].where(~has_value, numbers.reindex(records.index))
    return records

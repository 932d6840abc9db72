"""Plans as plain data, to be compared."""

from typing import Any

from series_assets.core.plan.series import Plan


def plan_as_dict(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain data, to print it or to compare it."""
    shown: dict[str, Any] = {"dataset": plan.period.number, "starts": plan.period.key, "seeds": {}}
    shown["seeds"]["shuffle"] = plan.shuffle_seed
    if plan.new:
        shown["new"] = {
            "rows": plan.new.rows,
            "identifiers": {
                ids.column: {"kind": ids.kind, "seed": ids.seed, "issued_before": ids.issued}
                for ids in plan.new.identifiers
            },
            "specification": plan.new.specification,
        }
    if plan.existing:
        removed = plan.existing.removed
        shown["existing"] = {
            "rows": plan.existing.rows,
            "entities": plan.existing.entities,
            "removed": {
                "basic_constraints": list(removed.basic_constraints),
                "custom_constraints": list(removed.custom_constraints),
                "derived_columns": list(removed.derived_columns),
            },
            "made_true_afterwards": {
                "basic_constraints": list(removed.restored_constraints),
                "custom_constraints": dict(removed.constraint_plan.custom),
                "derived_columns": dict(removed.restored_derived),
            },
            "specification": plan.existing.specification,
        }
    return shown

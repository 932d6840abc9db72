"""Checking records against the constraints of their specification, and enforcing these.

Exhibit applies the constraints once and in order, so a later one may break an earlier one. Here
they are applied repeatedly, and a row is changed only if it then meets all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import constraints as stock
from exhibit.core import exhibit
from numpy.typing import NDArray

from series_assets.core.plan.constraints import (
    BasicConstraint,
    ConstraintPlan,
    RowRequirement,
    Violation,
    constraints_on_new_records,
)
from series_assets.core.plan.seeds import derive
from series_assets.core.spec import mentions
from series_assets.core.spec.column_types import outputs_of
from series_assets.core.spec.specification import Specification, calculations_of
from series_assets.engine.constraint_actions import CorrectedHandler
from series_assets.engine.vectorized.comparisons import value_of

Rows = NDArray[np.bool_]
_PASSES = 8


@dataclass
class Enforcer:
    """Enforces constraints on the records of one part, as far as possible."""

    definition: Specification
    """The specification that the columns are defined in."""
    constraints: ConstraintPlan
    fixed: frozenset[str]
    """The columns that are not changed."""
    rng: np.random.Generator

    def enforce_all(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records, changed in the rows that then meet every constraint."""
        before = self._failing_by_rule(records)
        wrong = _any(before, len(records))
        if not wrong.any():
            return records
        changed, still_wrong = records, wrong
        for _ in range(_PASSES):
            for place, rule in enumerate(self.constraints.rules):
                # As long as nothing has changed, it is known which rows fail.
                rows = before[place] if changed is records else self.fails(changed, rule.text)
                changed = self.adjusted(changed, rule, rows)
            still_wrong = _any(self._failing_by_rule(changed), len(records))
            if not still_wrong.any():
                break
        return self._accepted(records, changed, wrong & ~still_wrong, before)

    def enforce_each(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records with each constraint met in the rows where this breaks no other."""
        for rule in self.constraints.rules:
            wrong = self.fails(records, rule.text)
            if wrong.any():
                changed = self.adjusted(records, rule, wrong)
                good = wrong & ~self.fails(changed, rule.text)
                if good.any():
                    before = self._failing_by_rule(records)
                    records = self._accepted(records, changed, good, before)
        return records

    def broken(self, records: pd.DataFrame) -> tuple[Violation, ...]:
        """Return the constraints that some rows do not meet, and how many rows."""
        failing = [(rule.text, self.fails(records, rule.text)) for rule in self.constraints.rules]
        for requirement in self.constraints.requirements:
            failing.append((str(requirement), self._unmet(records, requirement)))
        return tuple(
            Violation(text, int(rows.sum()), len(records)) for text, rows in failing if rows.any()
        )

    def fails(self, records: pd.DataFrame, text: str) -> Rows:
        """Return the rows in which both sides of a constraint are known and it does not hold."""
        clean = stock.clean_up_constraint_string(text)
        name, _, expression = _tokens(clean)
        comparable = _comparable(records, clean)
        holds = _truth(stock.get_constraint_mask(comparable, clean), records)
        known = _known(records[name.replace("__", " ")])
        bound = value_of(comparable, expression)
        if isinstance(bound, pd.Series):
            known = known & _known(bound)
        return known & ~holds

    def adjusted(self, records: pd.DataFrame, rule: BasicConstraint, rows: Rows) -> pd.DataFrame:
        """Return the records with one constraint applied in ``rows``, in which it fails.

        A column that is not fixed is changed. If there is none, these are the same records.
        """
        for column, text in rule.forms:
            free = rows & self._free(records, column)
            if free.any():
                comparable = _comparable(records, text, column)
                handler = self._handler(records)
                adjusted = handler.adjust_dataframe_to_fit_constraint(comparable, text)[column]
                records = records.copy(deep=False)
                records[column] = records[column].where(~free, adjusted)
                rows = rows & ~free
        return records

    def _failing_by_rule(self, records: pd.DataFrame) -> list[Rows]:
        """Return the rows that fail each constraint."""
        return [self.fails(records, rule.text) for rule in self.constraints.rules]

    def _free(self, records: pd.DataFrame, column: str) -> Rows:
        """Return the rows in which a column may be changed."""
        if column in self.fixed or column in self.constraints.arranged:
            return np.zeros(len(records), dtype=bool)
        free = np.ones(len(records), dtype=bool)
        for requirement in self.constraints.requirements:
            if requirement.column == column and requirement.action == "assign_value":
                free &= ~matching(records, requirement.filter)
        return free

    def _accepted(
        self, records: pd.DataFrame, changed: pd.DataFrame, good: Rows, before: Sequence[Rows]
    ) -> pd.DataFrame:
        """Return the records with the good rows changed, where that breaks no other constraint.

        ``before`` are the rows of ``records`` that fail each constraint.
        """
        candidates = dict.fromkeys(
            column for rule in self.constraints.rules for column, _ in rule.forms
        )
        names = [name for name in candidates if not changed[name].equals(records[name])]
        for name in names:
            good = good & self._in_window(records, changed, name)
        if not good.any():
            return records

        def merged(rows: Rows) -> pd.DataFrame:
            result = records.copy(deep=False)
            for name in names:
                result[name] = records[name].where(~rows, changed[name])
            return result

        result = merged(good)
        broken = self._newly_broken(records, result, before)
        if not broken.any():
            return result
        result = merged(good & ~broken)
        # Where an expression uses several rows, the change may have broken it in other rows.
        return records if self._newly_broken(records, result, before).any() else result

    def _newly_broken(
        self, records: pd.DataFrame, after: pd.DataFrame, before: Sequence[Rows]
    ) -> Rows:
        """Return the rows that fail a constraint which they met before."""
        broken = np.zeros(len(records), dtype=bool)
        for failed, fails in zip(before, self._failing_by_rule(after), strict=True):
            broken |= fails & ~failed
        for requirement in self.constraints.requirements:
            broken |= self._unmet(after, requirement) & ~self._unmet(records, requirement)
        return broken

    def _unmet(self, records: pd.DataFrame, requirement: RowRequirement) -> Rows:
        """Return the rows that match a demand's filter but do not meet the demand."""
        outputs = [requirement.column]
        if requirement.column not in records:
            outputs = outputs_of("geospatial", requirement.column)
        rows = matching(records, requirement.filter)
        if not rows.any():
            return rows
        if requirement.action == "make_null":
            return rows & records[outputs].notna().any(axis=1).to_numpy()
        if requirement.action == "make_not_null":
            return rows & records[outputs].isna().any(axis=1).to_numpy()
        current = records.loc[rows, requirement.column]
        handler = self._handler(records)
        assigned = handler.assign_value(
            records, current.index, requirement.column, None, requirement.value
        )
        same = _truth(
            current.astype(object) == assigned[requirement.column].astype(object), current
        )
        unmet = rows.copy()
        unmet[rows] = ~same
        return unmet

    def _in_window(self, records: pd.DataFrame, changed: pd.DataFrame, name: str) -> Rows:
        """Return the rows in which a date is unchanged or in its window; all rows of a number."""
        column = self.definition["columns"].get(name, {})
        if column.get("type") != "date":
            return np.ones(len(records), dtype=bool)
        first, last = (column.get(end) for end in ("from", "to"))
        if not (first and last):
            first = first or records[name].min()
            last = last or records[name].max()
        inside = changed[name].between(pd.Timestamp(first), pd.Timestamp(last))
        frequency = column.get("frequency")
        if frequency not in (None, "D"):
            inside &= changed[name].isin(pd.date_range(first, last, freq=frequency))
        unchanged = (changed[name] == records[name]) | (changed[name].isna() & records[name].isna())
        return np.asarray(inside | unchanged, dtype=bool)

    def _handler(self, records: pd.DataFrame) -> CorrectedHandler:
        return handler_of({**self.definition, "_rng": self.rng}, records)


def handler_of(definition: Specification, records: pd.DataFrame) -> CorrectedHandler:
    """Return the constraint handler in use; ``definition`` needs ``_rng``."""
    return exhibit.ConstraintHandler(definition, records)


def enforce_on_new_records(
    records: pd.DataFrame,
    specification: Specification,
    static: frozenset[str],
    seed: int,
    derive_column: Callable[[pd.DataFrame, str], "pd.Series[Any]"],
) -> pd.DataFrame:
    """Return new records that meet their constraints as far as possible, derived columns computed.

    The ``static`` columns, which are equal in all rows of an entity, are not changed. Nothing is
    changed where a model computes columns from others, or where that would create duplicates that
    are not allowed.
    """
    if specification.get("models"):
        return records
    calculations = calculations_of(specification)
    names = {*specification["columns"], *calculations}
    fixed = static.union(
        *(mentions.in_derivation(calculations[n], names) for n in static & set(calculations))
    )
    rng = np.random.default_rng(derive(seed, "constraints", "again"))
    enforcer = Enforcer(specification, constraints_on_new_records(specification), fixed, rng)
    changed = enforcer.enforce_all(records)
    if changed is records:
        return records
    compared = [n for n in changed if n not in specification["metadata"]["numerical_columns"]]
    if not specification["constraints"]["allow_duplicates"] and changed.duplicated(compared).any():
        return records
    for name, calculation in calculations.items():
        if name not in static:
            changed[name] = derive_column(changed, calculation)
    return changed


def broken_in_new(records: pd.DataFrame, specification: Specification) -> tuple[Violation, ...]:
    """Return the constraints of their specification that new records do not meet."""
    return violations(records, specification, constraints_on_new_records(specification))


def violations(
    records: pd.DataFrame, specification: Specification, constraints: ConstraintPlan
) -> tuple[Violation, ...]:
    """Return which of the constraints of a specification some records do not meet."""
    rng = np.random.default_rng(0)  # for values that an action assigns, which are not drawn
    return Enforcer(specification, constraints, frozenset(), rng).broken(records)


def _any(masks: Sequence[Rows], count: int) -> Rows:
    """Return the rows that are in any of the masks."""
    return np.logical_or.reduce(masks) if masks else np.zeros(count, dtype=bool)


@lru_cache(maxsize=256)
def _tokens(clean: str) -> tuple[str, str, str]:
    """Return the parts of a cleaned constraint; Exhibit defines a class for each call."""
    name, comparison, expression = stock.tokenise_basic_constraint(clean)
    return name, comparison, expression


def _comparable(records: pd.DataFrame, text: str, except_column: str | None = None) -> pd.DataFrame:
    """Return the records, the columns that a text names in types that can be compared and divided.

    Categories become objects, nullable integers become floats.
    """
    types: dict[Any, type] = {}
    for name in records.columns:
        if str(name) not in text and mentions.in_code(str(name)) not in text:
            continue
        dtype = records[name].dtype
        is_category = isinstance(dtype, pd.CategoricalDtype)
        if name != except_column and (is_category or isinstance(dtype, pd.Int64Dtype)):
            types[name] = object if is_category else float
    return records.astype(types, copy=False) if types else records


def _known(column: "pd.Series[Any]") -> Rows:
    """Return the rows in which a column has a value."""
    return np.asarray(~pd.isna(column.array), dtype=bool)


def matching(records: pd.DataFrame, condition: str | None) -> Rows:
    """Return the rows that match a filter; all rows without one."""
    if condition is None:
        return np.ones(len(records), dtype=bool)
    clean = stock.clean_up_constraint_string(condition)
    return _truth(stock.get_constraint_mask(_comparable(records, clean), clean), records)


def _truth(condition: Any, records: Any) -> Rows:
    """Return the rows where a condition is true; where unknown, it is not."""
    is_mask = isinstance(condition, pd.Series) and condition.index is records.index
    mask = condition if is_mask else pd.Series(condition, index=records.index)
    if mask.dtype == bool:
        return mask.to_numpy()
    return mask.astype("boolean").fillna(False).to_numpy(dtype=bool)

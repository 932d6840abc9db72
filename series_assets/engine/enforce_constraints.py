"""Records held against the constraints of their specification, and made to meet them if possible.

Exhibit goes through the constraints once and in order, so that a later step may break what an
earlier one did. Here they are gone through again, and a row is changed only if it then meets all
of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import constraints as stock
from exhibit.core import exhibit
from numpy.typing import NDArray

from series_assets.core.plan.constraints import (
    ConstraintPlan,
    RowRequirement,
    Rule,
    Violation,
    constraints_on_new_records,
)
from series_assets.core.plan.seeds import derive
from series_assets.core.spec import mentions
from series_assets.core.spec.column_types import outputs_of
from series_assets.core.spec.specification import Specification, calculations_of
from series_assets.engine.constraint_actions import CorrectedHandler
from series_assets.engine.vectorized.bounds import mentioned

Rows = NDArray[np.bool_]
_PASSES = 8


@dataclass
class Enforcer:
    """Makes records of one part meet their constraints, as far as that can be done."""

    definition: Specification
    """The specification that the columns are defined in."""
    wanted: ConstraintPlan
    fixed: frozenset[str]
    """The columns that stay as they are."""
    rng: np.random.Generator

    def settled(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records, changed in the rows that can be made to meet every constraint."""
        before = self._failing(records)
        wrong = _any(before, len(records))
        if not wrong.any():
            return records
        made = records
        for _ in range(_PASSES):
            for rule in self.wanted.rules:
                made = self.adjusted(made, rule)
            if not _any(self._failing(made), len(made)).any():
                break
        good = wrong & ~_any(self._failing(made), len(made))
        return self._accepted(records, made, good)

    def improved(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records with each constraint met in the rows where no other one is lost."""
        for rule in self.wanted.rules:
            wrong = self.fails(records, rule.text)
            if wrong.any():
                made = self.adjusted(records, rule)
                good = wrong & ~self.fails(made, rule.text)
                records = self._accepted(records, made, good)
        return records

    def broken(self, records: pd.DataFrame) -> tuple[Violation, ...]:
        """Return the constraints that rows do not meet, with how many rows."""
        found = [(rule.text, self.fails(records, rule.text)) for rule in self.wanted.rules]
        found += [(str(one), self._unmet(records, one)) for one in self.wanted.requirements]
        return tuple(
            Violation(text, int(rows.sum()), len(records)) for text, rows in found if rows.any()
        )

    def fails(self, records: pd.DataFrame, text: str) -> Rows:
        """Return the rows in which both sides of a constraint are known and it does not hold."""
        clean = stock.clean_up_constraint_string(text)
        name, _, expression = stock.tokenise_basic_constraint(clean)
        given = _comparable(records)
        holds = _truth(stock.get_constraint_mask(given, clean), records)
        known = records[name.replace("__", " ")].notna().to_numpy()
        bound = mentioned(given, expression).eval(expression, engine="python")
        if isinstance(bound, pd.Series):
            known = known & bound.notna().to_numpy()
        return known & ~holds

    def adjusted(self, records: pd.DataFrame, rule: Rule) -> pd.DataFrame:
        """Return the records with one constraint applied where it fails, by its first free way."""
        rows = self.fails(records, rule.text)
        for column, text in rule.ways:
            free = rows & self._free(records, column)
            if free.any():
                handler = self._handler(records)
                given = _comparable(records, column)
                made = handler.adjust_dataframe_to_fit_constraint(given, text)[column]
                records = records.copy(deep=False)
                records[column] = records[column].where(~free, made)
                rows = rows & ~free
        return records

    def _failing(self, records: pd.DataFrame) -> list[Rows]:
        return [self.fails(records, rule.text) for rule in self.wanted.rules]

    def _free(self, records: pd.DataFrame, column: str) -> Rows:
        """Return the rows in which a column may be changed."""
        if column in self.fixed or column in self.wanted.shaped:
            return np.zeros(len(records), dtype=bool)
        free = np.ones(len(records), dtype=bool)
        for demand in self.wanted.requirements:
            if demand.column == column and demand.action == "assign_value":
                free &= ~matching(records, demand.filter)
        return free

    def _accepted(self, records: pd.DataFrame, made: pd.DataFrame, good: Rows) -> pd.DataFrame:
        """Return the records with the good rows as made, unless more is lost than won by that."""
        columns = dict.fromkeys(column for rule in self.wanted.rules for column, _ in rule.ways)
        changed = [name for name in columns if not made[name].equals(records[name])]
        for name in changed:
            good = good & self._inside(records, made, name)
        if not good.any():
            return records
        good = good & ~self._lost(records, self._mixed(records, made, changed, good))
        mixed = self._mixed(records, made, changed, good)
        # Where an expression looks at other rows, these may be what has changed.
        return records if self._lost(records, mixed).any() else mixed

    @staticmethod
    def _mixed(
        records: pd.DataFrame, made: pd.DataFrame, changed: list[Any], good: Rows
    ) -> pd.DataFrame:
        mixed = records.copy(deep=False)
        for name in changed:
            mixed[name] = records[name].where(~good, made[name])
        return mixed

    def _lost(self, records: pd.DataFrame, made: pd.DataFrame) -> Rows:
        """Return the rows that do not meet something which they have met before."""
        lost = np.zeros(len(records), dtype=bool)
        for rule in self.wanted.rules:
            lost |= self.fails(made, rule.text) & ~self.fails(records, rule.text)
        for demand in self.wanted.requirements:
            lost |= self._unmet(made, demand) & ~self._unmet(records, demand)
        return lost

    def _unmet(self, records: pd.DataFrame, demand: RowRequirement) -> Rows:
        """Return the rows of a demand's filter that do not have what it asks for."""
        outputs = [demand.column]
        if demand.column not in records:
            outputs = outputs_of("geospatial", demand.column)
        rows = matching(records, demand.filter)
        if not rows.any():
            return rows
        if demand.action == "make_null":
            return rows & records[outputs].notna().any(axis=1).to_numpy()
        if demand.action == "make_not_null":
            return rows & records[outputs].isna().any(axis=1).to_numpy()
        given = records.loc[rows, demand.column]
        handler = self._handler(records)
        told = handler.assign_value(records, given.index, demand.column, None, demand.value)
        same = _truth(given.astype(object) == told[demand.column].astype(object), given)
        unmet = rows.copy()
        unmet[rows] = ~same
        return unmet

    def _inside(self, records: pd.DataFrame, made: pd.DataFrame, name: str) -> Rows:
        """Return the rows in which a date is one that its column can have; all of a number."""
        column = self.definition["columns"].get(name, {})
        if column.get("type") != "date":
            return np.ones(len(records), dtype=bool)
        first, last = (column.get(end) for end in ("from", "to"))
        if not (first and last):
            first = first or records[name].min()
            last = last or records[name].max()
        inside = made[name].between(pd.Timestamp(first), pd.Timestamp(last))
        frequency = column.get("frequency")
        if frequency not in (None, "D"):
            inside &= made[name].isin(pd.date_range(first, last, freq=frequency))
        return np.asarray(inside | (made[name] == records[name]), dtype=bool)

    def _handler(self, records: pd.DataFrame) -> CorrectedHandler:
        return handler_of({**self.definition, "_rng": self.rng}, records)


def handler_of(definition: Specification, records: pd.DataFrame) -> CorrectedHandler:
    """Return the handler of constraints that stands in for Exhibit's; it needs ``_rng``."""
    handler: CorrectedHandler = exhibit.ConstraintHandler(definition, records)
    return handler


def settle_new(
    records: pd.DataFrame,
    specification: Specification,
    static: frozenset[str],
    seed: int,
    derive_column: Callable[[pd.DataFrame, str], "pd.Series[Any]"],
) -> pd.DataFrame:
    """Return new records that meet their constraints as far as can be, derived columns computed.

    ``static`` are the columns in which several rows of an entity agree, and that stay as they
    are. Nothing is changed where a model has made columns of others, or where that would make
    duplicates that are not allowed.
    """
    if specification.get("models"):
        return records
    calculations = calculations_of(specification)
    names = {*specification["columns"], *calculations}
    fixed = static.union(
        *(mentions.in_derivation(calculations[n], names) for n in static & set(calculations))
    )
    rng = np.random.default_rng(derive(seed, "constraints", "again"))
    settler = Enforcer(specification, constraints_on_new_records(specification), fixed, rng)
    made = settler.settled(records)
    if made is records:
        return records
    compared = [n for n in made if n not in specification["metadata"]["numerical_columns"]]
    if not specification["constraints"]["allow_duplicates"] and made.duplicated(compared).any():
        return records
    for name, calculation in calculations.items():
        if name not in static:
            made[name] = derive_column(made, calculation)
    return made


def broken_in_new(records: pd.DataFrame, specification: Specification) -> tuple[Violation, ...]:
    """Return the constraints of their specification that new records do not meet."""
    wanted = constraints_on_new_records(specification)
    return Enforcer(specification, wanted, frozenset(), np.random.default_rng(0)).broken(records)


def _comparable(records: pd.DataFrame, but: str | None = None) -> pd.DataFrame:
    """Return the records as any expression can compare and divide them, ``but`` one column.

    Categories become objects; whole numbers among gaps become floats, for pandas' own kind cannot
    be divided in an expression.
    """
    kinds: dict[Any, type] = dict.fromkeys(records.select_dtypes("category").columns, object)
    kinds |= dict.fromkeys(records.select_dtypes("Int64").columns, float)
    kinds.pop(but, None)
    return records.astype(kinds) if kinds else records


def matching(records: pd.DataFrame, condition: str | None) -> Rows:
    """Return the rows that a filter holds for; all of them without one."""
    if condition is None:
        return np.ones(len(records), dtype=bool)
    clean = stock.clean_up_constraint_string(condition)
    return _truth(stock.get_constraint_mask(_comparable(records), clean), records)


def _truth(found: Any, records: Any) -> Rows:
    """Return a mask of rows; what is not known is not true."""
    mask = pd.Series(found, index=records.index)
    return mask.astype("boolean").fillna(False).to_numpy(dtype=bool)


def _any(masks: list[Rows], rows: int) -> Rows:
    return np.logical_or.reduce(masks) if masks else np.zeros(rows, dtype=bool)

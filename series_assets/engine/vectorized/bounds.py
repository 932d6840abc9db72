"""Basic constraints on whole columns, where stock Exhibit asks for one value after the other."""

from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import constraints
from numpy.typing import NDArray

from series_assets.core.spec.specification import Specification
from series_assets.engine.vectorized.coded import NotCovered

Floats = NDArray[np.float64]
_EXACT = 2**53
"""Up to here whole numbers and floats give the same results."""
_HOLDS = {
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "==": np.equal,
}


class Bounds(constraints.ConstraintHandler):
    """Exhibit's handler of constraints, its basic ones on whole columns.

    It gives what ``adjust_dataframe_to_fit_constraint`` gives with the corrections of
    ``actions.CorrectedHandler``, which has to come before it in the order of classes.
    """

    def adjust_dataframe_to_fit_constraint(
        self, anon_df: pd.DataFrame, basic_constraint: str
    ) -> pd.DataFrame:
        """Return the records with one basic constraint applied."""
        state = self.rng.bit_generator.state
        try:
            return self._adjusted(anon_df, basic_constraint)
        except NotCovered:
            self.rng.bit_generator.state = state
            return super().adjust_dataframe_to_fit_constraint(anon_df, basic_constraint)

    def _adjusted(self, records: pd.DataFrame, constraint: str) -> pd.DataFrame:
        clean = constraints.clean_up_constraint_string(constraint)
        fails = ~constraints.get_constraint_mask(records, clean)
        # Of which it is not known whether they hold, stock Exhibit leaves as they are.
        rows = pd.Series(fails).fillna(False).to_numpy(dtype=bool)
        if not records.index.is_unique or not records.columns.is_unique:
            raise NotCovered
        if not rows.any():
            return records.copy(deep=False)
        name, comparison, expression = constraints.tokenise_basic_constraint(clean)
        self.dependent_column, self.independent_expression = name, expression
        target = name.replace("__", " ")
        column = self.spec_dict["columns"].get(target, {})
        bound = self._bound(records, expression)[rows]
        given = records.loc[rows, target]
        if column.get("type") == "date":
            made = _dates(given, bound, comparison, column)
        elif column.get("type") == "continuous":
            made = _numbers(given, bound, comparison, column, self.rng)
        else:
            raise NotCovered
        whole = records[target].copy()
        whole.loc[rows] = made
        if column.get("precision") == "integer":
            whole = whole.round().astype("Int64")
        adjusted = records.copy(deep=False)
        adjusted[target] = whole
        return adjusted

    def _bound(self, records: pd.DataFrame, expression: str) -> "pd.Series[Any]":
        """Return what the column is compared with, for each row."""
        if expression.isdigit():
            value: Any = int(expression)
        elif expression.replace(",", "").replace(".", "").isdigit():
            value = float(expression)
        elif self.is_independent_expression_an_iso_date(expression):
            value = _day(expression)
        else:
            value = mentioned(records, expression).eval(expression, engine="python")
        if isinstance(value, pd.Series) and not value.index.equals(records.index):
            raise NotCovered
        return pd.Series(value, index=records.index)


def _day(expression: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(expression.strip("'")).as_unit("ns")
    except pd.errors.OutOfBoundsDatetime:
        raise NotCovered from None


def mentioned(records: pd.DataFrame, expression: str) -> pd.DataFrame:
    """Return the columns that an expression can mean, named as it names them; nothing is copied."""
    names = {name: str(name).replace(" ", "__") for name in records.columns}
    meant = [name for name, safe in names.items() if safe in expression]
    return records[meant].rename(columns=names, copy=False)


def _dates(
    given: "pd.Series[Any]", bound: "pd.Series[Any]", comparison: str, column: Specification
) -> "pd.Series[Any]":
    if given.dtype != "datetime64[ns]" or bound.dtype != "datetime64[ns]":
        raise NotCovered
    made = bound.where(given.notna())
    if comparison not in ("<", ">"):
        return made
    offset = pd.tseries.frequencies.to_offset(column["frequency"])
    side = 1 if comparison == ">" else -1
    codes, values = pd.factorize(made)
    # Few dates differ, so each is moved as stock Exhibit moves it.
    moved = [value + offset if side > 0 else value - offset for value in values]
    return pd.Series(pd.DatetimeIndex([*moved, pd.NaT])[codes], index=given.index)


def _numbers(
    given: "pd.Series[Any]",
    bound: "pd.Series[Any]",
    comparison: str,
    column: Specification,
    rng: np.random.Generator,
) -> "pd.Series[Any]":
    """Return numbers on the right side of their bounds; a row without one of both has none."""
    numeric = all(pd.api.types.is_numeric_dtype(side.dtype) for side in (given, bound))
    dispersion = column["distribution_parameters"].get("dispersion", 0)
    if not numeric or given.dtype not in (np.dtype(float), pd.Int64Dtype()):
        raise NotCovered
    if "precision" not in column or not isinstance(dispersion, int | float):
        raise NotCovered
    if not 0 <= dispersion < np.inf:
        raise NotCovered
    bounds = bound.to_numpy(dtype=float, na_value=np.nan)
    known = given.notna().to_numpy() & ~np.isnan(bounds)
    made = np.full(len(given), np.nan)
    made[known] = _beside(bounds[known], comparison, dispersion, column, rng)
    return pd.Series(made, index=given.index)


def _beside(
    bounds: Floats,
    comparison: str,
    dispersion: float,
    column: Specification,
    rng: np.random.Generator,
) -> Floats:
    if (np.abs(bounds) > _EXACT).any():
        raise NotCovered
    side = {"<": -1, ">": 1}.get(comparison[0], 0)
    above_zero = bounds > 0
    reach = np.abs(bounds * dispersion)
    drawn = (reach != 0) & (side != 0)
    # Above 0 Exhibit's own interval, which does not go below it; elsewhere that of the correction.
    low, high = np.zeros(len(bounds)), reach.copy()
    below = bounds - reach
    low[above_zero] = (np.where(below > 0, below, 0.0) if side < 0 else bounds)[above_zero]
    high[above_zero] = (bounds if side < 0 else bounds + reach)[above_zero]
    number = np.zeros(len(bounds))
    number[drawn] = rng.uniform(low[drawn], high[drawn])
    if not _HOLDS[comparison](number, bounds)[drawn & above_zero].all():
        raise NotCovered  # stock Exhibit draws such a number again
    number = np.where(above_zero, number, bounds + side * (reach - number))
    step = bounds if comparison.endswith("=") else bounds + side
    if comparison == "<":
        step = np.where(above_zero & (step < 0), 0.0, step)
    made = np.where(drawn, number, step)
    if column["precision"] != "integer":
        return made
    if not side:
        return np.round(made)
    return np.floor(made) if side < 0 else np.ceil(made)

"""Basic constraints on whole columns, where stock Exhibit evaluates them row by row."""

from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import constraints
from numpy.typing import NDArray

from series_assets.core.spec.specification import Specification
from series_assets.engine.vectorized.coded import NotCovered, or_stock
from series_assets.engine.vectorized.comparisons import OPERATORS, value_of

Floats = NDArray[np.float64]
_EXACT = 2**53
"""Up to here integers and floats give the same results."""


class Bounds(constraints.ConstraintHandler):
    """Exhibit's constraint handler, with basic constraints on whole columns.

    Results are those of ``CorrectedHandler``, which has to precede it in the method resolution
    order.
    """

    @or_stock
    def adjust_dataframe_to_fit_constraint(
        self, anon_df: pd.DataFrame, basic_constraint: str
    ) -> pd.DataFrame:
        """Return the records with one basic constraint applied."""
        records = anon_df
        clean = constraints.clean_up_constraint_string(basic_constraint)
        fails = ~constraints.get_constraint_mask(records, clean)
        # Where the result is unknown, stock Exhibit leaves the row unchanged.
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
        current = records.loc[rows, target]
        if column.get("type") == "date":
            corrected = _dates(current, bound, comparison, column)
        elif column.get("type") == "continuous":
            corrected = _numbers(current, bound, comparison, column, self.rng)
        else:
            raise NotCovered
        values = records[target].copy()
        values.loc[rows] = corrected
        if column.get("precision") == "integer":
            values = values.round().astype("Int64")
        adjusted = records.copy(deep=False)
        adjusted[target] = values
        return adjusted

    def _bound(self, records: pd.DataFrame, expression: str) -> "pd.Series[Any]":
        """Return the value that the column is compared with, for each row."""
        if expression.isdigit():
            value: Any = int(expression)
        elif expression.replace(",", "").replace(".", "").isdigit():
            value = float(expression)
        elif self.is_independent_expression_an_iso_date(expression):
            value = _day(expression)
        else:
            value = value_of(records, expression)
        if isinstance(value, pd.Series) and not value.index.equals(records.index):
            raise NotCovered
        return pd.Series(value, index=records.index)


def _day(expression: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(expression.strip("'")).as_unit("ns")
    except pd.errors.OutOfBoundsDatetime:
        raise NotCovered from None


def _dates(
    current: "pd.Series[Any]", bound: "pd.Series[Any]", comparison: str, column: Specification
) -> "pd.Series[Any]":
    if current.dtype != "datetime64[ns]" or bound.dtype != "datetime64[ns]":
        raise NotCovered
    dates = bound.where(current.notna())
    if comparison not in ("<", ">"):
        return dates
    offset = pd.tseries.frequencies.to_offset(column["frequency"])
    side = 1 if comparison == ">" else -1
    codes, values = pd.factorize(dates)
    # There are few distinct dates, so each is moved as stock Exhibit moves it.
    moved = [value + offset if side > 0 else value - offset for value in values]
    return pd.Series(pd.DatetimeIndex([*moved, pd.NaT])[codes], index=current.index)


def _numbers(
    current: "pd.Series[Any]",
    bound: "pd.Series[Any]",
    comparison: str,
    column: Specification,
    rng: np.random.Generator,
) -> "pd.Series[Any]":
    """Return numbers on the right side of their bounds; missing where either is missing."""
    numeric = all(pd.api.types.is_numeric_dtype(side.dtype) for side in (current, bound))
    dispersion = column["distribution_parameters"].get("dispersion", 0)
    if not numeric or current.dtype not in (np.dtype(float), pd.Int64Dtype()):
        raise NotCovered
    if "precision" not in column or not isinstance(dispersion, int | float):
        raise NotCovered
    if not 0 <= dispersion < np.inf:
        raise NotCovered
    bounds = bound.to_numpy(dtype=float, na_value=np.nan)
    known = current.notna().to_numpy() & ~np.isnan(bounds)
    numbers = np.full(len(current), np.nan)
    numbers[known] = _beyond(bounds[known], comparison, dispersion, column, rng)
    return pd.Series(numbers, index=current.index)


def _beyond(
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
    sampled = (reach != 0) & (side != 0)
    # Above 0 Exhibit's own interval, which does not go below 0; elsewhere that of the correction.
    low, high = np.zeros(len(bounds)), reach.copy()
    below = bounds - reach
    low[above_zero] = (np.where(below > 0, below, 0.0) if side < 0 else bounds)[above_zero]
    high[above_zero] = (bounds if side < 0 else bounds + reach)[above_zero]
    number = np.zeros(len(bounds))
    number[sampled] = rng.uniform(low[sampled], high[sampled])
    if not OPERATORS[comparison](number, bounds)[sampled & above_zero].all():
        raise NotCovered  # stock Exhibit samples such a number again
    number = np.where(above_zero, number, bounds + side * (reach - number))
    step = bounds if comparison.endswith("=") else bounds + side
    if comparison == "<":
        step = np.where(above_zero & (step < 0), 0.0, step)
    result = np.where(sampled, number, step)
    if column["precision"] != "integer":
        return result
    if not side:
        return np.round(result)
    return np.floor(result) if side < 0 else np.ceil(result)

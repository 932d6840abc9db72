"""Numbers of whole columns, where stock Exhibit generates them row by row.

The random values are the same: numpy consumes as many for an array as for its elements one by one.
Only normal numbers with dispersion need values of two kinds for each row, and thus a loop.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core.generate import continuous
from numpy.typing import NDArray

from series_assets.core.spec.specification import Specification
from series_assets.engine.vectorized.coded import CodedColumn, NotCovered

Floats = NDArray[np.float64]
_stock = continuous.generate_continuous_column


@dataclass(frozen=True)
class NumberColumn:
    """How the numbers of one column are generated, before they are scaled."""

    name: str
    distribution: Any
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, specification: Specification, name: str) -> "NumberColumn":
        """Return the column as the specification defines it."""
        column = specification["columns"][name]
        return cls(name, column["distribution"], column["distribution_parameters"])

    @property
    def covered(self) -> bool:
        """Whether the distribution and its parameters are covered here."""
        values = [self.parameters.get("dispersion", 0)]
        if self.distribution == "normal":
            values += [self.parameters.get(key, 1) for key in ("target_mean", "target_std")]
        elif self.distribution != "weighted_uniform":
            return False
        return all(isinstance(value, Real) and np.isfinite(float(value)) for value in values)


def generate_continuous_column(
    spec_dict: Specification, anon_df: pd.DataFrame, col_name: str, **kwargs: Any
) -> "pd.Series[Any]":
    """Return a column of scaled numbers for the rows of ``anon_df``, as Exhibit does."""
    if kwargs or anon_df.empty:
        return _stock(spec_dict, anon_df, col_name, **kwargs)
    table = spec_dict["weights_table"]
    targets = list(spec_dict["weights_table_target_cols"]) or list(anon_df.columns)
    weighted = {column for number, column, _ in table if number == col_name}
    column = NumberColumn.of(spec_dict, col_name)
    try:
        categories = [CodedColumn.of(anon_df[name]) for name in targets if name in weighted]
        numbers = unscaled(categories, anon_df.index, table, column, spec_dict["_rng"])
    except NotCovered:
        return _stock(spec_dict, anon_df, col_name)
    precision = spec_dict["columns"][col_name]["precision"]
    return continuous.scale_continuous_column(numbers, precision=precision, **column.parameters)


def unscaled(
    categories: Sequence[CodedColumn],
    index: "pd.Index[Any]",
    table: Mapping[Any, Any],
    column: NumberColumn,
    rng: np.random.Generator,
) -> "pd.Series[Any]":
    """Return the unscaled numbers of the rows.

    ``categories`` may have weights, and are in Exhibit's order; ``table`` is Exhibit's table of
    weights. Raises NotCovered before the random generator is used.
    """
    if not column.covered:
        raise NotCovered
    weights = [_weights(category, table, column.name) for category in categories]
    generate = _uniform if column.distribution == "weighted_uniform" else _normal
    numbers = generate(weights, len(index), column.parameters, rng)
    return pd.Series(numbers, index=index, name=column.name)


@dataclass(frozen=True)
class _Weights:
    """The weights of one category for each row; 1 where there is none."""

    weight: Floats
    equal: Floats
    is_weighted: NDArray[np.bool_]


def _weights(category: CodedColumn, table: Mapping[Any, Any], number: str) -> _Weights:
    codes = category.codes
    entries = [table.get((number, category.name, value)) for value in category.values]
    entries.append(None)  # for missing values, whose code is -1
    if (codes < 0).any() and any(
        (name, other) == (number, category.name) and pd.isna(value) for name, other, value in table
    ):
        raise NotCovered
    pairs = [(1.0, 1.0) if entry is None else tuple(entry["weights"]) for entry in entries]
    weight, equal = np.array(pairs, dtype=float).T
    is_weighted = np.array([entry is not None for entry in entries])
    return _Weights(weight[codes], equal[codes], is_weighted[codes])


def _uniform(
    weights: Sequence[_Weights], rows: int, parameters: Mapping[str, Any], rng: np.random.Generator
) -> Any:
    dispersion = parameters.get("dispersion", 0)
    base = np.full(rows, 1000.0)
    is_weighted = np.zeros(rows, dtype=bool)
    for category in weights:
        base = base * category.weight
        is_weighted |= category.is_weighted
    if np.isinf(base).any():
        raise NotCovered
    if dispersion == 0:
        # Stock Exhibit's 1000 stays an integer without any weights.
        return base if is_weighted.any() else base.astype(np.int64)
    return _disperse(base, dispersion, rng)


def _normal(
    weights: Sequence[_Weights], rows: int, parameters: Mapping[str, Any], rng: np.random.Generator
) -> Any:
    dispersion = parameters.get("dispersion", 0)
    mean, deviation = (parameters.get(key, 1) for key in ("target_mean", "target_std"))
    differences = np.full(rows, 1.0)
    zero = np.zeros(rows, dtype=bool)
    for category in weights:
        weight, equal = category.weight, category.equal
        zero |= weight == 0
        with np.errstate(all="ignore"):
            ratio = weight / equal - 1
        differences = differences + np.where(weight - equal == 0, 0, ratio)
    means = mean * differences
    if np.isinf(means[~zero]).any() or deviation < 0:
        raise NotCovered
    if dispersion == 0:
        if zero.all():
            return np.zeros(rows, dtype=np.int64)
        numbers = np.zeros(rows)
        numbers[~zero] = rng.normal(means[~zero], deviation)
        return numbers
    return _normal_dispersed(means, deviation, zero, dispersion, rng)


def _normal_dispersed(
    means: Floats,
    deviation: float,
    zero: NDArray[np.bool_],
    dispersion: float,
    rng: np.random.Generator,
) -> Any:
    """Return normal numbers with dispersion, two random values for each row."""
    normal, uniform = rng.standard_normal, rng.random
    if zero.any() or np.isnan(means).any():
        normals, uniforms = np.zeros(len(means)), np.zeros(len(means))
        for row, (is_zero, is_nan) in enumerate(zip(zero, np.isnan(means), strict=True)):
            if not is_zero:
                normals[row] = normal()
            if is_zero or not is_nan:
                uniforms[row] = uniform()
    else:
        pairs = [(normal(), uniform()) for _ in range(len(means))]
        normals, uniforms = np.array(pairs).reshape(-1, 2).T
    values = np.where(zero, 0.0, means + deviation * normals)
    low, high = _interval(values, dispersion)
    return _with_gaps(low + (high - low) * uniforms, np.isnan(values))


def _disperse(values: Floats, dispersion: float, rng: np.random.Generator) -> Any:
    """Return random numbers around the values, as Exhibit does."""
    gaps = np.isnan(values)
    numbers = np.full(len(values), np.nan)
    numbers[~gaps] = rng.uniform(*_interval(values[~gaps], dispersion))
    return _with_gaps(numbers, gaps)


def _interval(values: Floats, dispersion: float) -> tuple[Floats, Floats]:
    reach = values * dispersion
    below, above = values - reach, values + reach
    return np.where(reach < 0, above, below), np.where(reach < 0, below, above)


def _with_gaps(values: Floats, gaps: NDArray[np.bool_]) -> Any:
    """Return the values, as objects with pandas' NA if there are gaps, as stock Exhibit does."""
    if not gaps.any():
        return values
    objects = values.astype(object)
    objects[gaps] = pd.NA
    return objects

"""Numbers of whole columns at once, where stock Exhibit makes one row after the other.

The generator is asked for the same draws in the same order: numpy takes as many numbers from it
for a whole array as for its members one by one. Only a normal number with dispersion takes two of
different kinds a row, and is drawn in a loop.
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
from series_assets.engine.vectorized.coded import Coded, NotCovered

Floats = NDArray[np.float64]
_stock = continuous.generate_continuous_column


@dataclass(frozen=True)
class Manner:
    """How the numbers of one column are made, before they are scaled."""

    name: str
    distribution: Any
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, specification: Specification, name: str) -> "Manner":
        """Return what the specification says of a column."""
        column = specification["columns"][name]
        return cls(name, column["distribution"], column["distribution_parameters"])

    @property
    def covered(self) -> bool:
        """Whether all that is said is made of numbers that are known here."""
        said = [self.parameters.get("dispersion", 0)]
        if self.distribution == "normal":
            said += [self.parameters.get(key, 1) for key in ("target_mean", "target_std")]
        elif self.distribution != "weighted_uniform":
            return False
        return all(isinstance(value, Real) and np.isfinite(float(value)) for value in said)


def generate_continuous_column(
    spec_dict: Specification, anon_df: pd.DataFrame, col_name: str, **kwargs: Any
) -> "pd.Series[Any]":
    """Return a column of scaled numbers for the rows of ``anon_df``, as Exhibit's own function."""
    if kwargs or anon_df.empty:
        return _stock(spec_dict, anon_df, col_name, **kwargs)
    table = spec_dict["weights_table"]
    targets = list(spec_dict["weights_table_target_cols"]) or list(anon_df.columns)
    weighted = {column for number, column, _ in table if number == col_name}
    manner = Manner.of(spec_dict, col_name)
    try:
        columns = [Coded.of(anon_df[name]) for name in targets if name in weighted]
        drawn = draw(columns, anon_df.index, table, manner, spec_dict["_rng"])
    except NotCovered:
        return _stock(spec_dict, anon_df, col_name)
    precision = spec_dict["columns"][col_name]["precision"]
    made: pd.Series[Any] = continuous.scale_continuous_column(
        drawn, precision=precision, **manner.parameters
    )
    return made


def draw(
    columns: Sequence[Coded],
    index: "pd.Index[Any]",
    table: Mapping[Any, Any],
    manner: Manner,
    rng: np.random.Generator,
) -> "pd.Series[Any]":
    """Return the unscaled numbers of the rows.

    ``columns`` are those that may have weights, in the order that Exhibit goes through them;
    ``table`` is Exhibit's table of weights. Raises NotCovered before anything is drawn.
    """
    if not manner.covered:
        raise NotCovered
    weights = [_weights(column, table, manner.name) for column in columns]
    make = _uniform if manner.distribution == "weighted_uniform" else _normal
    made = make(weights, len(index), manner.parameters, rng)
    return pd.Series(made, index=index, name=manner.name)


@dataclass(frozen=True)
class _Weights:
    """The weights of one column for each row; 1 where there is none."""

    weight: Floats
    equal: Floats
    some: NDArray[np.bool_]
    """Whether the row has a weight at all."""


def _weights(column: Coded, table: Mapping[Any, Any], number: str) -> _Weights:
    found = [table.get((number, column.name, value)) for value in column.values]
    found.append(None)  # where a value is missing
    if (column.codes < 0).any() and _has_weight_of_missing(table, number, column.name):
        raise NotCovered
    pairs = [(1.0, 1.0) if one is None else tuple(one["weights"]) for one in found]
    weight, equal = np.array(pairs, dtype=float).T
    some = np.array([one is not None for one in found])
    return _Weights(weight[column.codes], equal[column.codes], some[column.codes])


def _has_weight_of_missing(table: Mapping[Any, Any], number: str, column: str) -> bool:
    return any(
        name == number and other == column and pd.isna(value) for name, other, value in table
    )


def _uniform(
    columns: Sequence[_Weights],
    rows: int,
    parameters: Mapping[str, Any],
    rng: np.random.Generator,
) -> Any:
    dispersion = parameters.get("dispersion", 0)
    base = np.full(rows, 1000.0)
    some = np.zeros(rows, dtype=bool)
    for column in columns:
        base = base * column.weight
        some |= column.some
    if np.isinf(base).any():
        raise NotCovered
    if dispersion == 0:
        # Stock Exhibit's 1000 stays a whole number where no weight touches it.
        return base if some.any() else base.astype(np.int64)
    return _disperse(base, dispersion, rng)


def _normal(
    columns: Sequence[_Weights],
    rows: int,
    parameters: Mapping[str, Any],
    rng: np.random.Generator,
) -> Any:
    dispersion = parameters.get("dispersion", 0)
    mean, deviation = (parameters.get(key, 1) for key in ("target_mean", "target_std"))
    differences = np.full(rows, 1.0)
    zero = np.zeros(rows, dtype=bool)
    for column in columns:
        zero |= column.weight == 0
        with np.errstate(all="ignore"):
            ratio = column.weight / column.equal - 1
        differences = differences + np.where(column.weight - column.equal == 0, 0, ratio)
    means = mean * differences
    if np.isinf(means[~zero]).any() or deviation < 0:
        raise NotCovered
    if dispersion == 0:
        if zero.all():
            return np.zeros(rows, dtype=np.int64)
        made = np.zeros(rows)
        made[~zero] = rng.normal(means[~zero], deviation)
        return made
    return _normal_dispersed(means, deviation, zero, dispersion, rng)


def _normal_dispersed(
    means: Floats,
    deviation: float,
    zero: NDArray[np.bool_],
    dispersion: float,
    rng: np.random.Generator,
) -> Any:
    """Draw a normal number and its dispersion for one row after the other."""
    normal, chance = rng.standard_normal, rng.random
    if zero.any() or np.isnan(means).any():
        drawn, chances = np.zeros(len(means)), np.zeros(len(means))
        for row, (is_zero, is_nan) in enumerate(zip(zero, np.isnan(means), strict=True)):
            if not is_zero:
                drawn[row] = normal()
            if is_zero or not is_nan:
                chances[row] = chance()
    else:
        both = [(normal(), chance()) for _ in range(len(means))]
        drawn, chances = np.array(both).reshape(-1, 2).T
    values = np.where(zero, 0.0, means + deviation * drawn)
    low, high = _interval(values, dispersion)
    return _with_gaps(low + (high - low) * chances, np.isnan(values))


def _disperse(values: Floats, dispersion: float, rng: np.random.Generator) -> Any:
    """Return numbers from around the values, as Exhibit's own function draws them."""
    gaps = np.isnan(values)
    made = np.full(len(values), np.nan)
    made[~gaps] = rng.uniform(*_interval(values[~gaps], dispersion))
    return _with_gaps(made, gaps)


def _interval(values: Floats, dispersion: float) -> tuple[Floats, Floats]:
    reach = values * dispersion
    below, above = values - reach, values + reach
    return np.where(reach < 0, above, below), np.where(reach < 0, below, above)


def _with_gaps(values: Floats, gaps: NDArray[np.bool_]) -> Any:
    """Return the values, as objects with pandas' NA where stock Exhibit puts it."""
    if not gaps.any():
        return values
    made = values.astype(object)
    made[gaps] = pd.NA
    return made

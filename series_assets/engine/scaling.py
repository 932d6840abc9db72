"""Scaling numbers to their targets, corrected where Exhibit fails or is wrong.

Stock Exhibit 0.9.9 divides by the spread of equal numbers, treats a target of 0 as none, loses the
sum of a single negative number, moves integers with a sum to other rows where some are missing,
and computes a missing bound from a ratio that may be meaningless.
"""

from typing import Any

import pandas as pd
from exhibit.core.generate import continuous


def scale(
    series: "pd.Series[Any]",
    precision: str,
    target_sum: float | None = None,
    target_min: float | None = None,
    target_max: float | None = None,
    target_mean: float | None = None,
    target_std: float | None = None,
    **_: Any,
) -> "pd.Series[Any]":
    """Return the numbers scaled to the first target given: sum, range, or mean and deviation.

    Missing values are dropped; float64, or Int64 for the precision ``integer``.
    """
    # Exhibit computes targets from the numbers of a group, which may all be missing.
    target_sum, target_min, target_max, target_mean, target_std = (
        None if pd.isna(target) else target
        for target in (target_sum, target_min, target_max, target_mean, target_std)
    )
    numbers = series.dropna().astype(float)
    if numbers.empty:
        return series
    if target_sum is not None:
        return _to_sum(numbers, precision, target_sum)
    if target_min is not None or target_max is not None:
        return _to_range(numbers, precision, target_min, target_max)
    if target_mean is not None or target_std is not None:
        return _to_statistic(numbers, precision, target_mean, target_std)
    return series


def _to_sum(numbers: "pd.Series[Any]", precision: str, target: float) -> "pd.Series[Any]":
    least = numbers.min()
    if least < 0 and (numbers - least).sum() == 0:
        # Equal negative numbers get equal shares, where Exhibit leaves zeros.
        numbers = pd.Series(1.0, index=numbers.index, name=numbers.name)
    scaled = continuous._scale_to_target_sum(numbers, precision, target)
    # Integers are returned in order, but with a new index.
    return _with_precision(scaled.set_axis(numbers.index), precision)


def _to_range(
    numbers: "pd.Series[Any]", precision: str, low: float | None, high: float | None
) -> "pd.Series[Any]":
    if _all_equal(numbers):
        return _flat(numbers, precision, low or high or 0)
    spread = numbers.max() - numbers.min()
    # Exhibit computes the other bound from the ratio of the largest to the smallest number,
    # which is meaningless where one of them is 0 or negative.
    if high is None and low is not None and (numbers.min() <= 0 or low == 0):
        high = low + spread
    if low is None and high is not None and (numbers.max() <= 0 or high == 0):
        low = high - spread
    return continuous._scale_to_range(numbers, precision, low, high)


def _to_statistic(
    numbers: "pd.Series[Any]", precision: str, mean: float | None, deviation: float | None
) -> "pd.Series[Any]":
    if numbers.min() < 0:
        numbers = numbers + abs(numbers.min())
    if mean is None:
        mean = numbers.mean()
    if _all_equal(numbers):
        return _flat(numbers, precision, mean)
    if deviation is None:
        deviation = numbers.std()
    scaled = mean + (numbers - numbers.mean()) * deviation / numbers.std()
    return _with_precision(scaled.round() if precision == "integer" else scaled, precision)


def _all_equal(numbers: "pd.Series[Any]") -> bool:
    """Return whether numbers are equal up to rounding errors."""
    return bool(numbers.max() - numbers.min() <= 1e-12 * numbers.abs().max())


def _flat(numbers: "pd.Series[Any]", precision: str, value: float) -> "pd.Series[Any]":
    flat = pd.Series(value, index=numbers.index, name=numbers.name, dtype=float)
    return _with_precision(flat.round() if precision == "integer" else flat, precision)


def _with_precision(numbers: "pd.Series[Any]", precision: str) -> "pd.Series[Any]":
    return numbers.astype("Int64") if precision == "integer" else numbers

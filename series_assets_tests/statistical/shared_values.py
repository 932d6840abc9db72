"""Values that two runs share row by row: numbers, ranks, categories or missing values."""

from collections.abc import Iterator
from itertools import combinations
from math import sqrt

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from series_assets_tests.statistical.long_series import LongSeries, Run

_BOUND = 5.0
"""The allowed number of standard errors for independent rows."""


def shared(
    series: LongSeries, name: str, *, ends: frozenset[float] = frozenset(), ordered: bool = False
) -> list[str]:
    """Return what any two runs of a series share in a column, one sentence each.

    ``ends`` are numbers that every run has; ``ordered`` columns have a specified order, so that
    only their values can be compared.
    """
    found = []
    for one, other in combinations(series.runs, 2):
        rows = min(len(one.records), len(other.records))
        left, right = (run.records[name].iloc[:rows] for run in (one, other))
        numeric = pd.api.types.is_numeric_dtype(left.dtype)
        seen = list(_same_numbers(one, other, name, ends)) if numeric else []
        if not ordered:
            seen += _gaps(left, right)
            seen += _ranks(left, right) if numeric else _values(left, right)
        found += [
            f"{name}: {one.part} of {one.k} and {other.part} of {other.k} share {what}"
            for what in seen
        ]
    return found


def _same_numbers(one: Run, other: Run, name: str, ends: frozenset[float]) -> Iterator[str]:
    both = set(one.records[name].dropna()) & set(other.records[name].dropna()) - ends
    wide = max(one.records[name].nunique(), other.records[name].nunique()) > 20
    fractions = [number for number in both if number % 1]
    if wide and fractions:
        yield f"{len(fractions)} numbers"


def _gaps(left: "pd.Series", right: "pd.Series") -> Iterator[str]:
    yield from _correlated("gaps", left.isna().to_numpy(float), right.isna().to_numpy(float))


def _ranks(left: "pd.Series", right: "pd.Series") -> Iterator[str]:
    known = (left.notna() & right.notna()).to_numpy()
    yield from _correlated("ranks", rankdata(left[known]), rankdata(right[known]))


def _correlated(what: str, left: "np.ndarray", right: "np.ndarray") -> Iterator[str]:
    if len(left) > 5 and len(set(left)) > 1 and len(set(right)) > 1:
        correlation = float(np.corrcoef(left, right)[0, 1])
        if abs(correlation) * sqrt(len(left) - 1) > _BOUND:
            yield f"{what} ({correlation:.2f})"


def _values(left: "pd.Series", right: "pd.Series") -> Iterator[str]:
    known = (left.notna() & right.notna()).to_numpy()
    one, other = left[known].to_numpy(), right[known].to_numpy()
    shares = [pd.Series(values).value_counts(normalize=True) for values in (one, other)]
    chance = float((shares[0] * shares[1]).sum())
    if 0 < chance < 1:
        off = ((one == other).mean() - chance) / sqrt(chance * (1 - chance) / len(one))
        if off > _BOUND:
            yield f"values ({(one == other).mean():.0%} of the rows, {chance:.0%} expected)"

"""Missing values: how often, how evenly, and together with which others."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import sqrt

import numpy as np
import pandas as pd
from scipy.stats import binom

from series_assets_tests.statistical.long_series import LongSeries, Run
from series_assets_tests.statistical.statistic import Statistic, chi_square, mean_of_normals

SUITE = "gaps"
_PARTS = ("new", "existing")


def statistics(series: LongSeries) -> Iterator[Statistic]:
    """Return how often values are missing in each column, and how missing values coincide."""
    for part in _PARTS:
        runs = [run for run in series.part(part) if run.k]  # period 0 has Exhibit's own seeds
        columns = _with_gaps(series, part)
        for name, rate in columns.items():
            yield from _rates(part, name, rate, runs)
            yield _places(part, name, rate, runs)
        for one, other in combinations(columns, 2):
            if other not in (series.columns[one].get("paired_columns") or ()):
                yield _together(part, (one, other), (columns[one], columns[other]), runs)
    yield from _neighbours(series)


def rates(series: LongSeries, names: Sequence[str]) -> Iterator[Statistic]:
    """Return how often values are missing in some columns."""
    for part in _PARTS:
        runs = [run for run in series.part(part) if run.k]
        for name, rate in _with_gaps(series, part).items():
            if name in names:
                yield from _rates(part, name, rate, runs)


def _with_gaps(series: LongSeries, part: str) -> dict[str, float]:
    kept = set(series.ask.user_input["static_columns"] or ()) if part == "existing" else set()
    return {
        name: column["miss_probability"]
        for name, column in series.columns.items()
        if 0 < column["miss_probability"] < 1 and column["type"] != "uuid" and name not in kept
    }


def missing(series: Run, name: str) -> "pd.Series[bool]":
    """Return which records of a run have no value in the column."""
    records = series.records
    return records[name if name in records else f"{name}_latitude"].isna()


def _rates(part: str, name: str, rate: float, runs: list[Run]) -> Iterator[Statistic]:
    counts = np.array([missing(run, name).sum() for run in runs])
    rows = np.array([len(run.records) for run in runs])
    error = sqrt(rate * (1 - rate) / rows.sum())
    yield Statistic(SUITE, f"{name}: rate, {part}", rate, counts.sum() / rows.sum(), error)
    # The variance of counts between periods, which is 0 for constant missing values.
    mean, variance = rows * rate, rows * rate * (1 - rate)
    moments = [binom(n, rate).stats(moments="k") for n in rows]
    spread = np.sqrt((np.array(moments, dtype=float) + 2).mean() / len(runs))
    squares = float(((counts - mean) ** 2 / variance).mean())
    yield Statistic(SUITE, f"{name}: variance of counts, {part}", 1.0, squares, float(spread))


def _places(part: str, name: str, rate: float, runs: list[Run]) -> Statistic:
    """Over all periods, values are missing equally often in each row."""
    least = min(len(run.records) for run in runs)
    counts = sum(missing(run, name).to_numpy()[:least].astype(int) for run in runs)
    squares = (counts - len(runs) * rate) ** 2 / (len(runs) * rate * (1 - rate))
    return chi_square(SUITE, f"{name}: by row, {part}", float(squares.sum()), least)


def _together(
    part: str, names: tuple[str, str], rates: tuple[float, float], runs: list[Run]
) -> Statistic:
    both = [missing(run, names[0]) & missing(run, names[1]) for run in runs]
    rows, rate = sum(map(len, both)), rates[0] * rates[1]
    found = sum(int(one.sum()) for one in both) / rows
    error = sqrt(rate * (1 - rate) / rows)
    return Statistic(SUITE, f"{names[0]} and {names[1]}, {part}", rate, found, error)


def _neighbours(series: LongSeries) -> Iterator[Statistic]:
    """Missing values of neighbouring runs coincide as often as by chance."""
    columns = _with_gaps(series, "existing")
    values: dict[tuple[str, str], list[float]] = {}
    for what, one, other in series.pairs():
        for name, rate in columns.items():
            if one.k and other.k:
                left, right = missing(one, name).to_numpy(), missing(other, name).to_numpy()
                rows = min(len(left), len(right))
                both, chance = (left[:rows] & right[:rows]).sum(), rate * rate
                error = sqrt(rows * chance * (1 - chance))
                values.setdefault((name, what), []).append((both - rows * chance) / error)
    for (name, what), found in values.items():
        yield mean_of_normals(SUITE, f"{name}: same rows, {what}", found)

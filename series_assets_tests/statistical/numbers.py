"""Numbers: none is repeated, ranks are independent, and means follow the weights."""

from collections import Counter
from collections.abc import Iterator
from math import sqrt

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from series_assets_tests.statistical.long_series import LongSeries, Run
from series_assets_tests.statistical.statistic import Statistic, chi_square, mean_of_normals

SUITE = "numbers"


def repeats(series: LongSeries, names: list[str]) -> Iterator[Statistic]:
    """Return how many real numbers occur in more than one place of the series.

    The ends of a scale, which every run has, do not count, nor do static values of entities.
    """
    for name in names:
        parameters = series.columns.get(name, {}).get("distribution_parameters", {})
        ends = {parameters.get("target_min"), parameters.get("target_max")}
        values = pd.concat([run.records[name].dropna() for run in series.runs])
        counts = Counter(float(value) for value in values if float(value) not in ends)
        again = sum(times - 1 for times in counts.values())
        yield Statistic(SUITE, f"{name}: values that come again", 0, again, 0)


def ranks(series: LongSeries, names: list[str], beside: str | None = None) -> Iterator[Statistic]:
    """Return whether the ranks of numbers in neighbouring runs are correlated, row by row.

    With ``beside``, only in the rows in which that category is missing.
    """
    title = f" where {beside} is missing" if beside else ""
    for name in names:
        found: dict[str, list[float]] = {}
        for what, one, other in series.pairs():
            value = _together(_values(one, name, beside), _values(other, name, beside))
            if value is not None:
                found.setdefault(what, []).append(value)
        for what, values in found.items():
            yield mean_of_normals(SUITE, f"{name}{title}: ranks, {what}", values)
        for part in ("new", "existing"):
            yield _by_row(series, name, part, beside)
    for place, name in enumerate(names):
        for other in names[place + 1 :]:
            yield from _columns(series, name, other, beside)


def _values(run: Run, name: str, beside: str | None) -> "np.ndarray":
    records = run.records
    rows = records[beside].isna() if beside else pd.Series(True, index=records.index)
    return records.loc[rows, name].to_numpy(dtype=float)


def _together(left: "np.ndarray", right: "np.ndarray") -> float | None:
    """Return Spearman's correlation in standard errors; None if there are too few numbers."""
    rows = min(len(left), len(right))
    left, right = left[:rows], right[:rows]
    known = ~(np.isnan(left) | np.isnan(right))
    if known.sum() < 4 or len(set(left[known])) < 2 or len(set(right[known])) < 2:
        return None
    correlation = np.corrcoef(rankdata(left[known]), rankdata(right[known]))[0, 1]
    return float(correlation * sqrt(known.sum() - 1))


def _by_row(series: LongSeries, name: str, part: str, beside: str | None) -> Statistic:
    """Over all periods, no row has larger numbers than others."""
    found = [_values(run, name, beside) for run in series.part(part)]
    found = [values for values in found if len(values) > 3]
    least = min(map(len, found))
    scored = []
    for values in found:
        known = ~np.isnan(values)
        placed = np.full(len(values), np.nan)
        placed[known] = rankdata(values[known])
        placed -= np.nanmean(placed)
        scored.append((placed / np.nanstd(placed))[:least])
    counts = (~np.isnan(scored)).sum(axis=0)
    squares = (np.nansum(scored, axis=0) ** 2 / counts).sum()
    title = f" where {beside} is missing" if beside else ""
    return chi_square(SUITE, f"{name}{title}: ranks by row, {part}", float(squares), least)


def _columns(series: LongSeries, name: str, other: str, beside: str | None) -> Iterator[Statistic]:
    """Numbers of the same row are correlated only as far as their weights are."""
    title = f" where {beside} is missing" if beside else ""
    for part in ("new", "existing"):
        values = [
            _together(_values(run, name, beside), _values(run, other, beside))
            for run in series.part(part)
        ]
        known = [value for value in values if value is not None]
        yield mean_of_normals(SUITE, f"{name} and {other}{title}: ranks, {part}", known)


def ratios(series: LongSeries, number: str, category: str) -> Iterator[Statistic]:
    """Return the means of a total by category, against the weights of a uniform number."""
    listed = series.columns[category]["original_values"]
    header, *rows = [[cell.strip() for cell in row.split("|")] for row in listed[:-1]]
    table = pd.DataFrame(rows, columns=header).set_index(category)
    weights = table[number].astype(float)
    for part in ("new", "existing"):
        records = pd.concat([run.records for run in series.part(part)])
        groups = records.dropna(subset=[number]).groupby(category)[number]
        mean = groups.mean()
        error = groups.std() / np.sqrt(groups.size()) / mean
        first, *others = weights.index
        for value in others:
            found = mean[value] / mean[first]
            spread = found * sqrt(error[value] ** 2 + error[first] ** 2)
            title = f"{number}: mean of {category} {value} by {first}, {part}"
            yield Statistic("means", title, weights[value] / weights[first], found, spread)

"""Categories and dates: the frequency of each value, and whether two runs share their order."""

from collections.abc import Iterator, Sequence
from math import sqrt

import numpy as np
import pandas as pd

from series_assets_tests.statistical.long_series import LongSeries, Run
from series_assets_tests.statistical.statistic import Statistic, chi_square, mean_of_normals

SUITE = "categories"


def shares(series: LongSeries, only: Sequence[str] = ()) -> Iterator[Statistic]:
    """Return how the values of listed categories and the days of windows are distributed.

    ``only`` limits the columns, for series in which others depend on constraints.
    """
    for name in only or series.of_type("categorical"):
        chances = _chances(series, name)
        if chances is not None:
            for part in _parts_made_afresh(series, name):
                yield _spread(f"{name}: shares, {part}", series.part(part), name, chances)
    for name in () if only else series.of_type("date"):
        if "to" in series.columns[name]:
            for part in _parts_made_afresh(series, name):
                yield from _days(series, name, part)


def _parts_made_afresh(series: LongSeries, name: str) -> tuple[str, ...]:
    kept = series.ask.user_input["static_columns"] or ()
    return ("new",) if name in kept else ("new", "existing")


def _chances(series: LongSeries, name: str) -> "pd.Series[float] | None":
    column = series.columns[name]
    listed = column["original_values"]
    if not isinstance(listed, list) or column["anonymising_set"] != "random":
        return None
    header, *rows = [[cell.strip() for cell in row.split("|")] for row in listed[:-1]]
    table = pd.DataFrame(rows, columns=header).set_index(name)
    chances = table["probability_vector"].astype(float)
    return chances / chances.sum()


def _spread(title: str, runs: tuple[Run, ...], name: str, chances: "pd.Series[float]") -> Statistic:
    counts = pd.concat([run.records[name] for run in runs]).value_counts()
    assert set(counts.index) <= set(chances.index)
    expected = chances * counts.sum()
    squares = ((counts.reindex(chances.index, fill_value=0) - expected) ** 2 / expected).sum()
    return chi_square(SUITE, title, float(squares), len(chances) - 1)


def _days(series: LongSeries, name: str, part: str) -> Iterator[Statistic]:
    """Every day of each period's window is equally frequent, and no other day occurs."""
    total, freedom, outside = 0.0, 0, 0
    for run in series.part(part):
        window = _window(series, name, run.k)
        counts = run.records[name].value_counts()
        outside += int(counts[~counts.index.isin(window)].sum())
        expected = counts.sum() / len(window)
        total += float(((counts.reindex(window, fill_value=0) - expected) ** 2 / expected).sum())
        freedom += len(window) - 1
    yield chi_square("dates", f"{name}: days of the window, {part}", total, freedom)
    yield Statistic("dates", f"{name}: days outside, {part}", 0, outside, 0)


def _window(series: LongSeries, name: str, k: int) -> list[str]:
    column, user_input = series.columns[name], series.ask.user_input
    step = pd.DateOffset(**{user_input["period"]: k * user_input["length_of_period"]})
    first, last = pd.Timestamp(column["from"]), pd.Timestamp(column["to"])
    ends = [first + step, last + step]
    if user_input["period"] == "months" and last.is_month_end:
        ends[1] += pd.offsets.MonthEnd(0)
        ends[0] += pd.offsets.MonthEnd(0) if first.is_month_end else pd.Timedelta(0)
    days = pd.date_range(*ends, freq=column["frequency"])
    return list(days.strftime("%Y-%m-%d"))


def order(series: LongSeries, names: list[str]) -> Iterator[Statistic]:
    """Return whether runs share the values of their rows more than by chance."""
    for name in names:
        for part in _parts_made_afresh(series, name):
            yield _by_row(name, part, _coded(series.part(part), series, name))
        if len(_parts_made_afresh(series, name)) == 2:
            yield from _neighbours(series, name)


def _values(run: Run, series: LongSeries, name: str) -> "pd.Series[str]":
    """Return the values of a run; days count from the start of its window."""
    values = run.records[name]
    if series.columns[name]["type"] != "date":
        return values
    first = pd.Timestamp(_window(series, name, run.k)[0])
    return (pd.to_datetime(values) - first).dt.days


def _coded(runs: tuple[Run, ...], series: LongSeries, name: str) -> "np.ndarray":
    """Return a row for each run with a number for each value, -1 where it is missing."""
    least = min(len(run.records) for run in runs)
    columns = [_values(run, series, name).iloc[:least] for run in runs]
    codes, _ = pd.factorize(pd.concat(columns))
    return codes.reshape(len(runs), least)


def _by_row(name: str, part: str, codes: "np.ndarray") -> Statistic:
    """In each row, the values are distributed as in all rows together."""
    total, freedom = 0.0, -(codes.max() + 1) + 1
    known = codes[codes >= 0]
    chances = np.bincount(known) / len(known)
    for column in codes.T:
        own = column[column >= 0]
        expected = chances * len(own)
        counts = np.bincount(own, minlength=len(chances))
        total += float(((counts - expected) ** 2 / expected).sum())
        freedom += len(chances) - 1
    return chi_square("order", f"{name}: values by row, {part}", total, freedom)


def _neighbours(series: LongSeries, name: str) -> Iterator[Statistic]:
    known = pd.concat([_values(run, series, name) for run in series.runs]).dropna()
    squares = (known.value_counts(normalize=True) ** 2).sum()
    found: dict[str, list[float]] = {}
    for what, one, other in series.pairs():
        rows = min(len(one.records), len(other.records))
        left, right = (_values(run, series, name).iloc[:rows] for run in (one, other))
        both = (left.notna() & right.notna()).to_numpy()
        same = (left.to_numpy() == right.to_numpy()) & both
        error = sqrt(both.sum() * squares * (1 - squares))
        found.setdefault(what, []).append(float(same.sum() - both.sum() * squares) / error)
    for what, values in found.items():
        yield mean_of_normals("order", f"{name}: same values, {what}", values)

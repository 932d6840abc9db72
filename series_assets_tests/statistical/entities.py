"""Entities: all earlier ones are sampled equally often, and keep their static values."""

from collections import Counter
from collections.abc import Iterator
from math import sqrt

import numpy as np

from series_assets_tests.statistical.long_series import LongSeries
from series_assets_tests.statistical.statistic import Statistic, chi_square, mean_of_normals

SUITE = "entities"


def statistics(series: LongSeries) -> Iterator[Statistic]:
    """Return how samples are distributed over entities, and whether anything changes or recurs."""
    yield from draws(series)
    yield from kept(series)
    yield from identifiers(series)


def _introduced(series: LongSeries) -> dict[int, list[str]]:
    """Return the entities by the period that introduced them, in their order."""
    name = series.identifier
    return {run.k: list(dict.fromkeys(run.records[name].dropna())) for run in series.new}


def draws(series: LongSeries) -> Iterator[Statistic]:
    """Return how often entities were sampled: each, by age, and by place in their period."""
    introduced = _introduced(series)
    drawn = {run.k: set(run.records[series.identifier]) for run in series.existing}
    eligible = {k: sum(len(found) for j, found in introduced.items() if j < k) for k in drawn}
    squares, count = 0.0, 0
    by_quarter: dict[int, list[float]] = {}
    for j, names in introduced.items():
        later = {k: len(drawn[k]) / eligible[k] for k in drawn if k > j}
        expected = sum(later.values())
        variance = sum(chance * (1 - chance) for chance in later.values())
        if variance < 0.5:
            continue
        times = Counter(name for k in later for name in drawn[k])
        for place, name in enumerate(names):
            off = (times[name] - expected) / sqrt(variance)
            squares, count = squares + off**2, count + 1
            by_quarter.setdefault(4 * place // len(names), []).append(off)
    yield chi_square(SUITE, "draws of each entity", squares, count)
    for quarter, found in sorted(by_quarter.items()):
        yield mean_of_normals(SUITE, f"draws by place, quarter {quarter + 1}", found)
    yield from _ages(introduced, drawn, eligible)
    yield _again(drawn, eligible)


def _ages(
    introduced: dict[int, list[str]], drawn: dict[int, set[str]], eligible: dict[int, int]
) -> Iterator[Statistic]:
    """Each earlier period has its share of the samples of each later one (hypergeometric)."""
    found: dict[str, list[float]] = {}
    for k, names in drawn.items():
        for j, issued in introduced.items():
            share = len(issued) / eligible[k]
            left = eligible[k] - len(names)
            if j >= k or share == 1 or not left:
                continue
            variance = len(names) * share * (1 - share) * left / (eligible[k] - 1)
            off = (len(names & set(issued)) - len(names) * share) / sqrt(variance)
            age = "the first period" if j == 0 else "the last period" if j == k - 1 else "others"
            found.setdefault(age, []).append(off)
    for age, values in found.items():
        yield mean_of_normals(SUITE, f"draws of entities of {age}", values)


def _again(drawn: dict[int, set[str]], eligible: dict[int, int]) -> Statistic:
    """Entities sampled in a period are sampled in the next one like all others."""
    values = []
    for k in drawn:
        if k + 1 not in drawn:
            continue
        one, other, all_ = len(drawn[k]), len(drawn[k + 1]), eligible[k + 1]
        share = one / all_
        variance = other * share * (1 - share) * (all_ - other) / (all_ - 1)
        if variance:
            values.append((len(drawn[k] & drawn[k + 1]) - other * share) / sqrt(variance))
    return mean_of_normals(SUITE, "drawn in two periods running", values)


def kept(series: LongSeries) -> Iterator[Statistic]:
    """Return the number of records in which an entity's static column has changed."""
    name = series.identifier
    for column in series.ask.user_input["static_columns"] or ():
        columns = [column]
        if column not in series.new[0].records:
            columns = [f"{column}_latitude", f"{column}_longitude"]
        known: dict[str, tuple[str, ...]] = {}
        changed = 0
        for run in sorted(series.runs, key=lambda run: (run.k, run.part != "new")):
            values = run.records[[name, *columns]].fillna("").astype(str)
            for entity, *own in values.itertuples(index=False, name=None):
                if entity:
                    changed += known.setdefault(entity, tuple(own)) != tuple(own)
        yield Statistic("static", f"{column}: records in which it changed", 0, changed, 0)


def identifiers(series: LongSeries) -> Iterator[Statistic]:
    """Return how many identifiers were issued twice, and how many records have unknown ones."""
    for name in series.of_type("uuid"):
        counts: Counter[str] = Counter()
        for run in series.new:
            counts.update(set(run.records[name].dropna()))
        again = sum(times - 1 for times in counts.values())
        yield Statistic(SUITE, f"{name}: identifiers given twice", 0, again, 0)
    unknown = 0
    for run in series.existing:
        issued = {n for j, names in _introduced(series).items() if j < run.k for n in names}
        unknown += int((~np.isin(list(run.records[series.identifier]), list(issued))).sum())
    yield Statistic(SUITE, "existing records of nobody known", 0, unknown, 0)

"""The suite: which statistics are computed for which series."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from series_assets_tests.statistical import (
    categories,
    cross_joins,
    entities,
    missing_values,
    numbers,
    specifications,
)
from series_assets_tests.statistical.long_series import Ask, LongSeries, make
from series_assets_tests.statistical.statistic import Statistic

Taken = Iterator[Statistic]


def _beside_missing(series: LongSeries) -> Taken:
    names = ["amount", "height", "paid", "flat"]
    yield from numbers.repeats(series, ["amount", "height", "flat"])
    yield from numbers.ranks(series, names)
    yield from numbers.ranks(series, names, beside="sex")
    yield from categories.shares(series)


def _every_category(series: LongSeries) -> Taken:
    yield from categories.shares(series)
    yield from categories.order(series, series.of_type("categorical", "date"))


def _common(series: LongSeries) -> Taken:
    yield from entities.statistics(series)
    yield from categories.shares(series)
    for category in ("sex", "region"):
        yield from numbers.ratios(series, "paid", category)


def _several_rows(series: LongSeries) -> Taken:
    yield from entities.kept(series)
    yield from entities.identifiers(series)
    for category in ("sex", "region"):
        yield from numbers.ratios(series, "paid", category)


SERIES: Mapping[str, tuple[Callable[[], Ask], Callable[[LongSeries], Taken]]] = {
    "gaps": (specifications.gaps, missing_values.statistics),
    "beside missing": (specifications.beside_missing, _beside_missing),
    "every category": (specifications.every_category, _every_category),
    "common": (specifications.common, _common),
    "several rows": (specifications.several_rows, _several_rows),
    "crossed": (specifications.crossed, cross_joins.statistics),
}
"""The series by name, with their files and their statistics."""


@lru_cache(maxsize=len(SERIES))
def statistics_of(name: str) -> tuple[Statistic, ...]:
    """Return the statistics of a series of the suite, generated once per process."""
    return take(name)


def take(name: str, periods: int | None = None) -> tuple[Statistic, ...]:
    """Generate a series of the suite, or its first ``periods``, and return its statistics."""
    asked, statistics = SERIES[name]
    ask = asked()
    inputs = ask.user_input if periods is None else {**ask.user_input, "num_datasets": periods}
    with TemporaryDirectory() as folder:
        return tuple(statistics(make(replace(ask, user_input=inputs), Path(folder))))

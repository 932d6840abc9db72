"""Cross joins that are cut to the requested rows: over many periods, no combination is rarer."""

from collections.abc import Iterator

import pandas as pd

from series_assets_tests.statistical.long_series import LongSeries, Run
from series_assets_tests.statistical.statistic import Statistic, chi_square

SUITE = "crossings"


def statistics(series: LongSeries) -> Iterator[Statistic]:
    """Return how often each combination of the cross-joined columns occurs, in both parts."""
    kept = series.ask.user_input["static_columns"] or ()
    for part in ("new", "existing"):
        crossed = [
            name
            for name, column in series.columns.items()
            if column.get("cross_join_all_unique_values")
            and not (part == "existing" and name in kept)
        ]
        if crossed:
            yield from _combinations(part, crossed, series.part(part))


def _combinations(part: str, names: list[str], runs: tuple[Run, ...]) -> Iterator[Statistic]:
    counts = pd.DataFrame({run.k: run.records.groupby(names).size() for run in runs}).fillna(0)
    size = len(counts)
    expected, variance = 0.0, 0.0
    for rows in counts.sum():
        generated = -(-rows // size) * size
        expected += rows / size
        # Each combination is generated equally often; the rows to keep are sampled.
        variance += rows / size * (generated - rows) / (generated - 1)
    squares = float(((counts.sum(axis=1) - expected) ** 2).sum() / variance)
    title = f"{', '.join(names)}: records of each combination, {part}"
    yield chi_square(SUITE, title, squares, size - 1)

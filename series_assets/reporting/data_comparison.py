"""Compares the first dataset with the table of data that its series was inferred from.

Column by column: missing values, mean, spread and range of numbers, shares of categories.
Both sides are read as text, in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

MAX_SHARE_DIFFERENCE = 0.05
"""How far the share of a category may differ from its share in the table."""
_THREE_STANDARD_ERRORS = 1.5
"""Of a share of one half, times the square root of the number of rows."""
MAX_MEAN_DIFFERENCE = 0.3
"""How far the mean of a number may differ from that in the table, in standard deviations there."""
SPREAD = (0.7, 1.4)
"""Bounds of a number's standard deviation, relative to that in the table."""
MAX_SHAPE_DIFFERENCE = 0.2
"""How far the share of numbers below any bound may differ from that in the table."""


@dataclass(frozen=True)
class ColumnSummary:
    """The compared figures of one column on one side."""

    missing: float
    distinct: int
    mean: float | None = None
    deviation: float | None = None
    least: str = ""
    greatest: str = ""


@dataclass(frozen=True)
class ColumnComparison:
    """One column in the table and in the first dataset."""

    name: str
    kind: str
    """``category``, ``number``, ``date`` or ``identifier``."""
    data: ColumnSummary
    dataset: ColumnSummary
    share_difference: float = 0.0
    """The largest difference between the shares of a category, or of numbers below any bound."""
    exceeds_range: bool = False
    """Whether numbers of the dataset lie outside the range of the table."""
    drawn: int = 0
    """How many values of the dataset were drawn. The fewer, the more shares differ by chance."""

    @property
    def is_similar(self) -> bool:
        """Whether the column is as close to the table as it should be."""
        by_chance = _THREE_STANDARD_ERRORS / sqrt(max(self.drawn, 1))
        if self.kind == "category":
            return self.share_difference <= max(MAX_SHARE_DIFFERENCE, by_chance)
        if self.kind == "number" and self.data.deviation:
            if self.share_difference > MAX_SHAPE_DIFFERENCE + by_chance:
                return False
            ratio = (self.dataset.deviation or 0.0) / self.data.deviation
            off = abs((self.dataset.mean or 0.0) - (self.data.mean or 0.0)) / self.data.deviation
            is_near = off <= max(MAX_MEAN_DIFFERENCE, 3 / sqrt(max(self.drawn, 1)))
            return SPREAD[0] <= ratio <= SPREAD[1] and is_near and not self.exceeds_range
        return True


def compare_columns(
    data: Mapping[str, "pd.Series[Any]"],
    kinds: Mapping[str, str],
    dataset: pd.DataFrame,
    drawn: Mapping[str, int] | None = None,
) -> list[ColumnComparison]:
    """Compare the columns that a table of data and a dataset (text) have in common.

    ``data`` has the values of the table, of the ``kinds`` that ``ColumnComparison`` lists.
    ``drawn`` says how often a value was drawn, where that is not once for each row.
    """
    times = {name: len(dataset) for name in data} | dict(drawn or {})
    return [
        _compare(name, kinds[name], values, dataset[name], times[name])
        for name, values in data.items()
        if name in dataset
    ]


def _compare(
    name: str, kind: str, data: "pd.Series[Any]", texts: "pd.Series[Any]", drawn: int
) -> ColumnComparison:
    values = texts
    if kind == "number":
        values = pd.to_numeric(texts.astype(object).where(texts.notna(), np.nan))
    elif kind == "date":
        values = pd.to_datetime(texts)
    share_difference, exceeds_range = 0.0, False
    if kind == "category":
        before, after = (side.value_counts(normalize=True) for side in (data, values))
        if len(before) and len(after):
            share_difference = float(after.sub(before, fill_value=0).abs().max())
    elif kind == "number" and data.notna().any() and values.notna().any():
        tolerance = 1e-9 * max(abs(data.max()), abs(data.min()))
        exceeds_range = bool(
            values.min() < data.min() - tolerance or values.max() > data.max() + tolerance
        )
        share_difference = _shape_difference(data, values)
    sides = _summary(kind, data), _summary(kind, values)
    return ColumnComparison(name, kind, *sides, share_difference, exceeds_range, drawn)


def _shape_difference(one: "pd.Series[Any]", other: "pd.Series[Any]") -> float:
    """Return the largest difference between the shares of numbers up to any bound.

    This is the statistic of Kolmogorov and Smirnov.
    """
    sides = [np.sort(side.dropna().to_numpy(dtype=float)) for side in (one, other)]
    bounds = np.concatenate(sides)
    first, second = (np.searchsorted(side, bounds, side="right") / len(side) for side in sides)
    return float(np.abs(first - second).max())


def _summary(kind: str, values: "pd.Series[Any]") -> ColumnSummary:
    missing, distinct = float(values.isna().mean()), int(values.nunique())
    known = values.dropna()
    if kind == "number" and len(known):
        numbers = known.astype(float)
        deviation = float(numbers.std()) if len(numbers) > 1 else None
        ends = (_number(float(numbers.min())), _number(float(numbers.max())))
        return ColumnSummary(missing, distinct, float(numbers.mean()), deviation, *ends)
    if kind == "date" and len(known):
        ends = (str(known.min().date()), str(known.max().date()))
        return ColumnSummary(missing, distinct, None, None, *ends)
    return ColumnSummary(missing, distinct)


def format_table(columns: Sequence[ColumnComparison], rows: tuple[int, int]) -> list[str]:
    """Format the comparison as lines of a text table, with ``data → first dataset`` in each cell.

    ``rows`` are the numbers of rows of both.
    """
    head = ["column", "missing", "values", "mean", "spread", "range", "shares differ by"]
    table = [head, *map(_cells, columns)]
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    return [
        f"the data ({rows[0]:,} rows) → the first dataset ({rows[1]:,} rows):",
        *("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in table),
    ]


def _cells(column: ColumnComparison) -> list[str]:
    data, dataset = column.data, column.dataset
    name = column.name if len(column.name) <= 30 else f"{column.name[:29]}…"
    is_number = column.kind == "number"
    shows_shares = column.kind == "category" or (is_number and not column.is_similar)
    ends = (data.least, data.greatest, dataset.least, dataset.greatest)
    return [
        name if column.is_similar else f"{name} (!)",
        _both(_percent(data.missing), _percent(dataset.missing)),
        _both(f"{data.distinct:,}", f"{dataset.distinct:,}"),
        _both(_number(data.mean), _number(dataset.mean)) if is_number else "",
        _both(_number(data.deviation), _number(dataset.deviation)) if is_number else "",
        f"{ends[0]}…{ends[1]} → {ends[2]}…{ends[3]}" if any(ends) else "",
        f"{100 * column.share_difference:.1f} points" if shows_shares else "",
    ]


def _both(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if share else "0%"


def _number(number: float | None) -> str:
    return "–" if number is None else f"{number:.4g}" if abs(number) < 10**4 else f"{number:,.0f}"

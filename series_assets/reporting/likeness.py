"""How much a first dataset looks like the table of data that its series was made from.

Column by column: what is missing, mean, spread and range of numbers, shares of categories.
Both sides are read as text, in the same way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

MOST_APART = 0.05
"""How far the share of a category may be from that of the table."""
_BY_CHANCE = 1.5
"""Three standard errors of a share of a half, times the root of the rows."""
SPREAD = (0.7, 1.4)
"""Between which the deviation of a number may lie, in terms of that of the table."""


@dataclass(frozen=True)
class Summary:
    """What is compared of a column of a table."""

    missing: float
    different: int
    mean: float | None = None
    deviation: float | None = None
    least: str = ""
    greatest: str = ""


@dataclass(frozen=True)
class Likeness:
    """One column in the table and in the first dataset."""

    name: str
    kind: str
    """``category``, ``number``, ``date`` or ``identifier``."""
    data: Summary
    made: Summary
    apart: float = 0.0
    """The largest difference between the shares of a category."""
    wider: bool = False
    """Whether numbers or days of the dataset lie beyond those of the table."""
    rows: int = 0
    """Rows of the dataset, which decide how much chance alone puts shares apart."""

    @property
    def is_like(self) -> bool:
        """Whether the column is as near to the table as it should be."""
        if self.kind == "category":
            return self.apart <= max(MOST_APART, _BY_CHANCE / sqrt(max(self.rows, 1)))
        if self.kind == "number" and self.data.deviation:
            ratio = (self.made.deviation or 0.0) / self.data.deviation
            return SPREAD[0] <= ratio <= SPREAD[1] and not self.wider
        return True


def compare(
    data: Mapping[str, "pd.Series[Any]"], kinds: Mapping[str, str], made: pd.DataFrame
) -> list[Likeness]:
    """Return how alike the columns are that a table of data and a dataset of text share.

    ``data`` has the values of the table, of the ``kinds`` that ``Likeness`` knows.
    """
    return [
        _likeness(name, kinds[name], values, made[name])
        for name, values in data.items()
        if name in made
    ]


def _likeness(name: str, kind: str, data: "pd.Series[Any]", texts: "pd.Series[Any]") -> Likeness:
    made = texts
    if kind == "number":
        made = pd.to_numeric(texts.astype(object).where(texts.notna(), np.nan))
    elif kind == "date":
        made = pd.to_datetime(texts)
    apart, wider = 0.0, False
    if kind == "category":
        before = data.value_counts(normalize=True)
        after = made.value_counts(normalize=True)
        if len(before) and len(after):
            apart = float(after.sub(before, fill_value=0).abs().max())
    elif kind == "number" and data.notna().any() and made.notna().any():
        room = 1e-9 * max(abs(data.max()), abs(data.min()))
        wider = bool(made.min() < data.min() - room or made.max() > data.max() + room)
    return Likeness(name, kind, _summary(kind, data), _summary(kind, made), apart, wider, len(made))


def _summary(kind: str, values: "pd.Series[Any]") -> Summary:
    missing, different = float(values.isna().mean()), int(values.nunique())
    known = values.dropna()
    if kind == "number" and len(known):
        numbers = known.astype(float)
        deviation = float(numbers.std()) if len(numbers) > 1 else None
        ends = (_number(float(numbers.min())), _number(float(numbers.max())))
        return Summary(missing, different, float(numbers.mean()), deviation, *ends)
    if kind == "date" and len(known):
        ends = (str(known.min().date()), str(known.max().date()))
        return Summary(missing, different, None, None, *ends)
    return Summary(missing, different)


def lines(alike: Sequence[Likeness], rows: tuple[int, int]) -> list[str]:
    """Return a table as lines of text, with ``data → first dataset`` in each cell."""
    head = ["column", "missing", "values", "mean", "spread", "range", "shares apart"]
    body = [_cells(one) for one in alike]
    table = [head, *body]
    widths = [max(len(row[place]) for row in table) for place in range(len(head))]
    first = f"the data ({rows[0]:,} rows) → the first dataset ({rows[1]:,} rows):"
    return [
        first,
        *(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ),
    ]


def _cells(one: Likeness) -> list[str]:
    data, made = one.data, one.made
    name = one.name if len(one.name) <= 30 else f"{one.name[:29]}…"
    cells = [
        name if one.is_like else f"{name} (!)",
        _both(map(_percent, (data.missing, made.missing))),
    ]
    cells.append(_both((f"{data.different:,}", f"{made.different:,}")))
    if one.kind == "number":
        cells.append(_both(map(_number, (data.mean, made.mean))))
        cells.append(_both(map(_number, (data.deviation, made.deviation))))
    else:
        cells += ["", ""]
    ends = (data.least, data.greatest, made.least, made.greatest)
    cells.append(f"{ends[0]}…{ends[1]} → {ends[2]}…{ends[3]}" if any(ends) else "")
    cells.append(f"{100 * one.apart:.1f} points" if one.kind == "category" else "")
    return cells


def _both(texts: Iterable[str]) -> str:
    before, after = texts
    return before if before == after else f"{before} → {after}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if share else "0%"


def _number(number: float | None) -> str:
    return "–" if number is None else f"{number:.4g}" if abs(number) < 10**4 else f"{number:,.0f}"

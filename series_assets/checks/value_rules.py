"""Holding the rules on values against a delivered dataset: dates, constraints, and numbers.

The other rules are in ``evaluate``.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.checks.constraint_rules import Comparison, comparisons
from series_assets.checks.dataset_under_check import Cells, DatasetUnderCheck, Flags, is_in
from series_assets.checks.date_windows import Window, full_windows, windows
from series_assets.checks.rules import Example, Finding, dated, fresh_numbers

_FAILS: dict[str, Callable[[Any, Any], Any]] = {
    "<": pc.greater_equal,
    "<=": pc.greater,
    ">": pc.less_equal,
    ">=": pc.less,
    "==": pc.not_equal,
}

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_NEVER = 1e-9
"""A chance that a rule may count on not to come."""
_LONG = 10
"""Characters from which on two numbers are alike for a reason, and not by chance."""
_ENOUGH = 50
"""Different numbers from which on it can be told whether they were drawn afresh."""
_BY_CHANCE = 0.01
"""The share of numbers that may be those of other records; a few may always be."""


def check_dates(dataset: DatasetUnderCheck) -> Finding:
    """Return the rows whose days lie outside their window, and the days that none has."""
    cells = Cells(dataset)
    limits = windows(dataset.series, dataset.k)
    static = set(dataset.series.roles.static)
    for name in dated(dataset.series):
        column = dataset.column(name)
        days = pc.drop_null(pc.unique(column)).to_pylist()
        unwritten = [day for day in days if not _is_day(day)]
        cells.add(name, is_in(column, unwritten), lambda _: "a day written as YYYY-MM-DD")
        window = limits[name]
        if window is None:
            continue
        first, last = (end.isoformat() for end in window)
        outside = [day for day in days if _is_day(day) and not first <= day <= last]
        odd = is_in(column, outside)
        if name in static:  # an existing record keeps the date that it came with
            odd &= dataset.is_new
        cells.add(name, odd, _between(window))
    return cells.finding("dates", lacking=list(_lacking_days(dataset)))


def _lacking_days(dataset: DatasetUnderCheck) -> Iterator[Example]:
    """Yield the days of full windows that no row of a part has, where that cannot be chance."""
    static = set(dataset.series.roles.static)
    sides = (("new", dataset.is_new), ("existing", ~dataset.is_new))
    for name, days in full_windows(dataset.series, dataset.period).items():
        for part, rows in sides:
            if part == "existing" and name in static:
                continue
            there = pc.drop_null(dataset.column(name).filter(pa.array(rows)))
            draws = len(there)
            if name in static:
                draws = min(draws, len(pc.unique(dataset.identifiers.filter(pa.array(rows)))))
            # How many days so many draws leave out, on average.
            if len(days) * (1 - 1 / len(days)) ** draws > _NEVER:
                continue
            for day in sorted(days - set(pc.unique(there).to_pylist())):
                yield Example(None, name, None, f"{day} in some of the {len(there)} {part} rows")


def _is_day(text: str) -> bool:
    try:
        return bool(_ISO.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _between(window: Window) -> Callable[[int], str]:
    return lambda _: f"from {window[0]} to {window[1]}"


def check_constraints(dataset: DatasetUnderCheck) -> Finding:
    """Return the rows in which a constraint that is sure to hold does not; count the others."""
    cells = Cells(dataset)
    facts: dict[str, int | str] = {}
    is_new = dataset.is_new
    for one in comparisons(dataset.series, dataset.period):
        broken = _broken(dataset, one)
        sure = broken & np.where(is_new, one.sure_in_new, one.sure_in_existing)
        cells.add(one.left, sure, _asked(dataset, one))
        for part, rows in (("new", broken & is_new), ("existing", broken & ~is_new)):
            left = int((rows & ~sure).sum())
            if left:
                facts[f"{part} rows without '{one.text}'"] = left
    return cells.finding("constraints", facts=facts)


def _broken(dataset: DatasetUnderCheck, one: Comparison) -> Flags:
    """Return in which rows both sides are there, and not as the constraint says."""
    read = _as_numbers if one.of_numbers else _as_days
    left = read(dataset.column(one.left))
    right: Any = None
    if one.right_is_column:
        right = read(dataset.column(one.right))
    else:
        right = pa.scalar(float(one.right) if one.of_numbers else one.right)
    failed = pc.fill_null(_FAILS[one.operator](left, right), False)
    found: Flags = failed.to_numpy(zero_copy_only=False)
    return found


def _as_days(column: pa.Array) -> pa.Array:
    # Text in this form is in the order of the days; what is written otherwise is another rule's.
    written = pc.match_substring_regex(column, r"^\d{4}-\d{2}-\d{2}$")
    return pc.if_else(written, column, pa.scalar(None, pa.string()))


def _as_numbers(column: pa.Array) -> pa.Array:
    try:
        return pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        import pandas as pd

        numbers = pd.to_numeric(column.to_pandas(), errors="coerce")
        return pa.array(numbers.to_numpy(dtype=float), from_pandas=True)


def _asked(dataset: DatasetUnderCheck, one: Comparison) -> Callable[[int], str]:
    def wanted(row: int) -> str:
        if not one.right_is_column:
            return f"{one.operator} {one.right}"
        return f"{one.operator} {one.right}, which is {dataset.column(one.right)[row].as_py()}"

    return wanted


def check_fresh_values(dataset: DatasetUnderCheck) -> Finding:
    """Return the rows whose numbers are those of the period before, or of the other part."""
    cells = Cells(dataset)
    is_new = pa.array(dataset.is_new)
    facts: dict[str, int | str] = {}
    if not dataset.is_first_period and not dataset.before:
        facts["the dataset of the period before"] = "not there, so that it cannot be compared"
    for name in fresh_numbers(dataset.series):
        column = dataset.column(name)
        new, existing = column.filter(is_new), column.filter(pc.invert(is_new))
        repeated = _repeated(existing, long_values(new))
        cells.add(
            name,
            is_in(column, repeated) & ~dataset.is_new,
            lambda _: "drawn afresh, but new records of the period have the same",
        )
        if name in dataset.before:
            again = _repeated(column, dataset.before[name])
            cells.add(
                name,
                is_in(column, again),
                lambda _: "drawn afresh, but the period before has the same",
            )
    return cells.finding("fresh_values", facts=facts)


def long_values(column: pa.Array) -> pa.Array:
    """Return the different values of a column of text that are too long to be alike by chance."""
    values = pc.drop_null(pc.unique(column))
    return values.filter(pc.greater_equal(pc.utf8_length(values), _LONG))


def _repeated(column: pa.Array, others: pa.Array) -> list[str]:
    """Return the numbers of a column that others have too, if they are too many for chance."""
    values = long_values(column)
    fewer = min(len(values), len(others))
    if fewer < _ENOUGH:
        return []
    inside: NDArray[np.bool_] = pc.is_in(values, value_set=others).to_numpy(zero_copy_only=False)
    if inside.sum() <= max(5, _BY_CHANCE * fewer):
        return []
    found: list[str] = values.filter(pa.array(inside)).to_pylist()
    return found

"""Checks the rules on values: dates, constraints, and numbers.

The other rules are in ``evaluate`` and ``entity_rules``.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from series_assets.checks.constraint_rules import Comparison, comparisons
from series_assets.checks.dataset_under_check import DatasetUnderCheck, Flags, Violations, is_in
from series_assets.checks.date_windows import Window, full_windows, windows
from series_assets.checks.rules import Example, Finding, checked_date_columns, fresh_number_columns

_VIOLATES: dict[str, Callable[[Any, Any], Any]] = {
    "<": pc.greater_equal,
    "<=": pc.greater,
    ">": pc.less_equal,
    ">=": pc.less,
    "==": pc.not_equal,
}

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_NEGLIGIBLE = 1e-9
"""A probability that a rule may treat as zero."""
_MIN_LENGTH = 10
"""Numbers with so many characters are not equal by chance."""
_MIN_DISTINCT = 50
"""The number of distinct values needed to tell whether they were generated afresh."""
_TOLERATED_SHARE, _TOLERATED_COUNT = 0.01, 5
"""Up to so many numbers may also occur in other records."""


def check_dates(dataset: DatasetUnderCheck) -> Finding:
    """Find rows whose dates lie outside their window, and dates that no row has."""
    violations = Violations(dataset)
    limits = windows(dataset.series, dataset.k)
    static = set(dataset.series.roles.static)
    for name in checked_date_columns(dataset.series):
        column = dataset.column(name)
        days = pc.drop_null(pc.unique(column)).to_pylist()
        malformed = [day for day in days if not _is_day(day)]
        violations.add(name, is_in(column, malformed), lambda _: "a date written as YYYY-MM-DD")
        window = limits[name]
        if window is None:
            continue
        first, last = (end.isoformat() for end in window)
        outside = [day for day in days if _is_day(day) and not first <= day <= last]
        rows = is_in(column, outside)
        if name in static:  # existing records keep the date of their first period
            rows &= dataset.is_new
        violations.add(name, rows, _between(window))
    return violations.finding("dates", absent=list(_absent_days(dataset)))


def _absent_days(dataset: DatasetUnderCheck) -> Iterator[Example]:
    """Yield days of full windows that no row of a part has, unless that can be chance."""
    static = set(dataset.series.roles.static)
    parts = (("new", dataset.is_new), ("existing", ~dataset.is_new))
    for name, days in full_windows(dataset.series, dataset.period).items():
        for part, rows in parts:
            if part == "existing" and name in static:
                continue
            present = pc.drop_null(dataset.column(name).filter(pa.array(rows)))
            draws = len(present)
            if name in static:
                draws = min(draws, len(pc.unique(dataset.identifiers.filter(pa.array(rows)))))
            expected_absent = len(days) * (1 - 1 / len(days)) ** draws
            if expected_absent > _NEGLIGIBLE:
                continue
            for day in sorted(days - set(pc.unique(present).to_pylist())):
                yield Example(None, name, None, f"{day} in some of the {len(present)} {part} rows")


def _is_day(text: str) -> bool:
    try:
        return bool(_ISO.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _between(window: Window) -> Callable[[int], str]:
    return lambda _: f"from {window[0]} to {window[1]}"


def check_constraints(dataset: DatasetUnderCheck) -> Finding:
    """Find rows that violate a constraint that is guaranteed to hold; count other violations."""
    violations = Violations(dataset)
    facts: dict[str, int | str] = {}
    is_new = dataset.is_new
    for one in comparisons(dataset.series, dataset.period):
        violated = _violated(dataset, one)
        guaranteed = np.where(is_new, one.guaranteed_in_new, one.guaranteed_in_existing)
        violations.add(one.left, violated & guaranteed, _required(dataset, one))
        for part, rows in (("new", is_new), ("existing", ~is_new)):
            count = int((violated & ~guaranteed & rows).sum())
            if count:
                facts[f"{part} rows that violate '{one.text}'"] = count
    return violations.finding("constraints", facts=facts)


def _violated(dataset: DatasetUnderCheck, one: Comparison) -> Flags:
    """Return in which rows both sides are present and violate the constraint."""
    read = _as_numbers if one.of_numbers else _as_days
    left = read(dataset.column(one.left))
    right: Any = None
    if one.right_is_column:
        right = read(dataset.column(one.right))
    else:
        right = pa.scalar(float(one.right) if one.of_numbers else one.right)
    failed = pc.fill_null(_VIOLATES[one.operator](left, right), False)
    return failed.to_numpy(zero_copy_only=False)


def _as_days(column: pa.Array) -> pa.Array:
    # Text in this form sorts like the days. The rule on dates finds any other text.
    is_iso = pc.match_substring_regex(column, r"^\d{4}-\d{2}-\d{2}$")
    return pc.if_else(is_iso, column, pa.scalar(None, pa.string()))


def _as_numbers(column: pa.Array) -> pa.Array:
    try:
        return pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        import pandas as pd

        numbers = pd.to_numeric(column.to_pandas(), errors="coerce")
        return pa.array(numbers.to_numpy(dtype=float), from_pandas=True)


def _required(dataset: DatasetUnderCheck, one: Comparison) -> Callable[[int], str]:
    def expected(row: int) -> str:
        if not one.right_is_column:
            return f"{one.operator} {one.right}"
        return f"{one.operator} {one.right}, which is {dataset.column(one.right)[row].as_py()}"

    return expected


def check_fresh_values(dataset: DatasetUnderCheck) -> Finding:
    """Find numbers that also occur in the previous period, or in new and existing records."""
    violations = Violations(dataset)
    is_new = pa.array(dataset.is_new)
    facts: dict[str, int | str] = {}
    if not dataset.is_first_period and not dataset.before:
        facts["previous period"] = "not compared, because its dataset does not exist"
    for name in fresh_number_columns(dataset.series):
        column = dataset.column(name)
        new, existing = column.filter(is_new), column.filter(pc.invert(is_new))
        in_new = is_in(column, _repeated(existing, long_values(new))) & ~dataset.is_new
        violations.add(name, in_new, lambda _: "one that no new record of the period has")
        if name in dataset.before:
            in_previous = is_in(column, _repeated(column, dataset.before[name]))
            violations.add(
                name, in_previous, lambda _: "one that the previous period does not have"
            )
    return violations.finding("fresh_values", facts=facts)


def long_values(column: pa.Array) -> pa.Array:
    """Return the distinct values of a text column that are too long to be equal by chance."""
    values = pc.drop_null(pc.unique(column))
    return values.filter(pc.greater_equal(pc.utf8_length(values), _MIN_LENGTH))


def _repeated(column: pa.Array, others: pa.Array) -> list[str]:
    """Return the values of a column that also occur in others, if too many for chance."""
    values = long_values(column)
    fewer = min(len(values), len(others))
    shared = values.filter(pc.is_in(values, value_set=others))
    if fewer < _MIN_DISTINCT or len(shared) <= max(_TOLERATED_COUNT, _TOLERATED_SHARE * fewer):
        return []
    return shared.to_pylist()

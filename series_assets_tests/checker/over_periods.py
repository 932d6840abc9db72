"""Rules about more than one row: entities, columns over several periods, totals."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import isfinite, sqrt
from typing import Any

import pandas as pd

from series_assets_tests.checker.delivered import DeliveredData
from series_assets_tests.checker.finished import Row
from series_assets_tests.checker.rules import Rules

_IMPROBABLE = 1e-7
"""Below this probability, two columns with the same rows missing are no coincidence."""


def check_over_periods(data: DeliveredData) -> None:
    """Raise an AssertionError that names the file and the fault if a rule is broken."""
    for fault in (
        *_static_columns(data),
        *_missing_values(data),
        *_repeated_numbers(data),
        *_derived_columns(data),
    ):
        raise AssertionError(fault)


def _static_columns(data: DeliveredData) -> Iterator[str]:
    """All new records of an entity in a file have the static values of its first one."""
    rules = data.rules
    for k, rows in enumerate(data.new):
        for row in rows:
            first = data.entities[k].get(row[rules.uuids[0]], row)
            for name in rules.static_outputs:
                if row[name] != first[name]:
                    yield (
                        f"new_records/dataset_{k + 1}.csv: {row[rules.uuids[0]]} has {name} "
                        f"{row[name]!r}, its first record there {first[name]!r}"
                    )


def _missing_values(data: DeliveredData) -> Iterator[str]:
    for name in _unchanged_columns(data.rules):
        chance = data.rules.columns[name]["miss_probability"]
        if 0 < chance < 1:
            yield from _same_rows_missing(data, name, chance)
            if name not in data.rules.static:
                yield from _missing_rate(data, name, chance)


def _unchanged_columns(rules: Rules) -> list[str]:
    """Return the columns that nothing changes after they are generated.

    A basic constraint changes its left side, or another column if that one must not change.
    """
    changed = {*rules.targets(), *rules.uuids}
    changed |= {name for text in rules.basic for name in rules.mentions(text)}
    changed |= {  # a lookup may find no value for some rows
        name
        for name, column in rules.columns.items()
        if str(column.get("anonymising_set", "")).upper().startswith("SELECT")
    }
    return [name for name in rules.columns if name not in changed]


def _same_rows_missing(data: DeliveredData, name: str, chance: float) -> Iterator[str]:
    out = data.rules.outputs(name)[0]
    for one, other in combinations(range(data.rules.periods), 2):
        rows = min(len(data.new[one]), len(data.new[other]))
        gaps = [[row[out] == "" for row in data.new[k][:rows]] for k in (one, other)]
        count = rows
        if name in data.rules.static:
            firsts = {row[data.rules.uuids[0]] for row in data.new[other][:rows]}
            count = max(len(firsts) // 2, 1)
        alike = (chance**2 + (1 - chance) ** 2) ** count
        if alike < _IMPROBABLE and gaps[0] == gaps[1]:
            yield (
                f"new_records/dataset_{other + 1}.csv: {name} lacks values in the same rows "
                f"as new_records/dataset_{one + 1}.csv"
            )


def _missing_rate(data: DeliveredData, name: str, chance: float) -> Iterator[str]:
    """After the first period, about as many values are missing as ``miss_probability`` says."""
    out = data.rules.outputs(name)[0]
    rows = [row for k in range(1, data.rules.periods) for row in data.datasets[k]]
    found, expected = sum(row[out] == "" for row in rows), len(rows) * chance
    if abs(found - expected) > 6 * sqrt(expected * (1 - chance)) + 3:
        yield (
            f"{name}: lacks {found} of {len(rows)} values after the first period, about "
            f"{expected:.0f} are expected"
        )


def _repeated_numbers(data: DeliveredData) -> Iterator[str]:
    for name in _unchanged_columns(data.rules):
        if not _is_continuous(data.rules.columns[name]) or name in data.rules.static:
            continue
        runs = {
            f"{part} records of dataset_{k + 1}.csv": _inner_numbers(rows, name)
            for part, periods in (("new", data.new), ("existing", data.existing))
            for k, rows in enumerate(periods)
        }
        for (one, left), (other, right) in combinations(runs.items(), 2):
            if len(left & right) > 2:
                yield f"{name}: {one} and {other} have {len(left & right)} numbers in common"


def _is_continuous(column: Mapping[str, Any]) -> bool:
    """Return whether a column has values that are so fine that none occurs twice by chance."""
    if column["type"] != "continuous" or column["precision"] != "float":
        return False
    parameters = column["distribution_parameters"]
    fine = parameters.get("target_sum") is None
    return fine and (column["distribution"] == "normal" or bool(parameters.get("dispersion")))


def _inner_numbers(rows: Sequence[Row], name: str) -> set[str]:
    """Return the numbers that occur once in a run, without the ends of its scale."""
    counts = Counter(row[name] for row in rows if row[name])
    once = sorted((value for value, times in counts.items() if times == 1), key=float)
    return {value for value in once[1:-1] if float(value) % 1}


def _derived_columns(data: DeliveredData) -> Iterator[str]:
    for name in data.rules.over_all_rows:
        for k, rows in enumerate(data.datasets):
            wanted = _expected_values(data.rules, name, rows)
            if wanted is None:
                continue
            for row, right in zip(rows, wanted, strict=True):
                found = float(row[name]) if row[name] else float("nan")
                if isfinite(right) and abs(found - right) > 1e-6 * max(1, abs(right)):
                    yield (
                        f"dataset_{k + 1}.csv: {name} is {found}, but over all rows "
                        f"'{data.rules.derived[name]}' is {right}"
                    )
                elif isfinite(right) != isfinite(found):
                    yield f"dataset_{k + 1}.csv: {name} is {row[name]!r} instead of {right}"


def _expected_values(rules: Rules, name: str, rows: Sequence[Row]) -> "pd.Series[float] | None":
    """Return the values of a derived column in each row; None if its formula is not known here."""
    text = rules.derived[name]
    grouped = re.fullmatch(r"df\.groupby\('(.+)'\)\['(.+)'\]\.(sum|count|mean)\(\)", text)
    if grouped:
        by, of, how = grouped.groups()
        values = _numbers(rows, of)
        if values is None:
            return None
        groups = pd.Series([row[by] or None for row in rows], dtype=object)
        return values.groupby(groups).transform(how)
    plain = re.fullmatch(r"\(?(.+?)( [-/] \1)?\.(sum|mean|rank)\(\)\)?", text)
    values = _numbers(rows, plain.group(1)) if plain else None
    if plain is None or values is None:
        return None
    match plain.group(3), (plain.group(2) or "").strip()[:1]:
        case "rank", "":
            return values.rank()
        case "sum", "/":
            return values / values.sum()
        case "mean", "-":
            return values - values.mean()
    return None


def _numbers(rows: Sequence[Row], name: str) -> "pd.Series[float] | None":
    if not rows or name not in rows[0]:
        return None
    try:
        return pd.Series([float(row[name]) if row[name] else float("nan") for row in rows])
    except ValueError:  # a constraint's own text
        return None

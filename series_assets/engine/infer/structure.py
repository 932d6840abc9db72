"""Infers relations between the columns of a table: pairs, groups, constraints.

Exhibit's ``fromdata`` takes every regularity in the data for a rule, even in few rows. Here a rule
needs enough rows to make chance an unlikely explanation.
"""

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from series_assets.core.errors import join_words
from series_assets.core.spec.expressions.table import FUNCTIONS
from series_assets.core.spec.specification import Specification
from series_assets.engine.vectorized.comparisons import OPERATORS

_EVIDENCE = 5
"""Minimum number of rows with repeated values before two columns count as related."""
_BY_CHANCE = 1e-3
_OTHER_MEANING = {*FUNCTIONS, "tan", "inf", "nan", "true", "false", "index", "columns", "df"}
_OTHER_MEANING |= {"pd", "np", "sysdate", "randint"}
_LARGEST_SHARE_OFF = 0.04

Codes = Mapping[str, NDArray[np.intp]]


def is_plain(name: str) -> bool:
    """Return whether a column's name can be used unchanged in any expression."""
    return (
        name.isidentifier()
        and normalize("NFKC", name) == name
        and not keyword.iskeyword(name)
        and not keyword.issoftkeyword(name)
        and "__" not in name
        and not name.startswith("_")
        and name.lower() not in _OTHER_MEANING
    )


def in_constraint(name: str) -> str | None:
    """Return a column's name as a constraint writes it; None if it cannot name the column."""
    if is_plain(name):
        return name
    return f"~{name}~" if is_plain(name.replace(" ", "_")) and "  " not in name else None


def codes_of(frame: pd.DataFrame, names: Sequence[str]) -> Codes:
    """Return the factorized values of each column, -1 where missing."""
    return {name: pd.factorize(frame[name])[0] for name in names}


def _together(one: NDArray[np.intp], other: NDArray[np.intp]) -> tuple[int, int, int, int]:
    """Return the number of rows with both values, and of distinct values of each and of both."""
    known = (one >= 0) & (other >= 0)
    first, second = one[known].astype(np.int64), other[known].astype(np.int64)
    if not len(first):
        return 0, 0, 0, 0
    both = first * (int(second.max()) + 1) + second
    ones, others, joint = (len(pd.unique(part)) for part in (first, second, both))
    return len(first), ones, others, joint


def pairs_of(frame: pd.DataFrame, names: Sequence[str]) -> list[list[str]]:
    """Return groups of columns that determine each other, the longest texts first."""
    codes = codes_of(frame, names)
    counts = {name: int(column.max(initial=-1)) + 1 for name, column in codes.items()}
    group: dict[str, set[str]] = {}
    for one, other in combinations(sorted(names), 2):
        if counts[one] != counts[other] or counts[one] < 2:
            continue
        rows, *different, both = _together(codes[one], codes[other])
        alike = {*different, both, counts[one]} == {both}
        if alike and rows - both >= _EVIDENCE:
            joined = group.get(one, {one}) | group.get(other, {other})
            group |= dict.fromkeys(joined, joined)
    length = {name: frame[name].dropna().drop_duplicates().str.len().mean() for name in group}
    found = {frozenset(members) for members in group.values()}
    ordered = [sorted(members, key=lambda name: (-length[name], name)) for members in found]
    return sorted(ordered)


def links_of(
    frame: pd.DataFrame, names: Sequence[str], pairs: Sequence[Sequence[str]]
) -> list[tuple[str, str]]:
    """Return pairs of columns in which the second determines the first: a town its region."""
    second = {name for members in pairs for name in members[1:]}
    codes = codes_of(frame, [name for name in sorted(names) if name not in second])
    found = []
    for one, other in combinations(codes, 2):
        rows, first, last, both = _together(codes[one], codes[other])
        if min(first, last) < 2 or first == last or both != max(first, last):
            continue
        if rows - both >= _EVIDENCE:
            found.append((one, other) if last > first else (other, one))
    return found


def shares(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the share of each value that is not missing."""
    return column.value_counts(normalize=True, sort=False)


def unevenness(column: "pd.Series[Any]") -> float:
    """Return the largest difference of a value's share from equal shares."""
    found = shares(column)
    return float((found - 1 / len(found)).abs().max()) if len(found) else 0.0


def without_overlaps(specification: Specification, frame: pd.DataFrame) -> Iterator[str]:
    """Remove linked groups that Exhibit cannot reproduce; yield a note on each.

    These share a column with a larger group, or would get shares that differ from the data.
    """
    kept: list[Any] = []
    limit = specification["metadata"]["inline_limit"]
    for number, members in sorted(specification["linked_columns"], key=lambda one: -len(one[1])):
        both = join_words(members, "and")
        if shared := {name for _, others in kept for name in others} & set(members):
            yield (
                f"{both} belong together in the data, but not in the series: a column can be in "
                f"one group of linked columns, and {join_words(sorted(shared), 'and')} is in "
                "another"
            )
        elif _largest_share_off(frame, members, limit) > _LARGEST_SHARE_OFF:
            yield (
                f"{both} go together in the data, but not in the series: Exhibit draws linked "
                f"values of which there are more than {limit} evenly, and here they are not; to "
                f"have them linked, add [1, [{', '.join(members)}]] to linked_columns"
            )
        else:
            kept.append([number, list(members)])
    specification["linked_columns"] = sorted(kept)


def _largest_share_off(frame: pd.DataFrame, members: Sequence[str], limit: int) -> float:
    """Return the largest error of a share, see Exhibit's scenarios of linked columns."""
    known = frame[list(members)].dropna()
    listed_ = [name for name in members if known[name].nunique() <= limit]
    base = listed_[-1] if listed_ else None
    if base == members[-1]:
        return 0.0
    rows = known.drop_duplicates()
    if base is None:
        chances = pd.Series(1 / len(rows), index=rows.index)
    else:
        chances = rows[base].map(shares(known[base])) / rows.groupby(base)[base].transform("size")
    off = [
        (chances.groupby(rows[name]).sum() - shares(known[name])).abs().max() for name in members
    ]
    return float(max(off))


def orders_of(frame: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return comparisons that always hold between two columns, not explained by chance.

    Columns whose ranges do not overlap are left out, as their ranges imply the order.
    """
    found = []
    for one, other in combinations(names, 2):
        known = frame[[one, other]].dropna().to_numpy(dtype=float)
        if not len(known):
            continue
        first, second = known.T
        if first.max() <= second.min() or second.max() <= first.min():
            continue
        for sign, holds in OPERATORS.items():
            if holds(first, second).all():
                if _chance(first, second, sign) ** len(known) < _BY_CHANCE:
                    found.append((one, sign, other))
                break
    return found


def _chance(first: NDArray[np.float64], second: NDArray[np.float64], sign: str) -> float:
    """Return the probability that a comparison holds between values of random rows."""
    ordered = np.sort(second)
    below = np.searchsorted(ordered, first, side="left" if sign in (">", "<=") else "right")
    part = float(below.mean()) / len(second)
    if sign == "==":
        least = np.searchsorted(ordered, first, side="left")
        return float((below - least).mean()) / len(second)
    return part if sign in (">", ">=") else 1 - part


def unusable_orders(orders: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Yield a note on each constraint whose columns an expression cannot name."""
    for one, sign, other in orders:
        odd = [repr(name) for name in (one, other) if in_constraint(name) is None]
        yield (
            f"{one!r} {sign} {other!r} holds in the data, but is no constraint of the series: "
            f"{join_words(odd, 'and')} cannot be used in an expression"
        )


def literal(number: float, is_integer: bool) -> str | None:
    """Return a number as written in a constraint, None if it would need an exponent."""
    text = str(int(number)) if is_integer or number == int(number) else repr(number)
    return text if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) and len(text) < 25 else None

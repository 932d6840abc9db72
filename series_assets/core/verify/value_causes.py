"""Why values differ: ways of writing a value that a column has in all of its wrong values.

A cause is only given where it explains all wrong values of a column, so it is a fact and no guess.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import combinations
from unicodedata import normalize

import numpy as np

from series_assets.core.verify.compare import Sides
from series_assets.core.verify.instants import OPEN, length
from series_assets.core.verify.pairing import Pairing
from series_assets.core.verify.sides import Ints, Versions, begins
from series_assets.core.verify.values import MISSING_WORDS, Floats

_SAMPLE = 2_000
"""How many wrong values of a column are looked at; the pattern of more is the same."""
_FORMATS = {
    "%d/%m/%Y": "DD/MM/YYYY",
    "%m/%d/%Y": "MM/DD/YYYY",
    "%d.%m.%Y": "DD.MM.YYYY",
    "%d-%m-%Y": "DD-MM-YYYY",
    "%Y/%m/%d": "YYYY/MM/DD",
    "%Y%m%d": "YYYYMMDD",
}
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"-?[0-9.]+,[0-9]+")
_FEW = 3
"""Fewer rows than that are no pattern."""
Texts = list[tuple[str, str]]
"""Found and expected; the empty text where one is missing."""


def value_causes(
    sides: Sides, rows: Versions, pairs: Pairing, tolerance: float = 0.0
) -> Iterator[str]:
    """Yield what explains all wrong values of a column, column by column.

    ``rows`` are the versions of the table that ``pairs`` refers to.
    """
    mine, other = sides.ours.place[pairs.ours], rows.place[pairs.theirs]
    wrong = {
        name: found
        for name, found in sides.wrong_values(rows, pairs, tolerance).items()
        if len(found)
    }
    swapped = dict(_swapped(sides, mine, other, wrong))
    yield from (
        f"the columns '{name}' and '{other}' have each other's values: are they swapped in a "
        "SELECT, or in an INSERT by position?"
        for name, other in swapped.items()
    )
    for name, places in wrong.items():
        if name not in swapped and name not in swapped.values():
            causes = _of_column(sides, name, mine[places], other[places])
            yield from (f"column '{name}' {text}" for text in causes)
    yield from _of_later_versions(sides, rows, pairs, wrong)


def kept_values(sides: Sides, rows: Versions, pairs: Pairing) -> Iterator[str]:
    """Yield the columns that have an earlier value wherever a wrong one should be missing."""
    ours = sides.ours
    first = np.maximum.accumulate(np.where(begins(ours.key), np.arange(len(ours)), 0))
    for name, wrong in sides.wrong_values(rows, pairs, 0.0).items():
        column, mine = sides.columns[name], pairs.ours[wrong]
        values = column.ours[ours.place]
        blank = values[mine] < 0
        if blank.sum() < _FEW:
            continue
        known = np.maximum.accumulate(np.where(values >= 0, np.arange(len(ours)), -1))
        last = known[mine[blank]]
        found = column.theirs[rows.place[pairs.theirs[wrong[blank]]]]
        if (last >= first[mine[blank]]).all() and (found == values[last]).all():
            yield (
                f"column '{name}' keeps its earlier value where a delivery has none: a missing "
                "value is a change; does the pipeline use COALESCE with the row that it has?"
            )


def _of_column(sides: Sides, name: str, mine: Ints, other: Ints) -> Iterator[str]:
    """Yield what explains the wrong values in some rows of the two tables."""
    texts = _texts(sides, name, mine[:_SAMPLE], other[:_SAMPLE])
    if cause := _of_missing([found for found, wanted in texts if not wanted]):
        yield cause
    if not (both := [one for one in texts if all(one)]):
        return
    cause, column = _of_texts(both), sides.columns[name]
    if not cause and column.our_numbers is not None and column.their_numbers is not None:
        cause = _of_numbers(column.our_numbers[mine], column.their_numbers[other])
    if cause := cause or _of_days(both):
        yield cause


def _swapped(
    sides: Sides, mine: Ints, other: Ints, wrong: Mapping[str, Ints]
) -> Iterator[tuple[str, str]]:
    """Yield pairs of columns of which each has the values of the other, in all wrong rows."""
    for one, two in combinations([name for name, found in wrong.items() if len(found) >= _FEW], 2):
        chosen = np.union1d(wrong[one][:_SAMPLE], wrong[two][:_SAMPLE])
        texts = {name: _texts(sides, name, mine[chosen], other[chosen]) for name in (one, two)}
        pairs_of_texts = zip(texts[one], texts[two], strict=True)
        if all(a[0] == b[1] and b[0] == a[1] for a, b in pairs_of_texts):
            yield one, two


def _texts(sides: Sides, name: str, mine: Ints, other: Ints) -> Texts:
    ours = sides.our_table[name].take(mine).to_pylist()
    theirs = sides.their_table[name].take(other).to_pylist()
    return [
        ("" if found is None else str(found), wanted or "")
        for found, wanted in zip(theirs, ours, strict=True)
    ]


def _all(texts: Texts, test: Callable[[str, str], bool]) -> bool:
    """Tell whether a test holds for all pairs, of which there is one at least."""
    return bool(texts) and all(test(*one) for one in texts)


def _of_missing(found: list[str]) -> str:
    """Tell what stands where a value is missing."""
    words = {one.strip().lower() for one in found}
    if found and (words <= MISSING_WORDS or (len(words) == 1 and len(found) >= _FEW)):
        return f"has '{found[0]}' for missing values; write NULL"
    return ""


def _of_texts(texts: Texts) -> str:
    if _all(texts, lambda found, wanted: found.strip() == wanted.strip()):
        return "has spaces around its values that the deliveries do not have"
    if _all(texts, lambda found, wanted: found.split() == wanted.split()):
        return "has other spaces within its values than the deliveries, such as non-breaking ones"
    if _all(texts, lambda found, wanted: normalize("NFC", found) == normalize("NFC", wanted)):
        return "has letters in another Unicode normal form than the deliveries"
    if _all(texts, lambda found, wanted: found.lower() == wanted.lower()):
        return "differs from the deliveries in upper and lower case"
    if _all(texts, lambda found, wanted: found in _misread(wanted)):
        return "was read in another encoding; the deliveries are UTF-8"
    if _all(texts, lambda found, wanted: found.isdigit() and found == (wanted.lstrip("0") or "0")):
        return "has lost its leading zeros; read it as text"
    sizes = {len(found) for found, _ in texts}
    if len(sizes) == 1 and len(texts) >= _FEW and _all(texts, _begins):
        return f"is cut off after {sizes.pop()} characters"
    if all(_PLAIN.fullmatch(wanted) for _, wanted in texts):
        if any(_THOUSANDS.fullmatch(found) for found, _ in texts):
            return "has commas between thousands; write numbers without"
        if any(_DECIMAL_COMMA.fullmatch(found) for found, _ in texts):
            return "has decimal commas; write numbers with a point"
    return ""


def _begins(found: str, wanted: str) -> bool:
    """Tell whether a text that is no number is the beginning of another."""
    return len(found) < len(wanted) and wanted.startswith(found) and not _PLAIN.fullmatch(wanted)


def _misread(text: str) -> set[str]:
    """Return what programs make of a text in UTF-8 that has letters beyond ASCII."""
    found = {text.encode().decode(one, "replace") for one in ("latin-1", "cp1252")}
    return found - {text}


def _of_numbers(expected: Floats, found: Floats) -> str:
    """Tell rounding, cutting off, single precision, and signs and units that are others."""
    expected, found = expected[~np.isnan(expected)], found[~np.isnan(expected)]
    if not len(found) or np.isnan(found).any():
        return ""
    off = float(np.abs(expected - found).max())
    if np.isclose(found, expected, rtol=1e-14, atol=0).all():
        allowed = f"--tolerance {float(f'{off:.0e}') * 2:g}"
        return (
            "differs in the last digits: were texts parsed inexactly (pandas reads CSV exactly "
            f"with float_precision='round_trip')? Or use {allowed}"
        )
    if len(found) >= _FEW and np.allclose(found, -expected, rtol=1e-9, atol=0):
        return "has lost its minus signs" if (found > 0).all() else "has the opposite sign"
    for digits in range(13):
        unit = 10.0**-digits
        if np.isclose(found, np.round(found, digits), rtol=0, atol=unit * 1e-6).all():
            if off <= unit / 2 * (1 + 1e-9):
                allowed = f"--tolerance {unit / 2:g}"
                return f"is rounded to {_places(digits)}; keep all of them, or use {allowed}"
            if off < unit and (np.abs(found) <= np.abs(expected)).all():
                return f"is cut off after {_places(digits)}"
            break
    with np.errstate(divide="ignore", invalid="ignore"):
        times = found / expected
    is_other = times[0] and abs(times[0] - 1) > 1e-6
    if len(found) >= _FEW and is_other and np.allclose(times, times[0], rtol=1e-9):
        return f"is {times[0]:.6g} times the delivered number; is it in another unit?"
    with np.errstate(over="ignore"):
        single = expected.astype(np.float32).astype(np.float64)
    if np.isclose(found, single, rtol=1e-9, atol=0).all():
        allowed = f"--tolerance {float(f'{off:.0e}') * 2:g}"
        return f"has single precision; use a double, or {allowed}"
    return ""


def _places(digits: int) -> str:
    return {0: "whole numbers", 1: "1 decimal"}.get(digits, f"{digits} decimals")


def _of_days(texts: Texts) -> str:
    """Tell days that are written or shifted in one way."""
    for pattern, name in _FORMATS.items():
        if _all(texts, partial(_is_day, pattern)):
            return f"has dates as {name}; write ISO dates, such as {texts[0][1]}"
    if _all(texts, lambda found, wanted: _is_day("%Y-%d-%m", found[:10], wanted)):
        return "has day and month swapped"
    shifts = {_shift(found, wanted) for found, wanted in texts}
    if len(shifts) == 1 and (shift := shifts.pop()):
        way = "later" if shift > timedelta() else "earlier"
        return f"is {length(abs(shift) // timedelta(microseconds=1))} {way} than delivered"
    return ""


def _is_day(pattern: str, found: str, wanted: str) -> bool:
    try:
        return datetime.strptime(found, pattern).date().isoformat() == wanted[:10]
    except ValueError:
        return False


def _shift(found: str, wanted: str) -> timedelta | None:
    try:
        times = [datetime.fromisoformat(text).replace(tzinfo=None) for text in (found, wanted)]
    except ValueError:
        return None
    return times[0] - times[1]


def _of_later_versions(
    sides: Sides, rows: Versions, pairs: Pairing, wrong: Mapping[str, Ints]
) -> Iterator[str]:
    """Yield the columns of which closed versions have the value of the version after them."""
    ours = sides.ours
    is_last = np.roll(begins(ours.key), -1)
    ends = np.flatnonzero(is_last)
    for name, pairs_of_column in wrong.items():
        mine, column = pairs.ours[pairs_of_column], sides.columns[name]
        closed = rows.end[pairs.theirs[pairs_of_column]] != OPEN
        if len(mine) < _FEW or is_last[mine].any() or not closed.all():
            continue
        found = column.theirs[rows.place[pairs.theirs[pairs_of_column]]]
        following = column.ours[ours.place[mine + 1]]
        last = ends[np.searchsorted(ends, mine)]
        current = column.ours[ours.place[last]]
        for values, which in ((following, "the version after them"), (current, "the current one")):
            if (found == values).all():
                yield (
                    f"closed versions have the {name} of {which}: the pipeline overwrites it in "
                    "rows that it has closed"
                )
                break

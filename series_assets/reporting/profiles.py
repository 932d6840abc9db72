"""Profiles of the records of a period: comparable counts, column by column.

Each column is counted on the scale of a reference profile, that of period 1: bins of numbers and
of dates, categories, or how often a value occurs. A profile has no records, only counts and the
names of a few categories. ``dataset_plots`` plots it.
"""

import re
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from math import inf, nextafter
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from series_assets.core.plan.series import Series
from series_assets.core.records import column_from_text
from series_assets.core.spec import mentions
from series_assets.core.spec.column_types import NUMBERS
from series_assets.core.spec.specification import calculations_of

Kind = Literal["number", "date", "category", "text", "missing"]

NUMBER_BINS, DATE_BINS = 24, 31
"""Bins between the two open ends."""
SHOWN = 7
"""Categories that are counted separately; the others of period 1 are counted together."""
OFTEN = 5
"""Values of text columns are counted by how often they occur, up to so many times."""
_FEW, _SOME = 20, 200
"""Up to ``_FEW`` distinct texts are always categories, up to ``_SOME`` if they repeat."""
_SAMPLE = 1000
_LARGEST = sys.float_info.max
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T].*)?", re.DOTALL)


@dataclass(frozen=True)
class Scale:
    """The bins in which the values of a column are counted.

    ``number`` and ``date`` have ``len(edges) + 1`` bins: below the first edge, between each two
    (including the lower one), from the last edge on. ``category`` has one for each of ``values``,
    then one for ``others`` and one for values that period 1 does not have. ``text`` has one for
    values that occur once, twice, … ``OFTEN`` times or more; ``missing`` has one for any value.
    """

    kind: Kind
    edges: tuple[float, ...] = ()
    """Dates are days since 1970-01-01, or since the first day of the period if it ``moves``."""
    integers: bool = False
    """Whether the numbers are integers, which dates always are."""
    moves: bool = False
    """Whether dates are counted from the first day of their period."""
    values: tuple[str, ...] = ()
    """The most frequent categories of period 1, the most frequent first."""
    others: frozenset[str] = frozenset()
    """The other categories of period 1."""

    @property
    def bins(self) -> int:
        """The number of bins."""
        if self.kind in ("number", "date"):
            return len(self.edges) + 1
        return {"category": len(self.values) + 2, "text": OFTEN, "missing": 1}[self.kind]


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a period. All counts are rows, and each row is counted exactly once."""

    name: str
    scale: Scale
    new: tuple[int, ...]
    """New records in each bin of the scale."""
    existing: tuple[int, ...]
    """Existing records in each bin of the scale."""
    missing: int
    unreadable: int
    """Rows whose text is not a number or date, although the scale is one of those."""
    distinct: int
    """Distinct values, without missing and unreadable ones."""


@dataclass(frozen=True)
class Profile:
    """The records of a period, in the order of their columns."""

    new: int
    existing: int
    columns: tuple[ColumnProfile, ...]

    @property
    def rows(self) -> int:
        """The number of records."""
        return self.new + self.existing

    @cached_property
    def by_name(self) -> Mapping[str, ColumnProfile]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}


def profile_period(
    series: Series,
    k: int,
    new: pd.DataFrame | None,
    existing: pd.DataFrame | None,
    like: Profile | None = None,
) -> Profile:
    """Return the profile of period ``k`` of a series, see ``profile_records``."""
    return profile_records(
        new,
        existing,
        series.kinds,
        identifiers=series.roles.identifiers,
        moving=moving_columns(series),
        start=series.calendar.start_of(k),
        like=like,
    )


def moving_columns(series: Series) -> frozenset[str]:
    """Return the columns that move with the period, and those derived from them."""
    texts = calculations_of(series.specification)
    columns = {*series.specification["columns"], *texts}
    moving, before = set(series.roles.moved), 0
    while len(moving) != before:
        before = len(moving)
        moving |= {
            name for name, text in texts.items() if mentions.in_derivation(text, columns) & moving
        }
    return frozenset(moving)


def profile_records(
    new: pd.DataFrame | None,
    existing: pd.DataFrame | None,
    kinds: Mapping[str, str],
    *,
    identifiers: Collection[str] = (),
    moving: Collection[str] = (),
    start: date = date(1970, 1, 1),
    like: Profile | None = None,
) -> Profile:
    """Count the records of a period.

    ``new`` and ``existing`` are frames of text (None: missing values) with the same columns in any
    order; at least one of them is given, and the first sets the order. ``kinds`` are those of
    ``specification.column_kinds``; the default is ``any``. Dates of the columns ``moving`` are
    counted from ``start``, the first day of the period. Columns of the profile ``like`` are
    counted on its scales, others on scales of their own.
    """
    parts = [part for part in (new, existing) if part is not None]
    known = like.by_name if like else {}
    cut = 0 if new is None else len(new)

    def column(name: str) -> ColumnProfile:
        values = np.concatenate([part[name].to_numpy(dtype=object) for part in parts])
        texts = _Values(values, _days_since_1970(start) if name in moving else None)
        if name in known:
            scale = known[name].scale
        else:
            kind = "identifier" if name in identifiers else kinds.get(name, "any")
            scale = _scale(texts, kind)
        return _counted(name, texts, scale, cut)

    columns = tuple(column(str(name)) for name in parts[0].columns)
    return Profile(cut, 0 if existing is None else len(existing), columns)


class _Values:
    """The values of a column, parsed as numbers or dates at most once."""

    def __init__(self, values: NDArray[np.object_], origin: int | None) -> None:
        self.is_present = ~pd.isna(values)
        self.known: NDArray[np.object_] = values[self.is_present]
        self.origin = origin
        """The day, since 1970-01-01, from which dates are counted; None if they do not move."""

    @cached_property
    def factorized(self) -> tuple[NDArray[np.intp], list[str]]:
        """For each known value its index among the distinct values, and those."""
        codes, found = pd.factorize(self.known)
        return codes, found.tolist()

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The known values as numbers, NaN for other texts."""
        try:
            return self.known.astype(np.float64)
        except ValueError:
            return np.array([_number(text) for text in self.known], dtype=np.float64)

    @cached_property
    def days(self) -> NDArray[np.float64]:
        """The known values as days since the origin, NaN for other texts."""
        codes, found = self.factorized
        days = np.array([_day(text) for text in found], dtype=np.float64) - (self.origin or 0)
        return days[codes]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _day(text: str) -> float:
    """Return the day of a text that begins with an ISO date, NaN for any other text."""
    if _DAY.fullmatch(text):
        with suppress(ValueError):
            return _days_since_1970(date.fromisoformat(text[:10]))
    return float("nan")


def _days_since_1970(day: date) -> int:
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _scale(texts: _Values, kind: str) -> Scale:
    """Return the scale of a column. ``kind`` is that of the column, or ``identifier``."""
    if not len(texts.known):
        return Scale("missing")
    if kind == "identifier":
        return Scale("text")
    if kind == "any":
        kind = _kind_of(texts.factorized[1][:_SAMPLE])
    if kind in NUMBERS and np.isfinite(texts.numbers).any():
        if not np.isnan(texts.numbers).any():
            return _number_scale(texts.numbers)
    elif kind == "date" and not np.isnan(texts.days).any():
        moves = texts.origin is not None
        return Scale("date", _edges(texts.days, DATE_BINS, True), integers=True, moves=moves)
    codes, found = texts.factorized
    repeated = len(found) <= _SOME and 2 * len(found) <= len(codes)
    if len(found) > _FEW and not repeated:
        return Scale("text")
    counts = np.bincount(codes).tolist()
    ordered = [text for _, text in sorted(zip((-n for n in counts), found, strict=True))]
    return Scale("category", values=tuple(ordered[:SHOWN]), others=frozenset(ordered[SHOWN:]))


def _kind_of(sample: list[str]) -> str:
    """Return the kind of texts whose column has none, as the rest of the project reads them."""
    dtype = column_from_text(sample, "any").dtype
    if pd.api.types.is_bool_dtype(dtype):
        return "text"
    if pd.api.types.is_numeric_dtype(dtype):
        return "real"
    return "date" if pd.api.types.is_datetime64_any_dtype(dtype) else "text"


def _number_scale(numbers: NDArray[np.float64]) -> Scale:
    finite = numbers[np.isfinite(numbers)]
    integers = bool((np.abs(finite) < 2**52).all() and (finite == np.floor(finite)).all())
    return Scale("number", _edges(finite, NUMBER_BINS, integers), integers=integers)


def _edges(values: NDArray[np.float64], most: int, integers: bool) -> tuple[float, ...]:
    """Return increasing edges of up to ``most`` bins of equal width, without far outliers.

    For whole numbers, the edges are halves, and each bin has the same number of them.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        ends = [values.min(), *np.quantile(values, [0.01, 0.99], method="nearest"), values.max()]
        lowest, low, high, highest = map(float, ends)
        reach = (high - low) / 2
    # A few outliers would squeeze all other values into one bin: they go to the open ends.
    first = lowest if lowest >= low - reach or low == high else low
    last = highest if highest <= high + reach or low == high else high
    if integers:
        width = -int(-(last - first + 1) // most)
        bins = -int(-(last - first + 1) // width)
        return tuple(first - 0.5 + width * place for place in range(bins + 1))
    if first == last:
        room = max(0.5, abs(first) / 1000)
        return (max(first - room, -_LARGEST), min(first + room, _LARGEST))
    shares = np.linspace(0, 1, most + 1)
    edges = first * (1 - shares) + last * shares
    # The last edge starts the open end, which does not include the greatest value.
    edges[-1] = min(nextafter(last, inf), _LARGEST)
    return tuple(np.unique(edges).tolist())


def _counted(name: str, texts: _Values, scale: Scale, cut: int) -> ColumnProfile:
    places: NDArray[np.intp]
    if scale.kind in ("number", "date"):
        values = texts.numbers if scale.kind == "number" else texts.days
        readable = ~np.isnan(values)
        places = np.searchsorted(np.array(scale.edges), values, side="right")
        places[~readable] = -1
        distinct = len(pd.unique(values[readable]))
    else:
        codes, found = texts.factorized
        places = _places(scale, found, np.bincount(codes, minlength=len(found)))[codes]
        distinct = len(found)
    known_new = int(texts.is_present[:cut].sum())
    new, existing = (_counts(part, scale.bins) for part in (places[:known_new], places[known_new:]))
    return ColumnProfile(
        name=name,
        scale=scale,
        new=new,
        existing=existing,
        missing=len(texts.is_present) - len(texts.known),
        unreadable=int((places < 0).sum()),
        distinct=distinct,
    )


def _places(scale: Scale, found: list[str], counts: NDArray[Any]) -> NDArray[np.intp]:
    """Return the bin of each distinct text of a column. They occur ``counts`` times."""
    if scale.kind == "missing":
        return np.zeros(len(found), dtype=np.intp)
    if scale.kind == "text":
        return (np.minimum(counts, OFTEN) - 1).astype(np.intp)
    own = {value: place for place, value in enumerate(scale.values)}
    other, unknown = len(own), len(own) + 1
    return np.array(
        [own.get(text, other if text in scale.others else unknown) for text in found],
        dtype=np.intp,
    )


def _counts(places: NDArray[np.intp], bins: int) -> tuple[int, ...]:
    return tuple(np.bincount(places[places >= 0], minlength=bins).tolist())

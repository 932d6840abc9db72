"""Infers whether the values of a column are categories, numbers or days.

The texts decide, except that integers whose name suggests a code are categories. So are numbers
with few different values, which lets Exhibit reproduce the share of each.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import gcd, isfinite
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from series_assets.core.spec.dates import FIRST, LAST

Kind = Literal["category", "number", "date"]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_ENDLESS = re.compile(r"[+-]?(?:inf|infinity)", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]+")
_CODE_NAME = re.compile(
    r"(?:^|[^a-z])(?:id|ids|code|codes|zip|zipcode|zip_code|postcode|postal|plz|phone|telephone|"
    r"mobile|fax|account|iban|isbn|ean|sku|ref|reference|key|uuid|ssn|nhs|chi)(?:$|[^a-z])"
)
_FEW, _SKEWED = 12, 30
"""Maximum of different numbers that are categories; the second if they are skewed."""
_REPEATED = 5
"""Minimum number of rows for each of them."""
_MOST, _LEAST = 1e100, 1e-100
_FORMATS: tuple[tuple[str, str], ...] = (
    (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", "%Y-%m-%d"),
    (r"[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}", "%Y/%m/%d"),
    (r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}", "%d/%m/%Y"),
    (r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}", "%m/%d/%Y"),
    (r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}", "%d.%m.%Y"),
    (r"[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}", "%d-%m-%Y"),
    (r"[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}", "%m-%d-%Y"),
    (r"[0-9]{1,2} [A-Za-z]{3} [0-9]{4}", "%d %b %Y"),
    (r"[0-9]{1,2}-[A-Za-z]{3}-[0-9]{4}", "%d-%b-%Y"),
    (r"[0-9]{1,2} [A-Za-z]{4,9} [0-9]{4}", "%d %B %Y"),
)
_TIME = re.compile(
    r"[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?"
    r"(?: ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?"
)


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    kind: Kind
    values: "pd.Series[Any]"
    """Text (None where missing), ``float64`` or ``datetime64[ns]``."""
    is_integer: bool = False
    """Whether its numbers are whole ones."""
    note: str | None = None

    @property
    def known(self) -> "NDArray[Any]":
        """The values that are not missing."""
        return self.values.dropna().to_numpy()


def parse_column(name: str, texts: "pd.Series[Any]", *, as_text: bool = False) -> Column:
    """Return a typed column; with ``as_text`` always categories."""
    codes, found = pd.factorize(texts)
    different = [str(text) for text in found]
    if as_text or not different:
        return Column("category", texts)
    if all(map(_NUMBER.fullmatch, different)):
        return _of_numbers(name, texts, codes, different)
    endless = {text for text in different if _ENDLESS.fullmatch(text)}
    finite = [text for text in different if text not in endless]
    if endless and finite and all(map(_NUMBER.fullmatch, finite)):
        column = parse_column(name, texts.where(~texts.isin(endless), None))
        note = f"{name} is infinite in some rows, in which it counts as missing"
        return replace(column, note=note)
    day = _reader_of_days(different)
    if day is None:
        return Column("category", texts)
    days = [day[1](text) for text in different]
    values = pd.Series(pd.DatetimeIndex([*days, pd.NaT]).as_unit("ns")[codes], index=texts.index)
    return Column("date", values, note=_note_of_days(name, day[0], different))


def _of_numbers(
    name: str, texts: "pd.Series[Any]", codes: "NDArray[np.intp]", different: list[str]
) -> Column:
    numbers = np.array([float(text) for text in different])
    is_integer = bool((numbers == np.floor(numbers)).all())
    known = int((codes >= 0).sum())
    values = pd.Series(np.append(numbers, np.nan)[codes], index=texts.index)
    if _is_code(name, different, numbers, known) or _is_few(values.dropna(), is_integer):
        return Column("category", texts)
    return Column("number", values, is_integer)


def _is_code(name: str, different: list[str], numbers: "NDArray[np.float64]", known: int) -> bool:
    """Return whether numbers are codes, which nobody would add up."""
    size = np.abs(numbers)
    if not isfinite(size.max()) or size.max() > _MOST or 0 < size.max() < _LEAST:
        return True  # Exhibit could not compute with them
    if any(map(_LEADING_ZERO.fullmatch, different)):
        return True
    if not all(map(_WHOLE.fullmatch, different)):
        return False
    if size.max() >= 10**15 or _CODE_NAME.search(name.lower()):
        return True
    widths = {len(text) for text in different}
    if len(widths) > 1 or widths == {1} or known < _REPEATED * len(different):
        return False
    span = int(numbers.max() - numbers.min()) + 1
    step = gcd(*(int(number - numbers.min()) for number in numbers))
    return span >= 20 * len(different) and step < 10


def _is_few(values: "pd.Series[Any]", is_integer: bool) -> bool:
    different = values.nunique()
    if different <= 2:
        return True
    often = len(values) >= _REPEATED * different
    if different <= _FEW and often:
        return True
    skewed = is_integer and often and different <= _SKEWED
    return skewed and bool(abs(values.skew()) > 1)


def _reader_of_days(different: list[str]) -> tuple[str, Callable[[str], pd.Timestamp]] | None:
    """Return the format that fits all texts of a column, and a function that reads them."""
    first = _TIME.sub("", different[0])
    for pattern, form in _FORMATS:
        if re.fullmatch(pattern, first) and all(_day(text, form) is not None for text in different):
            return form, lambda text, form=form: pd.Timestamp(_day(text, form))
    return None


def _day(text: str, form: str) -> datetime | None:
    try:
        day = datetime.strptime(_TIME.sub("", text), form)
    except ValueError:
        return None
    return day if FIRST < day.date() < LAST else None


def _note_of_days(name: str, form: str, different: list[str]) -> str | None:
    notes = []
    if form in ("%d/%m/%Y", "%d-%m-%Y") and all(_day(t, _TURNED[form]) for t in different):
        notes.append(f"the days of {name} are read as day first ({different[0]})")
    if any(map(_TIME.search, different)):
        notes.append(f"{name} has times of day, which are dropped: dates of a series are days")
    return "; ".join(notes) or None


_TURNED = {"%d/%m/%Y": "%m/%d/%Y", "%d-%m-%Y": "%m-%d-%Y"}

"""A profile counts every row once, on scales set by period 1, as a simple loop would."""

import math
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.reporting.profiles import (
    DATE_BINS,
    NUMBER_BINS,
    OFTEN,
    SHOWN,
    ColumnProfile,
    Profile,
    Scale,
    moving_columns,
    profile_period,
    profile_records,
)
from series_assets_tests.builders import a_series, a_specification, a_user_input

Texts = list[str | None]

_DAYS = st.dates(date(1700, 1, 1), date(2250, 1, 1)).map(date.isoformat)
_FLOATS = st.floats(allow_nan=False).map(repr)
_VALUES = {
    "integer": st.integers(-(10**6), 10**6).map(str) | st.integers(0, 3).map(str),
    "real": _FLOATS | st.integers(0, 9).map(str),
    "date": _DAYS | st.sampled_from(["2024-01-31", "2024-02-01", "2024-02-01 05:30:00"]),
    "text": st.sampled_from("abcdefghijk") | st.text(max_size=3).filter(bool),
    "any": _FLOATS | st.sampled_from(["True", "x"]) | _DAYS,
}
_GARBAGE = st.sampled_from(["nonsense", "2024-02-31", "12 weeks", "-", "99999999-01-01"])


def frame(**columns: Sequence[str | None]) -> pd.DataFrame:
    """Return a data frame of text."""
    return pd.DataFrame({name: list(texts) for name, texts in columns.items()}, dtype=object)


def only(made: Profile) -> ColumnProfile:
    """Return the single column of a profile."""
    [column] = made.columns
    return column


def described(texts: Sequence[str | None], kind: str = "any") -> ColumnProfile:
    """Return the profile of a single column of new records."""
    return only(profile_records(frame(x=texts), None, {"x": kind}))


def a_number(text: str) -> float | None:
    """Return the number that a text represents, if any."""
    try:
        return None if math.isnan(float(text)) else float(text)
    except ValueError:
        return None


def a_day(text: str, start: date) -> float | None:
    """Return the date that a text represents, counted from another one."""
    try:
        return (date.fromisoformat(text[:10]) - start).days
    except ValueError:
        return None


def plain(scale: Scale, texts: Texts, start: date) -> tuple[Counter[int], int, int]:
    """Count a column value by value: rows per bin, unreadable rows, distinct values."""
    known = [text for text in texts if text is not None]
    often = Counter(known)
    counts: Counter[int] = Counter()
    values: set[object] = set()
    unreadable = 0
    for text in known:
        if scale.kind in ("number", "date"):
            value = a_number(text) if scale.kind == "number" else a_day(text, start)
            if value is None:
                unreadable += 1
                continue
            counts[sum(edge <= value for edge in scale.edges)] += 1
            values.add(value)
            continue
        values.add(text)
        if scale.kind == "missing":
            counts[0] += 1
        elif scale.kind == "text":
            counts[min(often[text], OFTEN) - 1] += 1
        elif text in scale.values:
            counts[scale.values.index(text)] += 1
        else:
            counts[len(scale.values) + (text not in scale.others)] += 1
    return counts, unreadable, len(values)


@given(st.data())
def test_a_profile_is_what_a_plain_loop_counts(data: st.DataObject) -> None:
    """Of any kind of column, in period 1 as in a later one with whatever values."""
    kind = data.draw(st.sampled_from(list(_VALUES)))
    values = st.none() | _VALUES[kind]
    name = data.draw(st.sampled_from(["x", "identifier"]))
    moving = data.draw(st.booleans())
    starts = (date(2024, 1, 1), date(2024, 2, 1)) if moving else (date(1970, 1, 1),) * 2

    def told(texts: Texts, cut: int, start: date, like: Profile | None) -> Profile:
        return profile_records(
            frame(**{name: texts[:cut]}),
            frame(**{name: texts[cut:]}),
            {name: kind},
            identifiers=["identifier"],
            moving=[name] if moving else [],
            start=start,
            like=like,
        )

    before: Texts = data.draw(st.lists(values, max_size=60))
    after: Texts = data.draw(st.lists(values | _GARBAGE, max_size=60))
    first = told(before, len(before), starts[0], None)
    cut = data.draw(st.integers(0, len(after)))
    second = told(after, cut, starts[1], first)
    scale = only(first).scale
    assert only(second).scale == scale
    for generated, texts, part, start in (
        (first, before, len(before), starts[0]),
        (second, after, cut, starts[1]),
    ):
        column = only(generated)
        counts, unreadable, distinct = plain(scale, texts, start)
        both = [new + old for new, old in zip(column.new, column.existing, strict=True)]
        assert len(both) == scale.bins
        assert both == [counts[place] for place in range(scale.bins)]
        assert column.missing == texts.count(None)
        assert (column.unreadable, column.distinct) == (unreadable, distinct)
        assert sum(both) + column.missing + column.unreadable == generated.rows == len(texts)
        if scale.kind != "text":  # the frequency of a value depends on all rows
            assert Counter(dict(enumerate(column.new))) == plain(scale, texts[:part], start)[0]
    assert not sum(only(first).existing)
    assert scale.kind == "number" or only(first).unreadable == 0


@given(st.lists(_VALUES["real"], min_size=1, max_size=80))
def test_the_edges_of_numbers_rise_and_hold_nearly_all(texts: list[str]) -> None:
    """There are as many bins as can be told apart, and what lies beyond them is rare."""
    column = described(texts, "real")
    if column.scale.kind != "number":
        assert not any(math.isfinite(float(text)) for text in texts)
        return
    edges = column.scale.edges
    assert all(math.isfinite(edge) for edge in edges)
    assert all(low < high for low, high in pairwise(edges))
    assert 2 <= len(edges) <= NUMBER_BINS + 1
    # No edge can exceed the largest float.
    endless = sum(abs(float(text)) >= sys.float_info.max for text in texts)
    assert column.new[0] + column.new[-1] - endless <= 0.02 * len(texts) + 2


@given(st.lists(st.integers(-5000, 5000), min_size=1, max_size=80))
def test_bins_of_whole_numbers_hold_equally_many(numbers: list[int]) -> None:
    """Edges lie between whole numbers, all equally far apart: no bin is high by its width."""
    scale = described([str(number) for number in numbers], "integer").scale
    widths = {high - low for low, high in pairwise(scale.edges)}
    assert len(widths) == 1 and widths.pop() % 1 == 0
    assert all(edge % 1 == 0.5 for edge in scale.edges)


def test_far_outliers_do_not_squeeze_the_rest_into_one_bin() -> None:
    """They are counted beyond the last edge."""
    column = described([repr(n / 10) for n in range(1000)] + ["1e9"], "real")
    assert column.scale.edges[-1] < 110
    assert column.new[-1] >= 1
    assert sum(count > 0 for count in column.new) >= NUMBER_BINS


def test_later_numbers_beyond_those_of_period_1_fall_into_the_open_ends() -> None:
    """Also infinite ones."""
    first = profile_records(frame(x=["1", "2", "3"]), None, {"x": "integer"})
    later = profile_records(
        frame(x=["0", "2", "9", "inf", "-inf"]), None, {"x": "integer"}, like=first
    )
    assert only(first).new == (0, 1, 1, 1, 0)
    assert only(later).new == (2, 0, 1, 0, 2)


def test_the_most_frequent_categories_come_first_and_new_ones_last() -> None:
    """Equally frequent ones are sorted by name; the rest of period 1 is one bin."""
    texts = [name for place, name in enumerate("jihgfedcba") for _ in range(10 - place // 2)]
    first = profile_records(frame(x=texts), None, {"x": "text"})
    scale = only(first).scale
    assert scale.kind == "category"
    assert scale.values == tuple("ijghefc")[:SHOWN]
    assert scale.others == {"d", "a", "b"}
    later = profile_records(frame(x=["i", "a", "b", "new", None]), None, {"x": "text"}, like=first)
    assert only(later).new == (1, 0, 0, 0, 0, 0, 0, 2, 1)


@pytest.mark.parametrize(
    ("texts", "kind", "expected"),
    [
        (["1", "2"], "any", "number"),
        (["1.5", "inf"], "any", "number"),
        (["inf", "inf"], "real", "category"),
        (["007", "2"], "any", "category"),
        (["1", "2"], "text", "category"),
        (["1", "x"], "integer", "category"),
        (["True", "False"], "any", "category"),
        (["2024-01-01"], "any", "date"),
        (["2024-01-01", "soon"], "date", "category"),
        ([None, None], "real", "missing"),
        ([], "text", "missing"),
        ([str(n) for n in range(21)], "text", "text"),
        ([str(n) for n in range(200)] * 2, "text", "category"),
        ([str(n) for n in range(201)] * 2, "text", "text"),
    ],
)
def test_the_kind_of_a_column_is_what_its_values_are(
    texts: Texts, kind: str, expected: str
) -> None:
    """Not the kind in the specification, if the values differ."""
    assert described(texts, kind).scale.kind == expected


def test_an_identifier_is_one_however_few_values_it_has() -> None:
    """Its rows are grouped by the frequency of their value, over both parts."""
    generated = profile_records(
        frame(id=["a", "b", "b", None]), frame(id=["c"] * 7), {}, identifiers=["id"]
    )
    assert only(generated).scale.kind == "text"
    assert only(generated).new == (1, 2, 0, 0, 0)
    assert only(generated).existing == (0, 0, 0, 0, 7)


def test_days_that_move_are_counted_from_the_first_day_of_their_period() -> None:
    """So that the same day of two months is in one bin."""
    days = [(date(2024, 1, 1) + timedelta(days=n)).isoformat() for n in range(31)]
    series = a_series(a_specification())
    first = profile_period(series, 0, frame(date=days), None)
    assert only(first).scale == Scale(
        "date", tuple(n - 0.5 for n in range(32)), integers=True, moves=True
    )
    later = profile_period(series, 1, frame(date=["2024-02-01"]), frame(date=["2024-02-29"]), first)
    assert only(later).new.index(1) == only(first).new.index(1) == 1
    assert only(later).existing.index(1) == 29
    assert len(only(first).new) <= DATE_BINS + 2


def test_days_that_stay_are_counted_as_they_are() -> None:
    """Dates of birth do not depend on the period."""
    series = a_series(user_input=a_user_input(date_columns=[], start_date="2024-01-01"))
    first = profile_period(series, 0, frame(date=["1990-05-01", "2001-02-03"]), None)
    later = profile_period(series, 3, None, frame(date=["1990-05-01", "2001-02-03"]), first)
    assert not only(first).scale.moves
    assert only(later).existing == only(first).new


def test_columns_derived_from_moving_ones_move() -> None:
    """Through any number of steps."""
    specification = a_specification()
    specification["derived_columns"] = {
        "follow_up": "date.dt.to_period('M')",
        "reminder": "follow_up.dt.end_time",
        "double": "(amount * 2)",
    }
    moving = moving_columns(a_series(specification))
    assert moving == {"date", "follow_up", "reminder"}


def test_a_column_that_period_1_lacks_has_a_scale_of_its_own() -> None:
    """Nothing of a changed file is lost."""
    first = profile_records(frame(x=["1"]), None, {})
    later = profile_records(frame(y=["a", "b"]), None, {}, like=first)
    assert [column.name for column in later.columns] == ["y"]
    assert only(later).scale.values == ("a", "b")


def test_the_order_of_columns_is_that_of_the_first_part() -> None:
    """The other part may have another order."""
    generated = profile_records(frame(a=["1"], b=["x"]), frame(b=["y"], a=["2"]), {})
    assert [column.name for column in generated.columns] == ["a", "b"]
    assert generated.by_name["b"].existing == (0, 1, 0, 0)
    assert (generated.new, generated.existing, generated.rows) == (1, 1, 2)

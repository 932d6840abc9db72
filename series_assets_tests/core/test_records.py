"""Records as text and back, the first rows of entities, and combining parts."""

from datetime import date, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.records import (
    as_text,
    column_from_text,
    combine,
    first_row_positions,
    shuffled_positions,
    typed,
)

KINDS = ["text", "integer", "real", "date", "any"]
FLOATS = st.floats(allow_nan=True, allow_infinity=True)
INTEGERS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))
WORDS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["", "nan", "None", "NaT", "007", "-0", "-0.0", "1e5", "1.0", "1.50", "+3", " 4", "True"]
    ),
    st.from_regex(r"-?\d{1,20}(\.\d{1,4})?", fullmatch=True),
    st.from_regex(r"\d{4}-\d{2}-\d{2}", fullmatch=True),
)
VALUES = st.one_of(
    st.lists(INTEGERS, max_size=6).map(lambda values: pd.Series(values, dtype="Int64")),
    st.lists(FLOATS, max_size=6).map(lambda values: pd.Series(values, dtype="float64")),
    st.lists(WORDS, max_size=6).map(lambda values: pd.Series(values, dtype=object)),
    st.lists(st.booleans(), max_size=6).map(lambda values: pd.Series(values, dtype=bool)),
    st.lists(st.one_of(st.none(), st.booleans()), max_size=6).map(
        lambda values: pd.Series(values, dtype="boolean")
    ),
    st.lists(
        st.one_of(st.just(pd.NaT), st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1))),
        max_size=6,
    ).map(lambda values: pd.Series(values, dtype="datetime64[ns]")),
    st.lists(st.dates(date(1700, 1, 1), date(2250, 1, 1)), max_size=6).map(
        lambda days: pd.to_datetime(pd.Series(days, dtype=object))
    ),
    st.lists(st.dates(), max_size=6).map(lambda days: pd.Series(days, dtype=object)),
    st.lists(st.text(max_size=4), max_size=6).map(lambda v: pd.Series(v).astype("category")),
)


@given(values=VALUES, kind=st.sampled_from(KINDS))
def test_text_comes_back_the_same(values: pd.Series, kind: str) -> None:
    """A value read from a text is written as that text again."""
    texts = as_text(pd.DataFrame({"x": values}))
    again = as_text(typed(texts, {"x": kind}))
    assert again["x"].tolist() == texts["x"].tolist()


def _text_of(value: Any) -> str | None:
    """Return the text of one value as Python writes it."""
    if pd.isna(value):
        return None
    if isinstance(value, float):
        return repr(value)
    return str(value).removesuffix(" 00:00:00")


MORE_VALUES = st.one_of(
    VALUES,
    st.lists(st.floats(width=32), max_size=6).map(lambda v: pd.Series(v, dtype="float32")),
    st.lists(st.one_of(st.none(), FLOATS), max_size=6).map(
        lambda v: pd.Series(v, dtype="float64").astype("category")
    ),
    st.lists(st.one_of(st.none(), FLOATS), max_size=6).map(
        lambda v: pd.Series(pd.array(v, dtype="Float64"))
    ),
    st.lists(st.integers(0, 2**64 - 1), max_size=6).map(lambda v: pd.Series(v, dtype="uint64")),
    st.lists(st.one_of(FLOATS, st.integers(), st.text(max_size=3), st.none()), max_size=6).map(
        lambda v: pd.Series([*v, None], dtype=object)
    ),
)


@given(values=MORE_VALUES)
def test_the_texts_of_a_column_are_those_of_its_values(values: pd.Series) -> None:
    """Whatever a column's dtype, its texts are those that its values have one by one."""
    texts = as_text(pd.DataFrame({"x": values}))["x"].tolist()
    assert texts == [_text_of(value) for value in values.tolist()]
    assert {type(text) for text in texts} <= {str, type(None)}


@given(
    numbers=st.lists(
        st.one_of(
            FLOATS,
            st.floats(1e-6, 1e-2),
            st.floats(1e8, 1e18),
            st.integers(-(10**12), 10**12).map(float),
            st.decimals(-(10**9), 10**9, places=4).map(float),
        ),
        max_size=30,
    )
)
def test_the_text_of_a_float_is_the_shortest_that_reads_back(numbers: list[float]) -> None:
    """To the character what Python prints, with an exponent and without; and read as floats."""
    texts = as_text(pd.DataFrame({"x": np.array(numbers, dtype=float)}))["x"].tolist()
    assert texts == [None if number != number else repr(number) for number in numbers]
    known = [number for number in numbers if number == number]
    if known:
        again = column_from_text(texts, "real")
        assert again.dtype == "float64"
        assert again.dropna().tolist() == known


@given(values=st.lists(WORDS, max_size=8))
def test_a_text_column_is_left_alone(values: list[str | None]) -> None:
    """A column of text stays text, whatever its values look like."""
    assert column_from_text(values, "text").tolist() == values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e16, "1e+16"),
        (100.0, "100.0"),
        (float("nan"), None),
        (None, None),
        (pd.NA, None),
        (pd.NaT, None),
        (np.float64(2.5), "2.5"),
        (np.float32(0.5), "0.5"),
        (np.int64(7), "7"),
        (True, "True"),
        ("nan", "nan"),
        ("", ""),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 12, 30), "2024-02-29 12:30:00"),
    ],
)
def test_the_text_of_a_value(value: object, text: str | None) -> None:
    """Dates are ISO without a time, floats are shortest, missing values are missing."""
    column = pd.Series([None], dtype=object)
    column.iloc[0] = value
    assert as_text(pd.DataFrame({"x": column}))["x"].tolist() == [text]


@pytest.mark.parametrize("days", [0, 3, 10, 20, 100, -10])
@pytest.mark.parametrize("hours", [0, 5])
def test_the_text_of_a_time_difference_says_how_long_it_is(days: int, hours: int) -> None:
    """It reads back as the same difference."""
    difference = pd.Timedelta(days=days, hours=hours)
    (text,) = as_text(pd.DataFrame({"x": [difference]}))["x"]
    assert pd.Timedelta(text) == difference


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["1", None, "-3"], "Int64"),
        (["1.5", None, "2.0"], "float64"),
        (["1.0", "2"], "object"),
        (["2024-01-31", None], "datetime64[ns]"),
        (["True", "False"], "bool"),
        (["True", None], "boolean"),
        (["007", "8"], "object"),
        (["1.50"], "object"),
        (["9223372036854775808"], "object"),
        (["F", "M"], "object"),
        (["True", "yes"], "object"),
    ],
)
def test_values_get_the_type_they_look_like(values: list[str | None], dtype: str) -> None:
    """Integers, numbers, dates and booleans get their type if the text survives it."""
    assert str(column_from_text(values, "any").dtype) == dtype


@pytest.mark.parametrize("values", [["nan"], ["nan", "1.5"], ["nan", None, "-0.0"]])
@pytest.mark.parametrize("kind", ["integer", "real", "any"])
def test_a_text_that_says_nan_is_not_lost(values: list[str | None], kind: str) -> None:
    """A missing value has no text; the text nan is a value."""
    again = as_text(typed(pd.DataFrame({"x": values}, dtype=object), {"x": kind}))
    assert again["x"].tolist() == values


@pytest.mark.parametrize("day", ["9999-12-31", "1600-01-01", "2023-02-29", "2024-13-01"])
@pytest.mark.parametrize("kind", ["date", "any"])
def test_a_date_beyond_pandas_range_is_not_lost(day: str, kind: str) -> None:
    """A date outside of pandas' range, or one that does not exist, is never read as missing."""
    again = as_text(typed(pd.DataFrame({"x": [day]}), {"x": kind}))
    assert again["x"].tolist() == [day]


def test_leading_zeros_are_kept() -> None:
    """A code that starts with 0 stays text, whatever the kind of its column."""
    for kind in KINDS:
        assert column_from_text(["0113201234", "3113991234"], kind).tolist() == [
            "0113201234",
            "3113991234",
        ]


def test_a_code_among_numbers_keeps_all_of_them_text() -> None:
    """If one value would change, the complete column stays text."""
    assert column_from_text(["12", "012"], "any").tolist() == ["12", "012"]


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("integer", "Int64"), ("real", "float64"), ("date", "datetime64[ns]"), ("text", "object")],
)
def test_a_column_without_values_keeps_its_type(kind: str, dtype: str) -> None:
    """A column of numbers or dates keeps its type if all values are missing."""
    column = column_from_text([None, None], kind)
    assert str(column.dtype) == dtype
    assert column.isna().all()


def test_a_category_has_the_text_of_its_values() -> None:
    """Categories are written as their values, missing ones as missing."""
    frame = pd.DataFrame({"x": pd.Categorical(["b", None, "a"], categories=["a", "b", "c"])})
    assert as_text(frame)["x"].tolist() == ["b", None, "a"]


def test_an_empty_frame_keeps_its_columns() -> None:
    """Without rows, the columns remain."""
    frame = as_text(pd.DataFrame({"a": [], "b": []}))
    assert list(typed(frame, {}).columns) == ["a", "b"]


def test_first_rows() -> None:
    """An entity is new in its first row; rows without an identifier have no entity."""
    assert first_row_positions(["a", None, "b", "a", None, "c", "b"]).tolist() == [0, 2, 5]
    assert first_row_positions([None, None]).tolist() == []
    assert first_row_positions([]).tolist() == []


@given(identifiers=st.lists(st.one_of(st.none(), st.sampled_from("abcdef")), max_size=20))
def test_first_rows_name_every_entity_once(identifiers: list[str | None]) -> None:
    """First rows are in order, with each entity exactly once."""
    rows = first_row_positions(identifiers).tolist()
    assert all(one < two for one, two in pairwise(rows))
    assert [identifiers[row] for row in rows] == list(
        dict.fromkeys(name for name in identifiers if name is not None)
    )


def a_table(**columns: list[str | None] | list[str]) -> pa.Table:
    """Return a table of text."""
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


PARTS = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.just("x"))), max_size=8),
    min_size=1,
    max_size=3,
)


@given(parts=PARTS, seed=st.integers(0, 2**32 - 1))
def test_combining_keeps_every_row(parts: list[list[tuple[str, str | None]]], seed: int) -> None:
    """A dataset has exactly the rows of its parts, in any order."""
    tables = [a_table(a=[a for a, _ in rows], b=[b for _, b in rows]) for rows in parts]
    whole = combine(tables, seed)
    held = sorted(repr(tuple(row.values())) for row in whole.to_pylist())
    assert held == sorted(repr(row) for rows in parts for row in rows)


def test_combining_has_the_columns_of_the_first() -> None:
    """The order of columns is that of the first part."""
    whole = combine([a_table(a=["1"], b=["2"]), a_table(b=["4"], a=["3"])], 0)
    assert whole.column_names == ["a", "b"]
    assert sorted(row["a"] + row["b"] for row in whole.to_pylist()) == ["12", "34"]


def test_the_shuffle_depends_on_its_seed() -> None:
    """Equal seeds give equal orders, other seeds others; without a seed the order is unchanged."""
    part = a_table(a=[str(n) for n in range(50)])
    one, same, other = combine([part], 1), combine([part], 1), combine([part], 2)
    assert one == same
    assert one != other
    assert one != part
    assert part["a"].to_pylist() == [str(n) for n in range(50)]


@given(count=st.integers(1, 3000), seed=st.integers(0, 2**32 - 1))
def test_every_position_occurs_once_in_the_shuffle(count: int, seed: int) -> None:
    """In an order that depends on the seed."""
    order = shuffled_positions(count, seed).tolist()
    assert sorted(order) == list(range(count))
    assert order == shuffled_positions(count, seed).tolist()
    assert shuffled_positions(5, 0).tolist() == [2, 0, 1, 3, 4]

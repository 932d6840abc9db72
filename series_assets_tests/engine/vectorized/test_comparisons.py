"""Simple comparisons give the results of pandas' evaluation of the same text."""

import numpy as np
import pandas as pd
import pytest
from exhibit.core.constraints import get_constraint_mask

from series_assets.engine.vectorized.comparisons import comparison, value_of

RECORDS = pd.DataFrame(
    {
        "first day": pd.to_datetime(["2024-01-01", "2024-01-02", None, "2024-01-04"]),
        "last": pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-03", None]),
        "visits": pd.array([1, 2, None, 4], dtype="Int64"),
        "limit": np.array([2.0, np.nan, 3.0, 3.5]),
        "count": np.array([4, 3, 2, 1]),
        "sex": pd.Categorical(["F", "M", "F", None]),
        "index": np.array([3, 3, 3, 3]),
    }
)


@pytest.mark.parametrize("sign", ["<", ">", "<=", ">=", "=="])
@pytest.mark.parametrize(
    "sides",
    [
        ("first__day", "last"),
        ("visits", "limit"),
        ("visits", "count"),
        ("limit", "count"),
        ("limit", "3"),
        ("visits", "2.0"),
    ],
)
def test_a_plain_comparison_is_that_of_pandas(sides: tuple[str, str], sign: str) -> None:
    """Dates and numbers of any type, missing ones included, compare as in pandas."""
    text = f"{sides[0]} {sign} {sides[1]}"
    compared = comparison(RECORDS, text)
    assert compared is not None
    pd.testing.assert_series_equal(compared, get_constraint_mask(RECORDS, text))


@pytest.mark.parametrize(
    "text",
    [
        "first__day == '2024-01-01'",
        "sex == 'F'",
        "limit > count + 1",
        "limit > count and count > 1",
        "index == index",
        "first__day > count",
        "sex == sex",
        "unknown > 3",
    ],
)
def test_anything_else_is_left_to_pandas(text: str) -> None:
    """Literals, expressions, categories and unknown columns are not handled here."""
    assert comparison(RECORDS, text) is None


@pytest.mark.parametrize("text", ["limit", "first__day", "count * 2", "3"])
def test_the_right_side_is_what_pandas_evaluates(text: str) -> None:
    """The bound of a constraint is a column, an expression or a number."""
    renamed = RECORDS.rename(columns=lambda name: name.replace(" ", "__"))
    expected = renamed.eval(text, engine="python")
    value = value_of(RECORDS, text)
    if isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(value, expected, check_names=False)
    else:
        assert value == expected

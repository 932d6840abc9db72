"""Totals in a manifest are exact, in any notation of the numbers."""

from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.manifest import _exact_sum

NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(1e-50, 1e50).map(repr),
    st.decimals(-1000, 1000, places=2).map(str),
)


@given(st.lists(NUMBERS, max_size=20))
def test_any_sum_is_exact(texts: list[str]) -> None:
    """Long numbers and exponents among short ones lose no digit."""
    found = _exact_sum(pa.chunked_array([texts], pa.string()))
    assert "E" not in found
    assert Fraction(found) == sum(map(Fraction, texts), Fraction(0))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [([], "0"), (["0.1"] * 3, "0.3"), (["1", "2.50"], "3.5"), (["1e3", "-0.0"], "1000")],
)
def test_a_sum_has_no_needless_digits(texts: list[str], expected: str) -> None:
    """A sum is written without an exponent and without trailing zeros."""
    assert _exact_sum(pa.chunked_array([texts], pa.string())) == expected


def test_a_sum_of_many_long_numbers_does_not_overflow() -> None:
    """Each has 15 digits, and all together have more than 38."""
    texts = pa.array(["900000000000000.5"] * 400_000)
    assert _exact_sum(pa.chunked_array([texts])) == "360000000000000200000"

"""The shares of a frequency distribution are divided by their sum, as Exhibit does with numpy."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from series_assets.core.spec.frequency_distribution import parse_distribution

_SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(lambda shares: sum(shares) > 0)


@given(_SHARES)
@example([0.1] * 7)
@example([0.1] * 8)
def test_shares_are_divided_by_the_sum_of_numpy(shares: list[float]) -> None:
    """To the last digit, whether numpy is imported for it or not."""
    rows = [f"{place} | {share!r}" for place, share in enumerate(shares, start=1)]
    parsed = parse_distribution(["frequency | probability_vector", *rows])
    vector = np.array(shares)
    assert [share for _, share in parsed] == (vector / vector.sum()).tolist()

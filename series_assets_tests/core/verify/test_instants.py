"""Spans of time in words."""

import pytest

from series_assets.core.verify.instants import DAY, length

_HOUR = DAY // 24


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (DAY, "1 day"),
        (31 * DAY, "31 days"),
        (25 * _HOUR, "25 hours"),
        (_HOUR + _HOUR // 2, "1.5 hours"),
        (61 * _HOUR // 60, "61 minutes"),
        (1_000_000, "1 second"),
        (1, "1 microsecond"),
        (3 * DAY + 7, "about 3 days"),
    ],
)
def test_a_span_in_words(span: int, words: str) -> None:
    """In the largest unit that is exact with one decimal at the most, or nearly."""
    assert length(span) == words

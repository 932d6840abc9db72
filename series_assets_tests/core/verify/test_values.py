"""Values and times of different types are compared by their meaning."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from series_assets.core.errors import InvalidValueError
from series_assets.core.verify.instants import MISSING, formatted, instants
from series_assets.core.verify.values import coded


def _equal(kind: str, ours: str | None, theirs: Any, tolerance: float = 0.0) -> bool:
    column = pa.chunked_array([pa.array([theirs])])
    found = coded(pa.chunked_array([pa.array([ours], pa.string())]), column, kind, tolerance)
    return bool(found.ours[0] == found.theirs[0])


@pytest.mark.parametrize(
    ("kind", "ours", "theirs", "equal"),
    [
        ("integer", "7", 7, True),
        ("integer", "7", "7.0", True),
        ("integer", "9007199254740993", 9007199254740992, False),
        ("real", "1.50", Decimal("1.5"), True),
        ("real", "1.5", "1,5", False),
        ("real", "340.2827", Decimal("340.2827"), True),
        ("real", "340.2827", Decimal("340.2826"), False),
        ("integer", "9007199254740993", Decimal(9007199254740992), False),
        ("text", "12345678901234567890", Decimal("12345678901234567890"), True),
        ("text", "12.5", Decimal("12.500"), True),
        ("text", "10", Decimal("10.00"), True),
        ("text", "0", Decimal("0E-10"), True),
        ("text", "0.0000001", Decimal("1E-7"), True),
        ("real", None, float("nan"), True),
        ("text", "007", 7, False),
        ("text", "7", 7.0, True),
        ("text", None, "", True),
        ("text", "a", None, False),
        ("date", "2024-01-31", date(2024, 1, 31), True),
        ("date", "2024-01-31", datetime(2024, 1, 31), True),
        ("date", "2024-01-31", datetime(2024, 1, 31, 1), False),
        ("date", "2024-01-31", "2024-01-31T00:00:00Z", True),
        ("any", "True", 1, True),
        ("any", "True", True, True),
        ("any", "1.0", 1, True),
    ],
)
def test_a_value_is_compared_as_its_column_is(
    kind: str, ours: str | None, theirs: Any, equal: bool
) -> None:
    """Numbers by value, dates as dates, anything else as text; missing equals missing."""
    assert _equal(kind, ours, theirs) == equal


def test_a_tolerance_is_for_numbers() -> None:
    """The nearest expected number counts."""
    assert _equal("real", "1.5", 1.51, 0.02)
    assert not _equal("real", "1.5", 1.53, 0.02)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31 12:30:00+02", "2024-01-31 10:30:00"),
        ("2024-01-31T12:30:00.1234567Z", "2024-01-31 12:30:00.123456"),
        (datetime(2024, 1, 31, tzinfo=UTC), "2024-01-31"),
        (date(9999, 12, 31), "9999-12-31"),
    ],
)
def test_times_are_those_of_utc(value: Any, shown: str) -> None:
    """Times without a zone count as UTC, whatever their type."""
    found = instants(pa.chunked_array([pa.array([value])]), MISSING)
    assert formatted(int(found[0])) == shown


def test_what_is_no_time_is_refused() -> None:
    """With the value."""
    with pytest.raises(InvalidValueError) as caught:
        instants(pa.chunked_array([pa.array(["soon"])]), MISSING)
    assert str(caught.value) == "holds 'soon', which is not a time; use ISO 8601 times"

"""Which basic constraints can be compared row by row, and where they are sure to hold."""

from typing import Any

import pytest

from series_assets.checks.constraint_rules import Comparison, comparisons
from series_assets.core.plan.spec_changes import specification_of_period
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_date, a_number, a_uuid, with_columns


def found(
    *constraints: str,
    custom: dict[str, Any] | None = None,
    k: int = 0,
    frequency: int = 1,
    **keys: Any,
) -> list[Comparison]:
    """Return the comparisons of a series with constraints in a period."""
    specification = with_columns(
        a_specification(),
        id=a_uuid(frequency_distribution=["frequency | probability_vector", f"{frequency} | 1.0"]),
        visit=a_date("2024-01-01", "2024-01-31", 31),
        born=a_date("1990-01-01", "1999-12-31", 31),
        cost=a_number(),
        beds=a_number("integer"),
    )
    specification["columns"]["amount paid"] = a_number()
    specification["metadata"]["numerical_columns"].append("amount paid")
    specification["constraints"]["basic_constraints"] = list(constraints)
    specification["constraints"]["custom_constraints"] = custom
    series = a_series(specification, a_user_input(**{"date_columns": ["visit"], **keys}))
    period = specification_of_period(series.specification, series.calendar, series.roles, k)
    return comparisons(series, period)


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("cost < amount", ("cost", "<", "amount", True)),
        ("~amount paid~ <= ~cost~", ("amount paid", "<=", "cost", True)),
        ("beds >= 3.5", ("beds", ">=", "3.5", False)),
        ("visit == born", ("visit", "==", "born", True)),
        ("visit > '2024-01-31'", ("visit", ">", "2024-02-29", False)),
    ],
)
def test_two_columns_or_a_column_and_a_literal(text: str, sides: tuple[Any, ...]) -> None:
    """As they are in the period."""
    [one] = found(text, k=1)
    assert (one.left, one.operator, one.right, one.right_is_column) == sides
    assert one.of_numbers == (one.left not in ("visit", "born"))


@pytest.mark.parametrize("text", ["cost < amount*2", "visit > born.shift(3)"])
def test_what_is_computed_is_not_read(text: str) -> None:
    """Only simple sides are."""
    assert found(text) == []


def sure(*constraints: str, **how: Any) -> list[tuple[bool, bool]]:
    """Return for each constraint whether it is sure to hold in new and in existing records."""
    return [
        (one.guaranteed_in_new, one.guaranteed_in_existing) for one in found(*constraints, **how)
    ]


def test_a_constraint_by_itself_is_sure_to_hold() -> None:
    """Among numbers and among dates, moved or not."""
    for text in ("cost < amount", "visit > born", "born < '1995-01-01'", "visit > '2024-01-05'"):
        assert sure(text) == [(True, True)]


def test_a_later_constraint_may_undo_an_earlier_one() -> None:
    """If it changes one of its columns, and not the other way round."""
    assert sure("cost < amount", "amount < beds") == [(False, False), (True, True)]
    assert sure("cost < amount", "~amount paid~ < cost") == [(True, True), (True, True)]


def test_what_is_applied_afterwards_comes_later_in_existing_records() -> None:
    """A constraint on a moved date may undo one that is listed after it."""
    texts = ("born <= visit", "born >= '1995-01-01'")
    assert sure(*texts) == [(False, False), (True, False)]


def test_a_constraint_on_static_columns_is_sure_for_new_records_only() -> None:
    """And not even for these if an entity's first row determines the others."""
    assert sure("visit > born", static_columns=["born"]) == [(True, False)]
    assert sure("visit > born", static_columns=["born"], frequency=2) == [(False, False)]


@pytest.mark.parametrize("target", ["cost", "region"])
def test_a_custom_constraint_may_undo_it(target: str) -> None:
    """On one of its columns, or on a category, after which numbers are regenerated."""
    custom = {"some": {"targets": {target: "make_same"}}}
    assert sure("cost < amount", custom=custom) == [(False, False)]
    assert sure("visit > born", custom=custom) == [(True, True)]

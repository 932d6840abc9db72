"""Rules about values: dates, constraints, and numbers that are repeated."""

import pytest

from series_assets.checks.run import check_periods
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.checks.delivered_series import DeliveredSeries, Row, change_rows


def test_a_date_outside_its_window_is_found(delivered: DeliveredSeries) -> None:
    """The finding has the window of the period; a static date is not compared with it."""
    place = delivered.existing(2)[0]
    delivered.change(2, place, date="2024-01-30")
    delivered.change(2, delivered.existing(2)[1], joined="2020-01-01")
    found = delivered.findings(2)["dates"]
    assert (found.examined, found.wrong) == (60, 1)
    assert (found.examples[0].found, found.examples[0].expected) == (
        "2024-01-30",
        "from 2024-02-01 to 2024-02-29",
    )
    assert delivered.broken(2) == {"dates": 1, "static_columns": 1}


def test_a_new_record_with_a_static_date_outside_its_window_is_found(
    delivered: DeliveredSeries,
) -> None:
    """A constraint allows one step outside of the window, and no more."""
    delivered.change(2, delivered.new(2)[0], both=True, joined="2024-01-30")
    assert delivered.broken(2) == {"dates": 1}


@pytest.mark.parametrize("text", ["05/02/2024", "2024-2-5", "2024-02-30", "2024-02-05 00:00:00"])
def test_a_date_in_another_form_is_found(delivered: DeliveredSeries, text: str) -> None:
    """Also a static date of an existing record."""
    delivered.change(2, delivered.existing(2)[0], date=text)
    delivered.change(2, delivered.existing(2)[1], born=text)
    found = delivered.findings(2)["dates"]
    assert found.wrong == 2
    assert {e.expected for e in found.examples} == {"a date written as YYYY-MM-DD"}


@pytest.mark.parametrize("part", ["new", "existing"])
def test_days_of_a_full_window_that_a_part_lacks_are_found(
    many_rows_copy: DeliveredSeries, part: str
) -> None:
    """Even if the other part has them."""
    lacking = ("2024-03-05", "2024-03-30")

    def change(row: Row, new: bool) -> None:
        if new == (part == "new") and row["date"] in lacking:
            row["date"] = "2024-03-01"

    change_rows(many_rows_copy, change)
    found = many_rows_copy.findings(2)["dates"]
    assert found.wrong == 2
    wanted = [f"{day} in some of the 1200 {part} rows" for day in lacking]
    assert [(e.column, e.found, e.expected) for e in found.examples] == [
        ("date", None, text) for text in wanted
    ]
    assert many_rows_copy.broken(2) == {"dates": 2}


def test_numbers_of_the_period_before_are_found(many_rows_copy: DeliveredSeries) -> None:
    """If there are more than a few; the previous dataset is read even if only one is checked."""
    before = [row["amount"] for row in many_rows_copy.rows(1)]

    def repeat(times: int) -> None:
        numbers = iter(before[:times])

        def change(row: Row, new: bool) -> None:
            row["amount"] = next(numbers, row["amount"]) if not new else row["amount"]

        change_rows(many_rows_copy, change)

    repeat(10)
    assert many_rows_copy.broken(2) == {}
    repeat(300)
    found = many_rows_copy.findings(2)["fresh_values"]
    assert (found.examined, found.wrong) == (2400, 300)
    assert found.examples[0].expected == "one that the previous period does not have"
    table = Workspace(many_rows_copy.data).reference_table(many_rows_copy.series)
    keys = many_rows_copy.series.calendar.keys
    [_, both] = check_periods(table, keys, ["fresh_values"])
    assert both.findings == (found,)

    many_rows_copy.path(1).unlink()
    found = many_rows_copy.findings(2)["fresh_values"]
    assert found.holds
    assert list(found.facts) == ["previous period"]


def test_existing_records_with_the_numbers_of_new_ones_are_found(
    many_rows_copy: DeliveredSeries,
) -> None:
    """As a generator causes that restarts its random numbers for each part."""
    numbers = iter([row["amount"] for row in many_rows_copy.rows(2, new=True)][:200])

    def change(row: Row, new: bool) -> None:
        row["amount"] = row["amount"] if new else next(numbers, row["amount"])

    change_rows(many_rows_copy, change)
    found = many_rows_copy.findings(2)["fresh_values"]
    assert found.wrong == 200
    assert found.examples[0].expected == ("one that no new record of the period has")
    assert many_rows_copy.broken(2) == {"fresh_values": 200}


@pytest.mark.parametrize("cost", ["29.5", "-1", "1e1"])
def test_a_row_that_breaks_a_constraint_is_found(delivered: DeliveredSeries, cost: str) -> None:
    """New or existing; the finding has the requirement of the constraint."""
    delivered.change(2, delivered.existing(2)[0], cost=cost)
    delivered.change(2, delivered.new(2)[0], both=True, cost=cost)
    found = delivered.findings(2)["constraints"]
    assert (found.examined, found.wrong) == (60, 2)
    assert (found.examples[0].found, found.examples[0].expected) == (cost, ">= 30")
    assert delivered.broken(2) == {"constraints": 2}


@pytest.mark.parametrize("cost", ["", "30", "many"])
def test_a_row_that_a_constraint_cannot_compare_is_not_wrong(
    delivered: DeliveredSeries, cost: str
) -> None:
    """A value that is missing or not a number cannot be compared."""
    delivered.change(2, delivered.existing(2)[0], cost=cost)
    assert delivered.findings(2)["constraints"].wrong == 0


def test_a_constraint_that_may_be_broken_is_counted(delivered: DeliveredSeries) -> None:
    """A static date of an existing record may contradict its other date."""
    rows = delivered.rows(2)
    old = [p for p in delivered.existing(2) if rows[p]["joined"] <= rows[p]["date"]]
    fact = "existing rows that violate 'joined <= date'"
    before = delivered.findings(2)["constraints"].facts.get(fact, 0)
    assert isinstance(before, int)
    delivered.change(2, old[0], joined="2024-12-31")
    found = delivered.findings(2)["constraints"]
    assert found.holds
    assert found.facts[fact] == before + 1

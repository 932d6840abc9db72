"""Rules about the dataset: its columns and the number of its rows."""

import pytest

from series_assets.checks.rules import Example
from series_assets_tests.checks.delivered_series import DeliveredSeries


def test_an_existing_row_that_is_lacking_is_found(delivered: DeliveredSeries) -> None:
    """The dataset has one row less than requested."""
    rows = delivered.rows(2)
    del rows[delivered.existing(2)[0]]
    delivered.write(2, rows)
    found = delivered.findings(2)["counts"]
    assert found.wrong == 1
    assert [str(e.column) for e in found.examples] == [
        "the number of existing records",
        "the number of rows",
    ]
    assert delivered.broken(2) == {"counts": 1}


def test_a_new_row_that_is_lacking_is_found(delivered: DeliveredSeries) -> None:
    """``new_records`` has a row that the dataset lacks."""
    rows = delivered.rows(2)
    del rows[delivered.new(2)[0]]
    delivered.write(2, rows)
    assert delivered.broken(2) == {"counts": 1}
    assert delivered.findings(2)["counts"].facts["new rows delivered"] == 19


def test_a_new_row_that_differs_is_found(delivered: DeliveredSeries) -> None:
    """The number of rows is right, but one differs from the row in ``new_records``."""
    delivered.change(2, delivered.new(2)[0], amount="1.5")
    assert delivered.broken(2) == {"counts": 1, "identifiers": 1, "repetitions": 1}


@pytest.mark.parametrize("number", [1, 2])
def test_a_renamed_column_is_found(delivered: DeliveredSeries, number: int) -> None:
    """One column is missing, one is unknown, and rules that need it cannot be evaluated."""
    rows = delivered.rows(number)
    delivered.write(number, [{{"sex": "gender"}.get(n, n): v for n, v in r.items()} for r in rows])
    found = delivered.findings(number)
    assert (found["same_columns"].wrong, found["same_columns"].examined) == (2, 11)
    assert set(found["same_columns"].examples) == {
        Example(None, "sex", None, "a column"),
        Example(None, "gender", "gender", "no column"),
    }
    assert found["static_columns"].problem == (
        "cannot be checked, because the dataset has no column sex; see the rule same_columns"
    )
    assert delivered.broken(number).keys() == {"same_columns", "static_columns"}


def test_columns_in_another_order_are_found(delivered: DeliveredSeries) -> None:
    """Two columns that changed places count as two."""
    names = list(delivered.rows(2)[0])
    swapped = [names[1], names[0], *names[2:]]
    delivered.write(2, [{name: row[name] for name in swapped} for row in delivered.rows(2)])
    found = delivered.findings(2)["same_columns"]
    assert found.wrong == 2
    assert found.examples[0] == Example(None, "column 1", names[1], repr(names[0]))
    assert delivered.broken(2) == {"same_columns": 2}


def test_a_column_more_is_found(delivered: DeliveredSeries) -> None:
    """The other rules are still evaluated."""
    delivered.write(2, [row | {"more": "1"} for row in delivered.rows(2)])
    assert delivered.broken(2) == {"same_columns": 1}


def test_without_the_first_identifier_rules_cannot_be_evaluated(delivered: DeliveredSeries) -> None:
    """Every rule that needs it says so, and none fails with an error."""
    rows = delivered.rows(2)
    delivered.write(2, [{n: v for n, v in row.items() if n != "id"} for row in rows])
    assert delivered.broken(2).keys() == {
        "same_columns",
        "identifiers",
        "repetitions",
        "static_columns",
        "linked_columns",
        "dates",
        "constraints",
        "fresh_values",
    }

"""Which rules a series has, and that all of them hold for what was generated."""

from pathlib import Path
from typing import Any

import pytest

from series_assets.checks.rules import rules_of
from series_assets.checks.run import check_periods
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.checks.delivered_series import (
    KEYS,
    RULES,
    DeliveredSeries,
    generate_series,
)
from series_assets_tests.columns import a_date, a_uuid, with_columns


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_every_rule_holds_for_generated_datasets(original: DeliveredSeries, number: int) -> None:
    """In the first period and in later ones, with the number of rows or entities examined."""
    found = original.findings(number)
    assert list(found) == list(RULES)
    assert {name: (one.wrong, one.problem) for name, one in found.items()} == dict.fromkeys(
        RULES, (0, None)
    )
    entities = len({row["id"] for row in original.rows(number)})
    assert {name: (one.examined, one.unit) for name, one in found.items()} == {
        "same_columns": (11, "columns"),
        "counts": (60, "rows"),
        "identifiers": (60, "rows"),
        "repetitions": (entities, "entities"),
        "static_columns": (60, "rows"),
        "linked_columns": (60, "rows"),
        "dates": (60, "rows"),
        "constraints": (60, "rows"),
        "fresh_values": (60, "rows"),
    }
    assert str(found["counts"]) == "60 rows, none wrong"


def test_the_counts_have_requested_and_delivered_rows(original: DeliveredSeries) -> None:
    """The finding has the fraction as the user wrote it, and none for the first period."""
    assert original.findings(2)["counts"].facts == {
        "new rows requested": 20,
        "new rows delivered": 20,
        "existing rows requested": 40,
        "existing rows delivered": 40,
        "fraction of new requested": "1/3",
    }
    assert "fraction of new requested" not in original.findings(1)["counts"].facts


@pytest.mark.parametrize(
    ("user_input", "missing"),
    [
        ({"static_columns": []}, {"static_columns", "linked_columns", "constraints"}),
        ({"linked_columns": ["id", "sex"]}, {"static_columns", "constraints"}),
        ({}, {"linked_columns", "constraints"}),
        ({"static_columns": ["amount"]}, {"linked_columns", "constraints", "fresh_values"}),
    ],
)
def test_a_rule_without_columns_does_not_exist(
    user_input: dict[str, Any], missing: set[str]
) -> None:
    """A series has only the rules that it can violate."""
    series = a_series(user_input=a_user_input(**user_input))
    assert set(rules_of(series)) == set(RULES) - missing


def test_without_date_columns_there_is_no_rule_of_dates() -> None:
    """A day that a constraint assigns is checked as well."""
    specification = a_specification()
    specification["constraints"]["custom_constraints"] = {
        "always": {"targets": {"date": "assign_value$2024-01-31"}}
    }
    assert "dates" in rules_of(a_series(specification))
    del specification["columns"]["date"]
    specification["constraints"]["custom_constraints"] = None
    specification["metadata"]["date_columns"] = []
    user_input = a_user_input(date_columns=[], start_date="2024-01-01")
    assert "dates" not in rules_of(a_series(specification, user_input))


def test_only_the_selected_rules_are_evaluated(original: DeliveredSeries) -> None:
    """A selection of rules is evaluated in the usual order."""
    table = Workspace(original.data).reference_table(original.series)
    [checked] = check_periods(table, KEYS[1:2], ["dates", "counts"])
    assert [finding.rule for finding in checked.findings] == ["counts", "dates"]


def test_rows_dropped_as_duplicates_are_reported_but_not_wrong(tmp_path: Path) -> None:
    """With ``allow_duplicates: false``, fewer new rows are reported, but not wrong."""
    specification = with_columns(
        a_specification(number_of_rows=60),
        id=a_uuid(miss_probability=0.5),
        date=a_date("2024-01-01", "2024-01-02", 2),
    )
    specification["constraints"]["allow_duplicates"] = False
    user_input = a_user_input(num_datasets=2, fraction_of_new="2/3")
    delivered = generate_series(tmp_path, a_series(specification, user_input))
    new = len(delivered.rows(1))
    assert new < 60
    assert delivered.broken(1) == delivered.broken(2) == {}
    assert delivered.findings(1)["counts"].facts["new rows dropped as duplicates"] == 60 - new

    delivered.write(1, delivered.rows(1)[1:])
    assert delivered.broken(1)["counts"] == 1


def test_many_rows_hold_every_rule(many_rows: DeliveredSeries) -> None:
    """In both periods."""
    assert many_rows.broken(1) == many_rows.broken(2) == {}

"""Tables of values and pairs that Exhibit would handle wrongly without a message are refused.

Each case has a neighbour: the smallest change that makes the specification valid.
"""

from typing import Any

import pytest

from series_assets_tests.builders import a_specification
from series_assets_tests.core.spec.faulty_specifications import (
    Content,
    faults_of,
    with_column,
    with_keys,
)


@pytest.mark.parametrize("values", [None, "random"])
def test_values_that_are_nowhere(values: str | None) -> None:
    """Up to inline_limit, Exhibit reads values from the specification, above from the database."""
    keys = {"original_values": values, "anonymising_set": "mountains"}
    assert faults_of(with_keys("region", uniques=30, **keys)) == [
        "columns.region.original_values lists no values, but its uniques 30 are within "
        "inline_limit 30; list them, or give the number of values that the database holds"
    ]
    assert faults_of(with_keys("region", uniques=31, **keys)) == []


def test_values_of_a_pattern_need_no_list() -> None:
    """A regex column generates its values."""
    keys = {"original_values": "regex", "anonymising_set": "[A-C]"}
    assert faults_of(with_keys("region", **keys)) == []


def _paired(**keys: Any) -> Content:
    """Return a specification whose ``code`` is paired with its ``region``."""
    specification = with_column(
        "code", "region", paired_columns=["region"], original_values="See paired column", **keys
    )
    specification["columns"]["region"] |= {
        "paired_columns": ["code"],
        "original_values": [
            "region | paired_code | probability_vector | amount",
            "North | N | 0.2 | 0.3",
            "South | S | 0.5 | 0.3",
            "West | W | 0.3 | 0.4",
            "Missing data | Missing data | 0 | 0",
        ],
    }
    return specification


def test_pairs_from_different_sets() -> None:
    """Both columns are reported if a pair has different sets."""
    assert faults_of(_paired()) == []
    assert faults_of(_paired(anonymising_set="mountains")) == [
        "columns.region and its pair 'code' have different anonymising_sets; Exhibit needs the "
        "same one",
        "columns.code and its pair 'region' have different anonymising_sets; Exhibit needs the "
        "same one",
    ]


def test_a_table_without_the_values_of_its_pair() -> None:
    """The table of values must have the code of each region."""
    specification = _paired()
    rows = specification["columns"]["region"]["original_values"]
    rows[0] = rows[0].replace("paired_code", "code")
    assert faults_of(specification) == [
        "columns.region.original_values has no column 'paired_code' with the values that go with "
        "those of region"
    ]


def test_a_linked_group_from_different_sets() -> None:
    """Linked columns must be columns of one table."""
    specification = a_specification()
    specification["linked_columns"] = [[1, ["sex", "region"]]]
    columns = specification["columns"]
    columns["sex"]["anonymising_set"] = "mountains.range"
    columns["region"]["anonymising_set"] = "mountains.peak"
    assert faults_of(specification) == []
    columns["region"]["anonymising_set"] = "birds.scientific"
    assert faults_of(specification) == [
        "linked_columns [sex, region] have different anonymising_sets; Exhibit needs the same one"
    ]


@pytest.mark.parametrize(
    "row",
    ["F | -0.1 | 0.8", "F | often | 0.8", "F | 0.5 | -1", "F | nan | 0.8", "F | inf | 0.8"],
)
def test_a_row_without_a_probability(row: str) -> None:
    """Every value has a probability, and weights are numbers from 0."""
    rows = ["sex | probability_vector | amount", row, "M | 0.5 | 0.2", "Missing data | 0 | 0"]
    assert faults_of(with_keys("sex", original_values=rows)) == [
        f"columns.sex.original_values has a row '{row}' without a probability, or with something "
        "that is not a number from 0 up"
    ]


@pytest.mark.parametrize("row", ["F | 0 | 0.8", "F | 2 | 0", "F | 1e-3 | 0.8"])
def test_a_row_with_a_probability(row: str) -> None:
    """A probability may be 0 or more than 1."""
    rows = ["sex | probability_vector | amount", row, "M | 0.5 | 0.2", "Missing data | 0 | 0"]
    assert faults_of(with_keys("sex", original_values=rows)) == []


@pytest.mark.parametrize(("row", "cells"), [("F", 1), ("F | 0.5", 2), ("F | 0.5 | 0.8 | ", 4)])
def test_a_row_with_fewer_or_more_cells(row: str, cells: int) -> None:
    """Exhibit fails, or takes a missing weight for any number."""
    rows = ["sex | probability_vector | amount", row, "M | 0.5 | 0.2", "Missing data | 0 | 0"]
    assert faults_of(with_keys("sex", original_values=rows)) == [
        f"columns.sex.original_values has 3 columns, but its row '{row}' has {cells}; separate the "
        "values of all columns with |"
    ]


def test_a_row_without_a_weight() -> None:
    """Exhibit fails; a column that is not a number may have empty cells."""
    rows = ["sex | probability_vector | amount", "F | 0.5 | ", "M | 0.5 | 0", "Missing data | 0 | "]
    assert faults_of(with_keys("sex", original_values=rows)) == [
        "columns.sex.original_values has a row 'F | 0.5 | ' without a weight for amount; write 0.0 "
        "if it has none"
    ]
    rows[0] = "sex | probability_vector | remark"
    assert faults_of(with_keys("sex", original_values=rows)) == []
    rows = ["sex | probability_vector | amount", "F | 1 | 1", "Missing data | 0"]
    assert faults_of(with_keys("sex", original_values=rows)) == []  # as in Exhibit's own samples
    [fault] = faults_of(with_keys("sex", original_values=rows, miss_probability=0.1))
    assert "has 3 columns, but its row 'Missing data | 0' has 2" in fault


def test_a_wide_range_of_whole_numbers() -> None:
    """Exhibit runs out of memory."""
    parameters = {"dispersion": 0.1, "target_min": 0, "target_max": 9e12}
    wide = {"precision": "integer", "distribution_parameters": parameters}
    assert faults_of(with_keys("amount", **wide)) == [
        "columns.amount.distribution_parameters has a range of 9,000,000,000,000 whole numbers, of "
        "which Exhibit lists each; use a range of 100,000,000 or less, or precision: float"
    ]
    assert faults_of(with_keys("amount", **{**wide, "precision": "float"})) == []


def test_a_row_whose_probability_is_blank() -> None:
    """An empty cell is not a probability."""
    rows = ["sex | probability_vector | amount", "F |  | 0.8", "M | 1 | 0", "Missing data | 0 | 0"]
    assert faults_of(with_keys("sex", original_values=rows)) == [
        "columns.sex.original_values has a row 'F |  | 0.8' without a probability, or with "
        "something that is not a number from 0 up"
    ]


def test_no_value_is_probable() -> None:
    """At least one value must be possible, apart from the row for missing data."""
    rows = ["sex | probability_vector | amount", "F | 0 | 1", "M | 0 | 1", "Missing data | 1 | 0"]
    assert faults_of(with_keys("sex", original_values=rows)) == [
        "columns.sex.original_values gives no value a probability above 0; give one to "
        "at least one value"
    ]
    rows[1] = "F | 0.1 | 1"
    assert faults_of(with_keys("sex", original_values=rows)) == []

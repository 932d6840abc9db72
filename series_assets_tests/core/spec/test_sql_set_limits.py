"""SQL statements that Exhibit would join wrongly without a message are refused.

Each case has a neighbour: the smallest change that makes the specification valid.
"""

import pytest

from series_assets_tests.core.spec.faulty_specifications import (
    Content,
    faults_of,
    with_column,
    with_keys,
)


def _selecting(statement: str, column: str = "region") -> Content:
    return with_keys(column, anonymising_set=statement)


JOINED = "SELECT temp_demo.sex, regions.region AS region FROM temp_demo JOIN regions USING (sex)"


@pytest.mark.parametrize(
    "statement",
    [
        JOINED,
        JOINED.replace("SELECT", " select").replace("FROM", "from"),
        JOINED.replace("temp_demo.sex", 'temp_demo."sex"'),
        JOINED.replace("temp_demo.sex, ", "temp_demo.sex, temp_demo.region, "),
        JOINED.replace("temp_demo.sex", "temp_demo.id"),
    ],
)
def test_a_statement_that_joins_on_one_column(statement: str) -> None:
    """Exhibit can join on one column that is generated earlier: a category or an identifier."""
    assert faults_of(_selecting(statement)) == []


@pytest.mark.parametrize(
    ("selected", "which"),
    [
        ("", "no column"),
        ("sex, ", "no column"),
        ("temp_demo.region, ", "no column"),
        ("temp_other.sex, ", "no column"),
        ("temp_demo.sex, temp_demo.id, ", "the columns id, sex"),
    ],
)
def test_a_statement_that_cannot_be_joined(selected: str, which: str) -> None:
    """Without a join column, or with two, rows would get values of other rows."""
    statement = JOINED.replace("temp_demo.sex, ", selected)
    assert faults_of(_selecting(statement)) == [
        f"columns.region.anonymising_set selects {which} of temp_demo beside 'region'; Exhibit can "
        "join on exactly one, written temp_demo.column"
    ]


def test_a_statement_that_joins_on_what_is_made_later() -> None:
    """Columns are generated in the order of the metadata, so the join column must come first."""
    statement = "SELECT temp_demo.region, sexes.sex AS sex FROM temp_demo JOIN sexes USING (region)"
    specification = _selecting(statement, "sex")
    assert faults_of(specification) == [
        "columns.sex.anonymising_set joins on 'region', which comes after 'sex'; put it before "
        "'sex' in metadata.categorical_columns"
    ]
    specification["metadata"]["categorical_columns"] = ["region", "sex"]
    assert faults_of(specification) == []


def test_a_statement_may_join_on_a_linked_column() -> None:
    """Linked groups are generated before all other categories, wherever they are listed."""
    statement = "SELECT temp_demo.ward, sexes.sex AS sex FROM temp_demo JOIN sexes USING (ward)"
    specification = with_column("ward", "region")
    specification["columns"]["sex"]["anonymising_set"] = statement
    assert faults_of(specification) == [
        "columns.sex.anonymising_set joins on 'ward', which comes after 'sex'; put it before "
        "'sex' in metadata.categorical_columns"
    ]
    specification["linked_columns"] = [[1, ["region", "ward"]]]
    assert faults_of(specification) == []


def test_a_date_may_come_from_a_statement() -> None:
    """Dates that are looked up need no ``from``, ``to`` or frequency."""
    statement = "SELECT temp_demo.sex, days.date AS date FROM temp_demo JOIN days USING (sex)"
    specification = _selecting(statement, "date")
    specification["columns"]["date"] |= {"from": None, "to": None, "frequency": None}
    assert faults_of(specification, date_columns=[], start_date="2024-01-01") == []


def test_a_statement_beside_a_cross_join() -> None:
    """Cross-joined columns do not exist yet when Exhibit joins a statement's values."""
    specification = _selecting(JOINED)
    specification["columns"]["sex"]["cross_join_all_unique_values"] = True
    assert faults_of(specification) == [
        "columns.region.anonymising_set is an SQL statement, which Exhibit cannot join while "
        "columns are cross-joined; set cross_join_all_unique_values: false"
    ]
    specification["columns"]["sex"]["cross_join_all_unique_values"] = False
    assert faults_of(specification) == []

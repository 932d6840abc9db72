"""Reading a specification, and deriving properties of its columns."""

from copy import deepcopy
from typing import Any

import pytest

from series_assets.core.errors import InputError
from series_assets.core.spec.mentions import split_constraint
from series_assets.core.spec.parse import read_specification
from series_assets.core.spec.specification import (
    calculations_of,
    closure,
    column_kinds,
    combinations,
    inseparable_groups,
    is_select,
    output_columns,
    window_size,
)
from series_assets_tests.builders import a_specification

FILE = "demo/specification.yml"


def _complaints(content: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_specification(content, FILE)
    assert all(fault.file == FILE for fault in caught.value.faults)
    return [fault.message for fault in caught.value.faults]


def _with_place() -> dict[str, Any]:
    specification = a_specification()
    specification["columns"]["home"] = {
        "type": "geospatial",
        "h3_table": "geo",
        "distribution": "uniform",
        "miss_probability": 0.0,
    }
    return specification


def test_what_was_given_is_not_changed() -> None:
    """Defaults are filled into a copy; the parsed content is unchanged."""
    content = a_specification()
    content["columns"]["date"]["from"] = "01/01/2024"
    before = deepcopy(content)
    read = read_specification(content, FILE)
    read["columns"]["sex"]["uniques"] = 99
    assert content == before


def test_what_may_be_left_out_is_filled_in() -> None:
    """Parts that Exhibit does not need get their defaults."""
    content = a_specification()
    for key in ("linked_columns", "derived_columns", "models"):
        del content[key]
    del content["constraints"]["custom_constraints"]
    del content["columns"]["sex"]["paired_columns"]
    del content["columns"]["date"]["cross_join_all_unique_values"]
    read = read_specification(content, FILE)
    assert read["linked_columns"] == []
    assert read["derived_columns"] == {}
    assert read["constraints"]["custom_constraints"] is None
    assert read["columns"]["sex"]["paired_columns"] is None
    assert read["columns"]["date"]["cross_join_all_unique_values"] is False


def test_every_column_is_listed_in_the_metadata() -> None:
    """Columns that the metadata does not list are appended to its lists."""
    content = _with_place()
    content["metadata"] |= {"categorical_columns": ["region"], "uuid_columns": None}
    metadata = read_specification(content, FILE)["metadata"]
    assert metadata["categorical_columns"] == ["region", "sex"]
    assert metadata["uuid_columns"] == ["id"]
    assert metadata["geospatial_columns"] == ["home"]


@pytest.mark.parametrize("written", ["01/02/2024", "2024-02-01", "2024-2-1"])
def test_days_are_read_as_iso(written: str) -> None:
    """Dates in any notation are passed to Exhibit as ISO."""
    content = a_specification()
    content["columns"]["date"] |= {"from": written, "to": None}
    column = read_specification(content, FILE)["columns"]["date"]
    assert (column["from"], column["to"]) == ("2024-02-01", None)


def test_a_specification_needs_an_identifier() -> None:
    """Without a uuid column, no entity can be followed over the periods."""
    content = a_specification(uuid_columns=None)
    del content["columns"]["id"]
    assert _complaints(content) == [
        "columns has no uuid column; the entities of a series need an identifier"
    ]


@pytest.mark.parametrize("content", [None, [], "metadata", 3])
def test_a_file_without_keys_is_refused(content: object) -> None:
    """An empty file, a list or plain text is not a specification."""
    assert _complaints(content) == ["the file does not hold an Exhibit specification"]


@pytest.mark.parametrize(
    ("column", "change", "complaint"),
    [
        ("sex", {"original_values": ["sex | amount", "F | 1", "Missing data | 0"]},
         "columns.sex.original_values has no header row with a probability_vector"),
        ("sex", {"original_values": 3},
         "columns.sex.original_values 3 is not a list of table rows, nor 'See paired column'"),
        ("sex", {"original_values": "See paired column"},
         "columns.sex.original_values is 'See paired column', but paired_columns is empty"),
        ("sex", {"paired_columns": ["amount"]},
         "columns.sex.paired_columns names 'amount', which is not a categorical column"),
        ("region", {"cross_join_all_unique_values": True, "uniques": 4},
         "columns.region.uniques is 4, but original_values has 3"),
        ("region", {"cross_join_all_unique_values": True, "original_values": "regex"},
         "columns.region is cross-joined; Exhibit needs its values listed in original_values"),
        ("date", {"from": None, "to": None},
         "columns.date has neither from nor to; give the first day as from: '2024-01-01'"),
        ("date", {"to": "2023-12-31"},
         "columns.date.to 2023-12-31 is before from 2024-01-01; swap them or fix one"),
        ("date", {"frequency": "UNKNOWN"},
         "columns.date.frequency 'UNKNOWN' is not a frequency that pandas knows, such as D, W or "
         "MS"),
        ("amount", {"distribution_parameters": {"dispersion": 0.1}},
         "columns.amount.distribution_parameters has no target; Exhibit needs one of target_sum, "
         "target_min, target_max, target_mean, target_std"),
        ("id", {"anonymising_set": "banana"},
         "columns.id.anonymising_set 'banana' is not known; use uuid, pseudo_chi or range"),
        ("id", {"frequency_distribution": "1"},
         "columns.id.frequency_distribution '1' is not a list of rows such as '1 | 1.0'"),
    ],
)  # fmt: skip
def test_a_faulty_column_is_refused(column: str, change: dict[str, Any], complaint: str) -> None:
    """A column that Exhibit would fail on or handle wrongly is refused, with its place."""
    content = a_specification()
    content["columns"][column] |= change
    assert _complaints(content) == [complaint]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("date == amount", ("date", "==", "amount")),
        ("~date of birth~ < date", ("date of birth", "<", "date")),
        ("amount >= (a + b) * 2", ("amount", ">=", "(a + b) * 2")),
        ("amount<3", None),
        ("amount = 3", None),
        ("amount != 3", None),
        ("1 < amount < 3", None),
        ("date of birth < date", None),
        ("amount < ", None),
        ("< 3", None),
    ],
)
def test_a_basic_constraint_has_three_parts(text: str, parts: tuple[str, str, str] | None) -> None:
    """A column, an operator between spaces, and an expression."""
    assert split_constraint(text) == parts


def test_a_place_is_two_columns_of_the_data() -> None:
    """A geospatial column becomes latitude and longitude; any other is one column."""
    specification = read_specification(_with_place(), FILE)
    assert output_columns(specification, "home") == ["home_latitude", "home_longitude"]
    assert output_columns(specification, "sex") == ["sex"]
    assert output_columns(specification, "a derived one") == ["a derived one"]


def test_the_kinds_of_columns() -> None:
    """Each column of the data has a kind; a range has integers, other identifiers text."""
    content = _with_place()
    content["derived_columns"] = {"twice": "amount * 2"}
    content["columns"]["number"] = content["columns"]["id"] | {"anonymising_set": "range"}
    content["columns"]["visits"] = content["columns"]["amount"] | {"precision": "integer"}
    assert column_kinds(read_specification(content, FILE)) == {
        "id": "text",
        "sex": "text",
        "region": "text",
        "amount": "real",
        "date": "date",
        "home_latitude": "real",
        "home_longitude": "real",
        "number": "integer",
        "visits": "integer",
        "twice": "any",
    }


def test_an_example_is_no_derived_column() -> None:
    """Exhibit writes an example into new specifications, which it skips, and so do we."""
    content = a_specification()
    content["derived_columns"] = {"Example_derived_column": "Example", "twice": "amount * 2"}
    assert calculations_of(read_specification(content, FILE)) == {"twice": "amount * 2"}


@pytest.mark.parametrize(
    ("window", "size"),
    [
        ({"from": "2024-02-01", "to": "2024-02-29", "frequency": "D"}, 29),
        ({"from": "2024-01-01", "to": "2024-01-01", "frequency": "D"}, 1),
        ({"from": "2024-01-01", "to": "2024-12-31", "frequency": "MS"}, 12),
        ({"from": "2024-01-01", "to": "2024-12-31", "frequency": "QE"}, 4),
        ({"from": "2024-01-01", "to": None, "frequency": "D"}, None),
        ({"to": "2024-01-01", "frequency": "D"}, None),
    ],
)
def test_how_many_dates_a_window_holds(window: dict[str, Any], size: int | None) -> None:
    """The dates of its frequency, including both ends; an open window has no limit."""
    assert window_size(window) == size


def test_combinations_multiply() -> None:
    """A cross join has every combination of values; a paired column adds none."""
    content = a_specification()
    assert combinations(read_specification(content, FILE)) == 1
    for name in ("sex", "region"):
        content["columns"][name]["cross_join_all_unique_values"] = True
    content["columns"]["code"] = content["columns"]["region"] | {
        "paired_columns": ["region"],
        "original_values": "See paired column",
    }
    assert combinations(read_specification(content, FILE)) == 6


def test_pairs_and_links_belong_together() -> None:
    """Columns that must be static together are found from either side of a pair."""
    content = a_specification()
    content["columns"]["code"] = content["columns"]["region"] | {
        "paired_columns": ["region"],
        "original_values": "See paired column",
    }
    content["linked_columns"] = [[0, ["sex", "region"]]]
    groups = inseparable_groups(read_specification(content, FILE))
    assert groups == [{"code", "region"}, {"sex", "region"}]


def test_closing_goes_as_far_as_it_can() -> None:
    """A column brings its group, and the other groups of that group's columns."""
    groups = [{"a", "b"}, {"b", "c"}, {"c", "d"}, {"x", "y"}]
    assert closure(["a"], groups) == {"a", "b", "c", "d"}
    assert closure(["q"], groups) == {"q"}
    assert closure([], groups) == set()


def test_what_is_a_statement() -> None:
    """An anonymising set is SQL if it starts with SELECT, in any case, after any blanks."""
    assert is_select("  select a from b")
    assert not is_select("random")
    assert not is_select(None)

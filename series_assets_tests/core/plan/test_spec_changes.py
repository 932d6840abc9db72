"""How a specification changes from period to period (contract, sections 4 and 5)."""

from copy import deepcopy
from typing import Any

import pytest
import yaml

from series_assets.core.plan.series import Series
from series_assets_tests.builders import a_series, a_specification, a_user_input


def _series(specification: dict[str, Any], **keys: Any) -> Series:
    return a_series(specification, a_user_input(**keys))


def _new(series: Series, k: int) -> dict[str, Any]:
    part = series.plan(k).new
    assert part is not None
    return part.specification


def _existing(series: Series, k: int) -> dict[str, Any]:
    part = series.plan(k).existing
    assert part is not None
    return part.specification


def _with_dates(*names: str) -> dict[str, Any]:
    specification = a_specification()
    for name in names:
        specification["columns"][name] = deepcopy(specification["columns"]["date"])
    return specification


# Examples, key by key ------------------------------------------------------------------------


def _seeds_specification(rows: int = 60) -> dict[str, Any]:
    """Return a specification with ``id``, ``gender`` and a second identifier."""
    specification = a_specification(
        number_of_rows=rows, uuid_columns=["id", "chi"], categorical_columns=["gender", "region"]
    )
    columns = specification["columns"]
    columns["gender"] = yaml.safe_load("""
        type: categorical
        original_values:
        - gender       | probability_vector |
        - F            | 0.5                |
        - M            | 0.5                |
        - Missing data | 0.000              |
        paired_columns:
        uniques: 2
        cross_join_all_unique_values: false
        miss_probability: 0.0
        anonymising_set: random
        dispersion: 0
    """)
    columns["chi"] = deepcopy(columns["id"]) | {"anonymising_set": "pseudo_chi", "uuid_seed": 1}
    del columns["sex"]
    return specification


def test_the_seeds_identifier() -> None:
    """The first identifier of existing records, key by key."""
    series = _series(_seeds_specification(), static_columns=["gender"], linked_columns=None)
    _, num_existing_records = series.counts(1)
    assert num_existing_records > series.specification["metadata"]["inline_limit"]
    assert _existing(series, 1)["columns"]["id"] == {
        "type": "categorical",
        "paired_columns": ["chi", "gender"],  # uuid_columns[1:] + static_columns
        "uniques": num_existing_records,
        "original_values": "random",
        "cross_join_all_unique_values": False,
        "miss_probability": 0,
        "anonymising_set": "demo_reference",
    }


def test_the_seeds_static_column() -> None:
    """A static column of existing records, key by key."""
    series = _series(_seeds_specification(), static_columns=["gender"], linked_columns=None)
    _, num_existing_records = series.counts(1)
    assert _existing(series, 1)["columns"]["gender"] == {
        "type": "categorical",
        "original_values": "See paired column",
        "paired_columns": ["id"],  # [uuid_columns[0]]
        "uniques": num_existing_records,
        "cross_join_all_unique_values": False,
        "miss_probability": 0.0,
        "anonymising_set": "demo_reference",
        "dispersion": 0,
    }


def test_all_identifiers_are_converted_in_this_way() -> None:
    """A second identifier also becomes categorical, paired with the first."""
    series = _series(_seeds_specification(), static_columns=["gender"], linked_columns=None)
    assert _existing(series, 1)["columns"]["chi"] == {
        "type": "categorical",
        "original_values": "See paired column",
        "paired_columns": ["id"],
        "uniques": series.counts(1)[1],
        "cross_join_all_unique_values": False,
        "miss_probability": 0,
        "anonymising_set": "demo_reference",
    }


def test_few_records_do_not_break_exhibit() -> None:
    """With few records, uniques is one more than the inline limit (section 5.5)."""
    series = _series(_seeds_specification(rows=30), static_columns=["gender"])
    assert series.counts(1) == (10, 20)
    columns = _existing(series, 1)["columns"]
    assert [columns[name]["uniques"] for name in ("id", "chi", "gender")] == [31, 31, 31]


def test_the_seeds_constraints() -> None:
    """Constraints on moved dates or static columns are removed, and applied later if possible."""
    specification = _with_dates("date_created", "date_updated", "date_valid_from")
    specification["constraints"] = {
        "allow_duplicates": False,
        "basic_constraints": ["date_updated == date_created", "date_valid_from == date_updated"],
        "custom_constraints": None,
    }
    series = _series(
        specification,
        static_columns=["date_created"],
        date_columns=["date_updated", "date_valid_from"],
    )
    part = series.plan(1).existing
    assert part is not None
    assert part.specification["constraints"]["basic_constraints"] == []
    assert part.specification["constraints"]["allow_duplicates"] is True
    assert part.removed.basic_constraints == (
        "date_updated == date_created",
        "date_valid_from == date_updated",
    )
    assert part.removed.restored_constraints == part.removed.basic_constraints
    assert part.removed.among_moved == ("date_valid_from == date_updated",)


def test_the_seeds_dates() -> None:
    """One month after 01/01/2024 is 01/02/2024."""
    specification = a_specification()
    specification["columns"]["date"] |= {"from": "01/01/2024", "to": "31/01/2024"}
    date = _new(_series(specification), 1)["columns"]["date"]
    assert (date["from"], date["to"], date["uniques"]) == ("2024-02-01", "2024-02-29", 29)


# New records ---------------------------------------------------------------------------------


def test_the_first_period_runs_the_specification_as_it_is() -> None:
    """Period 0 has the original seeds, rows and window."""
    series = _series(a_specification())
    assert _new(series, 0) == series.specification
    assert series.plan(0).existing is None


def test_only_what_has_to_change_changes() -> None:
    """New records of period 2 differ in seeds, rows and moved windows only."""
    series = _series(_with_dates("born"))
    expected = deepcopy(series.specification)
    expected["metadata"] |= {"random_seed": 2, "number_of_rows": 20}
    expected["columns"]["id"]["uuid_seed"] = 2
    expected["columns"]["date"] |= {"from": "2024-03-01", "to": "2024-03-31"}
    assert _new(series, 2) == expected


def test_an_identifier_without_a_seed_gets_none() -> None:
    """Without a uuid_seed, Exhibit still uses random_seed."""
    specification = a_specification()
    del specification["columns"]["id"]["uuid_seed"]
    assert "uuid_seed" not in _new(_series(specification), 1)["columns"]["id"]


@pytest.mark.parametrize("k", [1, 3])
def test_a_total_is_shared_by_new_and_existing(k: int) -> None:
    """The target sums of both parts of a period add up to the original one."""
    specification = a_specification()
    parameters = {"dispersion": 0.1, "target_sum": 900, "target_min": 1}
    specification["columns"]["amount"]["distribution_parameters"] = parameters
    series = _series(specification)
    new = _new(series, k)["columns"]["amount"]["distribution_parameters"]
    existing = _existing(series, k)["columns"]["amount"]["distribution_parameters"]
    assert new == {"dispersion": 0.1, "target_sum": 300, "target_min": 1}
    assert existing == {"dispersion": 0.1, "target_sum": 600, "target_min": 1}


def test_a_window_ends_with_the_month() -> None:
    """``to`` stays on the last day of its month; uniques is limited to the dates of the window."""
    specification = a_specification()
    specification["columns"]["date"]["uniques"] = 500
    series = _series(specification, num_datasets=4)
    windows = [_new(series, k)["columns"]["date"] for k in range(4)]
    assert [(window["to"], window["uniques"]) for window in windows] == [
        ("2024-01-31", 31),
        ("2024-02-29", 29),
        ("2024-03-31", 31),
        ("2024-04-30", 30),
    ]


def test_an_open_window_stays_open() -> None:
    """A window without an end gets none."""
    specification = a_specification()
    specification["columns"]["date"]["to"] = None
    date = _new(_series(specification), 1)["columns"]["date"]
    assert (date["from"], date["to"], date["uniques"]) == ("2024-02-01", None, 31)


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("date >= '2024-01-05'", "date >= '2024-02-05'"),
        ("born >= '2024-01-05'", "born >= '2024-01-05'"),
        ('date < "2024-01-31"', 'date < "2024-02-29"'),
    ],
)
def test_a_literal_moves_with_its_column(text: str, moved: str) -> None:
    """A date compared with a moved column moves; one compared with another column stays."""
    specification = _with_dates("born")
    specification["constraints"]["basic_constraints"] = [text]
    assert _new(_series(specification), 1)["constraints"]["basic_constraints"] == [moved]


def test_a_filter_is_taken_clause_by_clause() -> None:
    """Only dates in clauses with a moved column move."""
    specification = _with_dates("born", "date of visit")
    specification["constraints"]["custom_constraints"] = {
        "late": {
            "filter": "born < '2024-01-05' & ~date of visit~ > '2024-01-06' & sex == '2024-01-07'",
            "partition": None,
            "targets": {"region": "make_same"},
        }
    }
    changed = _new(_series(specification, date_columns=["date", "date of visit"]), 1)
    assert changed["constraints"]["custom_constraints"]["late"]["filter"] == (
        "born < '2024-01-05' & ~date of visit~ > '2024-02-06' & sex == '2024-01-07'"
    )


def test_columns_that_share_a_block_of_yaml_move_once() -> None:
    """An anchor and an alias behave like two separate columns."""
    text = yaml.safe_dump(a_specification(), sort_keys=False)
    shared = yaml.safe_load(text)
    shared["columns"]["other"] = shared["columns"]["date"]
    series = _series(shared, date_columns=["date", "other"])
    columns = _new(series, 1)["columns"]
    assert columns["date"]["from"] == "2024-02-01"
    assert columns["other"]["from"] == "2024-02-01"


# Existing records ----------------------------------------------------------------------------


def test_the_metadata_follow() -> None:
    """Identifiers and static columns become categorical, the first identifier first."""
    specification = _with_dates("born")
    series = _series(specification, static_columns=["born", "sex", "amount"])
    metadata = _existing(series, 1)["metadata"]
    assert metadata["uuid_columns"] == []
    assert metadata["categorical_columns"] == ["id", "born", "sex", "amount", "region"]
    assert metadata["numerical_columns"] == []
    assert metadata["date_columns"] == ["date"]
    assert metadata["number_of_rows"] == 40
    assert metadata["id"] == "demo"


def test_a_place_becomes_two_columns() -> None:
    """A static geospatial column is sampled as latitude and longitude."""
    specification = a_specification(geospatial_columns=["home"])
    specification["columns"]["home"] = {
        "type": "geospatial",
        "h3_table": "geo",
        "distribution": "uniform",
        "miss_probability": 0.0,
    }
    changed = _existing(_series(specification, static_columns=["home"]), 1)
    assert "home" not in changed["columns"]
    assert changed["metadata"]["geospatial_columns"] == []
    assert changed["columns"]["id"]["paired_columns"] == ["home_latitude", "home_longitude"]
    assert changed["columns"]["home_latitude"]["type"] == "categorical"
    assert changed["columns"]["home_longitude"]["paired_columns"] == ["id"]


def test_a_static_derived_column_is_drawn() -> None:
    """It is sampled, and neither derived nor computed later."""
    specification = a_specification()
    specification["derived_columns"] = {"twice": "amount * 2", "more": "amount + 1"}
    series = _series(specification, static_columns=["twice"])
    part = series.plan(1).existing
    assert part is not None
    assert part.specification["derived_columns"] == {"more": "amount + 1"}
    assert part.specification["columns"]["twice"]["anonymising_set"] == "demo_reference"
    assert part.removed.derived_columns == ("twice",)
    assert part.removed.restored_derived == ()


def test_what_is_derived_from_a_removed_column_is_removed() -> None:
    """Along any chain of derived columns; all are computed afterwards."""
    specification = a_specification()
    specification["derived_columns"] = {
        "first": "amount * 2",
        "second": "first + 1",
        "third": "second * 2",
        "code": "region + 'sex'",
        "free": "region + 'x'",
    }
    series = _series(specification, static_columns=["amount", "sex"])
    part = series.plan(1).existing
    assert part is not None
    assert part.specification["derived_columns"] == {"free": "region + 'x'"}
    assert part.removed.derived_columns == ("first", "second", "third", "code")
    assert [name for name, _ in part.removed.restored_derived] == [
        "first",
        "second",
        "third",
        "code",
    ]


def test_a_constraint_on_another_name_stays() -> None:
    """If date is moved, a constraint that mentions only date_updated is kept."""
    specification = _with_dates("date_updated")
    kept = ["date_updated > '2024-01-01'", "amount > 3"]
    specification["constraints"]["basic_constraints"] = [*kept, "date_updated >= date"]
    changed = _existing(_series(specification), 1)
    assert changed["constraints"]["basic_constraints"] == kept


def test_custom_constraints_lose_what_is_forbidden() -> None:
    """The complete constraint if its filter or partition is affected, otherwise only targets."""
    specification = a_specification()
    targets = {"region": "make_same", "sex, amount": "make_distinct, sort_ascending"}
    specification["constraints"]["custom_constraints"] = {
        "by filter": {"filter": "date > '2024-01-02'", "partition": None, "targets": targets},
        "by partition": {"filter": None, "partition": "region, sex", "targets": targets},
        "by target": {"filter": "amount > 3", "partition": "region", "targets": targets},
        "all targets": {"filter": None, "partition": None, "targets": {"sex": "make_same"}},
        "none": {"filter": None, "partition": "id", "targets": {"region": "make_same"}},
    }
    part = _series(specification, static_columns=["sex"]).plan(1).existing
    assert part is not None
    assert part.specification["constraints"]["custom_constraints"] == {
        "by target": {
            "filter": "amount > 3",
            "partition": "region",
            "targets": {"region": "make_same"},
        },
        "none": {"filter": None, "partition": "id", "targets": {"region": "make_same"}},
    }
    assert part.removed.custom_constraints == (
        "by filter",
        "by partition",
        "by target: sex, amount",
        "all targets",
    )


def test_linked_groups_of_static_columns_go() -> None:
    """A linked group that is sampled from the reference table is not one of Exhibit's."""
    specification = a_specification()
    specification["columns"]["ward"] = deepcopy(specification["columns"]["sex"])
    specification["columns"]["ward"]["original_values"][0] = "ward | probability_vector | amount"
    specification["linked_columns"] = [[1, ["region", "ward"]]]
    assert _existing(_series(specification, static_columns=["ward"]), 1)["linked_columns"] == []
    kept = _existing(_series(specification, static_columns=["sex"]), 1)
    assert kept["linked_columns"] == [[1, ["region", "ward"]]]


def test_a_column_both_static_and_moved() -> None:
    """It moves in new records, and is sampled in existing ones."""
    series = _series(a_specification(), static_columns=["date"], date_columns=["date"])
    assert _new(series, 1)["columns"]["date"]["from"] == "2024-02-01"
    assert _existing(series, 1)["columns"]["date"]["type"] == "categorical"


def test_other_columns_are_those_of_new_records() -> None:
    """Columns that are neither sampled nor moved are the same in both parts of a period."""
    series = _series(a_specification())
    for name in ("region", "amount", "date"):
        assert _existing(series, 2)["columns"][name] == _new(series, 2)["columns"][name]


def test_specifications_are_plain_yaml() -> None:
    """yaml.safe_load reads both back, and they share no blocks."""
    series = _series(_seeds_specification(), static_columns=["gender"])
    for changed in (_new(series, 1), _existing(series, 1)):
        text = yaml.safe_dump(changed, sort_keys=False)
        assert yaml.safe_load(text) == changed
        assert "&id" not in text

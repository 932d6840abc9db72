"""Constraints beside missing values, in new and in existing records."""

from pathlib import Path

import pandas as pd
import pytest

from series_assets_tests.builders import a_specification
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    existing_records,
    generate_series,
    new_records,
)
from series_assets_tests.exhibit_features.constrained import constrained
from series_assets_tests.thorough import thorough

GAPS = {"dose": 0.3, "height": 0.3, "region": 0.2}


def test_making_whole_numbers_missing(tmp_path: Path) -> None:
    """make_null on an integer column leaves integers and missing values."""
    specification = constrained({"height": "make_null"}, None, "region == 'South'")
    finished = generate_series(tmp_path, specification, num_datasets=2)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert ((records["height"] == "") == (records["region"] == "South")).all()


@pytest.mark.each_value
@pytest.mark.parametrize("partition", [None, "region"])
@pytest.mark.parametrize(
    "targets",
    [
        {"dose": "make_almost_same"},
        {"height": "make_almost_same"},
        {"dose, height": "make_almost_same"},
        {"dose, height": "sort_ascending"},
        {"height": "sort_descending"},
        {"dose, amount": "sort_and_skew_right"},
        {"dose": "make_distinct"},
        {"dose": "generate_as_sequence"},
        {"height": "make_outlier"},
    ],
)
def test_actions_beside_missing_values(
    tmp_path: Path, targets: dict[str, str], partition: str | None
) -> None:
    """Missing values do not stop an action, and rows of an unknown group are unchanged."""
    specification = constrained(targets, partition)
    for name, chance in GAPS.items():
        specification["columns"][name]["miss_probability"] = chance
    without = constrained(targets, partition, "dose == 'none'")
    for name, chance in GAPS.items():
        without["columns"][name]["miss_probability"] = chance
    finished = generate_series(tmp_path / "with", specification, num_datasets=2)
    plain = generate_series(tmp_path / "without", without, num_datasets=2)
    for part in (new_records, existing_records):
        records, before = part(finished, 2), part(plain, 2)
        pd.testing.assert_series_equal(records["region"], before["region"])
        for name in ", ".join(targets).split(", "):
            if partition:
                groupless = before["region"] == ""
                assert groupless.any()
                assert records.loc[groupless, name].tolist() == before.loc[groupless, name].tolist()
            assert (records[name] != "").sum() > 0
            assert records[name].tolist() != before[name].tolist()


@pytest.mark.parametrize("direction", ["sort_ascending", "sort_descending"])
def test_sorting_by_groups_leaves_missing_values_last(tmp_path: Path, direction: str) -> None:
    """Each group is sorted, and no value is lost or added."""
    specification = constrained({"height": direction}, "region")
    specification["columns"]["height"]["miss_probability"] = 0.3
    finished = generate_series(tmp_path, specification, num_datasets=2)
    for records in (new_records(finished, 1), new_records(finished, 2)):
        for _, group in records.groupby("region")["height"]:
            known = [int(float(value)) for value in group if value]
            assert known == sorted(known, reverse=direction == "sort_descending")
            assert group.tolist()[len(known) :] == [""] * (len(group) - len(known))
            assert 0 < len(known) < len(group)


@pytest.mark.parametrize("how", ["high", "low"])
def test_a_filter_by_frequency_where_nothing_is_known(tmp_path: Path, how: str) -> None:
    """With no values at all, none is frequent or rare."""
    specification = constrained({"height": "assign_value$33"}, None, f"dose with_{how}_frequency")
    specification["columns"]["dose"]["miss_probability"] = 1.0
    specification["columns"]["height"]["distribution_parameters"]["target_min"] = 40
    finished = generate_series(tmp_path, specification, num_datasets=2)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert set(records["dose"]) == {""}
        assert "33" not in set(records["height"])


def test_rows_that_differ_in_a_blank_and_a_gap_are_duplicates(tmp_path: Path) -> None:
    """In the delivered file, an emptied value and a missing one are the same."""
    specification = constrained({"dose": "generate_as_sequence"}, "dose")
    specification["columns"]["dose"]["miss_probability"] = 0.3
    specification["metadata"]["date_columns"] = []
    del specification["columns"]["date"]
    specification["constraints"]["allow_duplicates"] = False
    finished = generate_series(
        tmp_path, specification, num_datasets=2, date_columns=[], start_date="2024-01-01"
    )
    records = new_records(finished, 1).drop(columns=["amount", "height"])
    assert not records.duplicated().any()
    assert (records["dose"] == "").any()


def test_text_made_the_same_where_the_first_is_missing(tmp_path: Path) -> None:
    """All rows get the value of the first one, which is missing; the run does not fail."""
    code = a_category("code", {"a": 1}, uniques=5, anonymising_set="a[0-9]", miss_probability=0.3)
    code["original_values"] = "regex"
    specification = with_columns(a_specification(number_of_rows=35, random_seed=11), code=code)
    specification["constraints"]["custom_constraints"] = {
        "one": {"targets": {"code": "shift_distribution_left, make_same"}}
    }
    finished = generate_series(tmp_path, specification, fraction_of_new="2/3")
    for number in (1, 2, 3):
        assert new_records(finished, number)["code"].nunique() == 1
    assert existing_records(finished, 2)["code"].eq("").all()


@pytest.mark.parametrize("static", [["lab"], ["lab", "sex"]])
def test_numbers_beside_a_missing_category_that_a_constraint_sets(
    tmp_path: Path, static: list[str]
) -> None:
    """Exhibit regenerates numbers then, also where it keeps the category as recorded."""
    lab = a_category("lab", {"p": 0.5, "q": 0.5}, miss_probability=0.3)
    lab["original_values"] = [
        "lab | probability_vector | dose",
        "p | 0.5 | 0.5",
        "q | 0.5 | 0.4",
        "Missing data | 0 | 0.1",
    ]
    dose = a_number()
    dose["distribution_parameters"] |= {"target_min": 0, "target_max": 100}
    specification = with_columns(
        a_specification(number_of_rows=300),
        sex=a_category("sex", {"F": 0.3, "M": 0.7}),
        lab=lab,
        dose=dose,
    )
    specification["constraints"]["custom_constraints"] = {
        "one": {"filter": "sex == 'F'", "targets": {"lab": "assign_value$q"}}
    }
    finished = generate_series(tmp_path, specification, num_datasets=2, static_columns=static)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        means = records["dose"].astype(float).groupby(records["lab"]).mean()
        assert means[""] < 15 < 45 < means["q"] < means["p"]


@pytest.mark.parametrize("static", [[], ["limit", "since"]])
def test_what_a_missing_bound_leaves_missing(tmp_path: Path, static: list[str]) -> None:
    """Exhibit blanks a fraction and a date beside a missing bound, not a whole number."""
    limit = a_number(miss_probability=0.3)
    limit["distribution_parameters"] |= {"target_min": 100, "target_max": 1000}
    specification = with_columns(
        a_specification(number_of_rows=120),
        limit=limit,
        used=a_number(),
        mixed=a_number(),
        whole=a_number("integer"),
        since=a_date("2024-01-01", "2024-01-20", 20, miss_probability=0.3),
    )
    specification["constraints"]["basic_constraints"] = [
        "used <= limit",
        "whole <= limit",
        "mixed <= limit+whole",
        "date >= since",
    ]
    finished = generate_series(tmp_path, specification, num_datasets=2, static_columns=static)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        for bound, column in (("limit", "used"), ("since", "date")):
            gaps = records[bound] == ""
            assert 0.15 < gaps.mean() < 0.45
            assert ((records[column] == "") == gaps).all()
        assert (records[["whole", "mixed"]] != "").all(axis=None)


@pytest.mark.parametrize("static", [["dose"], *thorough([])])
@pytest.mark.parametrize("action", ["make_distinct", "generate_as_sequence"])
def test_what_an_action_blanks_is_missing(tmp_path: Path, action: str, static: list[str]) -> None:
    """For what follows in a run too, and in new records as in existing ones."""
    specification = constrained({"dose": action}, "sex, region", "region != 'South'")
    specification["constraints"]["custom_constraints"]["two"] = {
        "filter": "dose.isna()",
        "targets": {"height": "assign_value$0"},
    }
    specification["derived_columns"] = {"known": "dose.notna()"}
    finished = generate_series(tmp_path, specification, num_datasets=2, static_columns=static)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        known = records["dose"] != ""
        assert 3 < known.sum() < len(known) - 3
        assert (records["known"] == known.map(str)).all()
        assert (records.loc[~known, "height"] == "0").all()
        assert (records.loc[known, "height"] != "0").any()


@pytest.mark.parametrize("name", ["height", "amount"])
def test_distinct_numbers(tmp_path: Path, name: str) -> None:
    """Repeated numbers become missing, which stock Exhibit fails on, at once or in what follows."""
    specification = constrained({name: "make_distinct"}, "sex")
    specification["columns"]["height"]["miss_probability"] = 0.1
    specification["derived_columns"] = {"twice": f"{name} * 2"}
    finished = generate_series(tmp_path, specification, num_datasets=2)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        for _, group in records.groupby("sex"):
            known = group.loc[group[name] != "", name].astype(float)
            assert len(known) and known.is_unique
            assert (group["twice"] == "").sum() == len(group) - len(known)


@pytest.mark.parametrize("action", ["make_same", "make_almost_same"])
def test_one_whole_number_for_some_rows_beside_missing_ones(tmp_path: Path, action: str) -> None:
    """The filtered rows get it; missing numbers elsewhere stay missing."""
    specification = constrained({"height": action}, None, "region == 'South'")
    specification["columns"]["height"]["miss_probability"] = 0.3
    finished = generate_series(tmp_path, specification, num_datasets=2)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        south = records["region"] == "South"
        assert records.loc[south, "height"].nunique() <= 3
        assert 1 < (records.loc[~south, "height"] == "").sum() < (~south).sum()


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_shifting_numbers_of_one_row(tmp_path: Path, gaps: float) -> None:
    """One number has no distribution to shift, and stays as it is."""
    targets = {"amount, height": "shift_distribution_right"}
    specification = constrained(targets)
    specification["columns"]["height"]["miss_probability"] = gaps
    specification["columns"]["id"]["frequency_distribution"] = a_uuid()["frequency_distribution"]
    finished = generate_series(tmp_path, specification, num_datasets=2, fraction_of_new="119/120")
    assert len(existing_records(finished, 2)) == 1


@pytest.mark.parametrize("static", [["sex"], []])
def test_gaps_that_constraints_ask_for_come_first(tmp_path: Path, static: list[str]) -> None:
    """Their filters see the records before any other action, and before each other's gaps."""
    specification = constrained({"height": "make_null"}, None, "sex == 'F'")
    specification["constraints"]["custom_constraints"] |= {
        "two": {"filter": "height.isna()", "targets": {"amount": "make_null"}},
        "three": {"filter": "sex == 'M'", "targets": {"dose": "assign_value$first"}},
        "four": {"filter": "sex == 'M' & dose != 'first'", "targets": {"region": "make_null"}},
    }
    finished = generate_series(tmp_path, specification, num_datasets=2, static_columns=static)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        is_male = records["sex"] == "M"
        assert ((records["height"] == "") != is_male).all()
        assert (records["amount"] != "").all()
        assert (records.loc[is_male, "dose"] == "first").all()
        assert 0.4 < (records.loc[is_male, "region"] == "").mean() < 1

"""Constraints in existing records: kept where possible, otherwise removed or applied later."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h3
import pandas as pd
import pytest

from series_assets.core.errors import GenerationError
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_category, a_date, a_number, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    database_with_tables,
    existing_records,
    generate_series,
    new_records,
    run_command,
    saved_specification,
)
from series_assets_tests.exhibit_features.constrained import constrained

Holds = Callable[[pd.DataFrame], Any]


def of_entities(rows: pd.DataFrame, column: str) -> list[list[str]]:
    """Return the values of a column by entity."""
    return [group.tolist() for _, group in rows.groupby("id")[column]]


def numbers(rows: pd.DataFrame, column: str) -> "pd.Series[float]":
    """Return a column as numbers."""
    return rows[column].astype(float)


def go_together(rows: pd.DataFrame, sign: int) -> bool:
    """Return whether amount and height rise together, as sorting both makes them do."""
    ranks = [numbers(rows, name).rank() for name in ("amount", "height")]
    return ranks[0].corr(ranks[1]) * sign > 0.95


ACTIONS: list[tuple[str, dict[str, str], str | None, str | None, Holds]] = [
    ("make_same", {"dose": "make_same"}, "id", None,
     lambda rows: all(len(set(of)) == 1 for of in of_entities(rows, "dose"))),
    ("make_almost_same", {"dose": "make_almost_same"}, None, None,
     lambda rows: rows["dose"].value_counts().iloc[0] > 0.8 * len(rows)),
    ("make_distinct", {"dose": "make_distinct"}, "id", None,
     lambda rows: all(len({*of} - {""}) == len(of) - of.count("")
                      for of in of_entities(rows, "dose"))),
    ("generate_as_sequence", {"dose": "generate_as_sequence"}, "id", None,
     lambda rows: all(sorted(of) == sorted(["first", "second", "third"][: len(of)])
                      for of in of_entities(rows, "dose"))),
    ("generate_as_repeating_sequence", {"dose": "generate_as_repeating_sequence"}, None, None,
     lambda rows: rows["dose"].value_counts().max() - rows["dose"].value_counts().min() <= 1),
    ("sort_ascending", {"amount, height": "sort_ascending"}, None, None,
     lambda rows: go_together(rows, 1)),
    ("sort_descending", {"amount": "sort_descending", "height": "sort_ascending"}, None, None,
     lambda rows: go_together(rows, -1)),
    ("make_null", {"amount": "make_null"}, None, "region == 'South'",
     lambda rows: ((rows["amount"] == "") == (rows["region"] == "South")).all()),
    ("assign_value", {"region": "assign_value$Nowhere"}, None, "dose == 'first'",
     lambda rows: set(rows.loc[rows["dose"] == "first", "region"]) == {"Nowhere"}),
    ("make_outlier", {"height": "make_outlier"}, None, "region == 'North'",
     lambda rows: numbers(rows, "height").groupby(rows["region"]).std().idxmax() == "North"),
    ("shift_distribution_right", {"height": "shift_distribution_right"}, None, None,
     lambda rows: numbers(rows, "height").median() > 55),
    ("shift_distribution_left", {"height": "shift_distribution_left"}, None, None,
     lambda rows: numbers(rows, "height").median() < 55),
    ("sort_and_skew_right", {"amount, height": "sort_and_skew_right"}, None, None,
     lambda rows: numbers(rows, "height").nunique() > 10),
    ("sort_and_skew_left", {"amount, height": "sort_and_skew_left"}, None, None,
     lambda rows: numbers(rows, "height").nunique() > 10),
    ("sort_and_make_peak", {"amount, height": "sort_and_make_peak"}, None, None,
     lambda rows: numbers(rows, "height").nunique() > 10),
    ("sort_and_make_valley", {"amount, height": "sort_and_make_valley"}, None, None,
     lambda rows: numbers(rows, "height").nunique() > 10),
    ("of frequent ones", {"height": "assign_value$33"}, None, "dose with_high_frequency",
     lambda rows: "33" in set(rows["height"])),
    ("of rare ones", {"dose": "assign_value$Rare"}, None, "region with_low_frequency",
     lambda rows: 0 < (rows["dose"] == "Rare").sum() < len(rows)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("targets", "partition", "where", "holds"),
    [case[1:] for case in ACTIONS],
    ids=[case[0] for case in ACTIONS],
)
def test_an_action_works_in_existing_records(
    tmp_path: Path,
    targets: dict[str, str],
    partition: str | None,
    where: str | None,
    holds: Holds,
) -> None:
    """An action on columns that are neither static nor moved is kept, and is applied."""
    specification = constrained(targets, partition, where)
    finished = generate_series(tmp_path, specification, num_datasets=2)
    constraints = saved_specification(finished, 2, "existing")["constraints"]["custom_constraints"]
    assert constraints == specification["constraints"]["custom_constraints"]
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert holds(records)


@pytest.mark.parametrize("where", ["date > '2024-01-25'", "sex == 'M'"])
def test_a_number_that_a_constraint_sets_is_not_regenerated(tmp_path: Path, where: str) -> None:
    """A change of categories leaves a target of another constraint alone, in both parts.

    That constraint is applied to existing records later, because of the column in its filter.
    """
    specification = with_columns(
        a_specification(number_of_rows=600),
        ward=a_category("ward", {"low": 0.5, "high": 0.5}),
        kind=a_category("kind", {"x": 0.5, "y": 0.5}),
    )
    rows = [row.split("|") for row in specification["columns"]["ward"]["original_values"]]
    weights = ("amount", "0.05", "0.95", "0")
    specification["columns"]["ward"]["original_values"] = [
        " | ".join([*row, weight]) for row, weight in zip(rows, weights, strict=True)
    ]
    specification["constraints"]["custom_constraints"] = {
        "one ward": {"filter": "kind == 'x'", "targets": {"ward": "assign_value$low"}},
        "free": {"filter": where, "targets": {"amount": "assign_value$0"}},
    }
    finished = generate_series(tmp_path, specification, num_datasets=2)
    means = []
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        amounts = numbers(records, "amount")
        means.append(amounts[(records["kind"] == "x") & (amounts > 0)].mean())
    assert means[0] == pytest.approx(means[1], rel=0.2)


def test_missing_values_that_a_constraint_forbids(tmp_path: Path) -> None:
    """make_not_null leaves no missing value where its filter matches, in either part."""
    specification = constrained({"height": "make_not_null"}, None, "region == 'South'")
    specification["columns"]["height"]["miss_probability"] = 0.5
    finished = generate_series(tmp_path, specification, num_datasets=2)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        gaps = records["height"] == ""
        assert not gaps[records["region"] == "South"].any()
        assert gaps[records["region"] != "South"].any()


@pytest.mark.parametrize(("action", "chance"), [("make_null", 0), ("make_not_null", 0.5)])
@pytest.mark.parametrize("filtered", ["sex == 'F'", "dose == 'first'"])
def test_places_that_a_constraint_blanks_or_fills(
    tmp_path: Path, filtered: str, action: str, chance: float
) -> None:
    """Both coordinates of a place are missing, or are not; stock Exhibit adds a column."""
    cells = [{"h3": cell} for cell in h3.k_ring(h3.geo_to_h3(55.9, -3.2, 8), 2)]
    own = database_with_tables(tmp_path / "own.db", places=cells)
    specification = constrained({"home": action}, None, filtered)
    specification["metadata"]["geospatial_columns"] = []
    place = {"h3_table": "places", "distribution": "uniform", "miss_probability": chance}
    with_columns(specification, home={"type": "geospatial", **place})
    finished = generate_series(
        tmp_path, specification, num_datasets=2, static_columns=["sex"], exhibit_db_path=str(own)
    )
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        column, _, value = filtered.split(" ")
        selected = records[column] == value.strip("'")
        assert "home" not in records
        for name in ("home_latitude", "home_longitude"):
            gaps = records[name] == ""
            assert (gaps[selected] == (action == "make_null")).all()
            assert gaps[~selected].any() == bool(chance)


def regions(folder: Path, partition: str, *, rings: int) -> tuple[Path, dict[str, Any]]:
    """Return a database of places, and a specification with a region of them for each group."""
    cells = [{"h3": cell} for cell in h3.k_ring(h3.geo_to_h3(55.9, -3.2, 8), rings)]
    own = database_with_tables(folder / "own.db", places=cells)
    specification = constrained({"home": "geo_make_regions"}, partition)
    specification["metadata"]["geospatial_columns"] = []
    place = {"h3_table": "places", "distribution": "uniform", "miss_probability": 0.0}
    return own, with_columns(specification, home={"type": "geospatial", **place})


@pytest.mark.parametrize("static", [["sex"], ["region"]])
def test_places_by_region(tmp_path: Path, static: list[str]) -> None:
    """With regions that are not static, geo_make_regions gives each its own area of the map.

    Numbers follow the weights of their row's categories, whose rows Exhibit reorders by region.
    """
    own, specification = regions(tmp_path, "region", rings=4)
    with_columns(specification, **{"row number": a_category("row number", {"x": 1.0})})
    specification["constraints"]["custom_constraints"]["north"] = {
        "filter": "home_latitude > 55.9", "targets": {"amount": "assign_value$500"}
    }  # fmt: skip
    finished = generate_series(
        tmp_path, specification, num_datasets=2, static_columns=static, exhibit_db_path=str(own)
    )
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        points = records[["home_latitude", "home_longitude"]].astype(float)
        assert points["home_latitude"].between(55.8, 56.0).all()
        assert points["home_longitude"].between(-3.4, -3.0).all()
        assert points.groupby(list(points)).ngroup().groupby(records["region"]).nunique().min() > 1
        owners = records["region"].groupby([points[name] for name in points]).nunique()
        assert (owners == 1).all()
        amounts = numbers(records, "amount")
        assert ((points["home_latitude"] > 55.9) == (amounts == 500)).all()
        assert set(records["row number"]) == {"x"}
        means = amounts[amounts != 500].groupby(records["sex"]).mean()
        assert means["F"] > 2 * means["M"]  # their weights are 0.8 and 0.2


def test_more_groups_than_the_map_has_room_for(tmp_path: Path) -> None:
    """The message says what can be changed."""
    own, specification = regions(tmp_path, "region, dose", rings=1)
    with pytest.raises(GenerationError) as caught:
        generate_series(tmp_path, specification, num_datasets=1, exhibit_db_path=str(own))
    assert str(caught.value).endswith(
        "(new records): Exhibit failed with RuntimeError: Can't create a subregion for a group of "
        "geo_make_regions; use fewer groups, more cells in its h3_table or another random_seed"
    )


@pytest.mark.parametrize("where", ["sex == 'M'", "date > '2024-01-15'"])
def test_a_constraint_sees_what_the_one_before_it_has_changed(tmp_path: Path, where: str) -> None:
    """In existing records too, to which the first one is applied later, because of its filter."""
    specification = constrained({"height": "assign_value$0"}, where=where)
    specification["constraints"]["custom_constraints"]["two"] = {
        "filter": "height > 50", "targets": {"amount": "assign_value$500"}
    }  # fmt: skip
    finished = generate_series(tmp_path, specification, num_datasets=2)
    saved = saved_specification(finished, 2, "existing")["constraints"]["custom_constraints"]
    assert list(saved) == ["two"]
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert ((numbers(records, "height") > 50) == (numbers(records, "amount") == 500)).all()
        assert set(numbers(records, "amount") == 500) == {True, False}


@pytest.mark.parametrize("filtered", ["height > 50", "height > least"])
def test_a_custom_constraint_sees_what_a_basic_one_has_adjusted(
    tmp_path: Path, filtered: str
) -> None:
    """In existing records too, in which the basic one has a static bound."""
    specification = constrained({"amount": "assign_value$500"}, where=filtered)
    parameters = {"dispersion": 0.1, "target_min": 1, "target_max": 60}
    with_columns(specification, least=a_number(distribution_parameters=parameters))
    specification["constraints"]["basic_constraints"] = ["height > least"]
    specification["columns"]["height"]["distribution_parameters"] |= {"target_min": 0}
    finished = generate_series(
        tmp_path, specification, num_datasets=2, static_columns=["sex", "least"]
    )
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        height, least = numbers(records, "height"), numbers(records, "least")
        assert (height > least).all()
        bound = least if "least" in filtered else 50
        assert ((height > bound) == (numbers(records, "amount") == 500)).all()


NOT_KEPT = [
    ({"sex": "sort_ascending"}, None, None),
    ({"sex, region": "make_same"}, "id", None),
    ({"date": "sort_ascending"}, "id", None),
    ({"region": "make_same"}, "sex", None),
    ({"region": "make_null"}, None, "sex == 'F'"),
    ({"region": "make_null"}, None, "date > '2024-01-15'"),
    ({"region": "make_same"}, "id, date", None),
]


@pytest.mark.parametrize(("targets", "partition", "where"), NOT_KEPT)
def test_a_constraint_that_mentions_a_static_or_moved_column(
    tmp_path: Path, targets: dict[str, str], partition: str | None, where: str | None
) -> None:
    """It is not in the specification of existing records, which contains only what is run.

    What it makes missing is still missing in existing records, and nothing else is.
    """
    finished = generate_series(tmp_path, constrained(targets, partition, where), num_datasets=2)
    assert not saved_specification(finished, 2, "existing")["constraints"]["custom_constraints"]
    assert saved_specification(finished, 2, "new")["constraints"]["custom_constraints"]
    records, blanked = existing_records(finished, 2), "make_null" in targets.values()
    rows = records.eval(where.replace("2024-01", "2024-02")) if where and blanked else False
    assert ((records["region"] == "") == rows).all()


def test_a_number_that_is_kept_in_a_filter() -> None:
    """A filter on a static number is removed too."""
    specification = constrained({"region": "make_null"}, None, "height > 50")
    series = a_series(specification, a_user_input(static_columns=["height"]))
    part = series.plan(1).existing
    assert part is not None
    assert part.removed.custom_constraints == ("one",)
    assert part.specification["constraints"]["custom_constraints"] == {}


def test_basic_constraints_hold_in_both_parts(tmp_path: Path) -> None:
    """Between numbers, dates, literals and calculations, and for names with blanks."""
    specification = with_columns(
        a_specification(number_of_rows=90),
        **{
            "my height": a_number("integer"),
            "seen on": a_date("2024-01-01", "2024-01-31", 31),
            "cost": a_number(),
        },
    )
    specification["constraints"]["basic_constraints"] = [
        "amount > 20",
        "~my height~ <= cost",
        "cost >= amount*0.5",
        "~seen on~ >= date",
    ]
    finished = generate_series(tmp_path, specification, date_columns=["date", "seen on"])
    for records in (new_records(finished, 3), existing_records(finished, 3)):
        assert (numbers(records, "amount") > 20).all()
        assert (records["seen on"] >= records["date"]).all()
        assert (numbers(records, "cost") >= numbers(records, "amount") * 0.5).all()


def test_days_are_equal_where_they_have_to_be(tmp_path: Path) -> None:
    """A constraint on equal dates holds in existing records, although it is removed there."""
    specification = with_columns(a_specification(), updated=a_date("2024-01-01", "2024-01-31", 31))
    specification["constraints"]["basic_constraints"] = ["updated == date"]
    finished = generate_series(tmp_path, specification, date_columns=["date", "updated"])
    assert saved_specification(finished, 2, "existing")["constraints"]["basic_constraints"] == []
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert (records["updated"] == records["date"]).all()


REFUSED: list[tuple[str, Any, str]] = [
    ("basic", "amount<3", "constraints.basic_constraints 'amount<3' is not 'column operator "
     "expression' with one of < > <= >= == between spaces"),
    ("basic", "amount != 3", "constraints.basic_constraints 'amount != 3' is not 'column operator "
     "expression' with one of < > <= >= == between spaces"),
    ("basic", "1 < amount < 3", "constraints.basic_constraints '1 < amount < 3' is not 'column "
     "operator expression' with one of < > <= >= == between spaces"),
    ("basic", "sex == 3", "constraints.basic_constraints 'sex == 3' adjusts a categorical column"),
    ("basic", "amount > ghost", "constraints.basic_constraints 'amount > ghost' names 'ghost', "
     "which is not a known column; known here: id, sex, region, amount, date, dose, height"),
    ("custom", {"partition": ["id"], "targets": {"dose": "make_same"}},
     "constraints.custom_constraints.one.partition ['id'] is not text; put it in quotes"),
    ("custom", {"partition": "id"},
     "constraints.custom_constraints.one.targets is missing; name the columns and what is done "
     "with them"),
    ("custom", {"partition": "id", "targets": None},
     "constraints.custom_constraints.one.targets (empty) is not a mapping of keys to values"),
    ("custom", {"targets": {"~dose~": "make_same"}},
     "constraints.custom_constraints.one.targets names '~dose~', which is not under columns"),
    ("custom", {"partition": "~id~", "targets": {"dose": "make_same"}},
     "constraints.custom_constraints.one.partition names '~id~', which is not under columns"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "constraint", "fault"), REFUSED)
def test_a_constraint_that_exhibit_stumbles_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, constraint: Any, fault: str
) -> None:
    """Forms that Exhibit cannot read are refused, with their place in the file."""
    specification = constrained({"dose": "make_same"})
    if kind == "basic":
        specification["constraints"]["basic_constraints"] = [constraint]
    else:
        specification["constraints"]["custom_constraints"] = {"one": constraint}
    assert run_command(monkeypatch, tmp_path, "validate", specification) == (2, fault)


@pytest.mark.parametrize("text", ["`my col` > 3", "my col > 3"])
def test_a_filter_in_which_blanks_are_not_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """A name with blanks needs tildes; Exhibit does not support backticks."""
    specification = with_columns(
        constrained({"dose": "make_same"}, None, text), **{"my col": a_number()}
    )
    ended, message = run_command(monkeypatch, tmp_path, "validate", specification)
    assert ended == 2
    assert message.startswith(f"constraints.custom_constraints.one.filter '{text}'")


@pytest.mark.each_value
@pytest.mark.parametrize("dispersion", [0, 0.2])
@pytest.mark.parametrize("precision", ["integer", "float"])
@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
def test_a_bound_below_zero(
    tmp_path: Path, operator: str, precision: str, dispersion: float
) -> None:
    """Bounds below zero work like bounds above zero."""
    specification = with_columns(
        a_specification(number_of_rows=60), cost=a_number(), depth=a_number(precision)
    )
    wanted = {
        "cost": {"target_min": -30, "target_max": -5, "dispersion": 0.2},
        "depth": {"target_min": -20, "target_max": -15, "dispersion": dispersion},
    }
    for name, parameters in wanted.items():
        specification["columns"][name]["distribution_parameters"].update(parameters)
    specification["constraints"]["basic_constraints"] = [f"depth {operator} cost"]
    finished = generate_series(tmp_path, specification, num_datasets=2)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        depth, cost = numbers(records, "depth"), numbers(records, "cost")
        assert records.assign(depth=depth, cost=cost).eval(f"depth {operator} cost").all()
        assert depth.nunique() > 5

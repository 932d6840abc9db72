"""Ordinary series as a consumer's pandas code sees them: entities, totals and cross joins.

Each test generates the smallest series that shows the promise, and reads only delivered files.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.package_checks import failed_findings
from series_assets_tests.statistical.long_series import Ask, LongSeries, make
from series_assets_tests.statistical.specifications import (
    a_normal_number,
    a_pair,
    a_pattern,
    a_place,
    linked_tables,
    places,
)
from series_assets_tests.thorough import mostly_thorough, thorough

SEVERAL = ["frequency | probability_vector", "1 | 0.2", "3 | 0.8"]


def generate_series(
    folder: Path, specification: dict[str, Any], tables: Any = None, **more: Any
) -> LongSeries:
    """Generate three periods of a series, with half of the records new."""
    keys = {"num_datasets": 3, "fraction_of_new": "1/2", "static_columns": None}
    return make(Ask(specification, a_user_input(**{**keys, **more}), tables or {}), folder)


def values_of_entities(records: pd.DataFrame, *names: str) -> "pd.Series[int]":
    """Return the number of distinct values of each entity with several rows."""
    several = records[records.duplicated("id", keep=False)].fillna("")
    assert several["id"].nunique() > 10
    return several.groupby("id")[list(names)].apply(lambda rows: len(rows.drop_duplicates()))


# Static columns of entities with several rows.


def with_statics(missing: float = 0.0) -> dict[str, Any]:
    """Return a specification of many static columns, with several rows for most entities."""
    specification = a_specification(number_of_rows=120, geospatial_columns=[])
    columns = {
        **a_pair(),
        "code": a_pattern(),
        "bird": a_category("bird", dict.fromkeys("pqrs", 0.25), anonymising_set="birds"),
        "board": a_category("board", {"b 0": 0.5, "b 1": 0.3, "b 2": 0.2}),
        "place": a_category("place", {}, uniques=40) | {"original_values": None},
        "birth": a_date("1950-01-01", "1999-12-31", 5000),
        "home": a_place(),
        "height": a_normal_number(),
    }
    with_columns(specification, **columns)
    specification["columns"]["id"]["frequency_distribution"] = list(SEVERAL)
    specification["linked_columns"] = [[1, ["board", "place"]]]
    specification["derived_columns"] = {"year": "birth.dt.year", "twice": "(height * 2)"}
    for name, column in specification["columns"].items():
        column["miss_probability"] = missing if name != "id" else 0
    return specification


STATICS: dict[str, tuple[str, ...]] = {
    "sex": ("sex",),
    "ward": ("ward", "label"),
    "code": ("code",),
    "bird": ("bird",),
    "place": ("board", "place"),
    "birth": ("birth",),
    "home": ("home_latitude", "home_longitude"),
    "height": ("height",),
    "year": ("year",),
}
"""The columns that are static with a static column: its pairs and its group."""


@pytest.mark.each_value
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("name", mostly_thorough(STATICS, *list(STATICS)[::3]))
def test_an_entity_of_several_rows_has_one_value(tmp_path: Path, name: str, missing: float) -> None:
    """In every file, the first one too, an entity's rows have one static value."""
    series = generate_series(
        tmp_path,
        with_statics(missing),
        {**linked_tables(), "places": places()},
        static_columns=[name],
    )
    for run in series.new:
        assert values_of_entities(run.records, *STATICS[name]).max() == 1, f"period {run.k}"
    # Static values differ between entities, and all others still vary.
    first = series.new[0].records
    assert first[STATICS[name][-1]].nunique() > 1
    assert values_of_entities(first, "date").max() > 1
    together = pd.concat(series.datasets)
    assert values_of_entities(together, *STATICS[name]).max() == 1


@pytest.mark.thorough
def test_all_statics_at_once(tmp_path: Path) -> None:
    """All static values of an entity stay together, as in its first row."""
    series = generate_series(
        tmp_path,
        with_statics(),
        {**linked_tables(), "places": places()},
        static_columns=list(STATICS),
    )
    names = [column for columns in STATICS.values() for column in columns]
    for records in (*series.datasets, pd.concat(series.datasets)):
        assert values_of_entities(records, *names).max() == 1
        years = records["birth"].str[:4].astype(float)
        assert (records["year"] == years).all()
    place_of = {row["place"]: row["board"] for row in linked_tables()["temp_demo_1"]}
    for records in series.datasets:
        assert (records["place"].map(place_of) == records["board"]).all()


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_numbers_follow_the_static_category_that_is_delivered(
    tmp_path: Path, missing: float
) -> None:
    """A number without dispersion has one value per category, in each file."""
    specification = a_specification(number_of_rows=120)
    columns = specification["columns"]
    columns["id"]["frequency_distribution"] = list(SEVERAL)
    columns["sex"]["miss_probability"] = missing
    columns["sex"]["original_values"] = [
        "sex | probability_vector | amount",
        "F | 0.5 | 0.6",
        "M | 0.5 | 0.2",
        "Missing data | 0.0 | 0.2",
    ]
    columns["region"] = a_category("region", {"North": 0.5, "South": 0.5})
    columns["amount"] = a_number(distribution_parameters={"dispersion": 0, "target_sum": 12000})
    series = generate_series(tmp_path, specification, static_columns=["sex"])
    for run in series.runs:
        amounts = run.records.dropna(subset=["sex"]).groupby("sex")["amount"]
        assert (amounts.nunique() == 1).all(), (run.k, run.part)
        if not missing:
            mean = amounts.mean()
            assert mean["F"] / mean["M"] == pytest.approx(3, rel=1e-3)
            assert run.records["amount"].sum() == pytest.approx(100 * len(run.records), rel=1e-3)


@pytest.mark.parametrize("static", [["sex"], ["sex", "near"]])
def test_a_value_looked_up_by_what_is_kept_fits_it(tmp_path: Path, static: list[str]) -> None:
    """A set joined on a static column gives each record its matching value."""
    specification = a_specification(number_of_rows=120)
    specification["columns"]["id"]["frequency_distribution"] = list(SEVERAL)
    near = a_category("near", {"Ash": 0.5, "Elm": 0.5})
    near["anonymising_set"] = (
        "SELECT temp_demo.sex, wards.ward AS near FROM temp_demo JOIN wards "
        "ON temp_demo.sex = wards.sex"
    )
    with_columns(specification, near=near)
    wards = {"F": "Ash", "M": "Elm"}
    table = [{"sex": sex, "ward": ward} for sex, ward in wards.items()]
    series = generate_series(tmp_path, specification, {"wards": table}, static_columns=static)
    for records in (*(run.records for run in series.new), *series.datasets):
        assert (records["sex"].map(wards) == records["near"]).all()
    assert values_of_entities(pd.concat(series.datasets), *static).max() == 1


def test_whole_numbers_with_a_sum_stay_in_their_rows(tmp_path: Path) -> None:
    """Numbers regenerated after a change of categories match them, and none are lost."""
    specification = a_specification(number_of_rows=400)
    columns = specification["columns"]
    columns["sex"]["original_values"] = [
        "sex | probability_vector | amount",
        "F | 0.5 | 0.6",
        "M | 0.5 | 0.2",
        "Missing data | 0.0 | 0.2",
    ]
    columns["region"] = a_category("region", {"North": 0.5, "South": 0.5})
    parameters = {"dispersion": 0, "target_sum": 40000}
    columns["amount"] = a_number(
        "integer", distribution_parameters=parameters, miss_probability=0.3
    )
    rule = {"targets": {"region": "make_almost_same"}}
    specification["constraints"]["custom_constraints"] = {"regions": rule}
    series = generate_series(tmp_path, specification)
    for run in series.runs:
        rows = len(run.records)
        missing = run.records["amount"].isna().mean()
        assert abs(missing - 0.3) < 5 * (0.3 * 0.7 / rows) ** 0.5, (run.k, run.part)
        of_sex = run.records.groupby("sex")["amount"]
        assert (of_sex.max() - of_sex.min()).max() <= 1, (run.k, run.part)


def test_linked_identifiers_and_what_they_keep(tmp_path: Path) -> None:
    """Columns linked to an identifier are static for entities with several rows."""
    specification = a_specification(number_of_rows=120)
    for name, kind in (("id", "uuid"), ("chi", "pseudo_chi")):
        column = a_uuid(kind, uuid_seed=len(name), frequency_distribution=list(SEVERAL))
        with_columns(specification, **{name: column})
    series = generate_series(tmp_path, specification, linked_columns=["id", "chi", "region"])
    for records in (*series.datasets, pd.concat(series.datasets)):
        assert values_of_entities(records, "chi", "region").max() == 1


def test_a_column_linked_to_another_identifier_than_the_first(tmp_path: Path) -> None:
    """It is static for the entity; that identifier varies by row.

    Only identifiers that are linked to each other are one to one, also to the checks.
    """
    specification = a_specification(number_of_rows=60)
    for seed, name in enumerate(("id", "visit")):
        column = a_uuid(uuid_seed=1000 * seed, frequency_distribution=list(SEVERAL))
        with_columns(specification, **{name: column})
    user_input = a_user_input(
        num_datasets=2, fraction_of_new="1/2", static_columns=None, linked_columns=["visit", "sex"]
    )
    place = write_series(tmp_path, specification, user_input)
    series = load_series(place)
    generate(series, tmp_path / "data")
    records = pd.read_csv(tmp_path / "data" / "demo" / "dataset_1.csv")
    assert values_of_entities(records, "sex").max() == 1
    assert values_of_entities(records, "visit").max() > 1
    assert failed_findings(series, tmp_path / "data") == []


# Derived columns that depend on other rows.

LOOKING_AROUND = {
    "share": "amount / amount.sum()",
    "above": "(amount - amount.mean())",
    "place_in_all": "amount.rank()",
    "of_sex": "df.groupby('sex')['amount'].sum()",
    "running": "amount.cumsum()",
    "before": "amount.shift()",
    "from_share": "(share * 100)",
    "elsewhere": "(age.isin(height) * 1)",
    "among_these": "(age.isin([20, 30, 40]) * 1)",
}


@pytest.fixture(scope="module")
def over_other_rows(tmp_path_factory: pytest.TempPathFactory) -> LongSeries:
    """A series of derived columns that depend on other rows."""
    specification = with_columns(
        a_specification(), age=a_number("integer"), height=a_number("integer")
    )
    specification["derived_columns"] = dict(LOOKING_AROUND)
    return generate_series(
        tmp_path_factory.mktemp("derived"), specification, static_columns=["sex"]
    )


def test_shares_of_a_total_add_up_to_one(over_other_rows: LongSeries) -> None:
    """Shares refer to the sum of their dataset."""
    for records in over_other_rows.datasets:
        assert records["share"].sum() == pytest.approx(1)
        assert records["from_share"].sum() == pytest.approx(100)
        right = records["amount"] / records["amount"].sum()
        assert records["share"].tolist() == pytest.approx(right.tolist())


def test_totals_are_those_of_the_dataset(over_other_rows: LongSeries) -> None:
    """Means, ranks and group totals are computed over new and existing records together."""
    for records in over_other_rows.datasets:
        amount = records["amount"]
        for name, right in (
            ("above", amount - amount.mean()),
            ("place_in_all", amount.rank()),
            ("of_sex", amount.groupby(records["sex"]).transform("sum")),
        ):
            assert records[name].tolist() == pytest.approx(right.tolist()), name


def test_what_depends_on_the_order_goes_through_each_row_once(over_other_rows: LongSeries) -> None:
    """Running totals end in the sum of the dataset, and each row has one predecessor."""
    for records in over_other_rows.datasets:
        amount = records["amount"]
        assert records["running"].max() == pytest.approx(amount.sum())
        assert records["running"].nunique() == len(records)
        assert records["before"].isna().sum() == 1
        assert set(records["before"].dropna()) <= set(amount)


def test_values_are_looked_for_in_the_whole_dataset(over_other_rows: LongSeries) -> None:
    """Whether a value is in another column depends on the rows of both parts."""
    for records in over_other_rows.datasets:
        found = records["age"].isin(records["height"])
        assert (records["elsewhere"] == found).all() and found.nunique() == 2
        assert (records["among_these"] == records["age"].isin([20, 30, 40])).all()


def test_in_files_of_new_records_they_are_of_these(over_other_rows: LongSeries) -> None:
    """In a file of new records, shares refer to that file."""
    for run in over_other_rows.new:
        amount = run.records["amount"]
        assert run.records["share"].sum() == pytest.approx(1)
        assert run.records["place_in_all"].tolist() == pytest.approx(amount.rank().tolist())
        totals = amount.groupby(run.records["sex"]).transform("sum")
        assert run.records["of_sex"].tolist() == pytest.approx(totals.tolist())


# Cross joins that are cut.


@pytest.mark.parametrize("rows", [51, *thorough(50, 55)])
def test_another_combination_is_cut_in_each_period(tmp_path: Path, rows: int) -> None:
    """If combinations do not divide the rows, different ones are cut in each period."""
    specification = a_specification(number_of_rows=rows)
    for name in ("sex", "region"):
        specification["columns"][name]["cross_join_all_unique_values"] = True
    series = generate_series(tmp_path, specification, num_datasets=12)
    for part in ("new", "existing"):
        runs = [run for run in series.part(part) if run.k]
        crossed = {run.k: run.records.groupby(["sex", "region"]).size() for run in runs}
        counts = pd.DataFrame(crossed)
        assert (counts.sum() == (rows // 2 if part == "new" else rows - rows // 2)).all()
        short = counts.lt(counts.max(axis=0)).T
        assert len(short.drop_duplicates()) > 3, part
        # Six combinations: over eleven periods, each is cut at least once but not always.
        assert counts.sum(axis=1).max() - counts.sum(axis=1).min() < 11, part

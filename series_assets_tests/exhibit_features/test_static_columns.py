"""Static columns of every kind: existing records keep them, including their weights."""

import sqlite3
from contextlib import closing
from math import sqrt
from pathlib import Path
from typing import Any

import h3
import numpy as np
import pandas as pd
import pytest
import yaml
from exhibit.core import exhibit as stock

from series_assets.scaffolding.new_series import create_series
from series_assets_tests.builders import a_specification
from series_assets_tests.checker import Finished
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    DATA,
    database_with_tables,
    existing_records,
    generate_from,
    generate_series,
    new_records,
    saved_specification,
)
from series_assets_tests.thorough import thorough


def ratio(rows: pd.DataFrame, by: str, high: str, low: str) -> tuple[float, float]:
    """Return the ratio of the mean amounts of two values, and its standard error."""
    groups = rows["amount"].astype(float).groupby(rows[by])
    mean, error = groups.mean(), groups.var() / groups.size()
    found = mean[high] / mean[low]
    spread = error[high] / mean[high] ** 2 + error[low] / mean[low] ** 2
    return found, found * sqrt(spread)


def assert_same_ratio(finished: Finished, by: str, high: str, low: str) -> None:
    """Assert that a number depends on a column equally in new and existing records."""
    (wanted, error), (found, other) = (
        ratio(part(finished, 2), by, high, low) for part in (new_records, existing_records)
    )
    assert wanted > 1.3
    assert found == pytest.approx(wanted, abs=5 * sqrt(error**2 + other**2))


def weighted(**more: Any) -> dict[str, Any]:
    """Return a specification whose amount has a total and depends on sex and region."""
    return with_columns(
        a_specification(number_of_rows=2400),
        amount=a_number(distribution_parameters={"dispersion": 0.1, "target_sum": 240_000}),
        **more,
    )


@pytest.mark.parametrize("missing", [0.0, 0.25])
def test_numbers_depend_on_two_static_categories_at_once(tmp_path: Path, missing: float) -> None:
    """Existing records have the ratios of both columns."""
    specification = weighted()
    for name in ("sex", "region"):
        specification["columns"][name]["miss_probability"] = missing
    finished = generate_series(
        tmp_path, specification, num_datasets=2, static_columns=["sex", "region"]
    )
    assert_same_ratio(finished, "sex", "F", "M")
    assert_same_ratio(finished, "region", "West", "North")
    if missing:
        blanks = (existing_records(finished, 2)[["sex", "region"]] == "").mean()
        assert blanks.between(missing - 0.08, missing + 0.08).all()


def test_numbers_depend_on_a_static_category_without_any_dispersion(tmp_path: Path) -> None:
    """With only static categories and no dispersion, each category still has its number."""
    parameters = {"dispersion": 0, "target_min": 10, "target_max": 90}
    specification = with_columns(
        a_specification(number_of_rows=300), amount=a_number(distribution_parameters=parameters)
    )
    finished = generate_series(tmp_path, specification, static_columns=["sex", "region"])
    for rows in (new_records(finished, 2), existing_records(finished, 2)):
        by_both = rows.groupby(["sex", "region"])["amount"].nunique()
        assert set(by_both) == {1}
        # North and South have the same weight.
        assert rows["amount"].nunique() == 4


@pytest.mark.each_value
@pytest.mark.parametrize("precision", ["integer", "float"])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_a_static_number(tmp_path: Path, precision: str, missing: float) -> None:
    """It keeps its recorded value: integers stay integers, missing values stay missing."""
    specification = with_columns(
        a_specification(number_of_rows=80), height=a_number(precision, miss_probability=missing)
    )
    if not missing:  # Exhibit blanks what is compared with nothing
        specification["constraints"]["basic_constraints"] = ["amount < height"]
    specification["derived_columns"] = {"share": "(amount / height)"}
    finished = generate_series(tmp_path, specification, static_columns=["height"])
    rows = existing_records(finished, 3)
    assert rows["height"].str.contains(".", regex=False).any() == (precision == "float")
    assert ("" in set(rows["height"])) == bool(missing)
    known = rows[rows["height"] != ""]
    shares = known["amount"].astype(float) / known["height"].astype(float)
    assert known["share"].astype(float).tolist() == pytest.approx(shares.tolist())


@pytest.mark.parametrize("missing", [0.3, *thorough(0.0)])
def test_a_static_date(tmp_path: Path, missing: float) -> None:
    """It can be compared with other dates and used in calculations."""
    specification = with_columns(
        a_specification(number_of_rows=80),
        birth=a_date("1950-01-01", "2009-12-31", 4000, miss_probability=missing),
    )
    if not missing:  # Exhibit blanks what is compared with nothing
        specification["constraints"]["basic_constraints"] = ["date > birth"]
    specification["derived_columns"] = {"year_of_birth": "birth.dt.year"}
    finished = generate_series(tmp_path, specification, static_columns=["birth"])
    rows = existing_records(finished, 3)
    known = rows[rows["birth"] != ""]
    assert (len(known) < len(rows)) == bool(missing)
    assert known["year_of_birth"].astype(float).tolist() == [
        float(day[:4]) for day in known["birth"]
    ]


def test_a_static_geospatial_column_and_one_that_is_not(tmp_path: Path) -> None:
    """Of two geospatial columns, the static one is kept, the other regenerated."""
    cells = [{"h3": cell} for cell in h3.k_ring(h3.geo_to_h3(55.9, -3.2, 8), 3)]
    own = database_with_tables(tmp_path / "own.db", places=cells)
    specification = a_specification(number_of_rows=40)
    specification["metadata"]["geospatial_columns"] = []
    place = {"type": "geospatial", "h3_table": "places", "distribution": "uniform"}
    with_columns(
        specification,
        home={**place, "miss_probability": 0.2},
        seen_at={**place, "miss_probability": 0.0},
    )
    finished = generate_series(
        tmp_path, specification, static_columns=["home"], exhibit_db_path=str(own)
    )
    known = {cell["h3"] for cell in cells}
    recorded = new_records(finished, 1).set_index("id")
    again = existing_records(finished, 2).set_index("id")
    assert (recorded.loc[again.index, "seen_at_latitude"] != again["seen_at_latitude"]).all()
    for rows in (recorded, again):
        for name in ("home", "seen_at"):
            points = rows[[f"{name}_latitude", f"{name}_longitude"]]
            assert ((points == "").nunique(axis=1) == 1).all()
            there = points[points.iloc[:, 0] != ""].astype(float).to_numpy()
            assert {h3.geo_to_h3(*point, 8) for point in there} <= known


def test_geospatial_columns_use_the_weights_of_hexagons(tmp_path: Path) -> None:
    """The weights of a table's column apply in existing records too."""
    cells = [
        {"h3": cell, "people": 1 if number else 10_000}
        for number, cell in enumerate(sorted(h3.k_ring(h3.geo_to_h3(55.9, -3.2, 8), 1)))
    ]
    own = database_with_tables(tmp_path / "own.db", places=cells)
    specification = a_specification(number_of_rows=60)
    specification["metadata"]["geospatial_columns"] = []
    place = {"type": "geospatial", "h3_table": "places", "distribution": "people"}
    with_columns(specification, seen_at={**place, "miss_probability": 0.0})
    finished = generate_series(tmp_path, specification, exhibit_db_path=str(own))
    for rows in (new_records(finished, 2), existing_records(finished, 2)):
        points = rows[["seen_at_latitude", "seen_at_longitude"]].astype(float).to_numpy()
        found = [h3.geo_to_h3(*point, 8) for point in points]
        assert found.count(cells[0]["h3"]) >= len(rows) - 2


def of_pairs() -> dict[str, Any]:
    """Return a specification of two paired columns, with weights and missing values."""
    specification = with_columns(
        a_specification(number_of_rows=90),
        ward=a_category("ward", {"007/Ash": 0.5, "012/Elm": 0.5}, pair="label"),
        label=a_category("label", {"x": 1, "y": 1}, paired_columns=["ward"]),
    )
    specification["columns"]["label"]["original_values"] = "See paired column"
    for name in ("ward", "label"):
        specification["columns"][name]["miss_probability"] = 0.2
    return specification


@pytest.mark.parametrize("static", [["ward"], ["label"], ["sex", "label"]])
def test_one_column_of_a_static_pair_brings_the_other(tmp_path: Path, static: list[str]) -> None:
    """Naming one column of a pair keeps both, with leading zeros and missing values."""
    finished = generate_series(tmp_path, of_pairs(), static_columns=static)
    recorded = new_records(finished, 1).set_index("id")
    rows = existing_records(finished, 2).set_index("id")
    assert set(rows["ward"]) == {"007", "012", ""}
    assert rows[["ward", "label"]].equals(recorded.loc[rows.index, ["ward", "label"]])


def test_a_pair_that_is_not_static(tmp_path: Path) -> None:
    """It is regenerated as a pair."""
    finished = generate_series(tmp_path, of_pairs())
    recorded = new_records(finished, 1).set_index("id")
    rows = existing_records(finished, 2).set_index("id")
    assert not rows["ward"].equals(recorded.loc[rows.index, "ward"])


def described(folder: Path, csv: str, rows: int, **more: Any) -> Path:
    """Infer a series from one of Exhibit's sample tables, and return its folder."""
    create_series(folder / "series", "demo", DATA / csv, "person")
    place = folder / "series" / "demo"
    for file, part, keys in (
        ("specification.yml", "metadata", {"number_of_rows": rows}),
        ("user_input.yml", None, more),
    ):
        content = yaml.safe_load((place / file).read_text(encoding="utf-8"))
        (content[part] if part else content).update(keys)
        (place / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return place


@pytest.mark.thorough
@pytest.mark.parametrize("static", [["loc_name", "sex"], *thorough(([],), (["hb_name"],))])
def test_a_hierarchical_linked_group(tmp_path: Path, static: list[str]) -> None:
    """A hospital stays in its health board; a group with a static column is static."""
    place = described(tmp_path, "inpatients.csv", 60, static_columns=static)
    finished = generate_from(place, tmp_path / "data")
    (group,) = [set(names) for _, names in finished.specification["linked_columns"]]
    assert group == {"hb_name", "loc_name"}
    real = pd.read_csv(DATA / "inpatients.csv", dtype=str)
    known = set(zip(real["hb_name"], real["loc_name"], strict=True))
    for number in (2, 3):
        rows = existing_records(finished, number)
        assert set(zip(rows["hb_name"], rows["loc_name"], strict=True)) <= known
        assert bool(saved_specification(finished, number, "existing")["linked_columns"]) == (
            not static
        )


def test_values_and_pairs_that_are_kept_in_the_database(tmp_path: Path) -> None:
    """Columns with more values than the specification lists are read from the database."""
    place = described(tmp_path, "prescribing.csv", 60, static_columns=["BNFItemDescription"])
    finished = generate_from(place, tmp_path / "data")
    columns = finished.specification["columns"]
    assert columns["GPPracticeName"]["uniques"] > finished.specification["metadata"]["inline_limit"]
    real = pd.read_csv(DATA / "prescribing.csv", dtype=str)
    pairs = set(zip(real["BNFItemCode"], real["BNFItemDescription"], strict=True))
    practices = set(real["GPPracticeName"])
    for rows in (
        new_records(finished, 2),
        existing_records(finished, 2),
        existing_records(finished, 3),
    ):
        assert set(zip(rows["BNFItemCode"], rows["BNFItemDescription"], strict=True)) <= pairs
        assert set(rows["GPPracticeName"]) <= practices


@pytest.fixture
def linked_by_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Any]:
    """A database and a specification with a group of columns that a user linked."""
    data = pd.read_csv(DATA / "inpatients_anon.csv")[["hb_name", "measure", "sex", "age"]]
    return _linked_in(data, tmp_path, monkeypatch)


def _linked_in(
    data: pd.DataFrame, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, dict[str, Any]]:
    """Return a database, and what Exhibit infers from data in which a user links three columns."""
    own = database_with_tables(folder / "own.db")
    monkeypatch.setenv("EXHIBIT_DB_URL", f"sqlite:///{own}")
    specification = stock.Exhibit(
        command="fromdata",
        source=data,
        output="specification",
        linked_columns=["sex", "age", "measure"],
    ).generate()
    monkeypatch.delenv("EXHIBIT_DB_URL")
    plain = yaml.safe_load(yaml.safe_dump(_plain(dict(specification.data))))
    plain["metadata"] |= {"number_of_rows": 80, "uuid_columns": []}
    plain["metadata"]["date_columns"] = []
    return own, with_columns(plain, id=a_uuid(), date=a_date("2024-01-01", "2024-01-31", 31))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


@pytest.mark.parametrize("static", [[], ["age"]])
def test_a_group_that_a_user_linked(
    tmp_path: Path, linked_by_a_user: tuple[Path, Any], static: list[str]
) -> None:
    """Columns linked by a user have combinations from the data, and no repeated rows."""
    own, specification = linked_by_a_user
    assert [number for number, _ in specification["linked_columns"]] == [0]
    finished = generate_series(
        tmp_path, specification, static_columns=static, exhibit_db_path=str(own)
    )
    group = ["sex", "age", "measure"]
    real = pd.read_csv(DATA / "inpatients_anon.csv", dtype=str)
    known = set(real[group].itertuples(index=False, name=None))
    for rows in (
        new_records(finished, 2),
        existing_records(finished, 2),
        existing_records(finished, 3),
    ):
        found = list(rows[group].itertuples(index=False, name=None))
        assert set(found) <= known
        assert len(set(found)) > len(found) / 3


def test_numbers_beside_a_missing_member_of_a_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a member is missing, numbers have a weight of their own, in existing records too."""
    data = pd.read_csv(DATA / "inpatients_anon.csv")[["measure", "sex", "age"]]
    data.loc[::5, "measure"] = None
    data["dose"] = data["measure"].isna() * 80.0 + 10 + data.index % 3
    own, specification = _linked_in(data, tmp_path, monkeypatch)
    specification["metadata"]["number_of_rows"] = 300
    finished = generate_series(
        tmp_path,
        specification,
        num_datasets=2,
        static_columns=["age"],
        exhibit_db_path=str(own),
    )
    means = [
        rows["dose"].astype(float).groupby(rows["measure"] == "").mean()
        for rows in (new_records(finished, 2), existing_records(finished, 2))
    ]
    assert means[0][True] > 2 * means[0][False]
    assert np.allclose(*means, rtol=0.15)


def test_linked_columns_may_name_a_group_of_the_specification(
    tmp_path: Path, linked_by_a_user: tuple[Path, Any]
) -> None:
    """The user input may name a linked group of the specification."""
    own, specification = linked_by_a_user
    group = ["measure", "sex", "age"]
    generate_series(
        tmp_path,
        specification,
        static_columns=["sex"],
        linked_columns=group,
        exhibit_db_path=str(own),
    )


def test_a_static_regex_column(tmp_path: Path) -> None:
    """Its codes and missing values are kept."""
    code = a_category(
        "code",
        {},
        uniques=9,
        original_values="regex",
        anonymising_set="0[A-C][0-9]{2}",
        miss_probability=0.2,
    )
    specification = with_columns(a_specification(number_of_rows=60), code=code)
    finished = generate_series(tmp_path, specification, static_columns=["code"])
    assert "" in set(existing_records(finished, 2)["code"])


SETS = {"birds.common_name": 24, "mountains.range": 15, "birds": 20, "patients.last_name": 10}


@pytest.mark.each_value
@pytest.mark.parametrize("source", SETS)
@pytest.mark.parametrize("static", [["sex"], ["bird"]])
def test_a_ready_made_set(tmp_path: Path, source: str, static: list[str]) -> None:
    """Values of a set that ships with Exhibit keep their weights, static or not."""
    count = SETS[source]
    column = a_category("bird", {}, uniques=count, anonymising_set=source)
    rows = [f"b{i} | {1 / count} | {0.9 if i < count / 2 else 0.1}" for i in range(count)]
    column["original_values"] = [
        "bird | probability_vector | amount",
        *rows,
        "Missing data | 0 | 0",
    ]
    specification = weighted(bird=column)
    specification["metadata"]["number_of_rows"] = 1200
    finished = generate_series(tmp_path, specification, static_columns=static, num_datasets=2)
    first, later = new_records(finished, 1), existing_records(finished, 2)
    assert first["bird"].nunique() == count
    assert not any(value.startswith("b0") for value in first["bird"])
    order = first["amount"].astype(float).groupby(first["bird"]).mean().sort_values()
    heavy = set(order.index[count // 2 :])
    for rows_of in (new_records(finished, 2), later):
        is_heavy = rows_of["bird"].isin(heavy)
        amounts = rows_of["amount"].astype(float)
        assert amounts[is_heavy].mean() > 5 * amounts[~is_heavy].mean()
    assert set(later["bird"]) <= set(first["bird"])


def test_a_ready_made_set_that_repeats_a_value_beside_missing_ones(tmp_path: Path) -> None:
    """No other value stands in for missing ones, so numbers have the scale of new records."""
    peaks = a_category("range", {f"r{i}/p{i}": 0.1 for i in range(10)}, pair="peak")
    peaks |= {"anonymising_set": "mountains", "miss_probability": 0.3}
    weights = ("amount", "0.5", *("0.05",) * 9, "0.2")
    peaks["original_values"] = [
        f"{row} | {weight}" for row, weight in zip(peaks["original_values"], weights, strict=True)
    ]
    peak = {**peaks, "paired_columns": ["range"], "original_values": "See paired column"}
    parameters = {"dispersion": 0.1, "target_min": 0, "target_max": 100}
    specification = with_columns(
        a_specification(number_of_rows=900),
        range=peaks,
        peak=peak,
        amount=a_number(distribution_parameters=parameters),
    )
    finished = generate_series(tmp_path, specification, static_columns=["range"], num_datasets=2)
    means = []
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert set(records["range"]) == {"Alps", ""}
        amounts = records["amount"].astype(float)
        means.append(amounts.groupby(records["sex"]).mean())
    assert means[0].tolist() == pytest.approx(means[1].tolist(), abs=4)


@pytest.mark.parametrize("source", ["birds", *thorough("birds.common_name", "mountains.peak")])
def test_a_ready_made_set_with_more_values_than_are_listed(tmp_path: Path, source: str) -> None:
    """Above inline_limit, the values come from the set's table, in both parts."""
    column = a_category("bird", {}, uniques=40, anonymising_set=source)
    column["original_values"] = None
    specification = with_columns(a_specification(number_of_rows=200), bird=column)
    for static in ([], ["bird"]):
        folder = tmp_path / str(len(static))
        finished = generate_series(folder, specification, static_columns=static)
        every = {v for n in (1, 2, 3) for v in new_records(finished, n)["bird"]}
        assert len(every) == 40
        assert set(existing_records(finished, 3)["bird"]) <= every


@pytest.mark.parametrize("static", [[], ["range"]])
def test_a_pair_of_a_ready_made_set(tmp_path: Path, static: list[str]) -> None:
    """Range and peak of a mountain match in new and existing records."""
    specification = with_columns(
        a_specification(number_of_rows=80),
        range=a_category("range", {}, uniques=31, anonymising_set="mountains"),
        peak=a_category("peak", {}, uniques=31, anonymising_set="mountains"),
    )
    columns = specification["columns"]
    columns["range"] |= {"paired_columns": ["peak"], "original_values": None}
    columns["peak"] |= {"paired_columns": ["range"], "original_values": "See paired column"}
    finished = generate_series(tmp_path, specification, static_columns=static)
    with closing(sqlite3.connect(finished.database)) as connection:
        known = set(connection.execute("SELECT range, peak FROM mountains"))
    for rows in (new_records(finished, 2), existing_records(finished, 2)):
        assert set(zip(rows["range"], rows["peak"], strict=True)) <= known


@pytest.mark.parametrize("static", [["level", "amount"], *thorough((["level"],), (["total"],))])
def test_a_static_derived_column(tmp_path: Path, static: list[str]) -> None:
    """The value derived for the new entity is kept, whatever it depends on."""
    specification = a_specification(number_of_rows=60)
    specification["derived_columns"] = {
        "level": "(amount > 50)",
        "total": "df.groupby('sex')['amount'].sum()",
        "after": "(amount * 2)",
    }
    finished = generate_series(tmp_path, specification, static_columns=static)
    rows = existing_records(finished, 2)
    assert rows["after"].astype(float).tolist() == [2 * float(v) for v in rows["amount"]]

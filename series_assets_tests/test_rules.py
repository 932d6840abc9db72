"""Real series of many kinds, each held against every promise by the checker."""

from copy import deepcopy
from datetime import date
from importlib.resources import files
from math import sqrt
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.checker import Finished, check
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.thorough import thorough

SHIPPED = Path(str(files("series_assets") / "series"))
SAMPLES = Path(str(files("exhibit") / "sample" / "_spec"))


def make(
    folder: Path,
    specification: dict[str, Any] | None = None,
    user_input: dict[str, Any] | None = None,
) -> Finished:
    """Write the files of a series, make all of it as a user would, and check all of it."""
    place = write_series(folder / "series", specification, user_input)
    generate(load_series(place), folder / "data")
    finished = Finished.of(place, folder / "data")
    check(finished)
    return finished


def dataset(finished: Finished, number: int, part: str = "") -> pd.DataFrame:
    """Return a dataset as text; ``part`` new or existing for the rows of one part only."""
    path = finished.folder / f"dataset_{number}.csv"
    whole = pd.read_csv(path, dtype=str, keep_default_na=False)
    if not part:
        return whole
    identifier = finished.specification["metadata"]["uuid_columns"][0]
    made = finished.folder / "new_records" / f"dataset_{number}.csv"
    new = pd.read_csv(made, dtype=str, keep_default_na=False)
    is_new = whole[identifier].isin(new[identifier])
    return whole[is_new if part == "new" else ~is_new]


# Periods, counts and draws.


@pytest.mark.parametrize(
    ("first", "last", "unit", "length", "count"),
    [
        ("2023-12-31", "2024-01-31", "months", 1, 6),
        ("2024-01-30", "2024-02-29", "months", 1, 4),
        ("2024-02-29", "2024-02-29", "months", 12, 5),
        ("2023-11-30", "2024-02-29", "quarters", 1, 4),
        ("2024-01-31", "2024-01-31", "quarters", 3, 3),
        ("2024-01-01", "2024-01-14", "weeks", 2, 5),
        ("2023-12-24", "2024-02-06", "days", 45, 5),
        ("1999-11-15", "1999-12-14", "months", 1, 3),
        ("2090-01-01", "2090-01-01", "days", 1, 4),
    ],
)
def test_periods_of_any_unit_length_and_start(
    tmp_path: Path, first: str, last: str, unit: str, length: int, count: int
) -> None:
    """The dates of every period lie in its own window, counted from the first period."""
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    make(
        tmp_path,
        with_columns(a_specification(number_of_rows=40), date=a_date(first, last, days)),
        a_user_input(period=unit, length_of_period=length, num_datasets=count),
    )


@pytest.mark.parametrize("fraction", [0, "1/3", 1, *thorough(0.5, "2/3", "9/10")])
def test_fractions_are_exact(tmp_path: Path, fraction: Any) -> None:
    """Any fraction of new records gives exact counts, and no files for a part without rows."""
    make(tmp_path, a_specification(number_of_rows=70), a_user_input(fraction_of_new=fraction))


def test_a_fraction_that_a_float_would_miss(tmp_path: Path) -> None:
    """0.07 of 100 rows are 7 new records."""
    specification = a_specification(number_of_rows=100)
    finished = make(tmp_path, specification, a_user_input(fraction_of_new=0.07, num_datasets=3))
    new = finished.folder / "new_records" / "dataset_3.csv"
    assert len(new.read_text(encoding="utf-8").splitlines()) == 1 + 7


@pytest.mark.parametrize("rows", [10, 40])
def test_fewer_existing_records_than_the_inline_limit(tmp_path: Path, rows: int) -> None:
    """One existing record, or four, are as good as many."""
    make(tmp_path, a_specification(number_of_rows=rows), a_user_input(fraction_of_new="9/10"))


@pytest.mark.parametrize("precision", ["float", "integer"])
def test_one_existing_record_whose_number_is_missing(tmp_path: Path, precision: str) -> None:
    """A part of one row may lack the number of that row."""
    specification = with_columns(
        a_specification(number_of_rows=10), zzz=a_number(precision, miss_probability=0.7)
    )
    make(tmp_path, specification, a_user_input(fraction_of_new="9/10"))


def test_a_series_of_one_dataset(tmp_path: Path) -> None:
    """A series may have a single dataset, all of it new."""
    make(tmp_path, user_input=a_user_input(num_datasets=1))


@pytest.mark.thorough
def test_a_series_of_sixty_datasets(tmp_path: Path) -> None:
    """After five years of months, identifiers are still new and draws come from all periods."""
    make(
        tmp_path,
        a_specification(number_of_rows=30),
        a_user_input(num_datasets=60, fraction_of_new="1/2"),
    )


def test_a_day_first_date_is_the_first_of_a_month(tmp_path: Path) -> None:
    """01/02/2024 is the first of February; a month later it is the first of March."""
    specification = a_specification()
    specification["columns"]["date"] |= {"from": "01/02/2024", "to": date(2024, 2, 29)}
    finished = make(tmp_path, specification, a_user_input(start_date="01/02/2024"))
    text = (finished.folder / "dataset_2.new.yml").read_text(encoding="utf-8")
    moved = yaml.safe_load(text)["columns"]["date"]
    assert (moved["from"], moved["to"]) == ("2024-03-01", "2024-03-31")


def test_a_series_without_moving_dates(tmp_path: Path) -> None:
    """Without date columns a start date tells the periods apart, and no date moves."""
    make(tmp_path, user_input=a_user_input(date_columns=[], start_date="2024-05-31"))


# Identifiers.

FREQUENCIES = ["frequency | probability_vector", "1 | 0.5", "2 | 0.3", "3 | 0.2"]


@pytest.mark.parametrize("kind", ["uuid", "pseudo_chi", "range"])
def test_entities_occur_as_often_as_their_frequency_says(tmp_path: Path, kind: str) -> None:
    """Entities of one, two or three rows a period, whatever identifies them."""
    specification = with_columns(
        a_specification(number_of_rows=90),
        id=a_uuid(kind, frequency_distribution=FREQUENCIES),
    )
    make(tmp_path, specification, a_user_input(num_datasets=5, fraction_of_new="1/2"))


@pytest.mark.each_value
@pytest.mark.parametrize("links", [[], ["chi", "id", "number"], ["chi", "number"]])
@pytest.mark.parametrize("missing", ["", "id", "chi"])
def test_several_identifiers(tmp_path: Path, links: list[str], missing: str) -> None:
    """Identifiers of all kinds side by side, linked or not, one of them missing at times."""
    specification = with_columns(
        a_specification(number_of_rows=80),
        id=a_uuid(frequency_distribution=FREQUENCIES[:3]),
        chi=a_uuid("pseudo_chi", frequency_distribution=FREQUENCIES[:3], uuid_seed=5),
        number=a_uuid("range", frequency_distribution=FREQUENCIES[:3]),
    )
    if missing:
        specification["columns"][missing]["miss_probability"] = 0.2
    make(tmp_path, specification, a_user_input(linked_columns=links, fraction_of_new="1/2"))


def test_identifiers_without_a_seed_of_their_own(tmp_path: Path) -> None:
    """Where no uuid_seed is given, the random_seed stands in for it, in every period."""
    specification = a_specification(random_seed=11)
    del specification["columns"]["id"]["uuid_seed"]
    make(tmp_path, specification)


def test_a_column_linked_to_an_identifier_is_kept_for_life(tmp_path: Path) -> None:
    """What is linked to an identifier is static without being named so."""
    make(tmp_path, user_input=a_user_input(static_columns=None, linked_columns=["id", "region"]))


def test_records_without_an_identifier_are_nobody(tmp_path: Path) -> None:
    """Where most identifiers are missing, existing records are drawn from the others alone."""
    specification = with_columns(a_specification(), id=a_uuid(miss_probability=0.6))
    make(tmp_path, specification, a_user_input(fraction_of_new="2/3"))


# Static columns.


def of_all_kinds() -> dict[str, Any]:
    """Return a specification whose columns are of every kind an entity may keep."""
    specification = with_columns(
        a_specification(number_of_rows=90),
        ward=a_category("ward", {"A": 0.6, "B": 0.3, "C": 0.1}, miss_probability=0.2),
        code=a_category("code", {"007/seven": 0.5, "012/twelve": 0.5}, pair="label"),
        label=a_category("label", {"x": 1, "y": 1}, paired_columns=["code"]),
        consultant=a_category(
            "consultant",
            {},
            uniques=8,
            original_values="regex",
            anonymising_set="C[0-9]{3}[XY]",
        ),
        height=a_number(),
        children=a_number("integer", miss_probability=0.15),
        birth=a_date("1950-01-01", "2010-12-31", 900, miss_probability=0.1),
        registered=a_date("2024-01-01", "2024-01-31", 31),
    )
    specification["columns"]["label"]["original_values"] = "See paired column"
    specification["derived_columns"] = {
        "height_in_feet": "(height / 30.48)",
        "days_known": "(date - registered).dt.days",
        "age": "(date - birth).dt.days",
    }
    return specification


@pytest.mark.parametrize(
    "static",
    [
        ["ward"],
        ["label", "sex"],
        ["height_in_feet"],
        *thorough(
            (["code"],),
            (["consultant"],),
            (["height", "children"],),
            (["birth"],),
            (["registered"],),
            (["age", "birth"],),
        ),
        [
            "sex",
            "region",
            "ward",
            "code",
            "consultant",
            "height",
            "children",
            "birth",
            "registered",
        ],
    ],
)
def test_static_columns_of_every_kind(tmp_path: Path, static: list[str]) -> None:
    """What an entity keeps comes back as it was recorded, whatever kind of column it is."""
    inputs = a_user_input(date_columns=["date", "registered"], static_columns=static)
    make(tmp_path, of_all_kinds(), inputs)


def test_existing_records_have_their_derived_columns(tmp_path: Path) -> None:
    """Derived columns over moved dates and static columns are right in existing records too."""
    inputs = a_user_input(
        date_columns=["date", "registered"], static_columns=["birth", "registered"]
    )
    finished = make(tmp_path, of_all_kinds(), inputs)
    for number in (2, 3, 4):
        rows = dataset(finished, number, "existing")
        for derived, since in (("age", "birth"), ("days_known", "registered")):
            known = rows[rows[since] != ""]
            days = (pd.to_datetime(known["date"]) - pd.to_datetime(known[since])).dt.days
            assert known[derived].astype(float).tolist() == days.tolist()
            assert set(rows.loc[rows[since] == "", derived]) <= {""}


def test_a_place_that_an_entity_keeps(tmp_path: Path) -> None:
    """A static geospatial column keeps its latitude and its longitude."""
    import sqlite3

    own = tmp_path / "own.db"
    copyfile(str(files("exhibit") / "db" / "exhibit.db"), own)
    with sqlite3.connect(own) as connection:
        connection.execute("CREATE TABLE geo (h3 TEXT)")
        cells = [("88197278a3fffff",), ("88197278a7fffff",), ("88197278abfffff",)]
        connection.executemany("INSERT INTO geo VALUES (?)", cells)
    connection.close()
    specification = a_specification()
    specification["metadata"]["geospatial_columns"] = []
    place = {"h3_table": "geo", "distribution": "uniform", "miss_probability": 0.1}
    with_columns(specification, home={"type": "geospatial", **place})
    inputs = a_user_input(static_columns=["home"], exhibit_db_path=str(own))
    make(tmp_path, specification, inputs)


def test_names_with_blanks_and_names_in_names(tmp_path: Path) -> None:
    """Columns are told apart by their whole names, blanks and all."""
    specification = with_columns(
        a_specification(),
        **{
            "date updated": a_date("2024-01-01", "2024-01-31", 31),
            "my sex": a_category("my sex", {"F": 0.5, "M": 0.5}),
            "amount sex": a_number(),
        },
    )
    specification["constraints"]["basic_constraints"] = ["~date updated~ >= date"]
    specification["derived_columns"] = {
        "days between": "(date updated - date).dt.days",
        "half": "(amount sex / 2)",
    }
    make(
        tmp_path,
        specification,
        a_user_input(date_columns=["date"], static_columns=["my sex", "sex"]),
    )


# Constraints.


def with_dates(*constraints: str) -> dict[str, Any]:
    """Return a specification with three dates of the period and one of life, and constraints."""
    specification = with_columns(
        a_specification(),
        created=a_date("2024-01-01", "2024-01-31", 31),
        updated=a_date("2024-01-01", "2024-01-31", 31, miss_probability=0.1),
        birth=a_date("2000-01-01", "2023-12-31", 500),
    )
    specification["constraints"]["basic_constraints"] = list(constraints)
    return specification


@pytest.mark.each_value
@pytest.mark.each_value
@pytest.mark.parametrize(
    "constraints",
    [
        ["updated == date"],
        ["created <= date", "updated >= date"],
        ["created < date", "updated > created"],
        ["date >= '2024-01-10'"],
        ["date > birth", "created >= birth"],
        ["updated >= created", "amount > 20"],
    ],
)
@pytest.mark.parametrize("static", [["sex", "birth"], ["birth", "created"]])
def test_constraints_between_dates(
    tmp_path: Path, constraints: list[str], static: list[str]
) -> None:
    """Constraints among moved dates hold in existing records, static dates stay as recorded."""
    dates = ["date", "created", "updated"]
    inputs = a_user_input(date_columns=dates, static_columns=static)
    make(tmp_path, with_dates(*constraints), inputs)


def test_a_literal_moves_with_the_column_it_is_compared_with(tmp_path: Path) -> None:
    """A day in a constraint or a filter moves with a moved column, and stays with another."""
    specification = with_dates("date >= '2024-01-10'", "birth < '2023-01-01'")
    specification["constraints"]["custom_constraints"] = {
        "late": {
            "filter": "date > '2024-01-20' and birth < '2015-01-01'",
            "targets": {"amount": "assign_value$7"},
        }
    }
    place = write_series(tmp_path, specification, a_user_input(static_columns=["sex"]))
    generate(load_series(place), tmp_path / "data")
    finished = Finished.of(place, tmp_path / "data")
    for number, month in ((1, "01"), (2, "02"), (4, "04")):
        text = (finished.folder / f"dataset_{number}.new.yml").read_text(encoding="utf-8")
        constraints = yaml.safe_load(text)["constraints"]
        assert constraints["basic_constraints"] == [
            f"date >= '2024-{month}-10'",
            "birth < '2023-01-01'",
        ]
        assert constraints["custom_constraints"]["late"]["filter"] == (
            f"date > '2024-{month}-20' and birth < '2015-01-01'"
        )
    check(finished)


def test_custom_constraints_that_can_hold_in_existing_records_stay(tmp_path: Path) -> None:
    """Of a custom constraint only the targets that are static or moved go, or all of it."""
    specification = with_columns(
        a_specification(number_of_rows=90),
        id=a_uuid(frequency_distribution=FREQUENCIES),
        dose=a_category("dose", {"first": 0.4, "second": 0.4, "third": 0.2}),
        height=a_number("integer"),
    )
    specification["constraints"]["custom_constraints"] = {
        "by_entity": {
            "partition": "id",
            "targets": {
                "dose": "generate_as_sequence",
                "sex": "make_same",
                "date, dose": "sort_ascending",
            },
        },
        "by_sex": {"partition": "sex", "targets": {"height": "sort_descending"}},
        "tall": {"filter": "(height > 60)", "targets": {"region": "make_null"}},
    }
    finished = make(tmp_path, specification, a_user_input(fraction_of_new="1/2"))
    text = (finished.folder / "dataset_2.existing.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["constraints"]["custom_constraints"] == {
        "by_entity": {"partition": "id", "targets": {"dose": "generate_as_sequence"}},
        "tall": {"filter": "(height > 60)", "targets": {"region": "make_null"}},
    }
    for number in (1, 2, 4):
        rows = dataset(finished, number)
        firsts = rows[rows["dose"] == "first"].groupby("id").size()
        assert firsts.reindex(rows["id"].unique(), fill_value=0).min() >= 1
        assert "" in set(rows["region"])


@pytest.mark.parametrize("frequencies", [["frequency | probability_vector", "1 | 1"], FREQUENCIES])
def test_duplicates_that_are_not_allowed(tmp_path: Path, frequencies: list[str]) -> None:
    """New records hold none, however many rows that costs, and no existing record is lost."""
    specification = with_columns(
        a_specification(),
        id=a_uuid(frequency_distribution=frequencies),
        date=a_date("2024-01-01", "2024-01-02", 2),
    )
    specification["constraints"]["allow_duplicates"] = False
    make(tmp_path, specification, a_user_input(static_columns=["sex", "region"]))


# Sizes and sums.


@pytest.mark.parametrize("static", [["sex"], ["region"]])
def test_cross_joined_columns_whose_combinations_do_not_divide_the_rows(
    tmp_path: Path, static: list[str]
) -> None:
    """Cross-joined columns neither change the number of rows nor leave rows without values."""
    specification = a_specification(number_of_rows=50)
    for name in ("region", "sex"):
        specification["columns"][name]["cross_join_all_unique_values"] = True
    make(tmp_path, specification, a_user_input(static_columns=static))


def test_cross_joined_dates(tmp_path: Path) -> None:
    """A cross-joined date that moves gives every period exactly its rows."""
    specification = a_specification(number_of_rows=100)
    specification["columns"]["date"] |= {"cross_join_all_unique_values": True}
    make(tmp_path, specification, a_user_input(fraction_of_new="2/5"))


def test_a_total_is_shared_out_over_new_and_existing_records(tmp_path: Path) -> None:
    """The sum of a column in any dataset is the target sum of the first one."""
    specification = with_columns(
        a_specification(),
        amount=a_number(distribution_parameters={"dispersion": 0.1, "target_sum": 6000}),
        visits=a_number("integer", distribution_parameters={"dispersion": 0.1, "target_sum": 900}),
    )
    finished = make(tmp_path, specification)
    for number in (1, 2, 3, 4):
        for part, share in (("new", 1 / 3), ("existing", 2 / 3)):
            rows = dataset(finished, number, part)
            share = {("new", 1): 1.0, ("existing", 1): 0.0}.get((part, number), share)
            assert rows["amount"].astype(float).sum() == pytest.approx(6000 * share, abs=0.01)
            assert rows["visits"].astype(int).sum() == pytest.approx(900 * share, abs=2)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_numbers_keep_depending_on_static_attributes(tmp_path: Path, missing: float) -> None:
    """The weights of a static column work in existing records as they do in new ones."""
    specification = with_columns(
        a_specification(number_of_rows=4000),
        amount=a_number(distribution_parameters={"dispersion": 0.1, "target_sum": 10**6}),
    )
    specification["columns"]["sex"]["miss_probability"] = missing
    inputs = a_user_input(num_datasets=2, fraction_of_new="1/2")
    finished = make(tmp_path, specification, inputs)
    (new, new_error), (existing, error) = (
        _ratio_of_means(dataset(finished, 2, part)) for part in ("new", "existing")
    )
    assert new > 2
    assert existing == pytest.approx(new, abs=5 * sqrt(new_error**2 + error**2))


def _ratio_of_means(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the mean amount of F over that of M, and the standard error of that ratio."""
    amounts = rows["amount"].astype(float).groupby(rows["sex"])
    mean, variance = amounts.mean(), amounts.var() / amounts.size()
    ratio = mean["F"] / mean["M"]
    spread = variance["F"] / mean["F"] ** 2 + variance["M"] / mean["M"] ** 2
    return ratio, ratio * sqrt(spread)


# Series that others wrote.


def test_the_vaccinations_that_come_with_exhibit(tmp_path: Path) -> None:
    """Exhibit's own sample with identifiers makes a series as it is."""
    sample = yaml.safe_load((SAMPLES / "uuid_demo.yml").read_text(encoding="utf-8"))
    sample["metadata"]["number_of_rows"] = 200
    inputs = a_user_input(date_columns=["vacc_date"], length_of_period=12)
    make(tmp_path, sample, inputs)


@pytest.mark.parametrize("static", [["sex", "hb_name"], ["age", "hb_code"]])
def test_the_inpatients_that_come_with_exhibit(tmp_path: Path, static: list[str]) -> None:
    """Exhibit's sample of inpatients makes a series once it has an identifier."""
    sample = yaml.safe_load((SAMPLES / "inpatients_demo.yml").read_text(encoding="utf-8"))
    sample["metadata"] |= {"number_of_rows": 150, "uuid_columns": []}
    inputs = a_user_input(date_columns=["quarter_date"], static_columns=static, length_of_period=12)
    make(tmp_path, with_columns(sample, id=a_uuid()), inputs)


# Any series at all.

_EXAMPLES = 200 if settings.get_current_profile_name() == "long" else 8


@st.composite
def series(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a specification and a user input that vary in all that numbers say."""
    specification = a_specification(
        number_of_rows=draw(st.integers(6, 40)), random_seed=draw(st.integers(0, 99))
    )
    first = draw(st.dates(date(1950, 1, 1), date(2090, 12, 31)))
    last = date.fromordinal(first.toordinal() + draw(st.integers(0, 60)))
    column = a_date(first.isoformat(), last.isoformat(), draw(st.integers(1, 40)))
    frequencies = draw(st.sampled_from([FREQUENCIES[:2], FREQUENCIES[:3], FREQUENCIES]))
    identifier = a_uuid(
        draw(st.sampled_from(["uuid", "pseudo_chi", "range"])), frequency_distribution=frequencies
    )
    parts = draw(st.integers(1, 12))
    inputs = a_user_input(
        period=draw(st.sampled_from(["days", "weeks", "months"])),
        length_of_period=draw(st.integers(1, 13)),
        num_datasets=draw(st.integers(1, 5)),
        fraction_of_new=f"{draw(st.integers(0, parts))}/{parts}",
    )
    inputs["static_columns"] = draw(
        st.lists(st.sampled_from(["sex", "region", "amount", "date"]), unique=True)
    )
    return with_columns(specification, id=identifier, date=column), inputs


@settings(max_examples=_EXAMPLES, database=None)
@given(files=series())
def test_any_series_keeps_every_promise(files: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Whatever the numbers of a series, it keeps every promise."""
    specification, inputs = files
    with TemporaryDirectory() as folder:
        make(Path(folder), deepcopy(specification), inputs)


def test_a_group_of_which_no_number_is_known_stays_without_one(tmp_path: Path) -> None:
    """An action on groups neither fails on such a group nor makes numbers up for it."""
    specification = with_columns(
        a_specification(),
        amount={
            "type": "continuous",
            "precision": "integer",
            "distribution": "normal",
            "distribution_parameters": {"dispersion": 0.1, "target_min": 0, "target_max": 100},
            "miss_probability": 0.5,
        },
    )
    specification["constraints"]["custom_constraints"] = {
        "skewed": {"partition": "id", "targets": {"sex, amount": "sort_and_skew_left"}}
    }
    make(tmp_path, specification, a_user_input(static_columns=["region"]))

"""No two runs of a series share a sequence of values, ranks, categories or missing values.

Each test compares the new and existing records of four periods with each other.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from scipy.stats import spearmanr

from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.columns import a_category, a_date, a_number, with_columns
from series_assets_tests.statistical.long_series import Ask, LongSeries, make
from series_assets_tests.statistical.shared_values import shared
from series_assets_tests.statistical.specifications import (
    a_normal_number,
    a_place,
    a_total,
    every_category,
    gaps,
    places,
)
from series_assets_tests.thorough import thorough

PERIODS = 4


def a_series_of(
    specification: dict[str, Any], tables: dict[str, Any] | None = None, **more: Any
) -> LongSeries:
    """Generate four periods of a specification, with half of the records new."""
    keys = {"num_datasets": PERIODS, "fraction_of_new": "1/2", "static_columns": None}
    with TemporaryDirectory() as folder:
        ask = Ask(specification, a_user_input(**{**keys, **more}), tables or {})
        return make(ask, Path(folder))


def a_number_that_varies(**parameters: Any) -> dict[str, Any]:
    """Return the definition of a uniform number of the parameters."""
    return a_number(distribution_parameters={"dispersion": 0.3, **parameters})


# Numbers beside a missing category.


@lru_cache
def beside_missing() -> LongSeries:
    """The smallest series in which stock Exhibit repeated half of all numbers in every file."""
    specification = a_specification(number_of_rows=150)
    sex = specification["columns"]["sex"]
    sex["miss_probability"] = 0.6
    sex["original_values"][-1] = "Missing data | 0.000 | 0.400"
    with_columns(specification, height=a_normal_number())
    return a_series_of(specification, num_datasets=5)


@pytest.mark.parametrize("name", ["amount", "height"])
def test_numbers_beside_a_missing_category_are_new_in_every_run(name: str) -> None:
    """Numbers are regenerated where a category is missing, differently in each run."""
    ends = {1.0, 100.0}
    for one, other in combinations(beside_missing().runs, 2):
        both = set(one.records[name]) & set(other.records[name]) - ends
        assert not both, (one.k, one.part, other.k, other.part, len(both))


@pytest.mark.parametrize("name", ["amount", "height"])
def test_ranks_beside_a_missing_category_know_nothing_of_each_other(name: str) -> None:
    """The largest of those numbers is in another row in each run."""
    for one, other in combinations(beside_missing().runs, 2):
        left, right = (run.records.loc[run.records["sex"].isna(), name] for run in (one, other))
        rows = min(len(left), len(right))
        assert rows > 25
        correlation = spearmanr(left[:rows], right[:rows]).statistic
        assert abs(correlation) < 5 / sqrt(rows - 1), (one.k, one.part, other.k, other.part)


def test_two_numbers_beside_a_missing_category_know_nothing_of_each_other() -> None:
    """Two regenerated numbers of one run are independent."""
    for run in beside_missing().runs:
        rows = run.records[run.records["sex"].isna()]
        correlation = spearmanr(rows["amount"], rows["height"]).statistic
        assert abs(correlation) < 5 / sqrt(len(rows) - 1), (run.k, run.part)


# Every kind of column.

NUMBERS: dict[str, dict[str, Any]] = {
    "uniform": a_number_that_varies(target_min=2, target_max=90),
    "uniform_even": a_number(distribution_parameters={"dispersion": 0, "target_sum": 5000}),
    "uniform_sum": a_total(),
    "uniform_mean": a_number_that_varies(target_mean=10, target_std=3),
    "uniform_whole": a_total("integer", 9000),
    "normal": a_normal_number(),
    "normal_even": a_number(
        distribution="normal",
        distribution_parameters={"dispersion": 0, "target_mean": 50, "target_std": 9},
    ),
    "normal_whole": a_number(
        "integer",
        distribution="normal",
        distribution_parameters={"dispersion": 0.1, "target_min": 0, "target_max": 500},
    ),
}
ENDS = frozenset({0.0, 0.5, 1.0, 2.0, 50.0, 90.0, 100.0, 500.0})
"""The ends of the scale, which every run has."""
WEEKLY = a_date("2024-01-01", "2024-03-31", 13, frequency="W")
KINDS = [
    *("sex", "region", "ward", "label", "code", "bird", "peak", "patient", "hospital"),
    *("board", "place", "field", "doctor", "day", "sunday", *NUMBERS),
    *("home_latitude", "home_longitude", "half", "by sex"),
]


@lru_cache
def every_kind(missing: float) -> LongSeries:
    """A series with every kind of column; with ``missing``, all of them have missing values."""
    asked = every_category()
    specification = asked.specification
    specification["metadata"] |= {"number_of_rows": 120, "geospatial_columns": []}
    columns = specification["columns"]
    columns["sex"]["original_values"][0] += " | uniform_even"
    columns["sex"]["original_values"][1:] = [
        f"{row} | {weight}"
        for row, weight in zip(
            columns["sex"]["original_values"][1:], ("0.9", "0.1", "0.3"), strict=True
        )
    ]
    with_columns(specification, sunday=WEEKLY, home=a_place(), **NUMBERS)
    # Dates from one window, so that any two runs can have the same.
    with_columns(specification, day=a_date("2024-01-01", "2024-01-14", 14))
    specification["derived_columns"] = {
        "half": "(amount / 2)",
        "by sex": "df.groupby('sex')['amount'].mean()",
    }
    for name, column in columns.items():
        column["miss_probability"] = missing if name != "id" else 0
    return a_series_of(
        specification, {**asked.tables, "places": places()}, period="weeks", length_of_period=2
    )


@pytest.mark.parametrize("missing", [*thorough(0.0), 0.3])
@pytest.mark.parametrize("name", KINDS)
def test_no_two_runs_share_a_column(name: str, missing: float) -> None:
    """Numbers, ranks, categories and missing values differ between any two runs."""
    series = every_kind(missing)
    assert shared(series, name, ends=ENDS) == []
    if missing and name in series.columns:
        counts = {int(run.records[name].isna().sum()) for run in series.runs}
        assert len(counts) > 2


# Custom actions.

TWO = {"x": 0.5, "y": 0.3, "z": 0.2}
ACTIONS: dict[str, tuple[str, str, bool]] = {
    "n right": ("n right", "shift_distribution_right", False),
    "n left": ("n left", "shift_distribution_left", False),
    "w right": ("w right", "shift_distribution_right", False),
    "c right": ("c right", "shift_distribution_right", False),
    "c left": ("c left", "shift_distribution_left", False),
    "d right": ("d right", "shift_distribution_right", False),
    "n outlier": ("n outlier", "make_outlier", False),
    "c almost": ("c almost", "make_almost_same", False),
    "c distinct": ("c distinct", "make_distinct", True),
    "c sequence": ("c sequence", "generate_as_repeating_sequence", True),
    "n sorted": ("n sorted", "sort_ascending", True),
    "n skewed": ("c skewed, n skewed", "sort_and_skew_right", True),
    "n peak": ("c peak, n peak", "sort_and_make_peak", True),
    "n valley": ("c valley, n valley", "sort_and_make_valley", True),
}
"""By column: the targets of a constraint, its action, and whether the result is ordered."""


@lru_cache
def every_action() -> LongSeries:
    """A series with a column for each action of a custom constraint."""
    specification = a_specification(number_of_rows=120)
    kinds: dict[str, Callable[[str], dict[str, Any]]] = {
        "n": lambda _: a_normal_number(),
        "w": lambda _: a_total("integer", 9000),
        "c": lambda name: a_category(name, TWO),
        "d": lambda _: a_date("2024-01-01", "2024-01-14", 14),
    }
    names = [name.strip() for targets, *_ in ACTIONS.values() for name in targets.split(",")]
    with_columns(specification, **{name: kinds[name[0]](name) for name in names})
    rules = {name: {"targets": {targets: action}} for name, (targets, action, _) in ACTIONS.items()}
    specification["constraints"]["custom_constraints"] = rules
    return a_series_of(specification, date_columns=[], start_date="2024-01-01")


@pytest.mark.thorough
@pytest.mark.parametrize("name", list(ACTIONS))
def test_no_two_runs_share_what_an_action_makes(name: str) -> None:
    """Values generated by a custom constraint differ between runs."""
    assert shared(every_action(), name, ordered=ACTIONS[name][2]) == []


def test_no_two_runs_share_the_places_of_a_region() -> None:
    """An action that assigns regions to categories chooses other hexagons in each run."""
    specification = with_columns(
        a_specification(number_of_rows=120, geospatial_columns=[]), home=a_place()
    )
    rule = {"partition": "sex", "targets": {"home": "geo_make_regions"}}
    specification["constraints"]["custom_constraints"] = {"regions": rule}
    series = a_series_of(specification, {"places": places()})
    for name in ("home_latitude", "home_longitude"):
        assert shared(series, name, ordered=True) == []


# Missing values in few rows.


@lru_cache
def few_rows() -> LongSeries:
    """Sixty rows of which a sixth is new, and a tenth of all values missing."""
    asked = gaps()
    inputs = {**asked.user_input, "num_datasets": 31}
    with TemporaryDirectory() as folder:
        return make(Ask(asked.specification, inputs, asked.tables), Path(folder))


@pytest.mark.thorough
@pytest.mark.parametrize("part", ["new", "existing"])
@pytest.mark.parametrize(
    "name", ["sex", "region", "ward", "code", "amount", "score", "height", "date", "home_latitude"]
)
def test_missing_values_in_few_rows_vary(name: str, part: str) -> None:
    """Over many periods, each row has missing values at times, about a tenth in all."""
    runs = [run for run in few_rows().part(part) if run.k]
    gaps_of_rows = pd.DataFrame({run.k: run.records[name].isna() for run in runs})
    rows = gaps_of_rows.size
    assert abs(gaps_of_rows.to_numpy().mean() - 0.1) < 5 * sqrt(0.1 * 0.9 / rows)
    assert gaps_of_rows.sum().nunique() > 1
    assert gaps_of_rows.mean(axis=1).max() < 0.5
    assert gaps_of_rows.any(axis=1).mean() > 0.75


@pytest.mark.thorough
def test_gaps_of_two_columns_know_nothing_of_each_other() -> None:
    """Two columns that miss a tenth of their values miss about a hundredth together."""
    records = pd.concat([run.records for run in few_rows().runs if run.k])
    names = ["sex", "region", "ward", "code", "amount", "score", "height", "date", "home_latitude"]
    for one, other in combinations(names, 2):
        together = (records[one].isna() & records[other].isna()).mean()
        assert abs(together - 0.01) < 5 * sqrt(0.01 * 0.99 / len(records)), (one, other, together)

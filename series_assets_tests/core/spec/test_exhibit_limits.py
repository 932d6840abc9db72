"""Names, days, models and seeds that Exhibit would handle wrongly without a message are refused.

Each case has a neighbour: the smallest change that makes the specification valid.
"""

from copy import deepcopy
from typing import Any

import pytest

from series_assets_tests.builders import a_specification
from series_assets_tests.core.spec.faulty_specifications import (
    Content,
    faults_of,
    with_column,
    with_keys,
)


@pytest.mark.parametrize(
    ("name", "use", "near"),
    [
        ("key", "cross joins", "keys"),
        ("test_expression", "basic constraints", "test expressions"),
        ("probability_vector", "tables of values", "probability"),
    ],
)
def test_a_name_that_exhibit_uses(name: str, use: str, near: str) -> None:
    """A temporary column of Exhibit would overwrite a user's column of the same name."""
    assert faults_of(with_column(name, "date")) == [
        f"columns.{name} has a name that Exhibit uses in {use}; rename it"
    ]
    assert faults_of(with_column(near, "date")) == []


def test_a_derived_name_that_exhibit_uses() -> None:
    """The message names the place of a derived column."""
    specification = a_specification()
    specification["derived_columns"] = {"key": "amount * 2"}
    assert faults_of(specification) == [
        "derived_columns.key has a name that Exhibit uses in cross joins; rename it"
    ]
    specification["derived_columns"] = {"keys": "amount * 2"}
    assert faults_of(specification) == []


@pytest.mark.parametrize("name", ["a~b", "a|b", "a,b", "a`b", "a$b", "a\nb", "a\tb", " a", "a "])
def test_a_name_that_exhibit_cannot_keep_apart(name: str) -> None:
    """Exhibit splits lists, tables and expressions at these characters."""
    assert faults_of(with_column(name, "date")) == [
        f"columns.{name!r} has a name that Exhibit would misread; leave out ~ | , ` $, "
        "tabs, line breaks, and spaces at its ends"
    ]


@pytest.mark.parametrize("name", ["a b", "a-b", "a.b", "a/b", "1st", "größe"])
def test_a_name_with_other_signs(name: str) -> None:
    """Blanks within a name, other punctuation and any letters are allowed."""
    assert faults_of(with_column(name, "date")) == []


def test_names_that_are_the_same_to_exhibit() -> None:
    """In expressions, Exhibit replaces a blank by two underscores."""
    specification = with_column("date of birth", "date")
    specification["columns"]["date_of_birth"] = deepcopy(specification["columns"]["date"])
    assert faults_of(specification) == []
    specification["columns"]["date__of__birth"] = deepcopy(specification["columns"]["date"])
    assert faults_of(specification) == [
        "columns.date__of__birth and 'date of birth' are the same to Exhibit; rename one of them"
    ]


@pytest.mark.parametrize("end", ["from", "to"])
def test_an_open_window_without_a_frequency(end: str) -> None:
    """A window with one end needs a frequency; between two ends, Exhibit takes every day."""
    missing = "columns.date.frequency is empty; Exhibit needs it, for example D"
    change = {end: None, "frequency": None}
    user_input = {"start_date": "2024-01-01"}
    assert faults_of(with_keys("date", **change), **user_input) == [missing]
    assert faults_of(with_keys("date", **change | {"frequency": "D"}), **user_input) == []
    assert faults_of(with_keys("date", frequency=None), **user_input) == []


@pytest.mark.parametrize(
    ("end", "out", "near"),
    [("from", "1677-09-21", "1677-09-22"), ("to", "2262-04-12", "2262-04-11")],
)
def test_a_day_out_of_reach(end: str, out: str, near: str) -> None:
    """Exhibit's dates cover only some centuries."""
    user_input = {"date_columns": [], "start_date": "2024-01-01"}
    assert faults_of(with_keys("date", **{end: out}), **user_input) == [
        f"columns.date.{end} {out} is outside Exhibit's range of dates, 1677-09-22 to "
        "2262-04-11; use a date between them"
    ]
    assert faults_of(with_keys("date", **{end: near}), **user_input) == []


@pytest.mark.parametrize(("low", "high"), [(10, 9.5), (-1, -2)])
def test_a_least_above_the_largest(low: float, high: float) -> None:
    """A column's minimum must not exceed its maximum."""
    targets = {"dispersion": 0.1, "target_min": low, "target_max": high}
    assert faults_of(with_keys("amount", distribution_parameters=targets)) == [
        f"columns.amount: target_min {low} is above target_max {high}; swap them"
    ]
    assert faults_of(
        with_keys("amount", distribution_parameters=targets | {"target_min": high})
    ) == ([])
    del targets["target_max"]
    assert faults_of(with_keys("amount", distribution_parameters=targets)) == []


def test_a_placeholder_of_exhibit_beside_a_ready_made_set() -> None:
    """Exhibit writes it where a database holds the values, and fails where a set has them."""
    text = "Number of unique values is above inline limit"
    found = {"uniques": 60, "anonymising_set": "birds"}
    assert faults_of(with_keys("region", original_values=text, **found)) == [
        "columns.region.original_values says that a database holds the values, but they come from "
        "the set birds; leave it empty"
    ]
    assert faults_of(with_keys("region", original_values=None, **found)) == []


def test_a_negative_deviation() -> None:
    """Numbers cannot deviate from their mean by less than nothing."""
    targets = {"dispersion": 0.1, "target_mean": 10, "target_std": -2}
    assert faults_of(with_keys("amount", distribution_parameters=targets)) == [
        "columns.amount.distribution_parameters.target_std is -2; it cannot be below 0"
    ]
    assert faults_of(with_keys("amount", distribution_parameters=targets | {"target_std": 0})) == []


@pytest.mark.parametrize("name", ["models/mine", "mine.pickle", "my model", ""])
def test_a_model_that_is_no_plain_name(name: str) -> None:
    """Exhibit reads models only from its own folder."""
    assert faults_of(a_specification() | {"models": {name: {}}}) == [
        f"models.{name} is not the plain name of a model; put the model into Exhibit's folder "
        "models and give its name without folder and ending"
    ]


@pytest.mark.parametrize("name", ["mine", "my-model_2"])
def test_a_model_by_its_name(name: str) -> None:
    """A plain name is all that Exhibit needs."""
    assert faults_of(a_specification() | {"models": {name: {"threshold": 1}}}) == []


def _two_identifiers(**second: Any) -> Content:
    specification = with_column("chi", "id", **second)
    specification["columns"]["id"]["uuid_seed"] = 100
    return specification


@pytest.mark.parametrize("seed", [97, 100, 103])
def test_identifiers_whose_seeds_meet(seed: int) -> None:
    """Seeds increase with the periods; if they overlap, two columns share identifiers."""
    assert faults_of(_two_identifiers(uuid_seed=seed), num_datasets=4) == [
        f"columns.chi would share identifiers with 'id': their seeds {seed} and 100 differ by less "
        "than the number of periods (4); give chi a uuid_seed of its own, for example uuid_seed: "
        "1000100"
    ]


@pytest.mark.parametrize("seed", [96, 104, 1_000_100])
def test_identifiers_whose_seeds_do_not_meet(seed: int) -> None:
    """Seeds that differ by the number of periods do not overlap."""
    assert faults_of(_two_identifiers(uuid_seed=seed), num_datasets=4) == []


@pytest.mark.parametrize("kind", ["pseudo_chi", "range"])
def test_identifiers_of_different_kinds_may_share_a_seed(kind: str) -> None:
    """Only values of the kind uuid depend on nothing but the seed."""
    assert faults_of(_two_identifiers(uuid_seed=100, anonymising_set=kind)) == []


def test_identifiers_without_a_seed_go_by_random_seed() -> None:
    """Two columns without a uuid_seed would share the random_seed."""
    specification = with_column("chi", "id")
    for name in ("id", "chi"):
        del specification["columns"][name]["uuid_seed"]
    assert faults_of(specification, num_datasets=1) == [
        "columns.chi would share identifiers with 'id': their seeds 0 and 0 differ by less than "
        "the number of periods (1); give chi a uuid_seed of its own, for example uuid_seed: 1000000"
    ]
    specification["columns"]["chi"]["uuid_seed"] = 1
    assert faults_of(specification, num_datasets=1) == []

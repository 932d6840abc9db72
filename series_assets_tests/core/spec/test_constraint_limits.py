"""Expressions and actions that Exhibit would handle wrongly without a message are refused.

Each case has a neighbour: the smallest change that makes the specification valid.
"""

from collections.abc import Iterator
from copy import deepcopy

import pytest

from series_assets.core.spec.constraint_limits import ACTIONS
from series_assets_tests.builders import a_specification
from series_assets_tests.core.spec.faulty_specifications import (
    GEOSPATIAL,
    Content,
    faults_of,
    with_column,
)


@pytest.mark.parametrize(
    ("text", "name", "hint"),
    [
        ("amount > amonut*2", "amonut", "; did you mean 'amount'?"),
        ("date > born", "born", "; known here: id, sex, region, amount, date"),
        ("amount > home", "home", "; known here: id, sex, region, amount, date"),
    ],
)
def test_an_unknown_name_in_a_basic_constraint(text: str, name: str, hint: str) -> None:
    """An expression may only use columns that exist."""
    specification = a_specification()
    specification["constraints"]["basic_constraints"] = [text]
    assert faults_of(specification) == [
        f"constraints.basic_constraints '{text}' names '{name}', which is not a known column{hint}"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "amount > amount*2",
        "amount < 1e3",
        "amount >= amount.mean()",
        "amount > ~amount~ * 2",
        "date >= '2024-01-05'",
        "~date~ >= ~date of birth~",
    ],
)
def test_known_names_in_a_basic_constraint(text: str) -> None:
    """Columns, numbers, text and functions are known; a name with blanks is in tildes."""
    specification = with_column("date of birth", "date")
    specification["constraints"]["basic_constraints"] = [text]
    assert faults_of(specification) == []


@pytest.mark.parametrize(
    ("text", "expression"),
    [("amount > amount * 2", "amount*2"), ("date <= date of birth", "dateofbirth")],
)
def test_blanks_in_a_basic_constraint(text: str, expression: str) -> None:
    """To Exhibit, a blank ends a name, unless the name is in tildes."""
    specification = with_column("date of birth", "date")
    specification["constraints"]["basic_constraints"] = [text]
    assert faults_of(specification) == [
        f"constraints.basic_constraints '{text}' has spaces in its expression, which Exhibit "
        f"cannot parse; write {expression}, or ~my column~ for a name"
    ]


def test_an_unknown_name_with_blanks() -> None:
    """The message has the name as the user wrote it, and the most similar column."""
    specification = with_column("date of birth", "date")
    specification["constraints"]["basic_constraints"] = ["date > ~date of brith~"]
    assert faults_of(specification) == [
        "constraints.basic_constraints 'date > ~date of brith~' names 'date of brith', which is "
        "not a known column; did you mean 'date of birth'?"
    ]


def _filtered(text: str | None) -> Content:
    specification = with_column("date of birth", "date")
    specification["columns"]["home"] = dict(GEOSPATIAL)
    specification["constraints"]["custom_constraints"] = {
        "one": {"filter": text, "partition": None, "targets": {"region": "make_same"}}
    }
    return specification


def test_an_unknown_name_in_a_filter() -> None:
    """A filter may only use columns of the data; a geospatial column is two of them."""
    text = "sexx == 'F' & amount > 3"
    place = "constraints.custom_constraints.one.filter"
    assert faults_of(_filtered(text)) == [
        f"{place} '{text}' names 'sexx', which is not a known column; did you mean 'sex'?"
    ]
    assert faults_of(_filtered("home > 3")) == [
        f"{place} 'home > 3' names 'home', which is not a known column; known here: id, sex, "
        "region, amount, date, date of birth, home_latitude, home_longitude"
    ]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "sex == 'F' & amount > 3",
        "sex in ['F', 'X'] and not amount > 3",
        "home_latitude > 3",
        "~date of birth~ < date",
        "region.str.startswith('N', na=False)",
        "region with_high_frequency",
        "region with_low_frequency",
    ],
)
def test_known_names_in_a_filter(text: str | None) -> None:
    """Columns, pandas' keywords and Exhibit's two keywords are known."""
    assert faults_of(_filtered(text)) == []


def _deriving(**derived: str) -> Content:
    specification = with_column("date of birth", "date")
    return specification | {"derived_columns": derived}


def test_an_unknown_name_in_a_derived_column() -> None:
    """A derived column may only use columns that precede it."""
    known = "id, sex, region, amount, date, date of birth"
    assert faults_of(_deriving(second="first * 2", first="amount + 1")) == [
        "derived_columns.second 'first * 2' names 'first', which is not a known column; "
        f"known here: {known}"
    ]
    assert faults_of(_deriving(first="amount + 1", second="first * 2")) == []


@pytest.mark.parametrize(
    "text",
    [
        "amount * 2",
        "date - date of birth",
        "@df.groupby('sex')['amount'].sum()",
        "df.groupby(['sex', 'region']).amount.sum()",
        "@sysdate - date",
        "@create_timestamp(amount, amount, amount)",
        "region + ' (Scotland)'",
    ],
)
def test_known_names_in_a_derived_column(text: str) -> None:
    """Columns, names with blanks, and the names that Exhibit provides are known."""
    assert faults_of(_deriving(made=text)) == []


def _acting(target: str, actions: str) -> Content:
    specification = a_specification()
    specification["columns"]["home"] = dict(GEOSPATIAL)
    specification["columns"]["weight"] = deepcopy(specification["columns"]["amount"])
    specification["columns"]["word"] = deepcopy(specification["columns"]["region"]) | {
        "original_values": "regex",
        "anonymising_set": "[A-C]",
    }
    specification["constraints"]["custom_constraints"] = {
        "one": {"filter": None, "partition": None, "targets": {target: actions}}
    }
    return specification


@pytest.mark.parametrize(
    ("target", "actions", "fault"),
    [
        ("sex", "make_sme",
         "'make_sme' is not an action that Exhibit knows; did you mean 'make_same'?"),
        ("sex", "make_same, banana",
         "'banana' is not an action that Exhibit knows; known here: " + ", ".join(ACTIONS)),
        ("id", "assign_value$7",
         "'assign_value$7' acts on an identifier, which no constraint may change"),
        ("date", "assign_value$2024-02-31",
         "'assign_value$2024-02-31' assigns what is not a date; write a date, such as 2024-01-31"),
        ("amount", "make_null$3", "'make_null$3' has an argument, which only assign_value takes"),
        ("amount", "assign_value", "'assign_value' assigns nothing; write assign_value$value"),
        ("amount", "assign_value$1$2",
         "'assign_value$1$2' assigns several values; write assign_value$value"),
        ("amount", "sort_and_skew_right",
         "'sort_and_skew_right' needs exactly two columns, the one to sort by and the one to skew"),
        ("date, amount, weight", "sort_and_make_peak",
         "'sort_and_make_peak' needs exactly two columns, the one to sort by and the one to skew"),
        ("amount, date", "sort_and_skew_left",
         "'sort_and_skew_left' skews 'date', which is not a continuous column"),
        ("amount, sex", "make_outlier", "'make_outlier' needs continuous columns"),
        ("date", "make_outlier", "'make_outlier' needs continuous columns"),
        ("sex", "geo_make_regions", "'geo_make_regions' needs geospatial columns"),
        ("amount", "generate_as_sequence",
         "'generate_as_sequence' needs columns whose values are listed in original_values"),
        ("sex, word", "generate_as_repeating_sequence",
         "'generate_as_repeating_sequence' needs columns whose values are listed in "
         "original_values"),
    ],
)  # fmt: skip
def test_an_action_that_would_do_nothing_or_fail(target: str, actions: str, fault: str) -> None:
    """An action that Exhibit does not know, or that does not fit its columns, is refused."""
    assert faults_of(_acting(target, actions)) == [
        f"constraints.custom_constraints.one.targets.{target} {fault}"
    ]


def _fitting() -> Iterator[tuple[str, str]]:
    """Yield every action with columns that it fits."""
    for action in ACTIONS:
        if action.startswith("sort_and_"):
            yield "date, amount", action
        elif action.startswith("generate_as_"):
            yield "sex, region", action
        elif action == "geo_make_regions":
            yield "home", action
        else:
            yield "amount, weight", f"{action}$3" if action == "assign_value" else action


@pytest.mark.parametrize(
    ("target", "actions"),
    [
        *_fitting(),
        ("sex", "make_distinct,sort_ascending"),
        ("date", "assign_value$2024-02-29"),
    ],
)
def test_an_action_that_fits(target: str, actions: str) -> None:
    """Each of Exhibit's actions is accepted on columns that it fits."""
    assert faults_of(_acting(target, actions)) == []


def test_regions_of_some_rows_are_refused() -> None:
    """With a filter, Exhibit removes places of rows that it leaves out."""
    specification = _acting("home", "geo_make_regions")
    specification["constraints"]["custom_constraints"]["one"]["filter"] = "sex == 'F'"
    assert faults_of(specification) == [
        "constraints.custom_constraints.one.targets.home 'geo_make_regions' with a filter: Exhibit "
        "removes places of other rows; leave out the filter"
    ]


def test_every_unfit_action_is_reported() -> None:
    """Each wrong action on any target has its own message."""
    specification = _acting("sex", "make_sme, make_outlier")
    targets = specification["constraints"]["custom_constraints"]["one"]["targets"]
    targets |= {"amount": "make_same", "region": "geo_make_regions"}
    place = "constraints.custom_constraints.one.targets"
    assert faults_of(specification) == [
        f"{place}.sex 'make_sme' is not an action that Exhibit knows; did you mean 'make_same'?",
        f"{place}.sex 'make_outlier' needs continuous columns",
        f"{place}.region 'geo_make_regions' needs geospatial columns",
    ]


@pytest.mark.parametrize("constraint", ["count == 55.5", "count == amount", "count == count/2"])
def test_whole_numbers_that_should_equal_a_fraction(constraint: str) -> None:
    """Integers never equal a fraction, but may be bounded by one."""
    count = {
        "type": "continuous",
        "precision": "integer",
        "distribution": "weighted_uniform",
        "distribution_parameters": {"target_min": 1, "target_max": 9},
        "miss_probability": 0.0,
    }
    specification = a_specification()
    specification["columns"]["count"] = count
    specification["constraints"]["basic_constraints"] = [constraint]
    assert faults_of(specification) == [
        f"constraints.basic_constraints '{constraint}' compares whole numbers with what may be a "
        "fraction; use <= or >=, or precision: float"
    ]
    specification["constraints"]["basic_constraints"] = [
        constraint.replace("==", "<="),
        "count == 5",
    ]
    assert faults_of(specification) == []

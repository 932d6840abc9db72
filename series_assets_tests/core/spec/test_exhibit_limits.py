"""What Exhibit would get wrong without a word is refused, and what is nearly that is not.

Every message is held as a whole. Each case has a neighbour: the smallest change that makes the
specification one that Exhibit can run.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from series_assets.core.errors import InputError
from series_assets.core.spec.constraint_limits import ACTIONS
from series_assets_tests.builders import a_series, a_specification, a_user_input

Content = dict[str, Any]
PLACE = {
    "type": "geospatial",
    "h3_table": "geo",
    "distribution": "uniform",
    "miss_probability": 0.0,
}


def _complaints(specification: Content, **said: Any) -> list[str]:
    """Return what is wrong with a specification, in the words that a user reads."""
    try:
        a_series(specification, a_user_input(**said))
    except InputError as error:
        assert {fault.file for fault in error.faults} == {"demo/specification.yml"}
        return [fault.message for fault in error.faults]
    return []


def _with_column(name: str, like: str, **keys: Any) -> Content:
    """Return a specification with one more column, otherwise like another of it."""
    specification = a_specification()
    column = deepcopy(specification["columns"][like]) | keys
    values = column.get("original_values")
    if isinstance(values, list):
        column["original_values"] = [values[0].replace(like, name), *values[1:]]
    specification["columns"][name] = column
    return specification


def _with(column: str, **keys: Any) -> Content:
    """Return a specification with other keys in one of its columns."""
    specification = a_specification()
    specification["columns"][column] |= keys
    return specification


# Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "use", "near"),
    [
        ("key", "cross joins", "keys"),
        ("test_expression", "basic constraints", "test expressions"),
        ("probability_vector", "tables of values", "probability"),
    ],
)
def test_a_name_that_exhibit_uses(name: str, use: str, near: str) -> None:
    """A column that Exhibit makes on its way would overwrite the user's of that name."""
    assert _complaints(_with_column(name, "date")) == [
        f"columns.{name} has a name that Exhibit uses in {use}; rename it"
    ]
    assert _complaints(_with_column(near, "date")) == []


def test_a_derived_name_that_exhibit_uses() -> None:
    """A derived column is told by the place where it stands."""
    specification = a_specification()
    specification["derived_columns"] = {"key": "amount * 2"}
    assert _complaints(specification) == [
        "derived_columns.key has a name that Exhibit uses in cross joins; rename it"
    ]
    specification["derived_columns"] = {"keys": "amount * 2"}
    assert _complaints(specification) == []


@pytest.mark.parametrize("name", ["a~b", "a|b", "a,b", "a`b", "a$b", "a\nb", "a\tb", " a", "a "])
def test_a_name_that_exhibit_cannot_keep_apart(name: str) -> None:
    """Exhibit splits lists, tables and expressions at these signs."""
    assert _complaints(_with_column(name, "date")) == [
        f"columns.{name!r} has a name that Exhibit cannot keep apart; leave out ~ | , ` $, "
        "tabs, line breaks, and blanks at its ends"
    ]


@pytest.mark.parametrize("name", ["a b", "a-b", "a.b", "a/b", "1st", "größe"])
def test_a_name_with_other_signs(name: str) -> None:
    """Blanks within a name, other signs and other letters are kept apart."""
    assert _complaints(_with_column(name, "date")) == []


def test_names_that_are_the_same_to_exhibit() -> None:
    """In expressions Exhibit writes two underscores for a blank."""
    specification = _with_column("date of birth", "date")
    specification["columns"]["date_of_birth"] = deepcopy(specification["columns"]["date"])
    assert _complaints(specification) == []
    specification["columns"]["date__of__birth"] = deepcopy(specification["columns"]["date"])
    assert _complaints(specification) == [
        "columns.date__of__birth and 'date of birth' are the same to Exhibit; rename one of them"
    ]


# Values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [None, "random"])
def test_values_that_are_nowhere(values: str | None) -> None:
    """Up to inline_limit Exhibit reads values from the specification, above from the database."""
    keys = {"original_values": values, "anonymising_set": "mountains"}
    assert _complaints(_with("region", uniques=30, **keys)) == [
        "columns.region.original_values lists no values, but its uniques 30 are within "
        "inline_limit 30; list them, or give the number of values that the database holds"
    ]
    assert _complaints(_with("region", uniques=31, **keys)) == []


def test_values_of_a_pattern_need_no_list() -> None:
    """A regex column makes its values, however few they are."""
    keys = {"original_values": "regex", "anonymising_set": "[A-C]"}
    assert _complaints(_with("region", **keys)) == []


def _paired(**keys: Any) -> Content:
    """Return a specification whose ``code`` comes with its ``region``, from a table of values."""
    specification = _with_column(
        "code", "region", paired_columns=["region"], original_values="See paired column", **keys
    )
    specification["columns"]["region"] |= {
        "paired_columns": ["code"],
        "original_values": [
            "region | paired_code | probability_vector | amount",
            "North | N | 0.2 | 0.3",
            "South | S | 0.5 | 0.3",
            "West | W | 0.3 | 0.4",
            "Missing data | Missing data | 0 | 0",
        ],
    }
    return specification


def test_pairs_from_different_sets() -> None:
    """Both columns of a pair say so where their values come from different sets."""
    assert _complaints(_paired()) == []
    assert _complaints(_paired(anonymising_set="mountains")) == [
        "columns.region and its pair 'code' have different anonymising_sets; Exhibit needs the "
        "same one",
        "columns.code and its pair 'region' have different anonymising_sets; Exhibit needs the "
        "same one",
    ]


def test_a_table_without_the_values_of_its_pair() -> None:
    """The table of values has to say which code a region has."""
    specification = _paired()
    rows = specification["columns"]["region"]["original_values"]
    rows[0] = rows[0].replace("paired_code", "code")
    assert _complaints(specification) == [
        "columns.region.original_values has no column 'paired_code' with the values that go with "
        "those of region"
    ]


def test_a_linked_group_from_different_sets() -> None:
    """Columns of one linked group may be columns of one table, not of two."""
    specification = a_specification()
    specification["linked_columns"] = [[1, ["sex", "region"]]]
    columns = specification["columns"]
    columns["sex"]["anonymising_set"] = "mountains.range"
    columns["region"]["anonymising_set"] = "mountains.peak"
    assert _complaints(specification) == []
    columns["region"]["anonymising_set"] = "birds.scientific"
    assert _complaints(specification) == [
        "linked_columns [sex, region] have different anonymising_sets; Exhibit needs the same one"
    ]


@pytest.mark.parametrize(
    "row",
    ["F", "F | -0.1 | 0.8", "F | often | 0.8", "F | 0.5 | -1", "F | nan | 0.8", "F | inf | 0.8"],
)
def test_a_row_without_a_probability(row: str) -> None:
    """Every value has a probability, and what weights it has are numbers from 0."""
    rows = ["sex | probability_vector | amount", row, "M | 0.5 | 0.2", "Missing data | 0 | 0"]
    assert _complaints(_with("sex", original_values=rows)) == [
        f"columns.sex.original_values has a row '{row}' without a probability, or with something "
        "that is not a number from 0 up"
    ]


@pytest.mark.parametrize("row", ["F | 0 | 0.8", "F | 2 | 0", "F | 0.5 |", "F | 1e-3 | 0.8"])
def test_a_row_with_a_probability(row: str) -> None:
    """A probability may be 0 or more than 1, and a weight may be left out."""
    rows = ["sex | probability_vector | amount", row, "M | 0.5 | 0.2", "Missing data | 0 | 0"]
    assert _complaints(_with("sex", original_values=rows)) == []


def test_a_row_whose_probability_is_blank() -> None:
    """A cell left empty where the probability belongs is no probability."""
    rows = ["sex | probability_vector | amount", "F |  | 0.8", "M | 1 | 0", "Missing data | 0 | 0"]
    assert _complaints(_with("sex", original_values=rows)) == [
        "columns.sex.original_values has a row 'F |  | 0.8' without a probability, or with "
        "something that is not a number from 0 up"
    ]


def test_no_value_is_probable() -> None:
    """One value at least has to be possible; that something is missing does not count."""
    rows = ["sex | probability_vector | amount", "F | 0 | 1", "M | 0 | 1", "Missing data | 1 | 0"]
    assert _complaints(_with("sex", original_values=rows)) == [
        "columns.sex.original_values gives no value a probability above 0; give one to "
        "at least one value"
    ]
    rows[1] = "F | 0.1 | 1"
    assert _complaints(_with("sex", original_values=rows)) == []


# Dates and numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["from", "to"])
def test_an_open_window_without_a_frequency(end: str) -> None:
    """Between two days Exhibit takes every day, from one day on it has to know how far apart."""
    missing = "columns.date.frequency is empty; Exhibit needs it, for example D"
    change = {end: None, "frequency": None}
    said = {"start_date": "2024-01-01"}
    assert _complaints(_with("date", **change), **said) == [missing]
    assert _complaints(_with("date", **change | {"frequency": "D"}), **said) == []
    assert _complaints(_with("date", frequency=None), **said) == []


@pytest.mark.parametrize(
    ("end", "out", "near"),
    [("from", "1677-09-21", "1677-09-22"), ("to", "2262-04-12", "2262-04-11")],
)
def test_a_day_out_of_reach(end: str, out: str, near: str) -> None:
    """The days that Exhibit's dates can hold are some centuries around ours."""
    said = {"date_columns": [], "start_date": "2024-01-01"}
    assert _complaints(_with("date", **{end: out}), **said) == [
        f"columns.date.{end} {out} is out of reach for Exhibit, whose days go from 1677-09-22 to "
        "2262-04-11; use a day between them"
    ]
    assert _complaints(_with("date", **{end: near}), **said) == []


@pytest.mark.parametrize(("low", "high"), [(10, 9.5), (-1, -2)])
def test_a_least_above_the_largest(low: float, high: float) -> None:
    """The least of a column's numbers cannot be above the largest."""
    targets = {"dispersion": 0.1, "target_min": low, "target_max": high}
    assert _complaints(_with("amount", distribution_parameters=targets)) == [
        f"columns.amount: target_min {low} is above target_max {high}; swap them"
    ]
    assert _complaints(_with("amount", distribution_parameters=targets | {"target_min": high})) == (
        []
    )
    del targets["target_max"]
    assert _complaints(_with("amount", distribution_parameters=targets)) == []


# SQL statements ------------------------------------------------------------------------------


def _selecting(statement: str, column: str = "region") -> Content:
    return _with(column, anonymising_set=statement)


JOINED = "SELECT temp_demo.sex, regions.region AS region FROM temp_demo JOIN regions USING (sex)"


@pytest.mark.parametrize(
    "statement",
    [
        JOINED,
        JOINED.replace("SELECT", " select").replace("FROM", "from"),
        JOINED.replace("temp_demo.sex", 'temp_demo."sex"'),
        JOINED.replace("temp_demo.sex, ", "temp_demo.sex, temp_demo.region, "),
        JOINED.replace("temp_demo.sex", "temp_demo.id"),
    ],
)
def test_a_statement_that_joins_on_one_column(statement: str) -> None:
    """One column that is made before is what Exhibit can join on: a category or an identifier."""
    assert _complaints(_selecting(statement)) == []


@pytest.mark.parametrize(
    ("selected", "which"),
    [
        ("", "no column"),
        ("sex, ", "no column"),
        ("temp_demo.region, ", "no column"),
        ("temp_other.sex, ", "no column"),
        ("temp_demo.sex, temp_demo.id, ", "the columns id, sex"),
    ],
)
def test_a_statement_that_cannot_be_joined(selected: str, which: str) -> None:
    """Without a column to join on, or with two, Exhibit gives rows the values of others."""
    statement = JOINED.replace("temp_demo.sex, ", selected)
    assert _complaints(_selecting(statement)) == [
        f"columns.region.anonymising_set selects {which} of temp_demo beside 'region'; Exhibit can "
        "join on exactly one, written temp_demo.column"
    ]


def test_a_statement_that_joins_on_what_is_made_later() -> None:
    """Columns are made in the order of the metadata: what is joined on has to be there."""
    statement = "SELECT temp_demo.region, sexes.sex AS sex FROM temp_demo JOIN sexes USING (region)"
    specification = _selecting(statement, "sex")
    assert _complaints(specification) == [
        "columns.sex.anonymising_set joins on 'region', which comes after 'sex'; put it before "
        "'sex' in metadata.categorical_columns"
    ]
    specification["metadata"]["categorical_columns"] = ["region", "sex"]
    assert _complaints(specification) == []


def test_a_statement_may_join_on_a_linked_column() -> None:
    """Linked groups are made before all other categories, wherever the metadata name them."""
    statement = "SELECT temp_demo.ward, sexes.sex AS sex FROM temp_demo JOIN sexes USING (ward)"
    specification = _with_column("ward", "region")
    specification["columns"]["sex"]["anonymising_set"] = statement
    assert _complaints(specification) == [
        "columns.sex.anonymising_set joins on 'ward', which comes after 'sex'; put it before "
        "'sex' in metadata.categorical_columns"
    ]
    specification["linked_columns"] = [[1, ["region", "ward"]]]
    assert _complaints(specification) == []


def test_a_date_may_come_from_a_statement() -> None:
    """Days that are looked up by a category need neither from nor to, nor a frequency."""
    statement = "SELECT temp_demo.sex, days.date AS date FROM temp_demo JOIN days USING (sex)"
    specification = _selecting(statement, "date")
    specification["columns"]["date"] |= {"from": None, "to": None, "frequency": None}
    assert _complaints(specification, date_columns=[], start_date="2024-01-01") == []


def test_a_statement_beside_a_cross_join() -> None:
    """What is cross-joined is not there yet when Exhibit joins a statement's values."""
    specification = _selecting(JOINED)
    specification["columns"]["sex"]["cross_join_all_unique_values"] = True
    assert _complaints(specification) == [
        "columns.region.anonymising_set is an SQL statement, which Exhibit cannot join while "
        "columns are cross-joined; set cross_join_all_unique_values: false"
    ]
    specification["columns"]["sex"]["cross_join_all_unique_values"] = False
    assert _complaints(specification) == []


# Expressions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "hint"),
    [
        ("amount > amonut*2", "amonut", "; did you mean 'amount'?"),
        ("date > born", "born", "; known here: id, sex, region, amount, date"),
        ("amount > home", "home", "; known here: id, sex, region, amount, date"),
    ],
)
def test_an_unknown_name_in_a_basic_constraint(text: str, name: str, hint: str) -> None:
    """An expression can only speak of columns that there are."""
    specification = a_specification()
    specification["constraints"]["basic_constraints"] = [text]
    assert _complaints(specification) == [
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
    """Columns, numbers, texts and functions are known; a name with blanks stands in tildes."""
    specification = _with_column("date of birth", "date")
    specification["constraints"]["basic_constraints"] = [text]
    assert _complaints(specification) == []


@pytest.mark.parametrize(
    ("text", "expression"),
    [("amount > amount * 2", "amount*2"), ("date <= date of birth", "dateofbirth")],
)
def test_blanks_in_a_basic_constraint(text: str, expression: str) -> None:
    """Exhibit takes blanks for the end of a name, unless there are tildes."""
    specification = _with_column("date of birth", "date")
    specification["constraints"]["basic_constraints"] = [text]
    assert _complaints(specification) == [
        f"constraints.basic_constraints '{text}' has blanks in its expression, which Exhibit "
        f"cannot parse; write {expression}, or ~my column~ for a name"
    ]


def test_an_unknown_name_with_blanks() -> None:
    """A name in tildes is told as the user wrote it, with the one that was meant."""
    specification = _with_column("date of birth", "date")
    specification["constraints"]["basic_constraints"] = ["date > ~date of brith~"]
    assert _complaints(specification) == [
        "constraints.basic_constraints 'date > ~date of brith~' names 'date of brith', which is "
        "not a known column; did you mean 'date of birth'?"
    ]


def _filtered(text: str | None) -> Content:
    specification = _with_column("date of birth", "date")
    specification["columns"]["home"] = dict(PLACE)
    specification["constraints"]["custom_constraints"] = {
        "one": {"filter": text, "partition": None, "targets": {"region": "make_same"}}
    }
    return specification


def test_an_unknown_name_in_a_filter() -> None:
    """A filter can only speak of columns of the data; a place is two of them."""
    text = "sexx == 'F' & amount > 3"
    place = "constraints.custom_constraints.one.filter"
    assert _complaints(_filtered(text)) == [
        f"{place} '{text}' names 'sexx', which is not a known column; did you mean 'sex'?"
    ]
    assert _complaints(_filtered("home > 3")) == [
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
    """Columns, the words of pandas and Exhibit's two own words are known."""
    assert _complaints(_filtered(text)) == []


def _deriving(**derived: str) -> Content:
    specification = _with_column("date of birth", "date")
    return specification | {"derived_columns": derived}


def test_an_unknown_name_in_a_derived_column() -> None:
    """A derived column can only be computed from columns that come before it."""
    known = "id, sex, region, amount, date, date of birth"
    assert _complaints(_deriving(second="first * 2", first="amount + 1")) == [
        "derived_columns.second 'first * 2' names 'first', which is not a known column; "
        f"known here: {known}"
    ]
    assert _complaints(_deriving(first="amount + 1", second="first * 2")) == []


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
    """Columns, blanks in their names, and what Exhibit hands in are known."""
    assert _complaints(_deriving(made=text)) == []


# Actions -------------------------------------------------------------------------------------


def _acting(target: str, actions: str) -> Content:
    specification = a_specification()
    specification["columns"]["home"] = dict(PLACE)
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
    assert _complaints(_acting(target, actions)) == [
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
    ("target", "actions"), [*_fitting(), ("sex", "make_distinct,sort_ascending")]
)
def test_an_action_that_fits(target: str, actions: str) -> None:
    """Each of Exhibit's actions is accepted on columns that it is meant for."""
    assert _complaints(_acting(target, actions)) == []


def test_every_unfit_action_is_told() -> None:
    """Of several actions on several targets, each that is wrong has its message."""
    specification = _acting("sex", "make_sme, make_outlier")
    targets = specification["constraints"]["custom_constraints"]["one"]["targets"]
    targets |= {"amount": "make_same", "region": "geo_make_regions"}
    place = "constraints.custom_constraints.one.targets"
    assert _complaints(specification) == [
        f"{place}.sex 'make_sme' is not an action that Exhibit knows; did you mean 'make_same'?",
        f"{place}.sex 'make_outlier' needs continuous columns",
        f"{place}.region 'geo_make_regions' needs geospatial columns",
    ]


# Models --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["models/mine", "mine.pickle", "my model", ""])
def test_a_model_that_is_no_plain_name(name: str) -> None:
    """Exhibit looks for models in a folder of its own."""
    assert _complaints(a_specification() | {"models": {name: {}}}) == [
        f"models.{name} is not the plain name of a model; put the model into Exhibit's folder "
        "models and give its name without folder and ending"
    ]


@pytest.mark.parametrize("name", ["mine", "my-model_2"])
def test_a_model_by_its_name(name: str) -> None:
    """A plain name is all that Exhibit needs."""
    assert _complaints(a_specification() | {"models": {name: {"threshold": 1}}}) == []


# Seeds of identifiers ------------------------------------------------------------------------


def _two_identifiers(**second: Any) -> Content:
    specification = _with_column("chi", "id", **second)
    specification["columns"]["id"]["uuid_seed"] = 100
    return specification


@pytest.mark.parametrize("seed", [97, 100, 103])
def test_identifiers_whose_seeds_meet(seed: int) -> None:
    """Seeds count up with the periods; two that meet would give one identifier to two columns."""
    assert _complaints(_two_identifiers(uuid_seed=seed), num_datasets=4) == [
        f"columns.chi would share identifiers with 'id': their seeds {seed} and 100 are closer "
        "than the series has periods (4); give chi a uuid_seed of its own, for example uuid_seed: "
        "1000100"
    ]


@pytest.mark.parametrize("seed", [96, 104, 1_000_100])
def test_identifiers_whose_seeds_do_not_meet(seed: int) -> None:
    """As many seeds apart as there are periods is far enough."""
    assert _complaints(_two_identifiers(uuid_seed=seed), num_datasets=4) == []


@pytest.mark.parametrize("kind", ["pseudo_chi", "range"])
def test_identifiers_of_different_kinds_may_share_a_seed(kind: str) -> None:
    """Only uuid values are made from the seed alone."""
    assert _complaints(_two_identifiers(uuid_seed=100, anonymising_set=kind)) == []


def test_identifiers_without_a_seed_go_by_random_seed() -> None:
    """Where uuid_seed is left out of both columns, they share the random_seed."""
    specification = _with_column("chi", "id")
    for name in ("id", "chi"):
        del specification["columns"][name]["uuid_seed"]
    assert _complaints(specification, num_datasets=1) == [
        "columns.chi would share identifiers with 'id': their seeds 0 and 0 are closer than the "
        "series has periods (1); give chi a uuid_seed of its own, for example uuid_seed: 1000000"
    ]
    specification["columns"]["chi"]["uuid_seed"] = 1
    assert _complaints(specification, num_datasets=1) == []


@pytest.mark.parametrize("constraint", ["count == 55.5", "count == amount", "count == count/2"])
def test_whole_numbers_that_should_equal_a_fraction(constraint: str) -> None:
    """They never could; a bound to either side can be kept."""
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
    assert _complaints(specification) == [
        f"constraints.basic_constraints '{constraint}' compares whole numbers with what may be a "
        "fraction; use <= or >=, or precision: float"
    ]
    specification["constraints"]["basic_constraints"] = [
        constraint.replace("==", "<="),
        "count == 5",
    ]
    assert _complaints(specification) == []

"""Faults in ``specification.yml``: the message names the place in it and the fault."""

from pathlib import Path

import pytest

from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.faulty_inputs.validation import ABSENT, changed, validate

ROWS = ["sex | probability_vector | amount", "F | 0.5 | 0.8", "M | 0.5 | 0.2"]


ONCE = "frequency | probability_vector"


SPECIFICATION_FAULTS: list[tuple[str, object, str]] = [
    # Missing keys.
    (
        "metadata",
        ABSENT,
        "metadata is missing; 'series-assets new NAME' writes a template to copy it from",
    ),
    (
        "columns",
        ABSENT,
        "columns is missing; 'series-assets new NAME' writes a template to copy it from",
    ),
    (
        "constraints",
        ABSENT,
        "constraints is missing; 'series-assets new NAME' writes a template to copy it from",
    ),
    (
        "metadata/number_of_rows",
        ABSENT,
        "metadata.number_of_rows is missing; say how many rows a dataset has, for example "
        "number_of_rows: 100",
    ),
    (
        "metadata/inline_limit",
        ABSENT,
        "metadata.inline_limit is missing; Exhibit's own default is inline_limit: 30",
    ),
    (
        "metadata/random_seed",
        ABSENT,
        "metadata.random_seed is missing; any whole number from 0 will do, for example "
        "random_seed: 0",
    ),
    (
        "columns/sex/type",
        ABSENT,
        "columns.sex.type is missing; use categorical, continuous, date, geospatial or uuid",
    ),
    (
        "columns/sex/uniques",
        ABSENT,
        "columns.sex.uniques is missing; say how many different values it has, for example "
        "uniques: 2",
    ),
    (
        "columns/sex/miss_probability",
        ABSENT,
        "columns.sex.miss_probability is missing; say how often it is missing, for example "
        "miss_probability: 0.0",
    ),
    (
        "columns/id/frequency_distribution",
        ABSENT,
        "columns.id.frequency_distribution is missing; say how many rows an entity has, for "
        "example '1 | 1.0'",
    ),
    (
        "constraints/allow_duplicates",
        ABSENT,
        "constraints.allow_duplicates is missing; use true or false",
    ),
    # Wrong types.
    ("metadata", "demo", "metadata 'demo' is not a mapping of keys to values"),
    ("columns", ["id"], "columns ['id'] is not a mapping of keys to values"),
    ("columns/sex", None, "columns.sex (empty) is not a mapping of keys to values"),
    (
        "metadata/number_of_rows",
        "60",
        "metadata.number_of_rows '60' is not a whole number; write it without quotes",
    ),
    ("metadata/number_of_rows", "12,5", "metadata.number_of_rows '12,5' is not a whole number"),
    (
        "metadata/number_of_rows",
        "1,000",
        "metadata.number_of_rows '1,000' is not a whole number; write 1000",
    ),
    (
        "columns/sex/miss_probability",
        "5%",
        "columns.sex.miss_probability '5%' is not a number; write 0.05",
    ),
    (
        "columns/sex/miss_probability",
        "0,2",
        "columns.sex.miss_probability '0,2' is not a number; write 0.2",
    ),
    ("metadata/number_of_rows", 60.5, "metadata.number_of_rows 60.5 is not a whole number"),
    ("metadata/uuid_columns", "id", "metadata.uuid_columns 'id' is not a list"),
    ("metadata/random_seed", None, "metadata.random_seed (empty) is not a whole number"),
    ("metadata/id", 7, "metadata.id 7 is not text; put it in quotes"),
    ("columns/id/uuid_seed", None, "columns.id.uuid_seed (empty) is not a whole number"),
    (
        "columns/sex/miss_probability",
        "none",
        "columns.sex.miss_probability 'none' is not a number",
    ),
    (
        "columns/sex/cross_join_all_unique_values",
        "no",
        "columns.sex.cross_join_all_unique_values 'no' is not true or false",
    ),
    ("constraints/allow_duplicates", 1, "constraints.allow_duplicates 1 is not true or false"),
    (
        "columns/date/from",
        "January",
        "columns.date.from 'January' is not a date; write it as 2024-01-31 or 31/01/2024",
    ),
    (
        "columns/date/uniques",
        "many",
        "columns.date.uniques 'many' is not a whole number",
    ),
    # Out of range.
    ("metadata/number_of_rows", 0, "metadata.number_of_rows 0 is too small; the smallest is 1"),
    (
        "metadata/number_of_rows",
        10**30,
        f"metadata.number_of_rows {10**30} is too large; the largest is 1000000000",
    ),
    ("metadata/random_seed", -1, "metadata.random_seed -1 is too small; the smallest is 0"),
    (
        "metadata/random_seed",
        2**32,
        "metadata.random_seed 4294967296 is too large; keep seed + periods below 4294967296",
    ),
    (
        "columns/id/uuid_seed",
        2**32 - 1,
        "columns.id.uuid_seed 4294967295 is too large; keep seed + periods below 4294967296",
    ),
    (
        "columns/sex/type",
        "category",
        "columns.sex.type 'category' is not known; use uuid, categorical, continuous, date or "
        "geospatial; did you mean 'categorical'?",
    ),
    (
        "columns/sex/miss_probability",
        1.5,
        "columns.sex.miss_probability 1.5 is too large; the largest is 1",
    ),
    (
        "columns/sex/miss_probability",
        -0.5,
        "columns.sex.miss_probability -0.5 is too small; the smallest is 0",
    ),
    (
        "columns/id/anonymising_set",
        "banana",
        "columns.id.anonymising_set 'banana' is not known; use uuid, pseudo_chi or range",
    ),
    (
        "columns/amount/precision",
        "decimal",
        "columns.amount.precision 'decimal' is not known; use integer or float",
    ),
    (
        "columns/id/frequency_distribution",
        ["1 | 1.0"],
        "columns.id.frequency_distribution has no header row 'frequency | probability_vector'",
    ),
    (
        "columns/id/frequency_distribution",
        [],
        "columns.id.frequency_distribution has no header row 'frequency | probability_vector'",
    ),
    (
        "columns/id/frequency_distribution",
        [ONCE, "once | 1.0"],
        "columns.id.frequency_distribution has a row 'once | 1.0' that is not like '1 | 1.0'",
    ),
    (
        "columns/id/frequency_distribution",
        [ONCE, "0 | 1.0"],
        "columns.id.frequency_distribution has a row '0 | 1.0'; frequencies start at 1, shares "
        "at 0",
    ),
    (
        "columns/sex/original_values",
        ROWS,
        "columns.sex.original_values does not end with a row 'Missing data'; Exhibit takes the "
        "last row for it and would drop a value",
    ),
    (
        "columns/sex/original_values",
        ["sex | amount", "F | 1", "Missing data | 0"],
        "columns.sex.original_values has no header row with a probability_vector",
    ),
    (
        "columns/sex/original_values",
        ["gender | probability_vector | amount", *ROWS[1:], "Missing data | 0 | 0"],
        "columns.sex.original_values has no header row that starts with 'sex'",
    ),
    (
        "columns/sex/original_values",
        ["sex | probability_vector | amuont", *ROWS[1:], "Missing data | 0 | 0"],
        "columns.sex.original_values has a column 'amuont', which is not a numerical "
        "column; did you mean 'amount'?",
    ),
    (
        "columns/date/to",
        "2023-12-31",
        "columns.date.to 2023-12-31 is before from 2024-01-01; swap them or fix one",
    ),
    (
        "columns/date/frequency",
        "daily",
        "columns.date.frequency 'daily' is not a frequency that pandas knows, such as D, W or MS",
    ),
    (
        "columns/sex/paired_columns",
        ["colour"],
        "columns.sex.paired_columns names 'colour', which is not a categorical column",
    ),
    (
        "columns/amount/distribution_parameters",
        {"dispersion": 0.1},
        "columns.amount.distribution_parameters has no target; Exhibit needs one of target_sum, "
        "target_min, target_max, target_mean, target_std",
    ),
    (
        "constraints/basic_constraints",
        ["amount>3"],
        "constraints.basic_constraints 'amount>3' is not 'column operator expression' with one "
        "of < > <= >= == between spaces",
    ),
    (
        "constraints/basic_constraints",
        ["price > 3"],
        "constraints.basic_constraints 'price > 3' starts with an unknown column; known here: id, "
        "sex, region, amount, date",
    ),
    (
        "constraints/custom_constraints",
        {"one": {"filter": None, "partition": "colour", "targets": {"sex": "make_same"}}},
        "constraints.custom_constraints.one.partition names 'colour', which is not under columns",
    ),
    (
        "linked_columns",
        [[1, ["sex", "amount"]]],
        "linked_columns names 'amount', which is not a categorical column",
    ),
    (
        "derived_columns",
        {"sex": "amount * 2"},
        "derived_columns.sex has the name of a column",
    ),
    (
        "metadata/uuid_columns",
        ["uuid"],
        "metadata.uuid_columns names 'uuid', which is not under columns; take it off the list, or "
        "add the column; did you mean 'id'?",
    ),
    (
        "metadata/uuid_columns",
        ["id", "sex"],
        "metadata.uuid_columns names 'sex', whose type is categorical; it belongs in "
        "categorical_columns",
    ),
    # Unknown keys.
    (
        "metadata/number_of_row",
        60,
        "unknown key 'number_of_row' in metadata; did you mean 'number_of_rows'?",
    ),
    (
        "columns/sex/unique",
        2,
        "unknown key 'unique' in columns.sex; did you mean 'uniques'?",
    ),
    (
        "columns/date/form",
        "2024-01-01",
        "unknown key 'form' in columns.date; did you mean 'from'?",
    ),
    (
        "colums",
        {},
        "unknown key 'colums'; did you mean 'columns'?",
    ),
]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    SPECIFICATION_FAULTS,
    ids=[case[0] for case in SPECIFICATION_FAULTS],
)
def test_a_fault_of_the_specification(
    tmp_path: Path, place: str, value: object, message: str
) -> None:
    """The message names specification.yml, the place in it and the fault."""
    specification = changed(a_specification(), place, value)
    assert validate(tmp_path, specification, a_user_input()) == [
        f"demo/specification.yml: {message}"
    ]

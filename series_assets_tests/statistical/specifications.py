"""The long series of the suite: few rows, many periods, fixed seeds."""

from typing import Any

import h3

from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.statistical.long_series import Ask, Content

_SPLIT = ["frequency | probability_vector", "1 | 0.3", "2 | 0.3", "3 | 0.4"]


def places() -> list[dict[str, Any]]:
    """Return the rows of a table of hexagons."""
    cells = sorted(h3.k_ring(h3.geo_to_h3(55.9, -3.2, 8), 2))
    return [{"h3": cell} for cell in cells]


def a_place(**more: Any) -> Content:
    """Return the definition of a geospatial column over ``places``."""
    place = {"type": "geospatial", "h3_table": "places", "distribution": "uniform"}
    return {**place, "miss_probability": 0.0, **more}


def a_normal_number(**more: Any) -> Content:
    """Return the definition of a normally distributed number."""
    parameters = {"dispersion": 0.1, "target_mean": 100, "target_std": 15}
    return a_number(distribution="normal", distribution_parameters=parameters, **more)


def a_total(precision: str = "float", total: float = 60000, **more: Any) -> Content:
    """Return the definition of a number with a sum."""
    parameters = {"dispersion": 0.2, "target_sum": total}
    return a_number(precision, distribution_parameters=parameters, **more)


def a_pair(miss: float = 0.0) -> Content:
    """Return the definitions of a pair of columns, ward and label."""
    wards = {"a/Ash": 0.5, "b/Elm": 0.3, "c/Oak": 0.2}
    ward = a_category("ward", wards, pair="label", miss_probability=miss)
    label = {**ward, "paired_columns": ["ward"], "original_values": "See paired column"}
    return {"ward": ward, "label": label}


def a_pattern(miss: float = 0.0) -> Content:
    """Return the definition of a column of codes that match a pattern."""
    column = a_category("code", {}, uniques=6, anonymising_set="[A-C][0-9]")
    return {**column, "original_values": "regex", "miss_probability": miss}


def gaps() -> Ask:
    """A tenth of all values is missing, and a sixth of sixty rows is new."""
    specification = a_specification(number_of_rows=60, geospatial_columns=[])
    with_columns(
        specification,
        **a_pair(0.1),
        code=a_pattern(),
        score=a_total("integer", 3000),
        height=a_normal_number(),
        home=a_place(),
    )
    for name, column in specification["columns"].items():
        if name != "id":
            column["miss_probability"] = 0.1
    user_input = a_user_input(num_datasets=60, fraction_of_new="1/6", static_columns=None)
    return Ask(specification, user_input, {"places": places()})


def beside_missing() -> Ask:
    """Numbers beside a category with mostly missing values; half of the rows are new."""
    specification = a_specification(number_of_rows=80, random_seed=7)
    specification["columns"]["sex"]["miss_probability"] = 0.6
    specification["columns"]["sex"]["original_values"][-1] = "Missing data | 0.000 | 0.400"
    with_columns(
        specification,
        height=a_normal_number(),
        paid=a_total(),
        flat=a_number(distribution_parameters={"dispersion": 0.4, "target_mean": 5}),
    )
    user_input = a_user_input(num_datasets=40, fraction_of_new="1/2", static_columns=None)
    return Ask(specification, user_input)


def every_category() -> Ask:
    """Categories from every source, and dates; windows of two weeks."""
    specification = a_specification(number_of_rows=80, random_seed=11)
    columns = {
        **a_pair(),
        "code": a_pattern(),
        "bird": a_category("bird", dict.fromkeys("pqrs", 0.25), anonymising_set="birds"),
        "peak": a_category("peak", dict.fromkeys("pq", 0.5), anonymising_set="mountains.peak"),
        "patient": _many("patient", "patients.CHI", 40),
        "hospital": _many("hospital", "hospital", 40),
        "board": a_category("board", {"b 0": 0.5, "b 1": 0.3, "b 2": 0.2}),
        "place": _many("place", "random", 40),
        "field": a_category("field", {"f 0": 0.5, "f 1": 0.5}, dispersion=0),
        "doctor": a_category("doctor", dict.fromkeys(["d 0", "d 1", "d 2", "d 3"], 0.25)),
        "date": a_date("2024-01-01", "2024-01-14", 14),
    }
    columns["doctor"]["dispersion"] = 0
    with_columns(specification, **columns)
    specification["linked_columns"] = [[0, ["field", "doctor"]], [1, ["board", "place"]]]
    user_input = a_user_input(
        num_datasets=40,
        fraction_of_new="1/2",
        static_columns=None,
        period="weeks",
        length_of_period=2,
    )
    return Ask(specification, user_input, linked_tables())


def _many(name: str, source: str, uniques: int) -> Content:
    column = a_category(name, {}, uniques=uniques, anonymising_set=source)
    return {**column, "original_values": None}


def linked_tables() -> dict[str, list[dict[str, Any]]]:
    """Return Exhibit's tables for two groups of linked columns, and a lookup table."""
    last = {"board": "Missing data", "place": "Missing data"}
    group = [{"board": f"b {n % 3}", "place": f"place {n:02}"} for n in range(40)]
    labels = [f"field__{n}" for n in range(3)] + [f"doctor__{n}" for n in range(5)]
    return {
        "hospital": [{"hospital": f"hospital {n:02}"} for n in range(40)],
        "temp_demo_1": [*group, last],
        "temp_demo_matrix": [{"field": n // 2, "doctor": 3 + n} for n in range(4)],
        "temp_demo_lookup": [{"pos_label": one, "num_label": n} for n, one in enumerate(labels)],
    }


def common() -> Ask:
    """One row per entity, a static category, weighted totals, and windows of a month."""
    specification = a_specification(number_of_rows=120, random_seed=3)
    weights = ["0.6", "0.4"]
    table = ["sex | probability_vector | paid", *_rows(["F", "M"], ["0.5", "0.5"], weights)]
    specification["columns"]["sex"]["original_values"] = [*table, "Missing data | 0.0 | 0.0"]
    weights = ["0.2", "0.3", "0.5"]
    rows = _rows(["North", "South", "West"], ["0.2", "0.5", "0.3"], weights)
    table = ["region | probability_vector | paid", *rows, "Missing data | 0.0 | 0.0"]
    specification["columns"]["region"]["original_values"] = table
    with_columns(
        specification,
        paid=a_total(),
        date=a_date("2023-02-01", "2023-02-28", 28),
        number=a_uuid("range"),
        chi=a_uuid("pseudo_chi", uuid_seed=900),
    )
    return Ask(specification, a_user_input(num_datasets=48, fraction_of_new="1/4"))


def _rows(*columns: list[str]) -> list[str]:
    return [" | ".join(cells) for cells in zip(*columns, strict=True)]


def several_rows() -> Ask:
    """Several rows per entity, and many static columns: a category, a date, a place, a number."""
    specification = common().specification
    specification["metadata"] |= {"random_seed": 5, "geospatial_columns": []}
    for name in ("id", "number", "chi"):
        specification["columns"][name]["frequency_distribution"] = list(_SPLIT)
    with_columns(
        specification,
        birth=a_date("1950-01-01", "1999-12-31", 5000),
        home=a_place(),
        height=a_normal_number(),
    )
    static = ["sex", "birth", "home", "height"]
    user_input = a_user_input(num_datasets=40, fraction_of_new="1/3", static_columns=static)
    return Ask(specification, user_input, {"places": places()})


def crossed() -> Ask:
    """Two cross-joined categories, whose combinations do not divide the rows."""
    specification = a_specification(number_of_rows=51, random_seed=13)
    for name in ("sex", "region"):
        specification["columns"][name]["cross_join_all_unique_values"] = True
    user_input = a_user_input(num_datasets=60, fraction_of_new="1/2", static_columns=None)
    return Ask(specification, user_input)

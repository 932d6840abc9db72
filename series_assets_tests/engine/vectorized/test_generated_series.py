"""The fast replacements give the results of stock Exhibit's loops to the bit, without them."""

import gc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, Phase, event, given, settings

from series_assets.core.errors import InputError
from series_assets.core.plan.series import Series
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.engine.specifications import (
    SAMPLE,
    SHIPPED,
    cross_joined,
    vaccinations,
    with_gaps,
    with_two_numbers_and_a_custom_constraint,
)
from series_assets_tests.engine.stock_comparison import (
    BY_GROUPS,
    INSTALLED,
    assert_same,
    run_both_ways,
    run_one_way,
)
from series_assets_tests.hexagon_database import database_with_hexagons
from series_assets_tests.strategies import Files, files
from series_assets_tests.thorough import mostly_thorough, thorough

_EXAMPLES = 1000 if settings.get_current_profile_name() == "long" else 8


def shipped(name: str) -> Series:
    """Return a series that ships with the package."""
    specification, user_input = (
        yaml.safe_load((SHIPPED / name / file).read_text(encoding="utf-8"))
        for file in ("specification.yml", "user_input.yml")
    )
    return a_series(specification, user_input, name)


def inpatients() -> dict[str, Any]:
    """Return Exhibit's sample of inpatients with an identifier and fewer rows."""
    sample: dict[str, Any] = yaml.safe_load(
        SAMPLE.with_name("inpatients_demo.yml").read_text(encoding="utf-8")
    )
    sample["metadata"] |= {"number_of_rows": 400, "uuid_columns": ["id"]}
    sample["columns"]["id"] = a_specification()["columns"]["id"]
    return sample


def by_entity() -> dict[str, Any]:
    """Return a specification with every action that works on groups, and with missing values."""
    specification = with_gaps()
    metadata, columns = specification["metadata"], specification["columns"]
    metadata["number_of_rows"] = 200
    metadata["categorical_columns"].append("step")
    table = [
        "step | probability_vector",
        "one | 0.5",
        "two | 0.9",
        "three | 0.6",
        "Missing data | 0",
    ]
    step = {"uniques": 3, "original_values": table, "miss_probability": 0.0}
    columns["step"] = {**columns["sex"], **step}
    actions = {
        "step": "generate_as_sequence, sort_descending",
        "visits": "make_outlier, sort_descending",
        "region": "make_almost_same",
        "date, amount": "sort_ascending",
        "sex": "make_same, make_distinct",
    }
    specification["constraints"]["custom_constraints"] = {
        "all": {"partition": "id", "targets": actions},
        "some": {
            "filter": "amount > 20",
            "partition": "sex, region",
            "targets": {**actions, "step": "generate_as_repeating_sequence"},
        },
        "none": {"filter": "sex == 'F'", "targets": {"visits": "make_null"}},
    }
    specification["derived_columns"] = {"day": "date.dt.day"}
    return specification


SERIES = {
    "school": lambda: shipped("school"),
    "clinic": lambda: shipped("clinic"),
    "vaccinations": lambda: a_series(vaccinations(), a_user_input(date_columns=["vacc_date"])),
    "inpatients": lambda: a_series(
        inpatients(),
        a_user_input(date_columns=["quarter_date"], static_columns=["sex", "hb_name"]),
    ),
    "with_gaps": lambda: a_series(with_gaps(), a_user_input(static_columns=["sex", "visits"])),
    "two_numbers": lambda: a_series(with_two_numbers_and_a_custom_constraint()),
    "cross_joined": lambda: a_series(cross_joined()),
    "by_entity": lambda: a_series(by_entity()),
}


@pytest.mark.parametrize("name", mostly_thorough(SERIES, "clinic"))
def test_known_series_are_the_same_without_a_loop_of_stock_exhibit(name: str) -> None:
    """Shipped series and samples give the same records both ways."""
    stock_way, fast = run_both_ways(SERIES[name]())
    assert len(fast.frames) == 2
    assert_same(stock_way, fast)
    assert stock_way.loops["generate_cont_val"] >= 100
    assert fast.loops == {}


@pytest.mark.thorough
def test_every_loop_of_stock_exhibit_runs_where_the_setting_asks_for_it() -> None:
    """The comparison really runs stock Exhibit, loop by loop."""
    stock_way = run_one_way(a_series(by_entity()), stock_exhibit=True)
    assert set(stock_way.loops) == {
        "generate_cont_val",
        "adjust_value_to_constraint",
        "add_missing_data",
        *BY_GROUPS,
    }


@settings(
    max_examples=_EXAMPLES,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # making an example smaller takes many minutes
)
@given(drawn=files())
def test_any_specification_is_the_same_without_a_loop_of_stock_exhibit(drawn: Files) -> None:
    """Whatever the files say: values, types, index, messages, and all random generators after."""
    user_input = dict(drawn.user_input)
    with TemporaryDirectory() as folder:
        source = INSTALLED
        if user_input.pop("exhibit_db_path", None):
            source = Path(folder) / "places.db"
            source.write_bytes(database_with_hexagons())
        try:
            series = a_series(drawn.specification, user_input)
        except InputError:
            event("refused")
            return
        stock_way, fast = run_both_ways(series, source)
    event(f"{len(fast.frames)} parts compared")
    assert_same(stock_way, fast)
    assert fast.loops == {}


@pytest.mark.each_value
@pytest.mark.parametrize("stock_exhibit", [True, False])
@pytest.mark.parametrize("name", ["clinic", *thorough("school")])
def test_records_go_with_the_run_that_made_them(name: str, stock_exhibit: bool) -> None:
    """Memory is freed at once, not at the next garbage collection, so ranges stay small."""
    series = shipped(name)
    gc.collect()
    before = {id(thing) for thing in gc.get_objects() if isinstance(thing, pd.DataFrame)}
    gc.disable()
    try:
        run_one_way(series, stock_exhibit=stock_exhibit)
        kept = [thing for thing in gc.get_objects() if isinstance(thing, pd.DataFrame)]
    finally:
        gc.enable()
    kept = [frame for frame in kept if id(frame) not in before]
    assert not [frame for frame in kept if len(frame) >= min(series.counts(1))]

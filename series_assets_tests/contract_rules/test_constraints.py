"""Constraints between dates, custom constraints and duplicates, in new and existing records."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.checker import Finished, check
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.contract_rules.series import FREQUENCIES, dataset, generate_and_check
from series_assets_tests.thorough import thorough


def with_dates(*constraints: str) -> dict[str, Any]:
    """Return a specification with three moving dates, a static one, and constraints."""
    specification = with_columns(
        a_specification(),
        created=a_date("2024-01-01", "2024-01-31", 31),
        updated=a_date("2024-01-01", "2024-01-31", 31, miss_probability=0.1),
        birth=a_date("2000-01-01", "2023-12-31", 500),
    )
    specification["constraints"]["basic_constraints"] = list(constraints)
    return specification


@pytest.mark.each_value
@pytest.mark.parametrize(
    "constraints",
    [
        ["created < date", "updated > created"],
        ["date > birth", "created >= birth"],
        *thorough(
            (["updated == date"],),
            (["created <= date", "updated >= date"],),
            (["date >= '2024-01-10'"],),
            (["updated >= created", "amount > 20"],),
        ),
    ],
)
@pytest.mark.parametrize("static", [["sex", "birth"], ["birth", "created"]])
def test_constraints_between_dates(
    tmp_path: Path, constraints: list[str], static: list[str]
) -> None:
    """Constraints between moved dates hold in existing records; static dates stay as recorded."""
    dates = ["date", "created", "updated"]
    inputs = a_user_input(date_columns=dates, static_columns=static)
    generate_and_check(tmp_path, with_dates(*constraints), inputs)


def test_a_literal_moves_with_the_column_it_is_compared_with(tmp_path: Path) -> None:
    """A date literal in a constraint or filter moves if the column beside it does."""
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
    """Only targets that are static or moved are removed, or the complete constraint."""
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
    finished = generate_and_check(tmp_path, specification, a_user_input(fraction_of_new="1/2"))
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
    """New records have no duplicates, and no existing record is lost."""
    specification = with_columns(
        a_specification(),
        id=a_uuid(frequency_distribution=frequencies),
        date=a_date("2024-01-01", "2024-01-02", 2),
    )
    specification["constraints"]["allow_duplicates"] = False
    generate_and_check(tmp_path, specification, a_user_input(static_columns=["sex", "region"]))


def test_a_group_of_which_no_number_is_known_stays_without_one(tmp_path: Path) -> None:
    """An action on groups neither fails nor invents numbers for such a group."""
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
    generate_and_check(tmp_path, specification, a_user_input(static_columns=["region"]))

"""Numbers of all distributions and targets, in parts of any size."""

from pathlib import Path
from typing import Any

import pytest

from series_assets.core.plan.notes import notes_of
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_specification
from series_assets_tests.columns import a_category, a_number, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    existing_records,
    generate_series,
    new_records,
)

TARGETS: dict[str, dict[str, float]] = {
    "total": {"target_sum": 900},
    "between": {"target_min": 20, "target_max": 90},
    "from": {"target_min": 20},
    "up to": {"target_max": 90},
    "around": {"target_mean": 50, "target_std": 5},
    "mean": {"target_mean": 50},
    "spread": {"target_std": 5},
    "fixed": {"target_min": 7, "target_max": 7},
}


def of_all_targets(rows: int, dispersion: float) -> dict[str, Any]:
    """Return a specification with a number for each target, distribution and precision."""
    numbers = {
        f"{name} {distribution} {precision}": a_number(
            precision,
            distribution=distribution,
            distribution_parameters={"dispersion": dispersion, **targets},
        )
        for name, targets in TARGETS.items()
        for distribution in ("weighted_uniform", "normal")
        for precision in ("float", "integer")
        if (distribution, len(targets)) != ("normal", 1) or "target_mean" in targets
    }
    return with_columns(a_specification(number_of_rows=rows), **numbers)


@pytest.mark.each_value
@pytest.mark.parametrize("dispersion", [0, 0.2])
@pytest.mark.parametrize("rows", [3, 60])
def test_every_target_gives_numbers_in_parts_of_any_size(
    tmp_path: Path, rows: int, dispersion: float
) -> None:
    """In parts of one row or many, with equal or different numbers, none is missing."""
    finished = generate_series(
        tmp_path, of_all_targets(rows, dispersion), fraction_of_new="1/2", static_columns=["region"]
    )
    for number in (1, 2, 3):
        for part in (new_records, existing_records):
            records = part(finished, number)
            shares = {1: 1.0} if part is new_records else {1: 0.0}
            share = shares.get(number, len(records) / rows)
            for kind in ("weighted_uniform", "normal"):
                for precision in ("float", "integer"):
                    ending = f" {kind} {precision}"
                    of = {
                        name.removesuffix(ending): records[name].astype(float)
                        for name in records.columns
                        if name.endswith(ending)
                    }
                    near = 0.01 if precision == "float" else 1
                    if "total" in of:
                        assert of["total"].sum() == pytest.approx(900 * share, abs=near)
                    assert of["between"].between(20, 90).all()
                    assert (of["fixed"] == 7).all()
                    if len(records) > 1 and precision == "float":
                        assert of["around"].mean() == pytest.approx(50)


@pytest.mark.each_value
@pytest.mark.parametrize("targets", ["from", "up to", "spread", "total"])
@pytest.mark.parametrize("precision", ["float", "integer"])
@pytest.mark.parametrize("rows", [3, 60])
def test_normal_numbers_with_one_target(
    tmp_path: Path, targets: str, precision: str, rows: int
) -> None:
    """Normal numbers reach their only target, even if some are below 0 before scaling."""
    many = {
        f"n{place}": a_number(
            precision,
            distribution="normal",
            distribution_parameters={"dispersion": 0.2, **TARGETS[targets]},
        )
        for place in range(8)
    }
    finished = generate_series(tmp_path, with_columns(a_specification(number_of_rows=rows), **many))
    for number in (2, 3):
        for part in (new_records, existing_records):
            records = part(finished, number)
            for name in many:
                amounts = records[name].astype(float)
                if targets == "from":
                    assert amounts.min() == pytest.approx(20)
                elif targets == "up to":
                    assert amounts.max() == pytest.approx(90)
                elif targets == "total":
                    assert amounts.sum() == pytest.approx(900 * len(amounts) / rows, abs=1)


def test_the_bounds_are_reached_in_every_part(tmp_path: Path) -> None:
    """The smallest and largest number of each part are the targets."""
    finished = generate_series(tmp_path, a_specification(number_of_rows=60))
    for records in (
        new_records(finished, 1),
        new_records(finished, 3),
        existing_records(finished, 3),
    ):
        amounts = records["amount"].astype(float)
        assert (amounts.min(), amounts.max()) == (1, 100)


def test_normal_numbers_have_mean_deviation_and_weights(tmp_path: Path) -> None:
    """Each part has the mean and the deviation, and the weights of categories apply in both."""
    parameters = {"dispersion": 0, "target_mean": 500, "target_std": 40}
    specification = with_columns(
        a_specification(number_of_rows=2000),
        amount=a_number(distribution="normal", distribution_parameters=parameters),
    )
    finished = generate_series(tmp_path, specification, num_datasets=2)
    apart = []
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        amounts = records["amount"].astype(float)
        assert amounts.mean() == pytest.approx(500)
        assert amounts.std() == pytest.approx(40)
        means = amounts.groupby(records["sex"]).mean()
        apart.append(means["F"] - means["M"])
    assert apart[0] > 20
    assert apart[1] == pytest.approx(apart[0], rel=0.15)


def test_a_total_with_missing_numbers(tmp_path: Path) -> None:
    """With missing numbers and missing static categories, all other numbers are finite."""
    parameters = {"dispersion": 0.1, "target_sum": 3000}
    specification = with_columns(
        a_specification(number_of_rows=300),
        amount=a_number(distribution_parameters=parameters, miss_probability=0.2),
        visits=a_number("integer", miss_probability=0.2),
    )
    specification["columns"]["sex"]["miss_probability"] = 0.2
    finished = generate_series(tmp_path, specification)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        for name in ("amount", "visits"):
            assert 0.1 < (records[name] == "").mean() < 0.3
        assert records.loc[records["amount"] != "", "amount"].astype(float).sum() < 1600


def test_numbers_beside_a_missing_category_make_up_for_missing_numbers(tmp_path: Path) -> None:
    """Exhibit lets these rows reach the total, and a note says how high that makes them."""
    parameters = {"dispersion": 0.1, "target_sum": 30000}
    specification = with_columns(
        a_specification(number_of_rows=600),
        amount=a_number(distribution_parameters=parameters, miss_probability=0.5),
        region=a_category("region", {"North": 0.5, "South": 0.5}, miss_probability=0.1),
    )
    specification["columns"]["sex"] = a_category("sex", {"F": 0.5, "M": 0.5})
    finished = generate_series(tmp_path, specification)
    [note] = notes_of(load_series(tmp_path / "series" / "demo"))
    assert "columns.amount: where region is missing, numbers are about 11 times as high" in note
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        known = records[records["amount"] != ""]
        amounts = known["amount"].astype(float)
        means = amounts.groupby(known["region"] == "").mean()
        assert amounts.sum() == pytest.approx(15000, rel=0.01)
        assert means[True] / means[False] > 5


def test_a_number_of_which_all_are_missing(tmp_path: Path) -> None:
    """A column may consist of missing values only."""
    specification = with_columns(
        a_specification(),
        visits=a_number("integer", miss_probability=1.0),
        cost=a_number(miss_probability=1.0),
    )
    finished = generate_series(tmp_path, specification, static_columns=["cost", "sex"])
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert set(records["visits"]) == set(records["cost"]) == {""}


@pytest.mark.parametrize(
    ("targets", "aim"),
    [({"target_mean": 0, "target_std": 5}, 0.0), ({"target_mean": 0}, 0.0)],
)
def test_a_mean_of_zero(tmp_path: Path, targets: dict[str, float], aim: float) -> None:
    """A mean of 0 is valid."""
    specification = with_columns(
        a_specification(),
        amount=a_number(distribution_parameters={"dispersion": 0.2, **targets}),
    )
    finished = generate_series(tmp_path, specification)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert records["amount"].astype(float).mean() == pytest.approx(aim, abs=1e-6)

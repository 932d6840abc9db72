"""Cross joins, totals and weights, in parts of any size."""

from math import sqrt
from pathlib import Path

import pandas as pd
import pytest

from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.columns import a_number, with_columns
from series_assets_tests.contract_rules.series import dataset, generate_and_check


@pytest.mark.parametrize("static", [["sex"], ["region"]])
def test_cross_joined_columns_whose_combinations_do_not_divide_the_rows(
    tmp_path: Path, static: list[str]
) -> None:
    """The number of rows is right, and no row has missing values."""
    specification = a_specification(number_of_rows=50)
    for name in ("region", "sex"):
        specification["columns"][name]["cross_join_all_unique_values"] = True
    generate_and_check(tmp_path, specification, a_user_input(static_columns=static))


def test_cross_joined_dates(tmp_path: Path) -> None:
    """A cross-joined date that moves gives every period the right number of rows."""
    specification = a_specification(number_of_rows=100)
    specification["columns"]["date"] |= {"cross_join_all_unique_values": True}
    generate_and_check(tmp_path, specification, a_user_input(fraction_of_new="2/5"))


def test_a_total_is_shared_out_over_new_and_existing_records(tmp_path: Path) -> None:
    """The sum of a column is the target sum in every dataset."""
    specification = with_columns(
        a_specification(),
        amount=a_number(distribution_parameters={"dispersion": 0.1, "target_sum": 6000}),
        visits=a_number("integer", distribution_parameters={"dispersion": 0.1, "target_sum": 900}),
    )
    finished = generate_and_check(tmp_path, specification)
    for number in (1, 2, 3, 4):
        for part, share in (("new", 1 / 3), ("existing", 2 / 3)):
            rows = dataset(finished, number, part)
            share = {("new", 1): 1.0, ("existing", 1): 0.0}.get((part, number), share)
            assert rows["amount"].astype(float).sum() == pytest.approx(6000 * share, abs=0.01)
            assert rows["visits"].astype(int).sum() == pytest.approx(900 * share, abs=2)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_numbers_keep_depending_on_static_attributes(tmp_path: Path, missing: float) -> None:
    """The weights of a static column apply in existing records as in new ones."""
    specification = with_columns(
        a_specification(number_of_rows=4000),
        amount=a_number(distribution_parameters={"dispersion": 0.1, "target_sum": 10**6}),
    )
    specification["columns"]["sex"]["miss_probability"] = missing
    inputs = a_user_input(num_datasets=2, fraction_of_new="1/2")
    finished = generate_and_check(tmp_path, specification, inputs)
    (new, new_error), (existing, error) = (
        _ratio_of_means(dataset(finished, 2, part)) for part in ("new", "existing")
    )
    assert new > 2
    assert existing == pytest.approx(new, abs=5 * sqrt(new_error**2 + error**2))


def _ratio_of_means(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ratio of the mean amounts of F and M, and its standard error."""
    amounts = rows["amount"].astype(float).groupby(rows["sex"])
    mean, variance = amounts.mean(), amounts.var() / amounts.size()
    ratio = mean["F"] / mean["M"]
    spread = variance["F"] / mean["F"] ** 2 + variance["M"] / mean["M"] ** 2
    return ratio, ratio * sqrt(spread)

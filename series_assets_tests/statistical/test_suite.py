"""The statistics of the long series are within their bounds, and the bounds are tight."""

import os

import pytest

from series_assets_tests.statistical.statistic import (
    Statistic,
    chi_square,
    failures,
    mean_of_normals,
    table,
)
from series_assets_tests.statistical.suite import SERIES, take
from series_assets_tests.thorough import mostly_thorough

_PERIODS = None if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 24
"""The number of periods by series; None for all of them, forty or more."""


@pytest.mark.parametrize("name", mostly_thorough(SERIES, "several rows"))
def test_a_long_series_has_the_specified_distributions(name: str) -> None:
    """Every statistic of a series of many periods is within five standard errors."""
    wrong = failures(take(name, _PERIODS))
    assert not wrong, f"\n{wrong}"


def test_a_statistic_holds_within_its_bound() -> None:
    """Five standard errors are allowed, and none for a statistic without randomness."""
    assert Statistic("s", "n", 10, 14.9, 1).holds
    assert not Statistic("s", "n", 10, 15.1, 1).holds
    assert Statistic("s", "n", 0, 0, 0).holds
    assert not Statistic("s", "n", 0, 1, 0).holds
    assert not Statistic("s", "n", 0, float("nan"), 1).holds


def test_sums_of_squares_and_of_normals_are_put_on_one_scale() -> None:
    """A chi-square far from its degrees of freedom, in either direction, is out of bounds."""
    assert chi_square("s", "n", 100, 100).off < 0.1
    assert not chi_square("s", "n", 200, 100).holds
    assert not chi_square("s", "n", 20, 100).holds
    assert mean_of_normals("s", "n", [1.0] * 16).off == 4.0


def test_the_table_names_what_was_expected_and_found() -> None:
    """Each line has the expected, observed and allowed value; failures are marked."""
    lines = table([Statistic("s", "n", 1, 2, 3), Statistic("s", "m", 0, 1, 0)]).splitlines()
    plain = [" ".join(line.split()) for line in lines]
    assert plain[0] == "suite statistic expected found std. error off by bound"
    assert plain[2] == "s n 1.0000 2.0000 3.0000 0.33 5"
    assert plain[3] == "s m 0.0000 1.0000 0.0000 inf exact FAILS"
    assert failures([Statistic("s", "n", 1, 2, 3)]) == ""

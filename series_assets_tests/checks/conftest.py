"""The series that the tests of this folder check, each generated once."""

import shutil
from pathlib import Path

import pytest

from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.checks.delivered_series import (
    DeliveredSeries,
    full_specification,
    full_user_input,
    generate_series,
)


@pytest.fixture(scope="package")
def original(tmp_path_factory: pytest.TempPathFactory) -> DeliveredSeries:
    """The series as it was generated. Tests only read it."""
    series = a_series(full_specification(), full_user_input())
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        return generate_series(tmp_path_factory.mktemp("data"), series)


@pytest.fixture
def delivered(original: DeliveredSeries, tmp_path: Path) -> DeliveredSeries:
    """A copy of the series, to be changed."""
    shutil.copytree(original.data, tmp_path / "data")
    return DeliveredSeries(original.series, tmp_path / "data")


@pytest.fixture(scope="package")
def many_rows(tmp_path_factory: pytest.TempPathFactory) -> DeliveredSeries:
    """A series with enough rows that every day of a month occurs."""
    specification = a_specification(number_of_rows=2400)
    specification["columns"]["date"] |= {"from": "2024-02-01", "to": "2024-02-29", "uniques": 29}
    user_input = a_user_input(num_datasets=2, fraction_of_new="1/2", static_columns=[])
    return generate_series(tmp_path_factory.mktemp("many"), a_series(specification, user_input))


@pytest.fixture
def many_rows_copy(many_rows: DeliveredSeries, tmp_path: Path) -> DeliveredSeries:
    """A copy of the series with many rows, to be changed."""
    shutil.copytree(many_rows.data, tmp_path / "data")
    return DeliveredSeries(many_rows.series, tmp_path / "data")

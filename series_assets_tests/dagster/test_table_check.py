"""The asset check for a user's own table: it passes, fails and explains, in real runs."""

from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from series_assets import generate, load_series, scd2_check, truth
from series_assets.core.plan.series import Series
from series_assets_tests.builders import a_user_input, write_series


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a series and its data."""
    folder = tmp_path_factory.mktemp("check")
    write_series(folder / "series", None, a_user_input(truth={"track": ["region"]}))
    generate(load_series(folder / "series" / "demo"), folder / "data")
    return folder


@pytest.fixture(scope="module")
def series(place: Path) -> Series:
    """The series."""
    return load_series(place / "series" / "demo")


def _evaluation(asset: Any, check: Any, **keys: Any) -> dg.AssetCheckEvaluation:
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([asset, check], instance=instance, **keys)
        assert done.success
        (found,) = done.get_asset_check_evaluations()
        return found


def test_the_value_of_an_asset_is_compared(place: Path, series: Series) -> None:
    """A correct one passes."""
    right = truth(series, place / "data", profile="dbt")

    @dg.asset
    def my_dim() -> pd.DataFrame:
        return right

    check = scd2_check(my_dim, series, data_dir=place / "data", profile="dbt")
    found = _evaluation(my_dim, check)
    assert found.passed and found.check_name == "scd2_of_demo"
    assert found.metadata["correct"].value == found.metadata["expected"].value == len(right)


def test_findings_and_examples_are_metadata(place: Path, series: Series) -> None:
    """A wrong table fails with counts, examples and sentences; also one given by its path."""
    wrong = truth(series, place / "data", profile="dbt")
    wrong["region"] = wrong["region"].replace("West", "East")
    path = place / "wrong.csv"

    @dg.asset
    def my_dim() -> None:
        wrong.to_csv(path, index=False)

    for table in (path, lambda: path, lambda: wrong):
        check = scd2_check(
            my_dim, place / "series" / "demo", table=table, data_dir=place / "data", profile="dbt"
        )
        found = _evaluation(my_dim, check)
        assert not found.passed
        count = int((wrong["region"] == "East").sum())
        assert found.metadata["wrong_value"].value == count
        records = found.metadata["examples"].records  # type: ignore[union-attr]
        assert len(records) == 5
        assert records[0].data["found"] == "East" and records[0].data["expected"] == "West"
        assert "values differ; does the pipeline take another row" in str(found.description)


def test_a_partition_is_compared_as_of_its_period(place: Path, series: Series) -> None:
    """If the asset is partitioned by period."""
    early = truth(series, place / "data", at="2024-02-01")

    @dg.asset(partitions_def=dg.MonthlyPartitionsDefinition("2024-01-01"))
    def my_dim() -> pd.DataFrame:
        return early

    check = scd2_check(my_dim, series, table=lambda: early, data_dir=place / "data")
    assert _evaluation(my_dim, check, partition_key="2024-02-01").passed
    assert not _evaluation(my_dim, check, partition_key="2024-03-01").passed


def test_what_cannot_be_compared_fails_with_its_reason(place: Path, series: Series) -> None:
    """Without a traceback."""

    @dg.asset
    def my_dim() -> int:
        return 1

    missing = scd2_check(my_dim, series, table=place / "none.csv", data_dir=place / "data")
    assert "does not exist; check the path" in str(_evaluation(my_dim, missing).description)
    value = scd2_check(my_dim, series, data_dir=place / "data")
    assert "int, which is not a table" in str(_evaluation(my_dim, value).description)

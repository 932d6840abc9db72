"""Periods without new records, or without existing ones."""

import pytest

from series_assets.storage.files import read_records
from series_assets_tests.builders import a_series, a_user_input
from series_assets_tests.dagster.assets.bench import (
    FIRST,
    SECOND,
    THIRD,
    AssetBench,
    files_of_datasets,
)


def test_fraction_0_has_no_new_records_after_the_first_period(bench: AssetBench) -> None:
    """Fraction 0: no specification, no file and no entity after the first period."""
    series = a_series(user_input=a_user_input(fraction_of_new=0))
    assert bench.materialize(FIRST, SECOND, series=series).success
    assert bench.materialize(THIRD, series=series).success
    assert sorted(files_of_datasets(bench.files, 2, 3)) == [
        "demo/dataset_2.csv",
        "demo/dataset_2.existing.yml",
        "demo/dataset_3.csv",
        "demo/dataset_3.existing.yml",
    ]
    first, later = (
        set(read_records(bench.folder / "demo" / f"dataset_{number}.csv")["id"])
        for number in (1, 3)
    )
    assert later == first  # 60 rows, each entity once
    assert bench.recorded_partitions("new_records") == {FIRST, SECOND, THIRD}


@pytest.mark.thorough
def test_fraction_1_has_no_existing_records(bench: AssetBench) -> None:
    """Fraction 1: no specification of existing records, and no entity twice."""
    series = a_series(user_input=a_user_input(fraction_of_new=1))
    assert bench.materialize(FIRST, SECOND, series=series).success
    assert bench.materialize(THIRD, series=series).success
    assert not [path for path in bench.files if "existing" in path]
    seen = [
        identifier
        for number in (1, 2, 3)
        for identifier in read_records(bench.folder / "demo" / f"dataset_{number}.csv")["id"]
    ]
    assert len(seen) == len(set(seen)) == 180


def test_files_of_a_part_without_rows_are_removed(bench: AssetBench) -> None:
    """No specification of an earlier version remains beside a dataset."""
    assert bench.materialize(FIRST, SECOND).success
    fresh = a_series(user_input=a_user_input(fraction_of_new=1))
    assert bench.materialize(FIRST, SECOND, series=fresh).success
    assert "demo/dataset_2.existing.yml" not in bench.files
    known = a_series(user_input=a_user_input(fraction_of_new=0))
    assert bench.materialize(FIRST, SECOND, series=known).success
    assert sorted(files_of_datasets(bench.files, 2)) == [
        "demo/dataset_2.csv",
        "demo/dataset_2.existing.yml",
    ]

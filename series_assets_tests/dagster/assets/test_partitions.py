"""Single partitions, ranges and single assets, in any order: the files of the command line."""

from pathlib import Path

import dagster as dg
import pytest

from series_assets.storage.files import read_records
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.dagster.assets.bench import (
    ALL,
    FIRST,
    FOURTH,
    SECOND,
    THIRD,
    AssetBench,
    files_by_command_line,
    files_of_datasets,
)


@pytest.mark.thorough
def test_one_partition_of_all_assets_makes_the_files_of_its_period(
    bench: AssetBench, expected: dict[str, bytes]
) -> None:
    """Exactly the files of section 8 of the contract, and the partitions are recorded."""
    assert bench.materialize(FIRST).success
    assert bench.files == files_of_datasets(expected, 1)
    assert [bench.recorded_partitions(asset) for asset in ALL] == [{FIRST}] * 3


def test_partition_after_partition_makes_the_whole_series(
    bench: AssetBench, expected: dict[str, bytes]
) -> None:
    """Each partition in its own run, from the results of earlier ones."""
    for key in (FIRST, SECOND, THIRD):
        assert bench.materialize(key).success
    assert bench.files == files_of_datasets(expected, 1, 2, 3)


@pytest.mark.thorough
def test_a_range_in_one_run_makes_the_same_bytes(
    bench: AssetBench, expected: dict[str, bytes]
) -> None:
    """A run of several partitions writes the files of the command line."""
    assert bench.materialize(FIRST, FOURTH).success
    assert bench.files == expected
    assert [bench.recorded_partitions(asset) for asset in ALL] == [
        {FIRST, SECOND, THIRD, FOURTH}
    ] * 3


def test_a_middle_range_makes_exactly_its_periods(
    bench: AssetBench, expected: dict[str, bytes]
) -> None:
    """Earlier and later periods are not touched."""
    assert bench.materialize(FIRST).success
    assert bench.materialize(SECOND, THIRD).success
    assert bench.files == files_of_datasets(expected, 1, 2, 3)
    assert bench.recorded_partitions("dataset") == {FIRST, SECOND, THIRD}


@pytest.mark.thorough
def test_assets_made_one_by_one_make_the_same_bytes(
    bench: AssetBench, expected: dict[str, bytes]
) -> None:
    """One asset and one partition per run, as by clicking through the UI."""
    for key in (FIRST, SECOND):
        for asset in ALL:
            assert bench.materialize(key, assets=(asset,)).success
    assert bench.files == files_of_datasets(expected, 1, 2)


@pytest.mark.thorough
def test_ranges_of_one_asset_make_the_same_bytes(
    bench: AssetBench, expected: dict[str, bytes]
) -> None:
    """One asset per run over all partitions, each completed before the next."""
    for asset in ALL:
        assert bench.materialize(FIRST, FOURTH, assets=(asset,)).success
    assert bench.files == expected


def test_a_part_of_the_assets_can_be_made(bench: AssetBench, expected: dict[str, bytes]) -> None:
    """New records do not depend on other periods, so the last period can come first."""
    assert bench.materialize(FOURTH, assets=("new_records",)).success
    generated = {"demo/dataset_4.new.yml", "demo/new_records/dataset_4.csv"}
    assert bench.files == {path: expected[path] for path in generated}


@pytest.mark.thorough
def test_new_records_in_any_order_make_the_same_bytes(
    bench: AssetBench, expected: dict[str, bytes]
) -> None:
    """New records backwards, then the assets that depend on them forwards."""
    assert bench.materialize(THIRD, FOURTH, assets=("new_records",)).success
    for key in (SECOND, FIRST):
        assert bench.materialize(key, assets=("new_records",)).success
    assert bench.materialize(FIRST, FOURTH, assets=("reference_table", "dataset")).success
    assert bench.files == expected


@pytest.mark.thorough
def test_periods_made_again_are_the_same(bench: AssetBench, expected: dict[str, bytes]) -> None:
    """Regenerated periods do not sample entities of later periods."""
    assert bench.materialize(FIRST, FOURTH).success
    for key in (SECOND, FIRST, FOURTH):
        assert bench.materialize(key).success
        assert bench.files == expected


@pytest.mark.thorough
def test_a_longer_series_leaves_the_earlier_datasets_as_they_are(
    bench: AssetBench, expected: dict[str, bytes]
) -> None:
    """With a higher num_datasets, the series continues."""
    assert bench.materialize(FIRST, FOURTH).success
    longer = a_series(user_input=a_user_input(num_datasets=5))
    assert bench.materialize("2024-05-01", series=longer).success
    assert files_of_datasets(bench.files, 1, 2, 3, 4) == expected
    assert set(files_of_datasets(bench.files, 5)) == {
        "demo/dataset_5.csv",
        "demo/dataset_5.new.yml",
        "demo/dataset_5.existing.yml",
        "demo/new_records/dataset_5.csv",
    }


@pytest.mark.thorough
def test_two_series_in_one_folder_do_not_disturb_each_other(
    bench: AssetBench, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """They share a database, but no tables in it."""
    other = a_series(a_specification(random_seed=5, id="other"), name="other")
    for first, last in ((FIRST, None), (SECOND, FOURTH)):
        assert bench.materialize(first, last).success
        assert bench.materialize(first, last, series=other).success
    assert bench.files == expected | files_by_command_line(tmp_path / "other", other)


def test_each_partition_has_its_own_metadata(bench: AssetBench) -> None:
    """Each partition has its own path and number of rows, also in a run of several."""
    assert bench.materialize(FIRST, SECOND).success
    records = bench.instance.fetch_materializations(dg.AssetKey(["demo", "dataset"]), 10).records
    reported = {
        record.partition_key: {
            name: entry.value for name, entry in record.asset_materialization.metadata.items()
        }
        for record in records
        if record.asset_materialization
    }
    folder = bench.folder / "demo"
    facts = [
        (FIRST, str(folder / "dataset_1.csv"), 60, 0),
        (SECOND, str(folder / "dataset_2.csv"), 20, 40),
    ]
    assert {
        (key, reported[key]["path"], reported[key]["new_rows"], reported[key]["existing_rows"])
        for key in reported
    } == set(facts)


@pytest.mark.thorough
def test_a_range_of_quarters_is_materialized(bench: AssetBench) -> None:
    """Each quarter is a partition with the dates of that quarter."""
    series = a_series(user_input=a_user_input(period="quarters"))
    assert bench.materialize("2024-01-01", "2024-07-01", series=series).success
    generated = bench.instance.get_materialized_partitions(dg.AssetKey(["demo", "dataset"]))
    assert generated == {"2024-01-01", "2024-04-01", "2024-07-01"}
    days = read_records(bench.folder / "demo" / "dataset_3.csv")["date"]
    assert days.str.startswith("2024-07-").all()

"""Periods that lack what they depend on, or find it generated from changed files, are refused."""

import pytest

from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, a_specification
from series_assets_tests.dagster.assets.bench import (
    ALL,
    FIRST,
    FOURTH,
    SECOND,
    THIRD,
    AssetBench,
    files_of_datasets,
)
from series_assets_tests.thorough import thorough


@pytest.mark.parametrize(
    "assets",
    [ALL, *thorough((("reference_table",),), (("dataset",),))],
    ids=["all", "reference_table", "dataset"],
)
def test_a_period_without_the_ones_before_refuses_and_says_what_to_make(
    bench: AssetBench, expected: dict[str, bytes], assets: tuple[str, ...]
) -> None:
    """The message names the partitions to generate, and following it works."""
    if assets != ALL:
        assert bench.materialize(FIRST, THIRD, assets=("new_records",)).success
    assert bench.failure_message(THIRD, assets=assets) == (
        "demo, period 2024-03-01 samples from all periods before it, but nothing is recorded yet "
        "for 2024-01-01, 2024-02-01; first generate 2024-01-01..2024-02-01 (materialize "
        "new_records and reference_table of these partitions, or run series-assets generate with "
        "--periods 2024-01-01..2024-02-01)"
    )
    assert "demo/dataset_3.csv" not in bench.files
    assert bench.materialize(FIRST, SECOND, assets=("new_records", "reference_table")).success
    assert bench.materialize(THIRD).success
    assert bench.files["demo/dataset_3.csv"] == expected["demo/dataset_3.csv"]


def test_a_range_without_the_periods_before_refuses(bench: AssetBench) -> None:
    """The message names the first period of the range."""
    assert bench.failure_message(SECOND, FOURTH) == (
        "demo, period 2024-02-01 samples from all periods before it, but nothing is recorded yet "
        "for 2024-01-01; first generate 2024-01-01 (materialize new_records and reference_table "
        "of this partition, or run series-assets generate with --periods 2024-01-01)"
    )
    assert (
        bench.recorded_partitions("reference_table")
        == bench.recorded_partitions("dataset")
        == set()
    )


@pytest.mark.thorough
@pytest.mark.parametrize("key", [SECOND, *thorough(FIRST)])
def test_a_dataset_without_its_new_records_refuses_and_says_what_to_make(
    bench: AssetBench, key: str, expected: dict[str, bytes]
) -> None:
    """A deleted file is not mistaken for a period without new records."""
    assert bench.materialize(FIRST, SECOND).success
    number = 1 if key == FIRST else 2
    (bench.folder / "demo" / "new_records" / f"dataset_{number}.csv").unlink()
    (bench.folder / "demo" / f"dataset_{number}.csv").unlink()
    assert bench.failure_message(key, assets=("dataset",)) == (
        f"demo, period {key}: its new records are missing; materialize new_records first"
    )
    assert bench.materialize(key, assets=("new_records", "dataset")).success
    assert bench.files == files_of_datasets(expected, 1, 2)


@pytest.mark.parametrize("key", [SECOND, *thorough(FIRST)])
def test_a_reference_table_without_the_new_records_refuses_and_says_what_to_make(
    bench: AssetBench, key: str, expected: dict[str, bytes]
) -> None:
    """Otherwise later periods would silently never sample the period's entities."""
    if key == SECOND:
        assert bench.materialize(FIRST).success
    assert bench.failure_message(key, assets=("reference_table",)) == (
        f"demo, period {key}: its new records are missing; materialize new_records first"
    )
    assert bench.materialize(key, assets=("new_records", "reference_table")).success
    assert bench.materialize(SECOND, THIRD).success
    assert bench.files["demo/dataset_3.csv"] == expected["demo/dataset_3.csv"]


def test_a_period_that_would_draw_from_rows_of_other_files_refuses(bench: AssetBench) -> None:
    """The message names the periods to regenerate, and following it works."""
    assert bench.materialize(FIRST, THIRD).success
    edited = a_series(a_specification(random_seed=1))
    assert bench.failure_message(FOURTH, series=edited) == (
        "demo, period 2024-04-01 samples from all periods before it, but 2024-01-01, 2024-02-01, "
        "2024-03-01 were generated from another version of the series' two files; first generate "
        "2024-01-01..2024-03-01 (materialize new_records and reference_table of these "
        "partitions, or run series-assets generate with --periods 2024-01-01..2024-03-01)"
    )
    again = ("new_records", "reference_table")
    assert bench.materialize(FIRST, THIRD, assets=again, series=edited).success
    assert bench.materialize(FOURTH, series=edited).success


@pytest.mark.thorough
def test_new_records_of_other_files_are_not_recorded_as_if_made_by_these(bench: AssetBench) -> None:
    """The reference table does not accept records of another version of the two files."""
    assert bench.materialize(FIRST).success
    edited = a_series(a_specification(random_seed=1))
    assert bench.failure_message(FIRST, assets=("reference_table",), series=edited) == (
        "demo, period 2024-01-01: its new records were generated from another version "
        "of the series' two files; regenerate new_records"
    )
    workspace = Workspace(bench.folder)
    assert workspace.reference_table(edited).current_counts() == {}
    again = ("new_records", "reference_table")
    assert bench.materialize(FIRST, assets=again, series=edited).success
    assert workspace.reference_table(edited).current_counts() == {0: 60}


@pytest.mark.thorough
def test_a_dataset_is_not_made_of_new_records_of_other_files(bench: AssetBench) -> None:
    """A dataset depends on the current files only."""
    assert bench.materialize(FIRST, SECOND).success
    edited = a_series(a_specification(random_seed=1))
    again = ("new_records", "reference_table")
    assert bench.materialize(FIRST, assets=again, series=edited).success
    before = bench.files["demo/dataset_2.csv"]
    assert bench.failure_message(SECOND, assets=("dataset",), series=edited) == (
        "demo, period 2024-02-01: its new records were generated from another version "
        "of the series' two files; regenerate new_records"
    )
    assert bench.files["demo/dataset_2.csv"] == before
    assert bench.materialize(SECOND, assets=("new_records", "dataset"), series=edited).success

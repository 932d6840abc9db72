"""Runs leave no scratch files behind, whether they succeed or fail."""

import pytest

from series_assets.core.plan.series import Series
from series_assets_tests.builders import a_series, a_specification
from series_assets_tests.dagster.assets.bench import (
    FIRST,
    SECOND,
    THIRD,
    AssetBench,
    has_no_scratch,
)
from series_assets_tests.thorough import thorough


def test_a_run_that_succeeds_leaves_no_scratch(bench: AssetBench) -> None:
    """The data folder has only the files of the series and the database."""
    assert bench.materialize(FIRST, SECOND).success
    assert has_no_scratch(bench.folder)
    assert {path.name for path in bench.folder.iterdir()} >= {"demo", "exhibit.db"}
    assert {path.name for path in bench.folder.iterdir() if ".db" not in path.name} == {"demo"}


def test_a_run_that_is_refused_leaves_no_scratch(bench: AssetBench) -> None:
    """Even if an earlier asset of the run succeeded."""
    bench.failure_message(THIRD)
    assert has_no_scratch(bench.folder)


def failing_series() -> Series:
    """Return a series with a derived column that cannot be computed.

    pandas cannot divide text by a number, which shows only when Exhibit evaluates it.
    """
    specification = a_specification()
    specification["derived_columns"] = {"impossible": "(sex / amount)"}
    return a_series(specification)


def test_a_run_that_exhibit_fails_in_leaves_no_scratch_and_no_file(bench: AssetBench) -> None:
    """The message has the series, the period, the part and Exhibit's error."""
    reported = bench.failure_message(FIRST, series=failing_series())
    assert reported.startswith(
        "demo, period 2024-01-01 (new records): the derived column '(sex / amount)' cannot be "
        "computed: TypeError"
    )
    assert bench.files == {}
    assert has_no_scratch(bench.folder)


@pytest.mark.parametrize(
    ("asset", "path"),
    [("dataset", "dataset_2.csv"), *thorough(("new_records", "new_records/dataset_2.csv"))],
)
def test_a_run_that_cannot_put_a_file_down_leaves_no_scratch(
    bench: AssetBench, asset: str, path: str
) -> None:
    """The message has the period and the file; once the path is free, a new run succeeds."""
    assert bench.materialize(FIRST).success
    place = bench.folder / "demo" / path
    place.mkdir(parents=True)
    assert bench.failure_message(SECOND) == (
        f"demo, period {SECOND}: {place}: cannot be written: Is a directory; move that folder "
        "away, then run it again"
    )
    assert SECOND not in bench.recorded_partitions(asset)
    assert has_no_scratch(bench.folder)
    place.rmdir()
    assert bench.materialize(SECOND).success

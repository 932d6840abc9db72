"""Assets of a user that read the datasets of a series."""

from typing import Any

import dagster as dg
import pytest

from series_assets.dagster.handles import RecordsFile
from series_assets.dagster.partitions import partitions_of
from series_assets.storage.files import read_records
from series_assets_tests.builders import a_series
from series_assets_tests.dagster.assets.bench import FIRST, SECOND, THIRD, AssetBench


def downstream(received: dict[str, Any]) -> dg.Definitions:
    """Return an asset as a user would write it, which reads the datasets of its partitions."""

    @dg.asset(
        partitions_def=partitions_of(a_series().calendar),
        ins={"dataset": dg.AssetIn(key=["demo", "dataset"])},
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def report(dataset: dict[str, RecordsFile]) -> None:
        received.update({key: file.load() for key, file in dataset.items()})

    return dg.Definitions(assets=[report])


@pytest.mark.thorough
def test_a_users_own_asset_reads_the_dataset_of_its_partition(bench: AssetBench) -> None:
    """It gets a typed data frame by partition key."""
    received: dict[str, Any] = {}
    assert bench.materialize(FIRST, more=downstream(received)).success
    assert list(received) == [FIRST]
    frame = received[FIRST]
    assert len(frame) == 60
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "id": "object",
        "sex": "object",
        "region": "object",
        "amount": "float64",
        "date": "datetime64[ns]",
    }


def test_a_users_own_asset_reads_the_datasets_of_a_range(bench: AssetBench) -> None:
    """It gets one entry per partition, also in a separate run."""
    assert bench.materialize(FIRST, THIRD).success
    received: dict[str, Any] = {}
    assert bench.materialize(SECOND, THIRD, assets=(), more=downstream(received)).success
    assert sorted(received) == [SECOND, THIRD]
    for key, number in ((SECOND, 2), (THIRD, 3)):
        file = bench.folder / "demo" / f"dataset_{number}.csv"
        assert received[key]["id"].tolist() == read_records(file)["id"].tolist()


@pytest.mark.thorough
def test_a_users_own_asset_that_returns_a_value_keeps_it(bench: AssetBench) -> None:
    """With an IO manager of the user's choice."""

    @dg.asset(
        partitions_def=partitions_of(a_series().calendar),
        ins={"dataset": dg.AssetIn(key=["demo", "dataset"])},
        io_manager_key="of_the_user",
    )
    def rows(dataset: dict[str, RecordsFile]) -> int:
        [file] = dataset.values()
        return len(file.load())

    own = dg.Definitions(assets=[rows], resources={"of_the_user": dg.mem_io_manager})
    result = bench.materialize(FIRST, more=own)
    assert result.success
    assert result.output_for_node("rows") == 60


def test_a_users_own_asset_fails_with_the_missing_dataset(bench: AssetBench) -> None:
    """The error says which asset to materialize first."""
    result = bench.materialize(FIRST, assets=(), more=downstream({}))
    [failed] = [event for event in result.all_events if event.is_step_failure]
    failure = failed.step_failure_data
    error = failure.error
    assert error is not None
    reported = [failure.user_failure_data and failure.user_failure_data.description, error.message]
    reported.append(error.cause.message if error.cause else None)
    assert any(
        "its dataset is missing; materialize dataset first" in (text or "") for text in reported
    ), reported

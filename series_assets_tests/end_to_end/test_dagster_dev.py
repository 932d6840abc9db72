"""What is made through the webserver, by launches and backfills, is what the command line makes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from series_assets_tests.end_to_end.conftest import ASSETS, KEYS, SERIES, Server

pytestmark = pytest.mark.xdist_group("dagster_dev")

ByCommandLine = Callable[[str], dict[str, bytes]]


@pytest.fixture(scope="module", autouse=True)
def backfill(server: Server) -> str:
    """A backfill of a series, begun before all else: the daemon takes its time."""
    return server.backfill("backfilled", KEYS)


def of_period(files: dict[str, bytes], number: int) -> dict[str, bytes]:
    """Return those of the files that belong to one dataset."""
    name = f"dataset_{number}"
    return {path: data for path, data in files.items() if Path(path).name.split(".")[0] == name}


def test_the_location_loads_beside_a_broken_series(server: Server) -> None:
    """Sound series show their assets, the broken one an asset that says what is wrong."""
    nodes = server.ask("{ assetNodes { assetKey { path } groupName description } }")["assetNodes"]
    shown = {"/".join(node["assetKey"]["path"]): node for node in nodes}
    assert set(shown) == {f"{name}/{asset}" for name in SERIES for asset in ASSETS} | {
        "broken/broken"
    }
    assert shown["broken/broken"]["description"] == (
        "This series cannot be made:\n\nbroken/user_input.yml: period 'fortnights' is not known; "
        "use days, weeks or months (here: period: weeks, length_of_period: 2)"
    )
    assert shown["clicked/dataset"]["groupName"] == "clicked"


def test_all_periods_show_as_partitions(server: Server) -> None:
    """All at once, whatever day it is."""
    nodes = server.ask("{ assetNodes { assetKey { path } partitionKeys } }")["assetNodes"]
    keys = {tuple(node["assetKey"]["path"]): node["partitionKeys"] for node in nodes}
    for asset in ASSETS:
        assert keys["clicked", asset] == list(KEYS)


def test_one_partition_of_all_assets_can_be_launched(
    server: Server, by_command_line: ByCommandLine
) -> None:
    """One run makes the files of one period, the bytes those of the command line."""
    run = server.launch("clicked", ASSETS, first=KEYS[0])
    server.made(run)
    assert server.files("clicked") == of_period(by_command_line("clicked"), 1)


def test_a_range_of_partitions_can_be_launched_as_one_run(
    server: Server, by_command_line: ByCommandLine
) -> None:
    """All files of the series, the bytes those of the command line."""
    run = server.launch("ranged", ASSETS, first=KEYS[0], last=KEYS[-1])
    server.made(run)
    assert server.files("ranged") == by_command_line("ranged")


def test_single_assets_can_be_launched_partition_by_partition_side_by_side(
    server: Server, by_command_line: ByCommandLine
) -> None:
    """New records and datasets of all periods at once, the reference table in its order."""

    def each(asset: str, *keys: str) -> None:
        for run in server.launch_each("alone", (asset,), keys):
            server.made(run)

    each("new_records", *KEYS)
    for key in KEYS:
        each("reference_table", key)
    each("dataset", *KEYS)
    assert server.files("alone") == by_command_line("alone")


def test_a_period_without_the_ones_before_fails_with_what_to_make_first(server: Server) -> None:
    """The run's failure shows the sentence, not a traceback to search for it."""
    run = server.launch("refused", ASSETS, first=KEYS[2])
    assert server.end_of(run) == "FAILURE"
    assert server.complaints(run) == [
        "refused, period 2024-03-01 draws from all periods before it, but nothing is recorded yet "
        "for 2024-01-01, 2024-02-01; first make 2024-01-01..2024-02-01 (materialise new_records "
        "and reference_table of these partitions, or run series-assets generate with --periods "
        "2024-01-01..2024-02-01)"
    ]
    assert "dataset_3.csv" not in server.files("refused")


def test_a_backfill_of_all_periods_completes_in_two_runs(
    server: Server, backfill: str, by_command_line: ByCommandLine
) -> None:
    """Whatever its length; all files of the series, the bytes those of the command line."""
    assert server.end_of_backfill(backfill) == "COMPLETED_SUCCESS"
    assert server.runs_of_backfill(backfill) == 2
    assert server.files("backfilled") == by_command_line("backfilled")


def test_no_run_leaves_anything_behind(server: Server) -> None:
    """In the data folder are the series and the database."""
    left = {path.name for path in server.data_dir.iterdir() if ".db" not in path.name}
    assert left <= set(SERIES)

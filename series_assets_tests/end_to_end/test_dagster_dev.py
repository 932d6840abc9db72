"""Runs launched through the webserver generate the files of the command line."""

import pytest

from series_assets.dagster.assets import HISTORY, MANIFEST, NAMES
from series_assets_tests.end_to_end.client import Server
from series_assets_tests.end_to_end.delivered_files import in_period
from series_assets_tests.end_to_end.served_series import KEYS, SERIES, ByCommandLine


def test_the_location_loads_beside_a_broken_series(server: Server) -> None:
    """Valid series show their assets, the broken one an asset with its fault."""
    shown = server.assets()
    partitioned = {name for name, node in shown.items() if node["isPartitioned"]}
    sound = [*SERIES, "clinic"]
    expected = {f"{name}/{asset}" for name in sound for asset in NAMES}
    assert partitioned == expected | {f"traced/{asset}" for asset in (*HISTORY, *MANIFEST)}
    assert shown["broken/broken"]["description"] == (
        "This series cannot be loaded:\n\nbroken/user_input.yml: period 'fortnights' is not known; "
        "use days, weeks, months or quarters (here: period: weeks, length_of_period: 2)"
    )


def test_an_asset_says_what_it_is(server: Server) -> None:
    """It has the group and the job of its series, kinds and a description."""
    node = server.assets()["refused/dataset"]
    assert node["groupName"] == "refused"
    assert "refused" in node["jobNames"]
    assert set(node["kinds"]) == {"python", "csv"}
    assert node["description"] == (
        "What the period delivers: its new records, and existing records about entities of earlier "
        "periods, shuffled.\n\n4 periods, one every month from 2024-01-01, of 30 rows each; "
        "after the first, 10 are about new entities and 20 about known ones."
    )


def test_all_periods_show_as_partitions(server: Server) -> None:
    """All at once, on any date."""
    shown = server.assets()
    for asset in NAMES:
        assert shown[f"refused/{asset}"]["partitionKeys"] == list(KEYS)


@pytest.mark.thorough
def test_one_partition_of_all_assets_can_be_launched(
    server: Server, by_command_line: ByCommandLine
) -> None:
    """One run writes the files of one period, with the bytes of the command line."""
    server.wait_for_success(server.launch("launched", first=KEYS[0]))
    assert server.files("launched") == in_period(by_command_line("launched"), 1)


def test_a_range_of_partitions_can_be_launched_as_one_run(
    server: Server, ranged: str, by_command_line: ByCommandLine
) -> None:
    """All files of the series, with the bytes of the command line."""
    assert server.files(ranged) == by_command_line(ranged)


def test_the_job_named_after_the_series_makes_a_partition(
    server: Server, by_command_line: ByCommandLine
) -> None:
    """It is shown with its assets, and its run materializes all of them."""
    jobs = server.ask("""{ workspaceOrError { ... on Workspace { locationEntries {
      locationOrLoadError { ... on RepositoryLocation { repositories { pipelines {
        name description
      } } } }
    } } } }""")["workspaceOrError"]["locationEntries"][0]["locationOrLoadError"]
    reported = {job["name"]: job["description"] for job in jobs["repositories"][0]["pipelines"]}
    assert reported["named"] == (
        "Generate periods of named: 4 periods, one every month from 2024-01-01, of 30 rows each; "
        "after the first, 10 are about new entities and 20 about known ones."
    )
    server.wait_for_success(server.launch_job("named", KEYS[0]))
    assert server.files("named") == in_period(by_command_line("named"), 1)
    for asset in NAMES:
        assert server.times_made("named", asset) == {KEYS[0]: 1}


@pytest.mark.thorough
def test_single_assets_can_be_launched_partition_by_partition_side_by_side(
    server: Server, by_command_line: ByCommandLine
) -> None:
    """New records and datasets of all periods together, the reference table in order."""
    keys = KEYS[:2]

    def each(asset: str, *keys: str) -> None:
        for run in server.launch_each("alone", (asset,), keys):
            server.wait_for_success(run)

    each("new_records", *keys)
    for key in keys:
        each("reference_table", key)
    each("dataset", *keys)
    assert server.files("alone") == by_command_line("alone")


def test_a_period_without_the_ones_before_fails_with_what_to_make_first(server: Server) -> None:
    """The failure of the run shows the sentence, not a traceback."""
    run = server.launch("refused", first=KEYS[2])
    assert server.end_of(run) == "FAILURE"
    assert server.complaints(run) == [
        "refused, period 2024-03-01 samples from all periods before it, but nothing is recorded "
        "yet for 2024-01-01, 2024-02-01; first generate 2024-01-01..2024-02-01 (materialize "
        "new_records and reference_table of these partitions, or run series-assets generate with "
        "--periods 2024-01-01..2024-02-01)"
    ]
    assert "dataset_3.csv" not in server.files("refused")


@pytest.mark.usefixtures("at_rest")
def test_no_run_leaves_anything_behind(server: Server) -> None:
    """The data folder has only the series and the database."""
    left = {path.name for path in server.data_dir.iterdir() if ".db" not in path.name}
    assert left <= {*SERIES, "clinic"}

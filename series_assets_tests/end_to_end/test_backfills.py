"""Backfills: of all periods and of some, of a shipped series, and one that fails."""

import shutil

import pytest

from series_assets.dagster.assets import HISTORY, MANIFEST, NAMES
from series_assets_tests.end_to_end.client import Server
from series_assets_tests.end_to_end.delivered_files import in_period
from series_assets_tests.end_to_end.served_series import KEYS, ByCommandLine


def test_a_backfill_of_all_periods_completes_in_two_runs(
    server: Server, whole_backfill: str, by_command_line: ByCommandLine
) -> None:
    """For any number of periods, with the bytes of the command line.

    Two runs, unless the daemon ticks in the middle of one of them: see ``fast_daemon``.
    """
    assert server.end_of_backfill(whole_backfill) == "COMPLETED_SUCCESS"
    assert len(server.runs_of_backfill(whole_backfill)) == 2
    for asset in NAMES:
        assert server.times_made("backfilled", asset) == dict.fromkeys(KEYS, 1)
    assert server.files("backfilled") == by_command_line("backfilled")


def test_a_backfill_of_a_series_with_a_history_completes_in_three_runs(
    server: Server, traced_backfill: str, by_command_line: ByCommandLine
) -> None:
    """Its states depend on themselves, as the reference table does."""
    assert server.end_of_backfill(traced_backfill) == "COMPLETED_SUCCESS"
    assert len(server.runs_of_backfill(traced_backfill)) == 3
    for asset in (*NAMES, *HISTORY, *MANIFEST):
        assert server.times_made("traced", asset) == dict.fromkeys(KEYS, 1)
    assert server.files("traced") == by_command_line("traced")


def test_a_backfill_of_a_middle_range_makes_just_its_periods(
    server: Server, middle_backfill: str, by_command_line: ByCommandLine
) -> None:
    """In two runs; neither the period before nor the one after is materialized."""
    assert server.end_of_backfill(middle_backfill) == "COMPLETED_SUCCESS"
    runs = {run["runId"] for run in server.runs_of_backfill(middle_backfill)}
    assert len(runs) == 2
    for asset in NAMES:
        assert server.times_made("middle", asset) == dict.fromkeys(KEYS[:3], 1)
        made_by = {one.partition: one.run_id for one in server.materializations("middle", asset)}
        assert made_by.pop(KEYS[0]) not in runs
        assert set(made_by.values()) <= runs
    expected = by_command_line("middle")
    assert server.files("middle") == {
        path: data for n in (1, 2, 3) for path, data in in_period(expected, n).items()
    }


def test_a_backfill_of_the_whole_clinic_makes_the_bytes_of_the_command_line(
    server: Server, whole_clinic: str, by_command_line: ByCommandLine
) -> None:
    """Ten periods of the shipped series, in two runs, each period once."""
    assert server.end_of_backfill(whole_clinic) == "COMPLETED_SUCCESS"
    assert len(server.runs_of_backfill(whole_clinic)) == 2
    for asset in NAMES:
        assert list(server.times_made("clinic", asset).values()) == [1] * 10
    assert server.files("clinic") == by_command_line("clinic")


@pytest.mark.thorough
def test_a_backfill_that_fails_is_completed_by_the_missing_partitions(
    server: Server, interrupted_backfill: str, by_command_line: ByCommandLine
) -> None:
    """Periods before the failed one count as done; the message names the failed one."""
    assert server.end_of_backfill(interrupted_backfill) == "COMPLETED_FAILED"
    assert server.times_made("interrupted", "dataset") == dict.fromkeys(KEYS[:2], 1)
    failed = [
        run for run in server.runs_of_backfill(interrupted_backfill) if run["status"] == "FAILURE"
    ]
    [complaint] = [text for run in failed for text in server.complaints(run["runId"])]
    obstacle = server.data_dir / "interrupted" / "dataset_3.csv"
    assert complaint.startswith("interrupted, period 2024-03-01: ")
    assert f"{obstacle}: cannot be written: Is a directory" in complaint

    shutil.rmtree(obstacle)
    missing = [key for key in KEYS if key not in server.times_made("interrupted", "dataset")]
    again = server.backfill("interrupted", missing)

    assert server.end_of_backfill(again) == "COMPLETED_SUCCESS"
    assert server.times_made("interrupted", "dataset") == dict.fromkeys(KEYS, 1)
    assert server.files("interrupted") == by_command_line("interrupted")

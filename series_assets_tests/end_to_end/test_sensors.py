"""Sensors that are on: each period is requested in turn, and failures pause them."""

import shutil

import pytest

from series_assets.dagster.assets import NAMES
from series_assets_tests.end_to_end.client import Server, until
from series_assets_tests.end_to_end.served_series import KEYS, ByCommandLine

_PAUSED = "series_assets.dagster.sensors.SensorPaused: Paused"


def wait_for_reason(server: Server, series: str, wanted: str) -> str:
    """Wait until the sensor of a series skips with a reason that starts like this."""

    def given() -> str | None:
        reasons = (tick.reason or "" for tick in server.ticks(series))
        return next((reason for reason in reasons if reason.startswith(wanted)), None)

    return until(given, 420, f"sensor of {series}: {wanted}")


def partitions_of_runs(server: Server, series: str) -> list[tuple[str, str]]:
    """Return partition and status of the runs that a sensor requested, the first one first.

    All of them are runs of the job of the series.
    """
    runs = server.runs(**{"dagster/sensor_name": f"{series}_next_period"})
    assert {run["jobName"] for run in runs} == {series}
    return [(run["tags"]["dagster/partition"], run["status"]) for run in reversed(runs)]


def test_sensors_are_off_until_a_user_turns_them_on(server: Server) -> None:
    """Nothing runs without a request."""
    assert not server.sensor_is_on("refused")
    assert server.ticks("refused") == []


def test_a_sensor_asks_for_period_after_period_once(
    server: Server, sensed: str, by_command_line: ByCommandLine
) -> None:
    """Each in one run; at the end it says so, and can be turned off."""
    wait_for_reason(server, sensed, "all 3 periods are materialized")

    assert partitions_of_runs(server, sensed) == [(key, "SUCCESS") for key in KEYS[:3]]
    for asset in NAMES:
        assert server.times_made(sensed, asset) == dict.fromkeys(KEYS[:3], 1)
    assert server.files(sensed) == by_command_line(sensed)
    assert server.sensor_is_on(sensed)
    server.stop_sensor(sensed)
    assert not server.sensor_is_on(sensed)


@pytest.mark.thorough
def test_a_sensor_pauses_after_three_failures_and_goes_on_once_the_period_is_made(
    server: Server, failing: str, by_command_line: ByCommandLine
) -> None:
    """Its last tick fails with the remedy until the period is materialized."""
    assert wait_for_reason(server, failing, _PAUSED).strip() == (
        f"{_PAUSED}: 2024-01-01 failed 3 times in a row. Fix the error in its latest run and "
        "materialize it by hand; the sensor then continues."
    )
    until(lambda: len(server.ticks(failing)) > 5, 60, "another tick")
    last = next(tick for tick in server.ticks(failing) if tick.status != "STARTED")
    assert last.status == "FAILURE"
    assert partitions_of_runs(server, failing) == [(KEYS[0], "FAILURE")] * 3

    shutil.rmtree(server.data_dir / "failing" / "dataset_1.csv")
    server.wait_for_success(server.launch(failing, first=KEYS[0]))
    wait_for_reason(server, failing, "all 2 periods are materialized")

    assert partitions_of_runs(server, failing) == [
        *[(KEYS[0], "FAILURE")] * 3,
        (KEYS[1], "SUCCESS"),
    ]
    assert server.files(failing) == by_command_line(failing)
    server.stop_sensor(failing)


def test_a_calendar_series_has_the_partitions_that_have_begun(
    server: Server, by_command_line: ByCommandLine
) -> None:
    """The second of two starts in a hundred years; the command line generates it anyway."""
    for asset in NAMES:
        assert server.assets()[f"released/{asset}"]["partitionKeys"] == [KEYS[0]]
    assert "dataset_2.csv" in by_command_line("released")

"""Sensors turned on: period after period comes by itself, and a failing one stops them."""

import shutil

from series_assets.dagster.assets import NAMES
from series_assets_tests.end_to_end.client import Server, until
from series_assets_tests.end_to_end.served import KEYS, ByCommandLine


def wait_for_reason(server: Server, series: str, wanted: str) -> str:
    """Wait until the sensor of a series gives a reason for doing nothing that begins so."""

    def given() -> str | None:
        reasons = (tick.reason or "" for tick in server.ticks(series))
        return next((reason for reason in reasons if reason.startswith(wanted)), None)

    return until(given, 420, f"sensor of {series}: {wanted}")


def partitions_of_runs(server: Server, series: str) -> list[tuple[str, str]]:
    """Return partition and status of the runs that a sensor asked for, the first one first."""
    runs = server.runs(**{"dagster/sensor_name": f"{series}_next_period"})
    return [(run["tags"]["dagster/partition"], run["status"]) for run in reversed(runs)]


def test_sensors_are_off_until_somebody_turns_them_on(server: Server) -> None:
    """Nothing is made that nobody asked for."""
    assert not server.sensor_is_on("refused")
    assert server.ticks("refused") == []


def test_a_sensor_asks_for_period_after_period_once(
    server: Server, sensed: str, by_command_line: ByCommandLine
) -> None:
    """Each in one run; when all are made it says so, and it can be turned off again."""
    wait_for_reason(server, sensed, "all 3 periods are made")

    assert partitions_of_runs(server, sensed) == [(key, "SUCCESS") for key in KEYS[:3]]
    for asset in NAMES:
        assert server.times_made(sensed, asset) == dict.fromkeys(KEYS[:3], 1)
    assert server.files(sensed) == by_command_line(sensed)
    assert server.sensor_is_on(sensed)
    server.stop_sensor(sensed)
    assert not server.sensor_is_on(sensed)


def test_a_sensor_stops_after_three_failures_and_goes_on_once_the_period_is_made(
    server: Server, failing: str, by_command_line: ByCommandLine
) -> None:
    """It says what to do; who makes the period by hand sets it going again."""
    assert wait_for_reason(server, failing, f"period {KEYS[0]} failed") == (
        "period 2024-01-01 failed 3 times; see its last run, mend what it says, and materialise "
        "it by hand to go on"
    )
    assert partitions_of_runs(server, failing) == [(KEYS[0], "FAILURE")] * 3

    shutil.rmtree(server.data_dir / "failing" / "dataset_1.csv")
    server.made(server.launch(failing, first=KEYS[0]))
    wait_for_reason(server, failing, "all 2 periods are made")

    assert partitions_of_runs(server, failing) == [
        *[(KEYS[0], "FAILURE")] * 3,
        (KEYS[1], "SUCCESS"),
    ]
    assert server.files(failing) == by_command_line(failing)
    server.stop_sensor(failing)

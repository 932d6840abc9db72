"""``series-assets check``: what it prints, its exit codes, and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from series_assets.cli import main
from series_assets.storage.loading import load_series
from series_assets_tests.builders import write_series
from series_assets_tests.checks.delivered_series import (
    KEYS,
    DeliveredSeries,
    full_specification,
    full_user_input,
)


@pytest.fixture
def check_command(original: DeliveredSeries, tmp_path: Path) -> Callable[..., Result]:
    """A function that runs the command on the series, read from its two files."""
    place = write_series(tmp_path / "series", full_specification(), full_user_input())
    assert load_series(place).fingerprint == original.series.fingerprint

    def called(*arguments: str, data: Path) -> Result:
        environment = {
            "SERIES_ASSETS_SERIES_DIR": str(tmp_path / "series"),
            "SERIES_ASSETS_DATA_DIR": str(data),
        }
        result = CliRunner().invoke(main, ["check", *arguments], env=environment)
        assert "Traceback" not in result.output
        return result

    return called


def test_the_command_says_that_all_rules_hold(
    delivered: DeliveredSeries, check_command: Callable[..., Result]
) -> None:
    """In one line, or in none with ``--quiet``."""
    result = check_command("demo", data=delivered.data)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "demo: all 9 rules hold in 4 periods\n"
    result = check_command("demo", "--periods", KEYS[1], data=delivered.data)
    assert result.stdout == "demo: all 9 rules hold in 1 period\n"
    assert check_command("demo", "--quiet", data=delivered.data).output == ""


def test_the_command_reports_violations_by_period(
    delivered: DeliveredSeries, check_command: Callable[..., Result]
) -> None:
    """One line for each violated rule, and a single one for a missing file."""
    before = delivered.change(2, delivered.existing(2)[0], sex="X", date="2024-01-30")
    delivered.path(3).unlink()
    result = check_command("demo", "--periods", f"{KEYS[0]}..{KEYS[2]}", data=delivered.data)
    assert (result.exit_code, result.stdout) == (1, "")
    whose = before["id"]
    assert result.stderr.splitlines() == [
        f"2024-02-01 static_columns: 1 of 60 rows wrong, such as {whose}: sex is 'X', should be "
        f"'{before['sex']}', as recorded",
        f"2024-02-01 dates: 1 of 60 rows wrong, such as {whose}: date is '2024-01-30', should be "
        "from 2024-02-01 to 2024-02-29",
        f"2024-03-01: {delivered.path(3)} is missing; generate dataset of 2024-03-01",
        "to regenerate: series-assets generate demo --periods 2024-02-01..2024-03-01",
    ]
    assert check_command("demo", "--quiet", data=delivered.data).exit_code == 1


@pytest.mark.parametrize("lost", [Path.unlink, lambda database: database.write_bytes(b"")])
def test_without_the_reference_table_all_periods_before_are_to_be_generated(
    delivered: DeliveredSeries,
    check_command: Callable[..., Result],
    lost: Callable[[Path], object],
) -> None:
    """A later period alone could not be."""
    lost(delivered.data / "exhibit.db")
    result = check_command("demo", "--periods", f"{KEYS[1]}..{KEYS[2]}", data=delivered.data)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        f"to regenerate: series-assets generate demo --periods {KEYS[0]}..{KEYS[2]}"
    )


def test_the_command_checks_generated_periods(
    delivered: DeliveredSeries, check_command: Callable[..., Result]
) -> None:
    """Without ``--periods``, it checks the periods that have a dataset."""
    delivered.path(3).unlink()
    result = check_command("demo", data=delivered.data)
    assert (result.exit_code, result.stdout) == (0, "demo: all 9 rules hold in 3 of 4 periods\n")
    assert (
        result.stderr
        == f"note: {delivered.series.calendar.keys[2]} has no dataset and was skipped\n"
    )


def test_the_command_refuses_what_it_cannot_check(
    tmp_path: Path, check_command: Callable[..., Result]
) -> None:
    """An unknown series or period, and a series without any dataset."""
    data = tmp_path / "empty"
    result = check_command("demo", data=data)
    assert (result.exit_code, result.stdout, result.stderr) == (
        2,
        "",
        f"demo: there is no dataset yet in {data / 'demo'}; first run series-assets generate "
        "demo\n",
    )
    result = check_command("dmo", data=data)
    assert (result.exit_code, result.stderr) == (
        2,
        f"there is no series 'dmo' in {tmp_path / 'series'}; did you mean 'demo'?\n",
    )
    result = check_command("demo", "--periods", "2024-02-02", data=data)
    assert result.exit_code == 2
    assert "'2024-02-02' is not the first day of a period of demo" in result.stderr

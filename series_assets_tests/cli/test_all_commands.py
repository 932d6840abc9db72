"""Common behaviour of all commands of ``series-assets``."""

from pathlib import Path

import pytest

from series_assets_tests.builders import a_user_input, write_series
from series_assets_tests.cli.commands import KEYS, call, refuse, succeed


def test_a_day_that_no_calendar_has_is_a_fault_of_the_input(tmp_path: Path) -> None:
    """YAML's parser rejects it; the message still has the file."""
    place = write_series(tmp_path / "series") / "user_input.yml"
    text = place.read_text(encoding="utf-8")
    place.write_text(f"{text}start_date: 2024-02-30\n", encoding="utf-8")
    assert refuse("validate").startswith("demo/user_input.yml: ")


@pytest.mark.parametrize("command", ["list", "validate", "preview", "generate", "new", "clean"])
def test_every_command_explains_itself(command: str) -> None:
    """With -h and --help, and in the list of all commands."""
    assert command in succeed("-h")
    assert succeed(command, "-h") == succeed(command, "--help")


def test_an_unknown_command_is_wrong_input() -> None:
    """Exit code 2, as for all wrong input."""
    assert "No such command 'make'" in refuse("make")


_NONE_NEW = (
    "note: demo/user_input.yml: fraction_of_new 1/100 of 60 rows is less than one record, so no "
    "period after the first has new records; raise fraction_of_new or number_of_rows, or write 0 "
    "if that is intended"
)


@pytest.mark.each_value
@pytest.mark.parametrize(
    ("command", "options"), [("validate", ()), ("generate", ("--periods", KEYS[0]))]
)
@pytest.mark.parametrize(("fraction", "noted"), [("1/100", True), ("1/60", False), ("0", False)])
def test_a_fraction_that_gives_no_new_record_is_noted(
    tmp_path: Path, command: str, options: tuple[str, ...], fraction: str, noted: bool
) -> None:
    """It is above 0 and gives no new record: a note, and no fault."""
    write_series(tmp_path / "series", user_input=a_user_input(fraction_of_new=fraction))
    result = call(command, "demo", *options)
    assert result.exit_code == 0, result.output
    notes = [line for line in result.stderr.splitlines() if "fraction_of_new" in line]
    assert notes == ([_NONE_NEW] if noted else [])

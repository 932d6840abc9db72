"""``series-assets list``: its output for valid and broken series."""

import re
from pathlib import Path

import pytest

from series_assets_tests.builders import a_user_input, write_series
from series_assets_tests.cli.commands import call, refuse, run, succeed


def test_list_shows_series_periods_and_what_has_been_made(tmp_path: Path) -> None:
    """One line per series."""
    write_series(tmp_path / "series")
    write_series(
        tmp_path / "series",
        user_input=a_user_input(period="weeks", length_of_period=2, fraction_of_new="0.25"),
        name="other",
    )
    succeed("generate", "demo", "--periods", "2024-01-01..2024-02-01")
    lines = [re.split(r"\s{2,}", line.strip()) for line in succeed("list").splitlines()]
    assert lines == [
        ["series", "periods", "first", "last", "rows", "new", "datasets"],
        ["demo", "4 × 1 month", "2024-01-01", "2024-04-01", "60", "1/3", "2 of 4"],
        ["other", "4 × 2 weeks", "2024-01-01", "2024-02-12", "60", "1/4", "0 of 4"],
    ]


def test_list_shows_broken_series_with_what_is_wrong(tmp_path: Path) -> None:
    """The others are shown as usual."""
    write_series(tmp_path / "series", name="good")
    write_series(tmp_path / "series", user_input=a_user_input(period="hours"), name="bad")
    result = call("list")
    assert result.exit_code == 0
    assert re.search(r"^ *bad +broken, see below", result.stdout, re.MULTILINE)
    assert re.search(r"^ *good +4 × 1 month", result.stdout, re.MULTILINE)
    assert result.stderr == (
        "bad/user_input.yml: period 'hours' is not known; use days, weeks, months or quarters\n"
    )


def test_list_shows_names_in_full_when_its_output_is_read_by_a_program(tmp_path: Path) -> None:
    """The output to a pipe is not cut to a width."""
    name = "admissions_to_all_hospitals_of_the_region_since_the_reform_of_2021"
    write_series(tmp_path / "series", name=name)
    ended = run("list")
    assert ended.returncode == 0
    assert name in ended.stdout


@pytest.mark.parametrize(
    "command", [["list"], ["validate"], ["generate", "demo"], ["check", "demo"]]
)
def test_a_folder_without_series_is_reported(tmp_path: Path, command: list[str]) -> None:
    """It may be the wrong folder, or a series itself."""
    folder = tmp_path / "series"
    assert refuse(*command) == (
        f"{folder}: holds no series; a series is a folder in it with specification.yml and "
        "user_input.yml (SERIES_ASSETS_SERIES_DIR)"
    )
    (folder / "specification.yml").touch()
    assert refuse(*command) == (
        f"{folder}: is a series itself; name its parent folder, which may hold more series "
        "(SERIES_ASSETS_SERIES_DIR)"
    )


def test_a_missing_series_dir_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By every command, instead of an empty list."""
    nowhere = tmp_path / "nowhere"
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(nowhere))
    for command in (["list"], ["validate"], ["generate", "demo"], ["clean", "demo", "--yes"]):
        assert refuse(*command) == (
            f"{nowhere}: there is no such series folder; correct SERIES_ASSETS_SERIES_DIR, or "
            "create a series with series-assets new"
        )

"""Exhibit's output and errors are reported with series, period and part."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from series_assets.cli import main
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.exhibit_features.checked_series import run_command
from series_assets_tests.exhibit_features.metadata import FIRST, SECOND, metadata_of
from series_assets_tests.thorough import thorough


def failing(calculation: str) -> dict[str, Any]:
    """Return a specification with a derived column that is computed this way."""
    return a_specification() | {"derived_columns": {"made": calculation}}


@pytest.mark.parametrize(
    ("calculation", "where", "why"),
    [
        ("(sex / amount)", f"period {FIRST} (new records)", "TypeError: "),
        # Existing records are a tenth of the rows, and have no thirtieth row.
        ("amount.iloc[30]", f"period {SECOND} (existing records)", "IndexError: "),
    ],
)
def test_a_failure_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calculation: str, where: str, why: str
) -> None:
    """The message has series, period, part and the error; the exit code is 1."""
    ended, message = run_command(
        monkeypatch, tmp_path, "generate", failing(calculation), fraction_of_new="9/10"
    )
    assert ended == 1
    assert message.startswith(f"demo, {where}: ")
    assert why in message


@pytest.mark.parametrize("calculation", ["(sex / amount)", "amount.iloc[30]", "@sysdate + sex"])
def test_validate_reports_failures_of_exhibit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calculation: str
) -> None:
    """``validate`` reports the same failures as faults of the input."""
    ended, message = run_command(
        monkeypatch, tmp_path, "validate", failing(calculation), fraction_of_new="9/10"
    )
    assert ended == 2
    assert message.startswith("demo, period 2024-0")
    assert "Error: " in message
    assert not (tmp_path / "data").exists()


def test_what_exhibit_prints_of_a_specification_it_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has Exhibit's explanation, not its meaningless last error."""
    specification = with_columns(
        a_specification(),
        **{name: a_category(name, {"a": 1, "b": 1}, anonymising_set="birds") for name in "uvw"},
    )
    specification["linked_columns"] = [[1, ["u", "v", "w"]]]
    ended, message = run_command(monkeypatch, tmp_path, "validate", specification)
    assert ended == 2
    assert "birds has fewer columns than linked group u, v, w" in message
    assert "Generation command not recognized" not in message


def with_duplicates() -> dict[str, Any]:
    """Return a specification that forbids duplicates, but generates some."""
    often = ["frequency | probability_vector", "5 | 1.0"]
    specification = with_columns(
        a_specification(),
        id=a_uuid(frequency_distribution=often),
        date=a_date("2024-01-01", "2024-01-02", 2),
    )
    specification["constraints"]["allow_duplicates"] = False
    return specification


def test_duplicates_left_out_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each period, the number of rows dropped as duplicates is reported."""
    ended, message = run_command(monkeypatch, tmp_path, "generate", with_duplicates())
    assert ended == 0
    notes = message.splitlines()
    assert [note.split(" Exhibit dropped ")[0] for note in notes] == [
        f"note: demo, period {key}:" for key in (FIRST, SECOND)
    ]
    assert notes[0].endswith(" of 60 new records as duplicates (allow_duplicates: false)")


def with_a_total_that_is_too_low() -> dict[str, Any]:
    """Return a specification with fewer visits than rows, about which Exhibit prints a warning."""
    parameters = {"dispersion": 0.1, "target_sum": 3}
    return with_columns(
        a_specification(),
        visits=a_number("integer", distribution_parameters={**parameters, "target_sum": -30}),
    )


def test_nothing_that_exhibit_prints_gets_into_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """stdout has only the paths of the datasets."""
    write_series(tmp_path / "series", with_a_total_that_is_too_low(), a_user_input(num_datasets=2))
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path / "series"))
    monkeypatch.setenv("SERIES_ASSETS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    result = CliRunner().invoke(main, ["generate", "demo"])
    assert result.stdout.splitlines() == [
        str(tmp_path / "data" / "demo" / f"dataset_{number}.csv") for number in (1, 2)
    ]


@pytest.mark.parametrize("asset", ["dataset", *thorough("new_records")])
def test_what_exhibit_warns_of_shows_with_the_partition(tmp_path: Path, asset: str) -> None:
    """A warning about a total that is too low is in the metadata of each part."""
    found = metadata_of(tmp_path, with_a_total_that_is_too_low(), asset)
    assert "Target sum for visits is too low for the number of rows." in found["exhibit_output"]


def test_a_window_that_is_right_is_warned_of_nowhere(tmp_path: Path) -> None:
    """Exhibit has no warning about windows that were shortened to fit."""
    found = metadata_of(tmp_path, a_specification(), "new_records")
    assert "exhibit_output" not in found

"""``series-assets verify``: its output, files and exit codes, and what it refuses."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from series_assets_tests.cli.commands import call, refuse, succeed


@pytest.fixture
def table(history: Path) -> Path:
    """A correct table, as dbt keeps it."""
    succeed("truth", "clinic", "--profile", "dbt", "--output", "table.csv")
    return history / "table.csv"


def test_a_correct_table_ends_with_0_and_a_wrong_one_with_1(table: Path) -> None:
    """Each kind of finding has a line with its number, and examples below."""
    asked = ("verify", "clinic", "--table", "table.csv", "--profile", "dbt")
    versions = len(frame := pd.read_csv(table, dtype=str))
    assert succeed(*asked) == (
        f"clinic: the table is correct as of 2024-04-01, {versions} versions\n"
    )
    Path("folder.json").mkdir()
    unwritten = call(*asked, "--json", "folder.json")
    assert unwritten.exit_code == 2 and "folder.json: cannot be written: " in unwritten.stderr

    changed, missing = frame.index[frame["dbt_valid_to"].notna()][:2]
    frame.loc[changed, "region"] = "Atlantis"
    frame.drop(index=missing).to_csv(table, index=False)
    wrong = call(*asked, "--json", "report.json")
    assert wrong.exit_code == 1
    first, *lines = wrong.stdout.splitlines()
    assert first == (
        f"clinic: the table is wrong as of 2024-04-01, {versions - 2} of {versions} expected "
        "versions are correct"
    )
    findings = [line.split(":")[0] for line in lines if not line.startswith(" ")]
    assert findings == ["missing_version", "wrong_value"]
    assert any("found Atlantis, expected " in line for line in lines)
    assert json.loads(Path("report.json").read_text(encoding="utf-8"))["holds"] is False


def test_a_table_of_an_earlier_period_is_compared_as_of_it(history: Path) -> None:
    """It is wrong as of the last one."""
    earlier = ("--at", "2024-02-01")
    succeed("truth", "clinic", "--as", "scd1", *earlier, "--output", "table.csv")
    asked = ("verify", "clinic", "--table", "table.csv", "--as", "scd1")
    assert "correct as of 2024-02-01" in succeed(*asked, *earlier)
    assert call(*asked).exit_code == 1


def test_what_cannot_be_compared_is_refused(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the table, the fault and the remedy; exit code 2."""
    assert refuse("verify", "clinic", "--table", "none.csv") == (
        "none.csv does not exist; check the path"
    )
    assert refuse("verify", "clinic", "--table", "table.csv", "--profile", "dlt").startswith(
        "table.csv has no columns '_dlt_valid_from', '_dlt_valid_to', which the profile dlt expects"
    )
    assert refuse("verify", "clinic", "--table", "table.csv", "--column", "id") == (
        "--column id is not a pair of names; write the name in the table, =, and the name in the "
        "series"
    )
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert refuse("verify", "clinic", "--table", "duckdb:///table.csv#main.history").endswith(
        "this table needs DuckDB, which is not installed; pip install 'series_assets[duckdb]'"
    )

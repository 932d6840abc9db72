"""The units of a period: one table, and series in quarters on the command line."""

import ast
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import series_assets
from series_assets.cli import main
from series_assets.core.errors import InputError
from series_assets.core.spec.period_units import UNITS, Unit
from series_assets.dagster.assets import job_of
from series_assets.dagster.partitions import partitions_of
from series_assets.scaffolding.new_series import create_series
from series_assets_tests.builders import (
    a_series,
    a_specification,
    a_user_input,
    files_in,
    write_series,
)
from series_assets_tests.checker import Finished, check
from series_assets_tests.columns import a_date, with_columns


def generated(place: Path, data: Path, *more: str) -> Path:
    """Generate a series from two files with ``series-assets generate``; return its data folder."""
    arguments = ["generate", place.name, *more]
    environment = {
        "SERIES_ASSETS_SERIES_DIR": str(place.parent),
        "SERIES_ASSETS_DATA_DIR": str(data),
        "DAGSTER_HOME": None,
    }
    done = CliRunner().invoke(main, arguments, env=environment)
    assert done.exit_code == 0, done.output
    return data / place.name


def with_month_ends() -> dict[str, Any]:
    """Return a specification with a quarter's window, a date within it, and a static date."""
    specification = with_columns(
        a_specification(number_of_rows=60),
        date=a_date("2023-12-01", "2024-02-29", 91),
        closed=a_date("2024-02-29", "2024-02-29", 1),
        born=a_date("1980-01-31", "1999-12-31", 200),
    )
    specification["constraints"]["basic_constraints"] = ["date <= closed"]
    specification["derived_columns"] = {"late": "date > '2024-01-15'"}
    return specification


def files_of(
    folder: Path, specification: dict[str, Any], unit: str, length: int, **keys: Any
) -> Path:
    """Write the files of a series with periods of some units, and return their folder."""
    user_input = a_user_input(period=unit, length_of_period=length, **keys)
    return write_series(folder / unit, specification, user_input)


def without_fingerprint(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files, specifications without the comment with their fingerprint."""
    return {
        name: b"\n".join(content.split(b"\n")[1:]) if name.endswith(".yml") else content
        for name, content in files.items()
    }


def reference_rows(database: Path) -> list[tuple[Any, ...]]:
    """Return all rows of the reference table, and some columns of the table of its periods."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT * FROM demo_reference ORDER BY 1").fetchall()
        keys = connection.execute("SELECT period, entities FROM demo_reference_periods ORDER BY 1")
        return [*rows, *keys.fetchall()]


@pytest.mark.parametrize("length", [1, 3])
def test_a_quarter_gives_the_data_of_three_months(tmp_path: Path, length: int) -> None:
    """All files and the reference table are the same, except for the fingerprint."""
    specification = with_month_ends()
    keys = {"date_columns": ["date", "closed"], "static_columns": ["sex", "born"]}
    quarters = files_of(tmp_path, specification, "quarters", length, **keys)
    months = files_of(tmp_path, specification, "months", 3 * length, **keys)

    created = generated(quarters, tmp_path / "in_quarters")
    same = generated(months, tmp_path / "in_months")

    found, wanted = files_in(created), files_in(same)
    assert {f"dataset_{number}.csv" for number in (1, 2, 3, 4)} < set(found)
    assert "dataset_4.existing.yml" in found
    assert without_fingerprint(found) == without_fingerprint(wanted)
    assert {name for name in found if found[name] != wanted[name]} == {
        name for name in found if name.endswith(".yml")
    }
    rows = reference_rows(tmp_path / "in_quarters" / "exhibit.db")
    assert len(rows) > 60
    assert rows == reference_rows(tmp_path / "in_months" / "exhibit.db")
    check(Finished.of(quarters, created.parent))


def test_any_quarter_can_be_made_by_its_first_day(tmp_path: Path) -> None:
    """The key of a quarter is its first day; generated alone, it has the same bytes."""
    specification = with_columns(a_specification(), date=a_date("2024-01-31", "2024-04-29", 90))
    place = files_of(tmp_path, specification, "quarters", 1)
    whole = files_in(generated(place, tmp_path / "whole"))

    data = tmp_path / "parts"
    for key in ("2024-01-31", "2024-04-30", "2024-07-31", "2024-10-31"):
        parts = generated(place, data, "--periods", key)

    assert files_in(parts) == whole


def test_a_quarter_begins_with_its_windows(tmp_path: Path) -> None:
    """From December to the end of February, then to the end of May, August and November."""
    specification = with_columns(
        a_specification(number_of_rows=900),
        date=a_date("2023-12-01", "2024-02-29", 91),
    )
    place = files_of(tmp_path, specification, "quarters", 1)
    created = generated(place, tmp_path / "data")
    ends = ["2024-02-29", "2024-05-31", "2024-08-31", "2024-11-30"]
    starts = ["2023-12-01", "2024-03-01", "2024-06-01", "2024-09-01"]
    for number, (first, last) in enumerate(zip(starts, ends, strict=True), start=1):
        header, *rows = (created / f"dataset_{number}.csv").read_text(encoding="utf-8").splitlines()
        place_of_date = header.split(",").index("date")
        days = [row.split(",")[place_of_date] for row in rows]
        assert (min(days), max(days)) == (first, last)


def test_a_unit_is_added_by_one_entry_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an entry for years, a series in years has its periods, partitions, words and files."""
    monkeypatch.setitem(UNITS, "years", Unit("year", "yearly", months=12))  # type: ignore[arg-type]
    specification = with_columns(a_specification(), date=a_date("2024-02-01", "2024-02-29", 29))
    user_input = a_user_input(period="years")

    series = a_series(specification, user_input)
    keys = ["2024-02-01", "2025-02-01", "2026-02-01", "2027-02-01"]
    assert list(series.calendar.keys) == keys
    assert partitions_of(series.calendar).get_partition_keys() == keys
    assert "4 periods, one every year from 2024-02-01" in str(job_of(series).description)
    with pytest.raises(InputError, match=r"use days, weeks, months, quarters or years$"):
        a_series(specification, a_user_input(period="hours"))
    create_series(tmp_path, "begun")
    template = (tmp_path / "begun" / "user_input.yml").read_text(encoding="utf-8")
    assert "# The unit of a period (days, weeks, months, quarters or years), and" in template

    created = generated(
        write_series(tmp_path / "series", specification, user_input), tmp_path / "data"
    )
    header, *rows = (created / "dataset_2.csv").read_text(encoding="utf-8").splitlines()
    days = {row.split(",")[header.split(",").index("date")] for row in rows}
    assert len(rows) == 60
    assert days <= {f"2025-02-{day:02}" for day in range(1, 29)}


def _tables_of_units(path: Path) -> int:
    """Count the collections in a module that name three units or more."""
    found = 0
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[Any] = []
        if isinstance(node, ast.Dict):
            parts = [*node.keys, *node.values]
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts = node.elts
        names = {part.value for part in parts if isinstance(part, ast.Constant)}
        found += len(names & set(UNITS)) >= 3
    return found


def test_no_other_module_has_a_table_of_the_units() -> None:
    """And no message has its own list of them."""
    package = Path(series_assets.__file__).parent
    assert {path.name for path in package.rglob("*.py") if _tables_of_units(path)} == {
        "period_units.py"
    }
    texts = [*package.rglob("*.py"), *package.rglob("*.yml")]
    for path in texts:
        assert "weeks, months" not in path.read_text(encoding="utf-8"), path

"""A series inferred from data looks like the data, column by column.

This is independent of the package: tables and datasets are read with pandas, and compared with
bounds of these tests.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from series_assets.core.plan.calendar import Calendar
from series_assets.reporting.data_comparison import compare_columns, format_table
from series_assets_tests.checker import Finished, check
from series_assets_tests.domain_tables import DOMAINS, Domain
from series_assets_tests.exhibit_samples import SAMPLES, run
from series_assets_tests.thorough import mostly_thorough, thorough

_MISSING = ["", "inf", "nan"]


@pytest.mark.parametrize(("shape", "is_similar"), [("two peaks", True), ("one peak", False)])
def test_numbers_of_another_shape_are_marked(shape: str, is_similar: bool) -> None:
    """Though their mean, spread and range are those of the table."""
    rng = np.random.default_rng(0)
    data = np.r_[rng.normal(-1, 0.1, 500), rng.normal(1, 0.1, 500)]
    other = data if shape == "two peaks" else rng.normal(0, data.std(), 1000)
    dataset = pd.DataFrame({"x": pd.Series(other.clip(data.min(), data.max())).astype(str)})
    [found] = compare_columns({"x": pd.Series(data)}, {"x": "number"}, dataset)
    assert found.is_similar == is_similar
    [_, _, line] = format_table([found], (1000, 1000))
    assert line.startswith("x (!)") != is_similar
    assert line.endswith(" points") != is_similar


def first_dataset(
    folder: Path, name: str, data: Path, identifier: str, periods: int = 3
) -> pd.DataFrame:
    """Generate a series of a CSV on the command line, check every rule, and return it as text."""
    started = run(folder, "new", name, "--from-data", str(data), "--id", identifier)
    assert started.exit_code == 0, started.stderr
    validated = run(folder, "validate", name)
    assert (validated.exit_code, validated.stdout) == (0, f"{name}: valid\n"), validated.stderr
    user_input = folder / "series" / name / "user_input.yml"
    text = user_input.read_text(encoding="utf-8")
    assert "num_datasets: 3" in text
    user_input.write_text(
        text.replace("num_datasets: 3", f"num_datasets: {periods}"), encoding="utf-8"
    )
    assert run(folder, "generate", name, "--quiet").exit_code == 0
    checked = run(folder, "check", name, "--quiet")
    assert checked.exit_code == 0, checked.stderr
    check(Finished.of(folder / "series" / name, folder / "data"))
    return read(folder / "data" / name / "dataset_1.csv")


def read(path: Path) -> pd.DataFrame:
    """Return a CSV as text, NaN where a value is missing."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=_MISSING)


def assert_similar(data: pd.DataFrame, made: pd.DataFrame, identifier: str) -> None:
    """Raise an AssertionError for a column of a dataset that does not look like the data."""
    for name in data.columns.drop(identifier, errors="ignore"):
        before, after = data[name].dropna(), made[name].dropna()
        assert abs(data[name].isna().mean() - made[name].isna().mean()) < 0.03, name
        numbers = pd.to_numeric(before, errors="coerce")
        zeros = before.str.match("0[0-9]").any()
        if numbers.notna().all() and not zeros and before.nunique() > 12:
            found = pd.to_numeric(after)
            assert 0.7 <= found.std() / numbers.std() <= 1.4, (name, found.std(), numbers.std())
            assert numbers.min() <= found.min(), name
            assert found.max() <= numbers.max(), name
        elif pd.to_datetime(before.iloc[:1], errors="coerce", dayfirst=True).isna().all():
            assert set(after) <= set(before), name  # codes as they are
            shares = after.value_counts(normalize=True).sub(
                before.value_counts(normalize=True), fill_value=0
            )
            assert shares.abs().max() <= 0.05, (name, shares)


@pytest.mark.filterwarnings("ignore:Could not infer format", "ignore:Parsing dates")
@pytest.mark.parametrize("name", mostly_thorough(DOMAINS, "claims"))
def test_the_first_dataset_looks_like_the_data(tmp_path: Path, name: str) -> None:
    """In the range and distribution of numbers, shares of categories, and codes."""
    domain = DOMAINS[name]
    data = tmp_path / f"{name}.csv"
    domain.table().to_csv(data, index=False)
    generated = first_dataset(tmp_path, name, data, domain.identifier)
    assert_similar(read(data), generated, domain.identifier)
    _hold_periods(tmp_path / "series" / name, domain)
    if name == "weather":  # stations that are cold in the table are cold in the first dataset
        generated["temperature"] = generated["temperature"].astype(float)
        before = domain.table().groupby("station")["temperature"].mean()
        after = generated.groupby("station")["temperature"].mean()
        assert (before - after).abs().max() < 1.5


def _hold_periods(place: Path, domain: Domain) -> None:
    user_input = yaml.safe_load((place / "user_input.yml").read_text(encoding="utf-8"))
    assert (user_input["period"], user_input["length_of_period"]) == domain.period
    assert tuple(user_input["date_columns"]) == domain.moved


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:Could not infer format", "ignore:Parsing dates")
@pytest.mark.parametrize(
    ("sample", "identifier"),
    [
        ("uuid_anon", "record_chi"),
        *thorough(("prescribing", "id"), ("inpatients", "id"), ("inpatients_anon", "id")),
    ],
)
def test_the_first_dataset_looks_like_exhibits_own_tables(
    tmp_path: Path, sample: str, identifier: str
) -> None:
    """Exhibit's four sample tables, within the same bounds.

    The series validate and generate unchanged, and four periods keep every rule.
    """
    data = SAMPLES / f"{sample}.csv"
    generated = first_dataset(tmp_path, sample, data, identifier, periods=4)
    assert_similar(read(data), generated, identifier)


@pytest.mark.parametrize(
    ("first", "days", "period"),
    [
        ("2024-03-01", 7, ("weeks", 1)),
        ("2024-04-01", 30, ("months", 1)),
        ("2024-01-02", 29, ("months", 1)),
        ("2024-01-01", 91, ("months", 3)),
        ("2024-01-01", 366, ("months", 12)),
        ("2024-02-29", 1, ("days", 1)),
        *thorough(
            ("2024-03-04", 14, ("weeks", 2)),
            ("2024-01-01", 31, ("months", 1)),
            ("2024-01-15", 31, ("months", 1)),
            ("2024-05-06", 10, ("days", 10)),
        ),
    ],
)
def test_a_period_is_as_long_as_the_data(
    tmp_path: Path, first: str, days: int, period: tuple[str, int]
) -> None:
    """The next period starts the day after the data ends, whatever birth dates it has."""
    begin = date.fromisoformat(first)
    rows = [
        f"{n},{begin + timedelta(days=n % days)},{date(1920 + n % 90, 5, 7)}"
        for n in range(max(200, days))
    ]
    data = tmp_path / "data.csv"
    data.write_text("\n".join(["id,seen,born", *rows]) + "\n", encoding="utf-8")
    done = run(tmp_path, "new", "mine", "--from-data", str(data), "--id", "id")
    assert done.exit_code == 0, done.stderr
    place = tmp_path / "series" / "mine"
    user_input = yaml.safe_load((place / "user_input.yml").read_text(encoding="utf-8"))
    column = yaml.safe_load((place / "specification.yml").read_text())["columns"]["seen"]
    assert (user_input["period"], user_input["length_of_period"]) == period
    assert (user_input["date_columns"], user_input["static_columns"]) == (["seen"], ["born"])
    calendar = Calendar(
        user_input["start_date"], user_input["period"], user_input["length_of_period"], 2
    )
    last = begin + timedelta(days=days - 1)
    assert calendar.last_day_of(0) == date.fromisoformat(column["to"])
    assert last <= calendar.last_day_of(0) <= last + timedelta(days=1)


def test_the_closing_notes_and_the_picture_compare_every_column(tmp_path: Path) -> None:
    """One line per column with both sides, and a PNG beside the two files."""
    domain = DOMAINS["ratings"]
    data = tmp_path / "ratings.csv"
    domain.table().to_csv(data, index=False)
    done = run(tmp_path, "new", "ratings", "--from-data", str(data), "--id", "user")
    lines = done.stderr.splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("column "))
    assert lines[head - 1] == "the data (1,500 rows) → the first dataset (1,500 rows):"
    assert lines[head].split("  ")[0] == "column"
    reported = {line.split()[0]: line for line in lines[head + 1 :]}
    assert list(reported)[:5] == list(domain.table().columns)
    minutes = pd.Series(domain.table()["minutes"])
    assert f"{minutes.std():.4g} → " in reported["minutes"]
    assert f"{minutes.min()}…{minutes.max()} → " in reported["minutes"]
    assert "points" in reported["stars"]
    picture = (tmp_path / "series" / "ratings" / "comparison.png").read_bytes()
    assert picture.startswith(b"\x89PNG")

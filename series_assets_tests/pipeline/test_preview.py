"""A preview: a small period in memory that shows what the series will contain."""

from pathlib import Path

import pandas as pd
import pytest

from series_assets.core.errors import RequestError
from series_assets.core.records import typed
from series_assets.interface import generate, iter_datasets, preview
from series_assets.storage.files import read_records
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_date, with_columns

SMALL = a_specification(number_of_rows=60)


@pytest.mark.parametrize("period", [None, "2024-01-01"])
def test_a_preview_shows_the_rows_of_a_small_series(tmp_path: Path, period: str | None) -> None:
    """The first two periods are exactly those that are delivered."""
    series = a_series(SMALL)
    shown = preview(series, period)
    number = 2 if period is None else 1
    assert shown.period == series.calendar.keys[number - 1]
    path = generate(series, tmp_path)[number - 1]
    pd.testing.assert_frame_equal(shown.dataset, typed(read_records(path), series.kinds))
    assert len(shown.new_records) + len(shown.existing_records) == 60


def test_a_preview_of_a_large_series_has_few_rows() -> None:
    """Sums are scaled, and existing records still have enough entities."""
    shown = preview(a_series(a_specification(number_of_rows=500_000)), "2024-03-01")
    assert len(shown.dataset) == 100
    assert set(shown.dataset["date"].dt.to_period("M").astype(str)) == {"2024-03"}


def test_a_preview_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the working directory nor in the folder for temporary files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    preview(a_series(SMALL))
    assert list(tmp_path.iterdir()) == []


def test_a_preview_says_what_existing_records_keep_and_lose() -> None:
    """By column and by rule, with the distance that dates move."""
    specification = with_columns(
        a_specification(number_of_rows=60), due=a_date("2024-01-01", "2024-01-31", 31)
    )
    specification["constraints"] |= {
        "basic_constraints": ["due >= date", "amount < 1000"],
        "custom_constraints": {
            "alike": {"filter": None, "partition": "id", "targets": {"sex": "make_same"}}
        },
    }
    inputs = a_user_input(static_columns=["sex"], date_columns=["date", "due"])
    shown = preview(a_series(specification, inputs))
    kept = dict(zip(shown.columns["column"], shown.columns["existing_records"], strict=True))
    assert kept["id"] == kept["sex"] == "kept"
    assert kept["amount"] == kept["date"] == "generated afresh"
    assert shown.moved.iloc[1].to_list() == [
        "due",
        "2024-01-01 to 2024-01-31",
        "2024-02-01 to 2024-02-29",
    ]
    assert shown.constraints.to_numpy().tolist() == [
        ["due >= date", "applied afterwards"],
        ["amount < 1000", "applied"],
        ["alike: sex: make_same", "not kept: sex stays as recorded"],
    ]


def test_a_preview_has_the_values_and_types_of_the_series() -> None:
    """Derived whole numbers stay whole, also where some are missing."""
    specification = a_specification(number_of_rows=60)
    specification["columns"]["date"]["miss_probability"] = 0.3
    specification["derived_columns"] = {"year": "date.dt.year"}
    series = a_series(specification)
    shown = preview(series).dataset
    assert str(shown["year"].dtype) == "Int64" and shown["year"].isna().any()
    _, (_, second), *_ = iter_datasets(series)
    pd.testing.assert_frame_equal(shown, second)


def test_a_preview_of_a_period_that_does_not_exist_is_refused() -> None:
    """With the first days of periods."""
    with pytest.raises(RequestError, match="'2024-01-15' is not the first day of a period of demo"):
        preview(a_series(SMALL), "2024-01-15")

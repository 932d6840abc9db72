"""Dates with open and closed windows, of every frequency, over the periods of a series."""

from pathlib import Path

import pytest

from series_assets.core.errors import InputError
from series_assets.core.plan.notes import notes_of
from series_assets.interface import truth
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_date, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    existing_records,
    generate_series,
    new_records,
    saved_specification,
)

FREQUENCIES = ["D", "B", "W", "W-WED", "MS", "ME", "QS", "QE", "YS", "YE", "2D"]


def test_dates_of_every_frequency_move(tmp_path: Path) -> None:
    """Month ends, quarter ends and weekdays stay what they are in every period."""
    specification = with_columns(
        a_specification(),
        **{
            f"by {frequency}": a_date("2023-01-01", "2024-12-31", 2000, frequency=frequency)
            for frequency in FREQUENCIES
        },
    )
    names = [f"by {frequency}" for frequency in FREQUENCIES]
    finished = generate_series(
        tmp_path, specification, date_columns=["date", *names], length_of_period=6
    )
    ends = {row[5:] for row in existing_records(finished, 2)["by QE"]}
    assert ends == {"03-31", "06-30", "09-30", "12-31"}
    for number in (1, 2, 3):
        # The checker compares dates with windows; this tests that windows are used completely.
        days = {
            *new_records(finished, number)["by YE"],
            *existing_records(finished, number)["by YE"],
        }
        assert len(days) == 2


def test_windows_that_are_open_at_one_end(tmp_path: Path) -> None:
    """With ``from`` or ``to`` alone, as many dates as ``uniques`` follow or precede it."""
    specification = with_columns(
        a_specification(),
        after=a_date("2024-01-15", None, 10),
        months_after=a_date("2024-01-15", None, 4, frequency="ME"),
        before=a_date("2024-01-31", "2024-01-31", 10),
        weeks_before=a_date("2024-01-31", "2024-01-31", 3, frequency="W"),
    )
    columns = specification["columns"]
    del columns["before"]["from"]
    columns["weeks_before"]["from"] = None
    names = ["after", "months_after", "before", "weeks_before"]
    finished = generate_series(tmp_path, specification, date_columns=["date", *names])
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert records["after"].between("2024-02-15", "2024-02-24").all()
        assert records["before"].between("2024-02-20", "2024-02-29").all()
        assert set(records["months_after"]) <= {
            "2024-02-29",
            "2024-03-31",
            "2024-04-30",
            "2024-05-31",
        }
        assert set(records["weeks_before"]) <= {"2024-02-11", "2024-02-18", "2024-02-25"}


def test_more_uniques_than_a_window_holds(tmp_path: Path) -> None:
    """Dates stay within the window, even if a later window is shorter."""
    specification = with_columns(
        a_specification(number_of_rows=200), still=a_date("2024-01-01", "2024-01-10", 60)
    )
    finished = generate_series(tmp_path, specification)
    for number, days in ((1, 31), (2, 29), (3, 31)):
        assert saved_specification(finished, number, "new")["columns"]["date"]["uniques"] == days
        rows = new_records(finished, number)
        assert rows["date"].str[:7].unique().tolist() == [f"2024-0{number}"]
        assert rows["still"].max() <= "2024-01-10"


def test_fewer_uniques_than_a_window_holds(tmp_path: Path) -> None:
    """That number of dates occurs, with different dates in new and existing records."""
    specification = with_columns(
        a_specification(number_of_rows=200), date=a_date("2024-01-01", "2024-01-31", 5)
    )
    finished = generate_series(tmp_path, specification)
    days = [set(part(finished, 2)["date"]) for part in (new_records, existing_records)]
    assert [len(found) for found in days] == [5, 5]
    assert days[0] != days[1]


def test_a_window_without_a_frequency(tmp_path: Path) -> None:
    """With an empty frequency, dates are evenly spread between both ends, as in Exhibit."""
    specification = with_columns(
        a_specification(), date=a_date("2024-01-01", "2024-01-31", 31, frequency=None)
    )
    generate_series(tmp_path, specification)


@pytest.mark.parametrize(
    ("first", "last", "frequency", "unit", "empty"),
    [
        ("2024-03-01", "2024-03-31", "QE", "months", "2024-04-01"),
        ("2024-01-05", "2024-01-05", "B", "days", "2024-01-06"),
        ("2024-01-06", "2024-01-08", "W", "days", "2024-01-08"),
    ],
)
def test_a_window_that_comes_to_hold_no_date(
    first: str, last: str, frequency: str, unit: str, empty: str
) -> None:
    """A period whose window has no date of the frequency is refused before anything runs."""
    specification = with_columns(
        a_specification(), date=a_date(first, last, 5, frequency=frequency)
    )
    with pytest.raises(InputError, match=rf"columns\.date.* {empty}"):
        a_series(specification, a_user_input(period=unit))


@pytest.mark.parametrize("frequency", ["UNKNOWN", "daily"])
def test_an_unknown_frequency(frequency: str) -> None:
    """A frequency that pandas does not know is refused, with its place in the file."""
    specification = with_columns(
        a_specification(), date=a_date("2024-01-01", "2024-01-31", 5, frequency=frequency)
    )
    with pytest.raises(InputError) as refused:
        a_series(specification)
    assert str(refused.value) == (
        f"demo/specification.yml: columns.date.frequency '{frequency}' is not a frequency that "
        "pandas knows, such as D, W or MS"
    )


@pytest.mark.parametrize(("old", "frequency"), [("M", "ME"), ("Q", "QE-DEC"), ("Y", "YE-DEC")])
def test_a_frequency_by_its_old_name(old: str, frequency: str) -> None:
    """Deprecated frequency names of pandas are replaced by the current ones."""
    specification = with_columns(
        a_specification(), date=a_date("2023-01-01", "2024-12-31", 2, frequency=old)
    )
    plan = a_series(specification).plan(1)

    assert plan.new is not None
    assert plan.new.specification["columns"]["date"]["frequency"] == frequency


def test_a_date_is_missing_where_its_bound_is(tmp_path: Path) -> None:
    """As Exhibit does it, which a note says; so are numbers beside a bound with fractions."""
    specification = with_columns(
        a_specification(number_of_rows=200),
        date=a_date("2024-01-01", "2024-01-31", 31, miss_probability=0.3),
        paid=a_date("2024-01-01", "2024-01-31", 31),
    )
    specification["constraints"]["basic_constraints"] = ["paid >= date"]
    finished = generate_series(tmp_path, specification, date_columns=["date", "paid"])
    assert list(notes_of(load_series(tmp_path / "series" / "demo"))) == [
        "demo/specification.yml: basic constraint 'paid >= date': where date is missing, Exhibit "
        "leaves paid missing too"
    ]
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert ((records["paid"] == "") == (records["date"] == "")).all()


@pytest.mark.parametrize("static", [[], ["year"]])
def test_a_year_has_one_form_beside_missing_dates(tmp_path: Path, static: list[str]) -> None:
    """pandas makes fractions of whole numbers beside missing ones; no history may follow that."""
    specification = with_columns(
        a_specification(number_of_rows=40),
        date=a_date("2024-01-01", "2024-01-07", 7, miss_probability=0.03),
    )
    specification["derived_columns"] = {"year": "date.dt.year"}
    keys = {"period": "weeks", "num_datasets": 6, "truth": {"track": ["year"]}}
    finished = generate_series(tmp_path, specification, static_columns=static, **keys)
    for number in range(1, 7):
        for part in (new_records, existing_records)[: min(number, 2)]:
            assert set(part(finished, number)["year"]) <= {"", "2024"}
    history = truth(load_series(tmp_path / "series" / "demo"), tmp_path / "data")
    known = history["year"].notna()
    follows = history["id"] == history["id"].shift()
    assert not (follows & known & known.shift(fill_value=False)).any()


def test_dates_that_are_missing(tmp_path: Path) -> None:
    """A date that moves may be missing, about equally often in both parts."""
    specification = with_columns(
        a_specification(number_of_rows=200),
        date=a_date("2024-01-01", "2024-01-31", 31, miss_probability=0.3),
    )
    finished = generate_series(tmp_path, specification)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert 0.15 < (records["date"] == "").mean() < 0.45

"""The checker finds violations over several rows and periods in changed files."""

import shutil
from pathlib import Path

import pytest

from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.checker import Finished, check
from series_assets_tests.checker.tampering import assert_check_fails, read, write
from series_assets_tests.columns import a_number, with_columns


@pytest.fixture(scope="module")
def valid_series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a series of several rows per entity, missing values, and a share."""
    specification = a_specification(number_of_rows=90)
    identifier = specification["columns"]["id"]
    identifier["frequency_distribution"] = ["frequency | probability_vector", "3 | 1.0"]
    specification["columns"]["region"]["miss_probability"] = 0.4
    parameters = {"dispersion": 0.1, "target_min": 5, "target_max": 70}
    with_columns(specification, height=a_number(distribution_parameters=parameters))
    specification["derived_columns"] = {
        "share": "(amount / amount.sum())",
        "of sex": "df.groupby('sex')['amount'].mean()",
        "above": "(share - share.mean())",
        "place": "amount.rank()",
    }
    folder = tmp_path_factory.mktemp("whole")
    place = write_series(folder, specification, a_user_input(fraction_of_new="1/2"))
    generate(load_series(place), folder / "data")
    return folder


@pytest.fixture
def finished(valid_series: Path, tmp_path: Path) -> Finished:
    """A copy of the valid series, to be changed."""
    shutil.copytree(valid_series, tmp_path / "copy")
    return Finished.of(tmp_path / "copy" / "demo", tmp_path / "copy" / "data")


def columns_from(finished: Finished, number: int, other: int, *names: str) -> None:
    """Give new records of a dataset columns of the new records of another one, in order."""
    new = finished.folder / "new_records"
    given = read(new / f"dataset_{other}.csv")
    rows = read(new / f"dataset_{number}.csv")
    path = finished.folder / f"dataset_{number}.csv"
    whole = read(path)
    changed: set[int] = set()
    for row, source in zip(rows, given, strict=False):
        twin = next(
            place
            for place, one in enumerate(whole)
            if place not in changed
            and all(one[name] == row[name] for name in ("id", "date", "amount", "height"))
        )
        changed.add(twin)
        for name in names:
            row[name] = whole[twin][name] = source[name]
    write(new / f"dataset_{number}.csv", rows)
    write(path, whole)


def test_a_sound_series_passes(finished: Finished) -> None:
    """The checker accepts a valid series."""
    check(finished)


@pytest.mark.parametrize("number", [1, 2])
def test_an_entity_whose_new_records_disagree(finished: Finished, number: int) -> None:
    """A different static value in a later row of an entity is found, in any file."""
    new = finished.folder / "new_records" / f"dataset_{number}.csv"
    rows = read(new)
    seen: set[str] = set()
    later = next(row for row in rows if row["id"] in seen or seen.add(row["id"]))
    other = "M" if later["sex"] == "F" else "F"
    path = finished.folder / f"dataset_{number}.csv"
    whole = read(path)
    twin = next(row for row in whole if all(row[n] == later[n] for n in ("id", "amount", "date")))
    later["sex"] = twin["sex"] = other
    write(new, rows)
    write(path, whole)
    assert_check_fails(
        finished, f"new_records/dataset_{number}.csv: .* has sex '{other}', its first record"
    )


def test_gaps_in_the_same_rows(finished: Finished) -> None:
    """Missing values in the same rows as in an earlier period are found."""
    columns_from(finished, 3, 2, "region")
    assert_check_fails(
        finished, "region lacks values in the same rows as new_records/dataset_2.csv"
    )


def test_too_many_gaps(finished: Finished) -> None:
    """Far more missing values than specified are found."""
    for number in (2, 3, 4):
        path = finished.folder / f"dataset_{number}.csv"
        new = finished.folder / "new_records" / path.name
        for file in (path, new):
            rows = read(file)
            for row in rows:
                row["region"] = "" if float(row["height"]) > 8 else row["region"]
            write(file, rows)
    assert_check_fails(
        finished, r"region: lacks \d+ of 270 values after the first period, about 108 are"
    )


def test_numbers_that_are_repeated(finished: Finished) -> None:
    """Numbers of another period's records are found."""
    columns_from(finished, 4, 2, "height")
    assert_check_fails(
        finished, "height: new records of dataset_2.csv and new records of dataset_4.csv have"
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("share", r"share is 0\.5, but over all rows '\(amount / amount\.sum\(\)\)' is"),
        ("of sex", "of sex is 0.5, but over all rows"),
        ("above", "above is 0.5, but over all rows"),
        ("place", "place is 0.5, but over all rows"),
    ],
)
def test_a_total_that_is_not_of_all_rows(finished: Finished, name: str, sentence: str) -> None:
    """A derived column that does not refer to all rows of its dataset is found."""
    path = finished.folder / "dataset_2.csv"
    rows = read(path)
    rows[0][name] = "0.5"
    write(path, rows)
    assert_check_fails(finished, f"dataset_2.csv: {sentence}")

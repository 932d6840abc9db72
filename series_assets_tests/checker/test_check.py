"""The checker finds every violation: delivered files are changed, one rule at a time."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.checker import Finished, check
from series_assets_tests.checker.tampering import Rows, assert_check_fails, read, write


@pytest.fixture(scope="module")
def valid_series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two files of a valid series and, in ``data``, all of its data."""
    specification = a_specification()
    specification["metadata"]["uuid_columns"].append("chi")
    identifier = specification["columns"]["id"]
    specification["columns"]["chi"] = {**identifier, "anonymising_set": "pseudo_chi"}
    specification["columns"]["region"]["original_values"][1] = "007 | 0.2 | 0.3"
    specification["columns"]["amount"]["miss_probability"] = 0.2
    specification["constraints"]["basic_constraints"] = ["amount > 2"]
    specification["derived_columns"] = {"half": "(amount / 2)", "day": "date.dt.day"}
    inputs = a_user_input(static_columns=["sex", "region"], linked_columns=["id", "chi"])
    folder = tmp_path_factory.mktemp("sound")
    place = write_series(folder, specification, inputs)
    generate(load_series(place), folder / "data")
    return folder


@pytest.fixture
def finished(valid_series: Path, tmp_path: Path) -> Finished:
    """A copy of the valid series, to be changed."""
    shutil.copytree(valid_series, tmp_path / "copy")
    return Finished.of(tmp_path / "copy" / "demo", tmp_path / "copy" / "data")


def change_existing(finished: Finished, number: int, change: Callable[[Rows], Any]) -> None:
    """Change the existing rows of a dataset, which ``change`` gets as a list."""
    path = finished.folder / f"dataset_{number}.csv"
    rows = read(path)
    new = {row["id"] for row in read(finished.folder / "new_records" / path.name)}
    change([row for row in rows if row["id"] not in new])
    write(path, rows)


def change_new(finished: Finished, number: int, **values: str) -> None:
    """Give the first new record of a dataset other values, in both files."""
    name = f"dataset_{number}.csv"
    first = read(finished.folder / "new_records" / name)[0]
    for path in (finished.folder / name, finished.folder / "new_records" / name):
        rows = read(path)
        next(row for row in rows if row["id"] == first["id"]).update(values)
        write(path, rows)


def change_yaml(finished: Finished, file: str, change: Callable[[Any], Any]) -> None:
    """Change the contents of a saved specification."""
    path = finished.folder / file
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


def change_bytes(finished: Finished, file: str, old: bytes, new: bytes) -> None:
    """Replace the first occurrence of some bytes in a file."""
    path = finished.folder / file
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def execute(finished: Finished, statement: str) -> None:
    """Run a statement on the database of the series."""
    connection = sqlite3.connect(finished.database)
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_sound_series_passes(finished: Finished) -> None:
    """The checker accepts a valid series."""
    check(finished)


@pytest.mark.parametrize("file", ["notes.txt", "dataset_5.csv", "dataset_1.existing.yml"])
def test_stray_files(finished: Finished, file: str) -> None:
    """An unexpected file is found."""
    (finished.folder / file).write_text("x\n", encoding="utf-8")
    assert_check_fails(finished, f"stray files '{file}'")


@pytest.mark.parametrize(
    "file", ["dataset_4.csv", "dataset_2.existing.yml", "new_records/dataset_3.csv"]
)
def test_lost_files(finished: Finished, file: str) -> None:
    """A missing file is found."""
    (finished.folder / file).unlink()
    assert_check_fails(finished, f"lacks '{file}'")


def test_what_a_run_left_behind(finished: Finished) -> None:
    """Scratch files that were not removed are found."""
    (finished.folder.parent / ".runs").mkdir()
    assert_check_fails(finished, "left '.runs' behind")


def test_a_lost_row(finished: Finished) -> None:
    """A missing row is found."""
    path = finished.folder / "dataset_2.csv"
    rows = read(path)
    new = {row["id"] for row in read(finished.folder / "new_records" / path.name)}
    rows.remove(next(row for row in rows if row["id"] not in new))
    write(path, rows)
    assert_check_fails(finished, "dataset_2.csv: has 59 rows instead of 60")


def test_a_new_record_that_the_dataset_lacks(finished: Finished) -> None:
    """A difference between a dataset and its new records is found."""
    path = finished.folder / "new_records" / "dataset_2.csv"
    rows = read(path)
    rows[0]["amount"] = "55.5"
    write(path, rows)
    assert_check_fails(finished, "lacks rows of new_records/dataset_2.csv")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b"", b"\xef\xbb\xbf", "byte order mark"),
        (b"\n", b"\r\n", "line 1: is"),
        (b",F,", b',"F",', "but as plain CSV"),
    ],
)
def test_odd_csv(finished: Finished, old: bytes, new: bytes, sentence: str) -> None:
    """Byte order marks, other line ends and needless quotes are found."""
    change_bytes(finished, "dataset_1.csv", old, new)
    assert_check_fails(finished, sentence)


def test_columns_in_another_order(finished: Finished) -> None:
    """A dataset with another order of columns is found."""
    path = finished.folder / "dataset_3.csv"
    write(path, [dict(reversed(row.items())) for row in read(path)])
    assert_check_fails(finished, "dataset_3.csv: has the columns")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("sex", "nan", "sex has 'nan' where a value is missing"),
        ("sex", "", "sex lacks values"),
        ("sex", "X", "sex holds values it does not list: 'X'"),
        ("amount", "50.50", "numbers in other forms: '50.50'"),
        ("half", "25.250", "not its shortest form"),
        ("date", "2024-02-01 00:00:00", "not ISO"),
        ("date", "2024-03-01", r"outside its window 2024-02-01\.\.2024-02-29"),
        ("amount", "1.5", "'amount > 2' does not hold"),
        ("chi", "1234567890", "chi is pseudo_chi, but holds"),
    ],
)
def test_odd_values(finished: Finished, name: str, value: str, sentence: str) -> None:
    """An invalid value of a new record is found."""
    change_new(finished, 2, **{name: value})
    assert_check_fails(finished, sentence)


def test_an_identifier_that_was_there_before(finished: Finished) -> None:
    """An identifier that a later period issues again is found, in any uuid column."""
    first = read(finished.folder / "new_records" / "dataset_1.csv")[0]
    change_new(finished, 3, chi=first["chi"])
    assert_check_fails(finished, "chi has identifiers of earlier periods")


def test_an_entity_with_two_records_too_many(finished: Finished) -> None:
    """New records that repeat an entity too often are found."""
    first = read(finished.folder / "new_records" / "dataset_2.csv")[1]
    change_new(finished, 2, chi=first["chi"])
    assert_check_fails(finished, "chi repeats")


def test_identifiers_that_are_not_one_to_one(finished: Finished) -> None:
    """A pair of linked identifiers that changes is found."""
    specification = dict(finished.specification)
    columns = dict(specification["columns"])
    frequencies = ["frequency | probability_vector", "1 | 0.8", "2 | 0.2"]
    for name in ("id", "chi"):
        columns[name] = {**columns[name], "frequency_distribution": frequencies}
    place = write_series(
        finished.folder.parent.parent,
        {**specification, "columns": columns},
        dict(finished.user_input),
        "other",
    )
    generate(load_series(place), finished.folder.parent)
    other = Finished.of(place, finished.folder.parent)
    check(other)
    path = other.folder / "new_records" / "dataset_1.csv"
    rows = read(path)
    twice = next(row for row in rows if sum(row["id"] == one["id"] for one in rows) > 1)
    single = next(row for row in rows if sum(row["id"] == one["id"] for one in rows) == 1)
    for file in (path, other.folder / "dataset_1.csv"):
        rows = read(file)
        one, two = (next(row for row in rows if row == wanted) for wanted in (twice, single))
        one["chi"], two["chi"] = two["chi"], one["chi"]
        write(file, rows)
    assert_check_fails(other, "id and chi are not one to one")


def test_an_unknown_entity(finished: Finished) -> None:
    """An existing record of an unknown entity is found."""
    change_existing(finished, 2, lambda rows: rows[0].update(id="0" * 12 + "4000" + "8" + "0" * 15))
    assert_check_fails(finished, "which no earlier period issued")


def test_an_entity_of_a_later_period(finished: Finished) -> None:
    """An existing record of an entity that only a later period introduces is found."""
    later = read(finished.folder / "new_records" / "dataset_4.csv")[0]
    kept = {name: later[name] for name in ("id", "chi", "sex", "region")}
    change_existing(finished, 3, lambda rows: rows[0].update(kept))
    assert_check_fails(
        finished, "dataset_3.csv: an existing record has .* no earlier period issued"
    )


def test_an_entity_drawn_twice(finished: Finished) -> None:
    """An entity that was sampled twice is found."""
    kept = ("id", "chi", "sex", "region")
    change_existing(
        finished, 3, lambda rows: rows[0].update({name: rows[1][name] for name in kept})
    )
    assert_check_fails(finished, r"dataset_3.csv: the existing records repeat entities")


def test_an_existing_record_without_an_identifier(finished: Finished) -> None:
    """An existing record without an identifier is found."""
    specification = dict(finished.specification)
    lacking = {**specification["columns"]["id"], "miss_probability": 0.001}
    specification["columns"] = {**specification["columns"], "id": lacking}
    change_existing(finished, 2, lambda rows: rows[0].update(id=""))
    others = (finished.user_input, finished.folder, finished.database, finished.table)
    assert_check_fails(Finished(specification, *others), "an existing record has no id")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sex", {"F": "M", "M": "F"}.get),
        ("region", lambda value: {"007": "South", "South": "West", "West": "007"}[value]),
        ("chi", lambda value: f"{(int(value[:2]) + 1) % 32:02}{value[2:]}"),
    ],
)
def test_an_attribute_that_changed(
    finished: Finished, name: str, change: Callable[[str], str]
) -> None:
    """An existing record with a changed static value is found."""
    change_existing(finished, 2, lambda rows: rows[0].update({name: change(rows[0][name])}))
    assert_check_fails(finished, f"has {name} .* recorded was")


def test_sampling_only_the_oldest_entities(tmp_path: Path) -> None:
    """A series that samples only from its first period is found."""
    specification = a_specification(number_of_rows=100)
    inputs = a_user_input(fraction_of_new="3/5", num_datasets=10)
    place = write_series(tmp_path, specification, inputs)
    generate(load_series(place), tmp_path / "data")
    finished = Finished.of(place, tmp_path / "data")
    check(finished)
    oldest = read(finished.folder / "new_records" / "dataset_1.csv")

    def draw_the_oldest(rows: Rows) -> None:
        for row, entity in zip(rows, oldest, strict=False):
            row.update({name: entity[name] for name in ("id", "sex")})

    change_existing(finished, 10, draw_the_oldest)
    assert_check_fails(finished, "dataset_10.csv: 40 of its 40 entities are of period 1")


def test_a_dataset_that_is_not_shuffled(finished: Finished) -> None:
    """A dataset that is not shuffled is found."""
    path = finished.folder / "dataset_2.csv"
    new = read(finished.folder / "new_records" / path.name)
    write(path, [*new, *(row for row in read(path) if row not in new)])
    assert_check_fails(finished, "are not shuffled")


@pytest.mark.parametrize(
    ("file", "change", "place"),
    [
        ("2.new", lambda s: s["metadata"].update(random_seed=7), "metadata.random_seed is 7"),
        ("3.new", lambda s: s["columns"]["id"].update(uuid_seed=7), "columns.id.uuid_seed is 7"),
        ("2.new", lambda s: s["metadata"].update(number_of_rows=60), "number_of_rows is 60"),
        ("2.new", lambda s: s["columns"]["date"].update(to="2024-03-01"), "columns.date.to is"),
        ("2.new", lambda s: s["constraints"].update(basic_constraints=None), "basic_constraints"),
        ("2.existing", lambda s: s["columns"]["id"].update(uniques=30), "columns.id.uniques is 30"),
        ("2.existing", lambda s: s["columns"]["sex"].update(miss_probability=0.5), "columns.sex"),
        ("2.existing", lambda s: s["columns"]["chi"].update(type="uuid"), "columns.chi.type"),
        ("2.existing", lambda s: s["metadata"].update(random_seed=1), "has the random_seed of"),
        (
            "2.existing",
            lambda s: s["constraints"].update(
                basic_constraints=["amount > 2", "date > '2024-01-01'"]
            ),
            "mentions 'date', which cannot hold there",
        ),
        (
            "2.existing",
            lambda s: s.update(derived_columns={"day": "date.dt.day"}),
            "mentions 'date', 'day', which cannot hold there|mentions 'date'",
        ),
        (
            "2.existing",
            lambda s: s["constraints"].update(basic_constraints=[]),
            "constraints.basic_constraints",
        ),
    ],
)
def test_a_saved_specification_that_differs(
    finished: Finished, file: str, change: Callable[[Any], Any], place: str
) -> None:
    """A saved specification that differs from the expected one is found."""
    change_yaml(finished, f"dataset_{file}.yml", change)
    assert_check_fails(finished, place)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM demo_reference WHERE reference_key = 0", "where new_records have"),
        (
            "DELETE FROM demo_reference WHERE reference_key = "
            "(SELECT max(reference_key) FROM demo_reference)",
            "entities instead of",
        ),
        ("UPDATE demo_reference SET region = 7 WHERE region = '007'", "where new_records have"),
        ("UPDATE demo_reference SET reference_period = '2024-01-01'", "where new_records have"),
        ("ALTER TABLE demo_reference DROP COLUMN sex", "lacks the columns 'sex'"),
    ],
)
def test_a_reference_table_that_differs(finished: Finished, statement: str, sentence: str) -> None:
    """A reference table that differs from the new records is found."""
    execute(finished, statement)
    assert_check_fails(finished, sentence)

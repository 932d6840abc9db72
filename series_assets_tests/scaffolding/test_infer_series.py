"""Series inferred from a CSV: the written files are valid as they are."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
import yaml

from series_assets_tests.checker import Finished, check
from series_assets_tests.exhibit_samples import SAMPLES, run
from series_assets_tests.thorough import thorough


def start(folder: Path, name: str, data: Path, identifier: str) -> Path:
    """Write a series from data and return its folder."""
    done = run(folder, "new", name, "--from-data", str(data), "--id", identifier)
    assert done.exit_code == 0, done.stderr
    return folder / "series" / name


def tables_of(database: Path) -> set[str]:
    """Return the tables of a database."""
    with closing(sqlite3.connect(database)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


@pytest.mark.thorough
def test_what_exhibit_keeps_in_its_database_is_kept_under_the_series_name(tmp_path: Path) -> None:
    """Exhibit names these tables after a temporary id; the series has its own."""
    place = start(tmp_path, "wards", SAMPLES / "inpatients.csv", "id")
    specification = yaml.safe_load((place / "specification.yml").read_text(encoding="utf-8"))
    user_input = yaml.safe_load((place / "user_input.yml").read_text(encoding="utf-8"))

    assert specification["metadata"]["id"] == "wards"
    assert user_input["exhibit_db_path"] == "exhibit.db"
    kept = {name for name in tables_of(place / "exhibit.db") if name.startswith("temp_")}
    assert kept == {"temp_wards_1"}


def test_a_series_without_such_values_needs_no_database_of_its_own(tmp_path: Path) -> None:
    """Its user input leaves the path empty."""
    place = start(tmp_path, "doses", SAMPLES / "uuid_anon.csv", "record_chi")

    files = [".schemas", "comparison.png", "specification.yml", "user_input.yml"]
    assert sorted(path.name for path in place.iterdir()) == files
    user_input = yaml.safe_load((place / "user_input.yml").read_text(encoding="utf-8"))
    assert user_input["exhibit_db_path"] is None


@pytest.mark.thorough
def test_what_exhibit_writes_wrong_for_a_series_is_put_right(tmp_path: Path) -> None:
    """No cross joins, finite targets, and the next period starts where the data ends."""
    place = start(tmp_path, "anon", SAMPLES / "inpatients_anon.csv", "id")
    text = (place / "specification.yml").read_text(encoding="utf-8")
    user_input = yaml.safe_load((place / "user_input.yml").read_text(encoding="utf-8"))

    assert "cross_join_all_unique_values: true" not in text
    assert not re.search(r"\.(inf|nan)\b", text)
    assert (user_input["period"], user_input["length_of_period"]) == ("months", 12)  # four quarters


def test_what_never_differs_for_an_entity_is_static(tmp_path: Path) -> None:
    """A category with one value per entity of the data is static."""
    data = pd.DataFrame(
        {
            "person": ["a", "a", "b", "b", "c", "c"] * 5,
            "eyes": ["blue", "blue", "brown", "brown", "blue", "blue"] * 5,
            "mood": ["good", "bad", "bad", "good", "good", "bad"] * 5,
            "seen": ["2024-01-01", "2024-01-02", "2024-01-03"] * 10,
        }
    )
    data.to_csv(tmp_path / "people.csv", index=False)
    place = start(tmp_path, "people", tmp_path / "people.csv", "person")

    user_input = yaml.safe_load((place / "user_input.yml").read_text(encoding="utf-8"))
    assert user_input["static_columns"] == ["eyes"]
    assert user_input["date_columns"] == ["seen"]


def test_rules_of_the_data_that_a_series_does_not_have_are_noted(tmp_path: Path) -> None:
    """Columns that identify rows, and dates in order; shares of few entities differ by chance."""
    rows = range(200)
    data = pd.DataFrame(
        {
            "guest": [f"g{row % 10}" for row in rows],
            "booking": [f"b{row:03}" for row in rows],
            "sex": ["F" if row % 10 < 2 else "M" for row in rows],
            "arrival": [pd.Timestamp(2024, 1, 1 + row % 28) for row in rows],
            "departure": [pd.Timestamp(2024, 1, 1 + row % 28 + row % 3) for row in rows],
            "paid": [pd.Timestamp(2024, 1, 1 + row % 28) for row in rows],
        }
    )
    data.to_csv(tmp_path / "stays.csv", index=False)
    done = run(
        tmp_path, "new", "stays", "--from-data", str(tmp_path / "stays.csv"), "--id", "guest"
    )
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert notes[:2] == [
        "note: booking is different in each row of the data, but in the series its values are "
        "drawn from those of the data and repeat; make it a uuid column if it has to be unique",
        "note: in the data, departure is never before arrival, departure is never before paid and "
        "arrival equals paid; the series keeps that only if you add to basic_constraints: "
        "departure >= arrival, departure >= paid, arrival == paid",
    ]
    assert not any("shares of sex" in note for note in notes)


@pytest.mark.thorough
def test_the_same_data_give_the_same_files(tmp_path: Path) -> None:
    """With any hash seed, although Exhibit's temporary id differs."""
    texts = []
    for hash_seed in ("0", "1"):
        folder = tmp_path / hash_seed
        folder.mkdir()
        subprocess.run(
            [
                *(sys.executable, "-m", "series_assets", "new", "wards"),
                *("--from-data", str(SAMPLES / "prescribing.csv"), "--id", "id"),
            ],
            cwd=folder,
            env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
            check=True,
            capture_output=True,
        )
        texts.append((folder / "series/wards/specification.yml").read_bytes())

    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        ("missing.csv", None, "there is no such file"),
        (
            "table.txt",
            "a,b\n1,2\n",
            "is not a CSV or Parquet file; its name has to end in .csv or .parquet",
        ),
        ("empty.csv", "a,b\n", "has no rows; name a table with data"),
        (
            "long.csv",
            "a,b\n1,2,3\n",
            "has rows with more cells than its first line has names; give every column a name",
        ),
        (
            "bar.csv",
            "id,c|d\n1,2\n",
            "its column 'c|d' has a |, which separates cells in a specification; rename it",
        ),
        ("case.csv", "ID,a\n1,2\n", "has no column 'id'; did you mean 'ID'?"),
        (
            "nobody.csv",
            "id,a\n,x\n,y\n",
            "its column 'id' is empty and names no entity; choose another --id",
        ),
    ],
)
def test_data_that_cannot_be_described_are_refused(
    tmp_path: Path, file: str, content: str | None, fault: str
) -> None:
    """The message names the file, and no incomplete series is left."""
    data = tmp_path / file
    if content is not None:
        data.write_text(content, encoding="utf-8")

    done = run(tmp_path, "new", "demo", "--from-data", str(data), "--id", "id")

    assert (done.exit_code, done.stderr) == (2, f"{data}: {fault}\n")
    assert not any((tmp_path / "series").glob("*"))


def test_data_and_identifier_go_together(tmp_path: Path) -> None:
    """A series needs a column that identifies its entities."""
    done = run(tmp_path, "new", "demo", "--from-data", str(SAMPLES / "uuid_anon.csv"))

    assert done.exit_code == 2
    assert "--from-data and --id have to be given together" in done.stderr


def _sales(folder: Path, stores: int) -> Path:
    """Write a table in which a store determines its town, its region and its size."""
    lines = ["customer,store,town,size,region,sold_on,born,amount"]
    for row in range(300):
        store, customer = (row * 7 + row // 60 * 5) % stores, row % 60
        lines.append(
            f"C{customer},S{store:03},T{store // 2},{['small', 'large'][store * 5 % 3 % 2]},"
            f"R{store // 2 % 3},2024-0{row % 3 + 1}-{row % 28 + 1:02},"
            f"19{customer + 30}-05-{customer % 28 + 1:02},{row * 37 % 101}.5"
        )
    path = folder / "sales.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.thorough
@pytest.mark.parametrize("stores", [12, *thorough(120)])
def test_a_column_that_determines_several_others(tmp_path: Path, stores: int) -> None:
    """Exhibit would link it twice and refuse that; the omitted link is reported."""
    data = _sales(tmp_path, stores)
    done = run(tmp_path, "new", "sales", "--from-data", str(data), "--id", "customer")
    assert done.exit_code == 0
    assert done.stderr.splitlines()[:3] == [
        "note: size and store belong together in the data, but not in the series: a column can be "
        "in "
        "one group of linked columns, and store is in another",
        "note: a period is 3 months long and the first begins on 2024-01-01, as the days of "
        "sold_on suggest; sold_on moves with the period; see length_of_period and date_columns in "
        "user_input.yml",
        "note: born does not move: the days lie in a different time from those of sold_on, or span "
        "a "
        "much longer one",
    ]
    place = tmp_path / "series" / "sales"
    specification = yaml.safe_load((place / "specification.yml").read_text(encoding="utf-8"))
    user_input = yaml.safe_load((place / "user_input.yml").read_text(encoding="utf-8"))
    assert [members for _, members in specification["linked_columns"]] == [
        ["region", "town", "store"]
    ]
    assert (user_input["date_columns"], user_input["static_columns"]) == (["sold_on"], ["born"])
    assert run(tmp_path, "validate", "sales").stdout == "sales: valid\n"
    assert run(tmp_path, "generate", "sales", "--quiet").exit_code == 0
    check(Finished.of(place, tmp_path / "data"))


def test_an_added_identifier_is_reported(tmp_path: Path) -> None:
    """An existing column of the table may have been intended."""
    data = _sales(tmp_path, 12)
    done = run(tmp_path, "new", "sales", "--from-data", str(data), "--id", "customer_no")
    assert done.stderr.splitlines()[0] == (
        "note: sales.csv has no column 'customer_no', so it is added: each row is about a "
        "different entity; did you mean 'customer'?"
    )


def test_a_misspelt_identifier_is_refused(tmp_path: Path) -> None:
    """No series is written whose entities would not be those of the table."""
    data = _sales(tmp_path, 12)
    done = run(tmp_path, "new", "sales", "--from-data", str(data), "--id", "custmer")
    assert (done.exit_code, done.stderr) == (
        2,
        f"{data}: has no column 'custmer'; did you mean 'customer'? To add an identifier, give it "
        "a name of its own\n",
    )
    assert not (tmp_path / "series" / "sales").exists()


def test_a_series_from_data_has_identifiers_of_its_own(tmp_path: Path) -> None:
    """Two series of one table, and two identifiers of one series, have distant seeds."""
    data = _sales(tmp_path, 12)
    for name in ("one", "other"):
        start(tmp_path, name, data, "customer")
    done = run(tmp_path, "validate")
    assert (done.stdout, done.stderr) == ("one: valid\nother: valid\n", "")


def test_an_entity_has_as_many_rows_as_in_the_data(tmp_path: Path) -> None:
    """Frequency shares refer to rows, so that the number of entities is right."""
    rows = [f"a{n},x" for n in range(90)] + [f"b{n // 10},y" for n in range(90)]
    data = tmp_path / "visits.csv"
    data.write_text("\n".join(["person,kind", *rows]) + "\n", encoding="utf-8")
    start(tmp_path, "visits", data, "person")
    assert run(tmp_path, "generate", "visits", "--quiet").exit_code == 0
    generated = pd.read_csv(tmp_path / "data" / "visits" / "dataset_1.csv")
    assert sorted(generated["person"].value_counts()) == [1] * 90 + [10] * 9


def test_an_order_of_two_numbers_holds_in_every_dataset(tmp_path: Path) -> None:
    """If one number never exceeds another in the data, it never does in the series."""
    low = [n * 37 % 101 for n in range(400)]
    columns = {"id": range(400), "low": low, "high": [n + 5 + n * 13 % 29 for n in low]}
    pd.DataFrame(columns).to_csv(tmp_path / "data.csv", index=False)
    place = start(tmp_path, "ends", tmp_path / "data.csv", "id")
    specification = yaml.safe_load((place / "specification.yml").read_text(encoding="utf-8"))
    assert "low < high" in specification["constraints"]["basic_constraints"]
    assert run(tmp_path, "generate", "ends", "--quiet").exit_code == 0
    for number in (1, 2, 3):
        generated = pd.read_csv(tmp_path / "data" / "ends" / f"dataset_{number}.csv")
        assert (generated["low"] < generated["high"]).all()


def test_an_identifier_without_a_name_is_refused(tmp_path: Path) -> None:
    """Nothing could be named after it."""
    data = _sales(tmp_path, 12)
    done = run(tmp_path, "new", "sales", "--from-data", str(data), "--id", "")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{data}: has no column ''; its columns are customer, store, ")

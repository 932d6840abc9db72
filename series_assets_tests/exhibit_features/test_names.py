"""Unusual names and values, either delivered unchanged or refused."""

import csv
from pathlib import Path
from typing import Any

import pytest

from series_assets.core.errors import InputError
from series_assets_tests.builders import a_series, a_specification
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    database_with_tables,
    existing_records,
    generate_series,
    new_records,
)
from series_assets_tests.thorough import thorough

NAMES = [
    "my sex", "two  blanks", "größe", "имя", "数", "select", "order", "Group", "1st", "2024",
    "it's", 'a "quoted" one', "a-b", "a.b", "a/b", "(a)", "[a]", "a:b", "a;b", "100%", "a?", "#1",
    "class", "lambda", "index", "df", "period", "rowid", "None", "true", "paired_x", "a\\b", "@a",
    "a__b", "$", "null", "temp", "level_0", "h3", "count", "name", "Missing data", "{a}", "a=b",
]  # fmt: skip
"""Names of columns: blanks, punctuation, all alphabets, words of SQL, Python and the package."""
UNUSABLE = {"$"}
USABLE = [name for name in NAMES if name not in UNUSABLE]


def named(name: str) -> dict[str, Any]:
    """Return a specification with a column of each type under a name, or one like it."""
    return with_columns(
        a_specification(number_of_rows=30),
        **{
            f"{name}": a_category(name, {"a": 0.5, "b": 0.5}, miss_probability=0.1),
            f"{name} id": a_uuid("range"),
            f"{name} n": a_number("integer"),
            f"{name} x": a_number(),
            f"{name} day": a_date("2024-01-01", "2024-01-31", 31),
            f"{name} born": a_date("1990-01-01", "1999-12-31", 300),
        },
    )


@pytest.mark.thorough
@pytest.mark.parametrize(
    "start",
    [0, *thorough(*range(7, len(USABLE), 7))],
)
def test_columns_of_any_name_go_through_a_series(tmp_path: Path, start: int) -> None:
    """Identifiers, categories, numbers and dates: static, moved or regenerated."""
    specification = a_specification(number_of_rows=30)
    static, dates = [], ["date"]
    for name in USABLE[start : start + 7]:
        columns = named(name)["columns"]
        more = {key: value for key, value in columns.items() if key.startswith(name)}
        more[f"{name} id"]["uuid_seed"] = 0
        with_columns(specification, **{k: v for k, v in more.items() if k not in ("id", "date")})
        static += [name, f"{name} n", f"{name} born"]
        dates.append(f"{name} day")
    finished = generate_series(
        tmp_path, specification, static_columns=static, date_columns=dates, num_datasets=2
    )
    header = next(csv.reader((finished.folder / "dataset_2.csv").read_text("utf-8").splitlines()))
    assert set(header) == set(specification["columns"])


@pytest.mark.parametrize("name", ["my sex", *thorough("größe", "select")])
def test_names_in_constraints_and_derivations(tmp_path: Path, name: str) -> None:
    """Such columns can be compared, filtered, partitioned by and computed with."""
    specification = named(name)
    specification["constraints"] |= {
        "basic_constraints": [f"~{name} x~ > ~{name} n~", f"~{name} day~ >= date"],
        "custom_constraints": {
            "one": {
                "filter": f"~{name}~ == 'a'",
                "partition": f"{name} id",
                "targets": {"region": "make_null"},
            }
        },
    }
    specification["derived_columns"] = {f"{name} sum": f"({name} x + {name} n)"}
    finished = generate_series(tmp_path, specification, date_columns=["date", f"{name} day"])
    rows = existing_records(finished, 2)
    assert ((rows["region"] == "") == (rows[name] == "a")).all()
    total = rows[f"{name} x"].astype(float) + rows[f"{name} n"].astype(float)
    assert rows[f"{name} sum"].astype(float).tolist() == pytest.approx(total.tolist())


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("key", "columns.key has a name that Exhibit uses in cross joins; rename it"),
        ("reference_key", "columns.reference_key has a name that the reference table reserves for "
        "a column of its own; rename it"),
        ("Reference_Period", "columns.Reference_Period has a name that the reference table "
        "reserves for a column of its own; rename it"),
        ("SEX", "columns.SEX differs from 'sex' only in case, which SQLite does not tell apart; "
         "rename one of them"),
    ],
)  # fmt: skip
def test_ambiguous_names_are_refused(name: str, fault: str) -> None:
    """Ambiguous names are refused with the reason."""
    specification = with_columns(a_specification(), **{name: a_number()})
    with pytest.raises(InputError) as refused:
        a_series(specification)
    assert f"demo/specification.yml: {fault}" in str(refused.value).splitlines()


@pytest.mark.parametrize("name", ["$", "", " a", "a~", "a|b", "a,b", "a`", "a\nb"])
def test_names_that_exhibit_splits_or_trims(name: str) -> None:
    """Names with Exhibit's special characters, empty names and padded names are refused."""
    with pytest.raises(InputError) as refused:
        a_series(with_columns(a_specification(), **{name: a_number()}))
    expected = f"demo/specification.yml: columns.{name!r} has a name that Exhibit would misread; "
    assert str(refused.value).startswith(expected)


def test_a_name_with_two_underscores_in_a_basic_constraint() -> None:
    """Exhibit reads two underscores as a blank there, and finds no such column."""
    specification = with_columns(a_specification(), a__b=a_number())
    specification["constraints"]["basic_constraints"] = ["a__b > amount"]
    with pytest.raises(InputError, match=r"constraints\.basic_constraints 'a__b > amount'"):
        a_series(specification)


VALUES = [
    "O'Neil", 'say "so"', "a, b", "ä ß 数", "  x", "007", "1e5", "-0", "nan", "None", "NaN", "NULL",
    "True", "2024-02-30", "=1+1", "a;b", "\\n", "n.a.", "<NA>", "#", "100%", "{}", "0x1F", "1_000",
]  # fmt: skip
"""Values of a category that look like something else, or need quotes."""


@pytest.mark.parametrize("static", [[], ["word"]])
def test_unusual_values_are_unchanged(tmp_path: Path, static: list[str]) -> None:
    """Listed values are delivered unchanged, static or not."""
    words = {value.strip(): 1.0 for value in VALUES}
    specification = with_columns(
        a_specification(number_of_rows=400), word=a_category("word", words)
    )
    finished = generate_series(tmp_path, specification, static_columns=static)
    for records in (
        new_records(finished, 1),
        existing_records(finished, 2),
        existing_records(finished, 3),
    ):
        assert set(records["word"]) == set(words)


@pytest.mark.parametrize("static", [[], ["word"]])
def test_values_of_the_database_with_line_breaks(tmp_path: Path, static: list[str]) -> None:
    """Line breaks, quotes and commas in a table's values are delivered unchanged."""
    breaks = ["a\nb", "a\r\nb", 'a "b"\n,c', "tab\there", "\n"]
    words = [{"word": word} for word in [*breaks, *(f"w{n}" for n in range(30))]]
    own = database_with_tables(tmp_path / "own.db", words=words)
    word = a_category("word", {}, uniques=len(words), anonymising_set="words")
    word["original_values"] = None
    specification = with_columns(a_specification(number_of_rows=400), word=word)
    finished = generate_series(
        tmp_path, specification, static_columns=static, exhibit_db_path=str(own)
    )
    with (finished.folder / "dataset_2.csv").open(encoding="utf-8", newline="") as stream:
        found = {row["word"] for row in csv.DictReader(stream)}
    assert found == {row["word"] for row in words}

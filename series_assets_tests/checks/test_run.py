"""The rules held against real datasets: as they were made, and after somebody meddled with them."""

import csv
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from series_assets.checks.rules import RULES as ALL_RULES
from series_assets.checks.rules import TRUTH, Example, Finding, rules_of
from series_assets.checks.run import check_periods, delivered_keys
from series_assets.cli import main
from series_assets.core.plan.series import Series
from series_assets.interface import generate
from series_assets.pipeline.workspace import Workspace
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_series, a_specification, a_user_input, write_series
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
TWICE = ["frequency | probability_vector", "1 | 0.5", "2 | 0.5"]

Row = dict[str, str]
RULES = [name for name in ALL_RULES if name != TRUTH]
"""Those on the rows of a dataset; ``test_truth_rule`` has the other."""


def a_full_specification() -> dict[str, Any]:
    """Return a specification that every rule has something to say about."""
    specification = with_columns(
        a_specification(number_of_rows=60),
        id=a_uuid(frequency_distribution=TWICE),
        chi=a_uuid("pseudo_chi", uuid_seed=1000, frequency_distribution=TWICE),
        card=a_uuid("range", uuid_seed=2000),
        born=a_date("1950-01-01", "1999-12-31", 400),
        joined=a_date("2024-01-01", "2024-01-31", 31),
        blood=a_category("blood", {"A": 0.4, "B": 0.3, "O": 0.3}, miss_probability=0.2),
        cost=a_number(),
    )
    specification["constraints"]["basic_constraints"] = ["joined <= date", "cost >= 30"]
    return specification


def a_full_user_input(**more: Any) -> dict[str, Any]:
    """Return the user input that goes with it: a date both static and moving among it."""
    return a_user_input(
        date_columns=["date", "joined"],
        static_columns=["sex", "born", "joined"],
        linked_columns=["id", "chi", "blood"],
        **more,
    )


@dataclass
class Made:
    """A series that has been made, and what its checks find."""

    series: Series
    data: Path

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.data / self.series.name

    def path(self, number: int, new: bool = False) -> Path:
        """Return a dataset, or the new records of one."""
        return self.folder / ("new_records" if new else "") / f"dataset_{number}.csv"

    def rows(self, number: int, new: bool = False) -> list[Row]:
        """Return the rows of a dataset, or of its new records."""
        with self.path(number, new).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def write(self, number: int, rows: Iterable[Row], new: bool = False) -> None:
        """Put other rows into a file, all with the columns of the first one."""
        rows = list(rows)
        with self.path(number, new).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def existing(self, number: int, times: int = 1) -> list[int]:
        """Return the places of the existing rows whose entity has so many rows, one of each."""
        return self._places(number, times, known=True)

    def new(self, number: int, times: int = 1) -> list[int]:
        """Return the places of the new rows whose entity has so many rows, one of each."""
        return self._places(number, times, known=False)

    def _places(self, number: int, times: int, known: bool) -> list[int]:
        fresh = {row["id"] for row in self.rows(number, new=True)}
        ids = [row["id"] for row in self.rows(number)]
        often = Counter(ids)
        first = {name: place for place, name in reversed(list(enumerate(ids)))}
        return [p for n, p in first.items() if often[n] == times and (n not in fresh) == known]

    def change(self, number: int, place: int, *, both: bool = False, **values: str) -> Row:
        """Change values of one row of a dataset, and of the same new record; return what it was."""
        rows = self.rows(number)
        before = dict(rows[place])
        rows[place] |= values
        self.write(number, rows)
        if both:
            records = self.rows(number, new=True)
            records[records.index(before)] |= values
            self.write(number, records, new=True)
        return before

    def findings(self, number: int) -> dict[str, Finding]:
        """Return what is found of one dataset, by rule."""
        table = Workspace(self.data).reference_table(self.series)
        [checked] = check_periods(table, [self.series.calendar.keys[number - 1]])
        return {finding.rule: finding for finding in checked.findings}

    def broken(self, number: int) -> dict[str, int]:
        """Return which rules do not hold for a dataset, and how much is wrong."""
        return {n: found.wrong for n, found in self.findings(number).items() if not found.holds}

    def problems(self, number: int) -> set[str | None]:
        """Return why rules could not be held against a dataset; None stands for no reason."""
        return {finding.problem for finding in self.findings(number).values()}


def make(data: Path, series: Series) -> Made:
    """Make all periods of a series."""
    generate(series, data)
    return Made(series, data)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The full series as it was made; not to be changed."""
    series = a_series(a_full_specification(), a_full_user_input())
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        return make(tmp_path_factory.mktemp("data"), series)


@pytest.fixture
def made(untouched: Made, tmp_path: Path) -> Made:
    """A copy of the full series, to meddle with."""
    shutil.copytree(untouched.data, tmp_path / "data")
    return Made(untouched.series, tmp_path / "data")


# As it was made.


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_every_rule_holds_for_what_was_made(untouched: Made, number: int) -> None:
    """With the counts of what was looked at, in a first period as in later ones."""
    found = untouched.findings(number)
    assert list(found) == list(RULES)
    assert {name: (one.wrong, one.problem) for name, one in found.items()} == dict.fromkeys(
        RULES, (0, None)
    )
    entities = len({row["id"] for row in untouched.rows(number)})
    assert {name: (one.examined, one.unit) for name, one in found.items()} == {
        "same_columns": (11, "columns"),
        "counts": (60, "rows"),
        "identifiers": (60, "rows"),
        "repetitions": (entities, "entities"),
        "static_columns": (60, "rows"),
        "linked_columns": (60, "rows"),
        "dates": (60, "rows"),
        "constraints": (60, "rows"),
        "fresh_values": (60, "rows"),
    }
    assert str(found["counts"]) == "60 rows, none wrong"


def test_the_counts_tell_what_was_asked_for_and_what_came(untouched: Made) -> None:
    """The fraction as it was written, the first period without one."""
    assert untouched.findings(2)["counts"].facts == {
        "new rows requested": 20,
        "new rows delivered": 20,
        "existing rows requested": 40,
        "existing rows delivered": 40,
        "fraction of new requested": "1/3",
    }
    assert "fraction of new requested" not in untouched.findings(1)["counts"].facts


@pytest.mark.parametrize(
    ("user_input", "missing"),
    [
        ({"static_columns": []}, {"static_columns", "linked_columns", "constraints"}),
        ({"linked_columns": ["id", "sex"]}, {"static_columns", "constraints"}),
        ({}, {"linked_columns", "constraints"}),
        ({"static_columns": ["amount"]}, {"linked_columns", "constraints", "fresh_values"}),
    ],
)
def test_a_rule_without_columns_is_none(user_input: dict[str, Any], missing: set[str]) -> None:
    """A series has just the rules that can be broken."""
    series = a_series(user_input=a_user_input(**user_input))
    assert set(rules_of(series)) == set(RULES) - missing


def test_without_date_columns_there_is_no_rule_of_dates() -> None:
    """Nor for a date that a constraint gives a text that is no day."""
    specification = a_specification()
    specification["constraints"]["custom_constraints"] = {
        "always": {"targets": {"date": "assign_value$2024-01-31"}}
    }
    assert "dates" in rules_of(a_series(specification))
    specification["constraints"]["custom_constraints"] = {
        "never": {"targets": {"date": "assign_value$never"}}
    }
    assert "dates" not in rules_of(a_series(specification))
    del specification["columns"]["date"]
    specification["constraints"]["custom_constraints"] = None
    specification["metadata"]["date_columns"] = []
    said = a_user_input(date_columns=[], start_date="2024-01-01")
    assert "dates" not in rules_of(a_series(specification, said))


def test_only_the_rules_asked_for_are_held(untouched: Made) -> None:
    """In their own order."""
    table = Workspace(untouched.data).reference_table(untouched.series)
    [checked] = check_periods(table, KEYS[1:2], ["dates", "counts"])
    assert [finding.rule for finding in checked.findings] == ["counts", "dates"]


def test_rows_left_out_as_duplicates_are_told_and_not_wrong(tmp_path: Path) -> None:
    """With ``allow_duplicates: false`` there may be fewer new rows than asked for."""
    specification = with_columns(
        a_specification(number_of_rows=60),
        id=a_uuid(miss_probability=0.5),
        date=a_date("2024-01-01", "2024-01-02", 2),
    )
    specification["constraints"]["allow_duplicates"] = False
    said = a_user_input(num_datasets=2, fraction_of_new="2/3")
    made = make(tmp_path, a_series(specification, said))
    new = len(made.rows(1))
    assert new < 60
    assert made.broken(1) == made.broken(2) == {}
    assert made.findings(1)["counts"].facts["new rows dropped as duplicates"] == 60 - new

    made.write(1, made.rows(1)[1:])
    assert made.broken(1)["counts"] == 1


# Identifiers.


def test_an_existing_record_with_an_unknown_identifier_is_found(made: Made) -> None:
    """The entity was recorded in no earlier period."""
    place = made.existing(2)[0]
    made.change(2, place, id="f" * 32)
    found = made.findings(2)["identifiers"]
    assert (found.examined, found.wrong) == (60, 1)
    wanted = "that of an entity recorded before the period, or of new_records"
    assert found.examples == (Example("f" * 32, "id", "f" * 32, wanted),)
    assert str(found) == (
        f"1 of 60 rows wrong, such as {'f' * 32}: id is '{'f' * 32}', should be {wanted}"
    )
    assert made.broken(2).keys() == {"identifiers"}


def test_an_existing_record_of_a_later_period_is_found(made: Made) -> None:
    """What comes later is unknown yet, whatever the table has by now."""
    later = made.rows(3, new=True)[0]["id"]
    made.change(2, made.existing(2)[0], id=later)
    assert made.broken(2) == {"identifiers": 1}


def test_an_existing_record_without_an_identifier_is_found(made: Made) -> None:
    """Nobody knows who it is about."""
    made.change(2, made.existing(2)[0], id="")
    assert made.findings(2)["identifiers"].examples[0].identifier is None
    assert made.broken(2)["identifiers"] == 1


@pytest.mark.parametrize("column", ["id", "chi", "card"])
def test_a_new_record_with_a_known_identifier_is_found(made: Made, column: str) -> None:
    """For each of the identifiers, although the record is the same in both files."""
    known = made.rows(1)[0][column]
    made.change(3, made.new(3)[0], both=True, **{column: known})
    found = made.findings(3)["identifiers"]
    assert found.wrong == 1
    [example] = found.examples
    assert (example.column, example.found) == (column, known)
    assert example.expected == "one that no earlier period has"


def test_an_identifier_that_was_recorded_otherwise_is_found(made: Made) -> None:
    """Of one that is not linked, with the value that it should have."""
    place = made.existing(2)[0]
    before = made.change(2, place, card="7777")
    found = made.findings(2)["identifiers"]
    wanted = f"'{before['card']}', as recorded"
    assert found.examples == (Example(before["id"], "card", "7777", wanted),)
    assert made.broken(2) == {"identifiers": 1}


def test_a_linked_identifier_that_nobody_has_is_found(made: Made) -> None:
    """It is unknown, and it does not go with the other one."""
    made.change(2, made.existing(2)[0], chi="0013990000")
    assert made.broken(2) == {"identifiers": 1, "linked_columns": 1}


# Repetitions.


def test_an_entity_with_more_rows_than_any_may_have_is_found(made: Made) -> None:
    """A repeated row is one too many for its entity."""
    rows = made.rows(2)
    row = rows[made.existing(2, times=2)[0]]
    made.write(2, [*rows, row])
    found = made.findings(2)["repetitions"]
    assert (found.unit, found.wrong) == ("entities", 1)
    assert found.examples == (Example(row["id"], "id", "3 rows", "at most 2"),)
    assert made.broken(2) == {"repetitions": 1, "counts": 1}


def test_more_entities_with_two_rows_than_meant_are_found(made: Made) -> None:
    """A row is repeated that may have been; one entity too many has two of them."""
    rows = made.rows(2)
    often = Counter(Counter(row["id"] for row in rows).values())
    made.write(2, [*rows, rows[made.existing(2, times=1)[0]]])
    assert made.broken(2) == {"repetitions": 1, "counts": 1}
    assert often[2] > 0


def test_repeated_new_records_are_found(made: Made) -> None:
    """In both files: nothing but how often they occur tells that they are wrong."""
    new = made.rows(2, new=True)
    row = next(r for r in new if sum(o["id"] == r["id"] for o in new) == 2)
    other = made.rows(2)[made.new(2)[0]]
    made.change(2, made.rows(2).index(other), both=True, id=row["id"], chi=row["chi"])
    assert made.broken(2)["repetitions"] >= 1
    example = made.findings(2)["repetitions"].examples[0]
    assert (example.found, example.expected) == ("3 rows", "at most 2")


# What an entity keeps.


def test_a_static_value_that_was_changed_is_found(made: Made) -> None:
    """With what was recorded."""
    place = made.existing(2)[0]
    before = made.change(2, place, sex="X")
    found = made.findings(2)["static_columns"]
    assert (found.examined, found.wrong) == (60, 1)
    assert found.examples == (Example(before["id"], "sex", "X", f"'{before['sex']}', as recorded"),)
    assert made.broken(2) == {"static_columns": 1}


def test_rows_are_counted_once_however_much_is_wrong_with_them(made: Made) -> None:
    """Each wrong cell is an example, up to five."""
    for place in made.existing(2)[:4]:
        made.change(2, place, sex="X", born="")
    found = made.findings(2)["static_columns"]
    assert found.wrong == 4
    assert len(found.examples) == 5
    assert found.examples[-1].found is None


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("column", "rule"),
    [("sex", "static_columns"), ("born", "static_columns"), ("blood", "linked_columns")],
)
def test_a_new_entity_whose_rows_differ_is_found(
    made: Made, number: int, column: str, rule: str
) -> None:
    """In what it keeps, in the first dataset too, where nothing is recorded yet."""
    made.change(number, made.new(number, times=2)[0], both=True, **{column: "1901-02-03"})
    found = made.findings(number)[rule]
    assert (found.examined, found.wrong) == (60, 1)
    assert found.examples[0].column == column
    assert found.examples[0].expected.endswith(", as in another row of the entity")
    assert made.broken(number).keys() - {"dates"} == {rule}


def test_rows_without_an_identifier_are_no_entity(tmp_path: Path) -> None:
    """They may differ in everything."""
    specification = with_columns(a_specification(), id=a_uuid(miss_probability=0.5))
    made = make(tmp_path, a_series(specification, a_user_input(num_datasets=1)))
    found = made.findings(1)["static_columns"]
    assert 0 < found.examined < 60
    assert found.holds


def test_a_static_value_of_an_entity_that_had_none_is_found(made: Made) -> None:
    """What was missing stays missing; a linked column has its own rule."""
    rows = made.rows(2)
    place = next(p for p in made.existing(2) if not rows[p]["blood"])
    made.change(2, place, blood="A")
    assert made.broken(2) == {"linked_columns": 1}
    assert made.findings(2)["linked_columns"].examples[0].expected == "nothing, as recorded"


def test_a_swapped_linked_pair_is_found(made: Made) -> None:
    """Two entities that traded identifiers, although both are known."""
    one, other = made.existing(3)[:2]
    rows = made.rows(3)
    made.change(3, one, chi=rows[other]["chi"])
    made.change(3, other, chi=rows[one]["chi"])
    found = made.findings(3)["linked_columns"]
    assert (found.examined, found.wrong) == (60, 2)
    assert {(e.identifier, e.expected) for e in found.examples} == {
        (rows[p]["id"], f"'{rows[p]['chi']}', as recorded") for p in (one, other)
    }
    assert made.broken(3) == {"linked_columns": 2}


def test_two_new_entities_with_one_linked_identifier_are_found(made: Made) -> None:
    """One of them is right."""
    one, other = sorted(made.new(2)[:2])
    rows = made.rows(2)
    made.change(2, other, both=True, chi=rows[one]["chi"])
    found = made.findings(2)["linked_columns"]
    assert found.wrong == 1
    assert found.examples == (
        Example(
            rows[other]["id"],
            "chi",
            rows[one]["chi"],
            f"one to one with id, but another row has '{rows[one]['id']}' with "
            f"'{rows[one]['chi']}'",
        ),
    )


# Dates.


def test_a_date_outside_its_window_is_found(made: Made) -> None:
    """With the window as it is in the period; one that is kept is from another window."""
    place = made.existing(2)[0]
    made.change(2, place, date="2024-01-30")
    made.change(2, made.existing(2)[1], joined="2020-01-01")
    found = made.findings(2)["dates"]
    assert (found.examined, found.wrong) == (60, 1)
    assert (found.examples[0].found, found.examples[0].expected) == (
        "2024-01-30",
        "from 2024-02-01 to 2024-02-29",
    )
    assert made.broken(2) == {"dates": 1, "static_columns": 1}


def test_a_new_record_with_a_static_date_outside_its_window_is_found(made: Made) -> None:
    """A constraint may lead one step beyond it, and no further."""
    made.change(2, made.new(2)[0], both=True, joined="2024-01-30")
    assert made.broken(2) == {"dates": 1}


@pytest.mark.parametrize("text", ["05/02/2024", "2024-2-5", "2024-02-30", "2024-02-05 00:00:00"])
def test_a_date_in_another_form_is_found(made: Made, text: str) -> None:
    """Existing records with a date of their own included."""
    made.change(2, made.existing(2)[0], date=text)
    made.change(2, made.existing(2)[1], born=text)
    found = made.findings(2)["dates"]
    assert found.wrong == 2
    assert {e.expected for e in found.examples} == {"a day written as YYYY-MM-DD"}


# Dates, constraints and numbers of many rows.


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A series with so many rows that every day of a month is sure to occur."""
    specification = a_specification(number_of_rows=2400)
    specification["columns"]["date"] |= {"from": "2024-02-01", "to": "2024-02-29", "uniques": 29}
    said = a_user_input(num_datasets=2, fraction_of_new="1/2", static_columns=[])
    return make(tmp_path_factory.mktemp("many"), a_series(specification, said))


@pytest.fixture
def rows_of_many(many: Made, tmp_path: Path) -> Made:
    """A copy of the series of many rows, to meddle with."""
    shutil.copytree(many.data, tmp_path / "data")
    return Made(many.series, tmp_path / "data")


def change_all(made: Made, change: Callable[[Row, bool], None]) -> None:
    """Change rows of the second dataset, new ones in both files."""
    fresh = {row["id"] for row in made.rows(2, new=True)}
    for new in (True, False):
        rows = made.rows(2, new)
        for row in rows:
            change(row, row["id"] in fresh)
        made.write(2, rows, new)


def test_many_rows_hold_every_rule(many: Made) -> None:
    """In both periods."""
    assert many.broken(1) == many.broken(2) == {}


@pytest.mark.parametrize("part", ["new", "existing"])
def test_days_of_a_full_window_that_a_part_lacks_are_found(rows_of_many: Made, part: str) -> None:
    """Although the other part has them."""
    lacking = ("2024-03-05", "2024-03-30")

    def change(row: Row, new: bool) -> None:
        if new == (part == "new") and row["date"] in lacking:
            row["date"] = "2024-03-01"

    change_all(rows_of_many, change)
    found = rows_of_many.findings(2)["dates"]
    assert found.wrong == 2
    wanted = [f"{day} in some of the 1200 {part} rows" for day in lacking]
    assert [(e.column, e.found, e.expected) for e in found.examples] == [
        ("date", None, text) for text in wanted
    ]
    assert rows_of_many.broken(2) == {"dates": 2}


def test_numbers_of_the_period_before_are_found(rows_of_many: Made) -> None:
    """Where they are more than a few, whether both datasets are checked or the later one alone."""
    before = [row["amount"] for row in rows_of_many.rows(1)]

    def repeat(times: int) -> None:
        numbers = iter(before[:times])

        def change(row: Row, new: bool) -> None:
            row["amount"] = next(numbers, row["amount"]) if not new else row["amount"]

        change_all(rows_of_many, change)

    repeat(10)
    assert rows_of_many.broken(2) == {}
    repeat(300)
    found = rows_of_many.findings(2)["fresh_values"]
    assert (found.examined, found.wrong) == (2400, 300)
    assert found.examples[0].expected == "one that the previous period does not have"
    table = Workspace(rows_of_many.data).reference_table(rows_of_many.series)
    keys = rows_of_many.series.calendar.keys
    [_, both] = check_periods(table, keys, ["fresh_values"])
    assert both.findings == (found,)

    rows_of_many.path(1).unlink()
    found = rows_of_many.findings(2)["fresh_values"]
    assert found.holds
    assert list(found.facts) == ["previous period"]


def test_existing_records_with_the_numbers_of_new_ones_are_found(rows_of_many: Made) -> None:
    """As a generator gives that starts anew for each part."""
    numbers = iter([row["amount"] for row in rows_of_many.rows(2, new=True)][:200])

    def change(row: Row, new: bool) -> None:
        row["amount"] = row["amount"] if new else next(numbers, row["amount"])

    change_all(rows_of_many, change)
    found = rows_of_many.findings(2)["fresh_values"]
    assert found.wrong == 200
    assert found.examples[0].expected == ("one that no new record of the period has")
    assert rows_of_many.broken(2) == {"fresh_values": 200}


# Constraints.


@pytest.mark.parametrize("cost", ["29.5", "-1", "1e1"])
def test_a_row_that_breaks_a_constraint_is_found(made: Made, cost: str) -> None:
    """New or existing, with what the constraint asks for."""
    made.change(2, made.existing(2)[0], cost=cost)
    made.change(2, made.new(2)[0], both=True, cost=cost)
    found = made.findings(2)["constraints"]
    assert (found.examined, found.wrong) == (60, 2)
    assert (found.examples[0].found, found.examples[0].expected) == (cost, ">= 30")
    assert made.broken(2) == {"constraints": 2}


@pytest.mark.parametrize("cost", ["", "30", "many"])
def test_a_row_of_which_a_constraint_says_nothing_is_left_alone(made: Made, cost: str) -> None:
    """What is missing or no number cannot be compared."""
    made.change(2, made.existing(2)[0], cost=cost)
    assert made.findings(2)["constraints"].wrong == 0


def test_a_constraint_that_may_be_broken_is_counted(made: Made) -> None:
    """An existing record keeps the day that it joined on, whatever the day of its date."""
    rows = made.rows(2)
    old = [p for p in made.existing(2) if rows[p]["joined"] <= rows[p]["date"]]
    fact = "existing rows that violate 'joined <= date'"
    before = made.findings(2)["constraints"].facts.get(fact, 0)
    assert isinstance(before, int)
    made.change(2, old[0], joined="2024-12-31")
    found = made.findings(2)["constraints"]
    assert found.holds
    assert found.facts[fact] == before + 1


# Counts.


def test_an_existing_row_that_is_lacking_is_found(made: Made) -> None:
    """One less than asked for."""
    rows = made.rows(2)
    del rows[made.existing(2)[0]]
    made.write(2, rows)
    found = made.findings(2)["counts"]
    assert found.wrong == 1
    assert [str(e.column) for e in found.examples] == [
        "the number of existing records",
        "the number of rows",
    ]
    assert made.broken(2) == {"counts": 1}


def test_a_new_row_that_is_lacking_is_found(made: Made) -> None:
    """It is in ``new_records``."""
    rows = made.rows(2)
    del rows[made.new(2)[0]]
    made.write(2, rows)
    assert made.broken(2) == {"counts": 1}
    assert made.findings(2)["counts"].facts["new rows delivered"] == 19


def test_a_new_row_that_is_another_one_is_found(made: Made) -> None:
    """The dataset has as many rows as it should have, but one is not that of ``new_records``."""
    made.change(2, made.new(2)[0], amount="1.5")
    assert made.broken(2) == {"counts": 1, "identifiers": 1, "repetitions": 1}


# Columns.


@pytest.mark.parametrize("number", [1, 2])
def test_a_renamed_column_is_found(made: Made, number: int) -> None:
    """One is lacking, one is too much; rules that need it say that they cannot tell."""
    rows = made.rows(number)
    made.write(number, [{{"sex": "gender"}.get(n, n): v for n, v in r.items()} for r in rows])
    found = made.findings(number)
    assert (found["same_columns"].wrong, found["same_columns"].examined) == (2, 11)
    assert set(found["same_columns"].examples) == {
        Example(None, "sex", None, "a column"),
        Example(None, "gender", "gender", "no column"),
    }
    assert found["static_columns"].problem == (
        "cannot be checked, because the dataset has no column sex; see the rule same_columns"
    )
    assert made.broken(number).keys() == {"same_columns", "static_columns"}


def test_columns_in_another_order_are_found(made: Made) -> None:
    """Two that changed places are two that are wrong."""
    names = list(made.rows(2)[0])
    swapped = [names[1], names[0], *names[2:]]
    made.write(2, [{name: row[name] for name in swapped} for row in made.rows(2)])
    found = made.findings(2)["same_columns"]
    assert found.wrong == 2
    assert found.examples[0] == Example(None, "column 1", names[1], repr(names[0]))
    assert made.broken(2) == {"same_columns": 2}


def test_a_column_more_is_found(made: Made) -> None:
    """And does not keep the other rules from being held."""
    made.write(2, [row | {"more": "1"} for row in made.rows(2)])
    assert made.broken(2) == {"same_columns": 1}


def test_without_the_first_identifier_little_can_be_told(made: Made) -> None:
    """No rule ends in an error of its own."""
    rows = made.rows(2)
    made.write(2, [{n: v for n, v in row.items() if n != "id"} for row in rows])
    assert made.broken(2).keys() == {
        "same_columns",
        "identifiers",
        "repetitions",
        "static_columns",
        "linked_columns",
        "dates",
        "constraints",
        "fresh_values",
    }


# What cannot be read, or is of other contents.


def test_a_missing_dataset_is_told(made: Made) -> None:
    """With what to make."""
    made.path(3).unlink()
    assert made.problems(3) == {f"{made.path(3)} is missing; generate dataset of 2024-03-01"}
    assert delivered_keys(Workspace(made.data).reference_table(made.series)) == [
        *KEYS[:2],
        KEYS[3],
    ]


def test_missing_new_records_are_told(made: Made) -> None:
    """Without them nobody knows which rows are new."""
    path = made.path(3, new=True)
    path.unlink()
    assert made.problems(3) == {f"{path} is missing; generate new_records of 2024-03-01"}


def test_without_the_first_dataset_its_new_records_tell_the_columns(made: Made) -> None:
    """They have the same ones."""
    made.path(1).unlink()
    assert made.broken(2) == {}
    made.path(1, new=True).unlink()
    assert made.problems(2) == {f"{made.path(1)} is missing; generate dataset of 2024-01-01"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"id,sex\n1,2,3\n", "CSV parse error: Row #2: Expected 2 columns, got 3: 1,2,3"),
        (b"\xff\xfe\x00", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (
            b"id\n" + b"1\n" * 10_000 + b"\xff\n",
            "In CSV column #0: Row #10002: CSV conversion error to string: invalid UTF8",
        ),
    ],
)
def test_an_unreadable_dataset_is_told(made: Made, content: bytes, said: str) -> None:
    """Whatever is in the file."""
    made.path(2).write_bytes(content)
    [problem] = made.problems(2)
    assert problem is not None
    assert problem.startswith(f"{made.path(2)} cannot be read: {said}")
    assert problem.endswith("; regenerate dataset of 2024-02-01")


@pytest.mark.parametrize("new", [False, True])
def test_a_file_with_nothing_but_a_header_is_held_against_the_rules(made: Made, new: bool) -> None:
    """All rows of one part are lacking, or all of both."""
    header = made.path(2, new).read_bytes().partition(b"\n")[0]
    made.path(2, new).write_bytes(header + b"\n")
    assert made.problems(2) == {None}
    assert made.broken(2)["counts"] == (20 if new else 60)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_dataset_that_may_not_be_read_is_told(made: Made) -> None:
    """With what the system says."""
    made.path(2).chmod(0)
    assert made.problems(2) == {
        f"{made.path(2)} cannot be read: Permission denied; regenerate dataset of 2024-02-01"
    }


def test_a_dataset_that_is_a_folder_is_told(made: Made) -> None:
    """With what the system says."""
    made.path(2).unlink()
    made.path(2).mkdir()
    assert made.problems(2) == {
        f"{made.path(2)} cannot be read: Is a directory; regenerate dataset of 2024-02-01"
    }


def test_files_of_other_contents_are_told(made: Made) -> None:
    """Both files were edited after the dataset was made; nothing else is said."""
    other = Made(a_series(a_full_specification(), a_full_user_input(fraction_of_new=1)), made.data)
    path = made.folder / "dataset_2.new.yml"
    assert other.problems(2) == {
        f"{path} was generated from different versions of the two files; regenerate "
        "new_records of 2024-02-01"
    }
    (made.folder / "dataset_2.existing.yml").unlink()
    assert made.problems(2) == {
        f"{made.folder / 'dataset_2.existing.yml'} is missing, or does not say what it was "
        "generated from; regenerate dataset of 2024-02-01"
    }


def meddle(made: Made, *statements: str) -> None:
    """Change the database of a series behind its back."""
    with closing(sqlite3.connect(made.data / "exhibit.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def problems_of_the_table(made: Made) -> dict[str, str | None]:
    """Return the rules of the second dataset that could not be held, and why."""
    found = made.findings(2).items()
    return {name: one.problem for name, one in found if one.problem}


def test_a_table_of_other_contents_is_told(made: Made) -> None:
    """By the rules that ask it; the others hold as before."""
    meddle(made, "UPDATE demo_reference_periods SET fingerprint = 'x' WHERE period = 0")
    said = (
        "demo, period 2024-02-01 samples from all periods before it, but 2024-01-01 was "
        "generated from different versions of the two files; first generate 2024-01-01 "
        "(materialize new_records and "
        "reference_table of this partition, or run series-assets generate with --periods "
        "2024-01-01)"
    )
    rules = ("identifiers", "static_columns", "linked_columns")
    assert problems_of_the_table(made) == dict.fromkeys(rules, said)
    assert made.broken(1) == {}


def test_a_table_that_is_gone_is_told(made: Made) -> None:
    """It counts as not recorded, and the message says what to make."""
    meddle(made, "DROP TABLE demo_reference")
    for problem in problems_of_the_table(made).values():
        assert problem.startswith("demo, period ")
        assert "nothing is recorded yet for 2024-01-01" in problem
        assert "run series-assets generate with --periods 2024-01-01" in problem


def test_rows_that_were_taken_from_the_table_are_missed(made: Made) -> None:
    """Their entities are unknown then."""
    known = made.rows(2)[made.existing(2)[0]]["id"]
    meddle(made, f"DELETE FROM demo_reference WHERE id = '{known}'")
    assert made.broken(2)["identifiers"] == 1


# From the command line.


@pytest.fixture
def call(untouched: Made, tmp_path: Path) -> Callable[..., Result]:
    """Call the command on the full series, read from its two files."""
    place = write_series(tmp_path / "series", a_full_specification(), a_full_user_input())
    assert load_series(place).fingerprint == untouched.series.fingerprint

    def called(*arguments: str, data: Path) -> Result:
        environment = {
            "SERIES_ASSETS_SERIES_DIR": str(tmp_path / "series"),
            "SERIES_ASSETS_DATA_DIR": str(data),
        }
        result = CliRunner().invoke(main, ["check", *arguments], env=environment)
        assert "Traceback" not in result.output
        return result

    return called


def test_the_command_says_that_all_rules_hold(made: Made, call: Callable[..., Result]) -> None:
    """One line, or none when it is to be quiet."""
    result = call("demo", data=made.data)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "demo: all 9 rules hold in 4 periods\n"
    result = call("demo", "--periods", KEYS[1], data=made.data)
    assert result.stdout == "demo: all 9 rules hold in 1 period\n"
    assert call("demo", "--quiet", data=made.data).output == ""


def test_the_command_tells_what_is_wrong_period_by_period(
    made: Made, call: Callable[..., Result]
) -> None:
    """A line for each rule that is broken; for a missing file one in all."""
    before = made.change(2, made.existing(2)[0], sex="X", date="2024-01-30")
    made.path(3).unlink()
    result = call("demo", "--periods", f"{KEYS[0]}..{KEYS[2]}", data=made.data)
    assert (result.exit_code, result.stdout) == (1, "")
    whose = before["id"]
    assert result.stderr.splitlines() == [
        f"2024-02-01 static_columns: 1 of 60 rows wrong, such as {whose}: sex is 'X', should be "
        f"'{before['sex']}', as recorded",
        f"2024-02-01 dates: 1 of 60 rows wrong, such as {whose}: date is '2024-01-30', should be "
        "from 2024-02-01 to 2024-02-29",
        f"2024-03-01: {made.path(3)} is missing; generate dataset of 2024-03-01",
    ]
    assert call("demo", "--quiet", data=made.data).exit_code == 1


def test_the_command_checks_what_has_been_made(made: Made, call: Callable[..., Result]) -> None:
    """Where nothing is asked for in particular."""
    made.path(3).unlink()
    result = call("demo", data=made.data)
    assert (result.exit_code, result.stdout) == (0, "demo: all 9 rules hold in 3 periods\n")
    assert result.stderr == f"note: {made.series.calendar.keys[2]} has no dataset and was skipped\n"


def test_the_command_refuses_what_it_cannot_check(
    tmp_path: Path, call: Callable[..., Result]
) -> None:
    """An unknown series or period, or a series of which nothing has been made."""
    data = tmp_path / "empty"
    result = call("demo", data=data)
    assert (result.exit_code, result.stdout, result.stderr) == (
        2,
        "",
        f"demo: there is no dataset yet in {data / 'demo'}; first run series-assets generate "
        "demo\n",
    )
    result = call("dmo", data=data)
    assert (result.exit_code, result.stderr) == (
        2,
        f"there is no series 'dmo' in {tmp_path / 'series'}; did you mean 'demo'?\n",
    )
    result = call("demo", "--periods", "2024-02-02", data=data)
    assert result.exit_code == 2
    assert "'2024-02-02' is not the first day of a period of demo" in result.stderr

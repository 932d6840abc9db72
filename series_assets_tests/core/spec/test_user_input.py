"""The keys of a user input: their valid values, and the messages about others (section 1).

That the command line shows these messages is tested in ``faulty_inputs``.
"""

import re
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.errors import InputError, join_words
from series_assets.core.spec.period_units import UNITS
from series_assets.core.spec.user_input import DATA_NEUTRAL_KEYS, UserInput, read_user_input
from series_assets.scaffolding.new_series import create_series
from series_assets_tests.builders import a_user_input

FILE = "demo/user_input.yml"
ROOT = Path(__file__).parents[3]


def _read(**keys: Any) -> UserInput:
    return read_user_input(a_user_input(**keys), FILE)


def _complaints(content: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_user_input(content, FILE)
    return [str(fault) for fault in caught.value.faults]


def _document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_key_has_a_meaning_and_a_required_one_says_what_to_write() -> None:
    """Every key has a description, and every required one a message for when it is missing."""
    for key, field in UserInput.model_fields.items():
        assert field.description, key
        if field.is_required():
            content = a_user_input()
            del content[key]
            (complaint,) = _complaints(content)
            assert complaint.startswith(f"{FILE}: {key} is missing; "), complaint


@pytest.mark.parametrize("document", ["docs/contract.md", "docs/how-it-works.md"])
def test_the_documents_name_the_keys_that_change_no_data(document: str) -> None:
    """The section on fingerprints names exactly these keys."""
    text = " ".join(_document(document).split())
    (sentence,) = re.findall(r"[^.]*fingerprint[^.]* without ([^.]*)\.", text)
    assert set(re.findall(r"`(\w+)`", sentence)) == DATA_NEUTRAL_KEYS


def test_the_template_has_every_key_with_its_default(tmp_path: Path) -> None:
    """``new`` writes all keys of the table, in its order, and names all units."""
    create_series(tmp_path, "demo")
    text = (tmp_path / "demo" / "user_input.yml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    assert list(content) == list(UserInput.model_fields)
    for key, field in UserInput.model_fields.items():
        if not field.is_required() and key != "static_columns":
            assert getattr(read_user_input(content, FILE), key) == field.default
    assert f"# The unit of a period ({join_words(UNITS)}), and how many" in text


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_taken_and_suggested(name: str) -> None:
    """Units are accepted as in the table, and suggested for other forms of the word."""
    assert _read(period=name).period == name
    for word in (UNITS[name].singular, UNITS[name].adverb.title(), name.upper()):
        assert _complaints(a_user_input(period=word)) == [
            f"{FILE}: period '{word}' is not known; use {join_words(UNITS)}; did you mean '{name}'?"
        ]


@pytest.mark.parametrize("document", ["docs/user-input.md", "docs/contract.md"])
def test_the_documents_name_every_unit(document: str) -> None:
    """In the explanation of ``period``, and in the message shown there."""
    text = _document(document)
    assert any(set(UNITS) <= set(re.findall(r"`(\w+)`", line)) for line in text.splitlines())
    assert f"period 'fortnights' is not known; use {join_words(UNITS)} (here" in text


def test_the_defaults() -> None:
    """Optional keys have the defaults of the contract."""
    user_input = _read(static_columns=None)
    assert user_input.exhibit_db_path is None
    assert user_input.static_columns == ()
    assert user_input.linked_columns == ()
    assert user_input.release == "immediate"
    assert user_input.start_date is None
    without = a_user_input()
    del without["num_datasets"], without["static_columns"]
    assert read_user_input(without, FILE).num_datasets == 3
    assert read_user_input(without, FILE).static_columns == ()


def test_an_input_of_the_seeds_script_runs_unchanged() -> None:
    """The eight keys of the original script are sufficient."""
    user_input = read_user_input(
        {
            "exhibit_db_path": "exhibit.db",
            "date_columns": ["date_created", "date_updated"],
            "static_columns": ["sex"],
            "period": "weeks",
            "length_of_period": 2,
            "num_datasets": 5,
            "fraction_of_new": "1/2",
            "linked_columns": ["uuid", "pseudo_chi"],
        },
        FILE,
    )
    assert (user_input.period, user_input.length_of_period, user_input.num_datasets) == (
        "weeks",
        2,
        5,
    )
    assert user_input.fraction_of_new == Fraction(1, 2)
    assert user_input.linked_columns == ("uuid", "pseudo_chi")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1/3", Fraction(1, 3)),
        ("2 / 3", Fraction(2, 3)),
        (0.1, Fraction(1, 10)),
        ("0.1", Fraction(1, 10)),
        (0.25, Fraction(1, 4)),
        (1, Fraction(1)),
        (0, Fraction(0)),
        (1.0, Fraction(1)),
        ("3/3", Fraction(1)),
    ],
)
def test_a_fraction_is_what_is_written(written: object, meant: Fraction) -> None:
    """Fractions are exact: 0.1 is a tenth and 1/3 a third."""
    assert _read(fraction_of_new=written).fraction_of_new == meant


@given(hundredths=st.integers(0, 10_000))
def test_a_decimal_is_no_binary_number(hundredths: int) -> None:
    """Every decimal from 0 to 1 means itself, as YAML reads it, as text or as a number."""
    decimal = hundredths / 10_000
    meant = Fraction(hundredths, 10_000)
    assert _read(fraction_of_new=decimal).fraction_of_new == meant
    assert _read(fraction_of_new=f"{decimal:.4f}").fraction_of_new == meant


@pytest.mark.parametrize(
    "written",
    ["2024-01-31", "31/01/2024", "2024-1-31", date(2024, 1, 31), datetime(2024, 1, 31)],
)
def test_a_date_may_be_written_in_three_ways(written: object) -> None:
    """Dates are ISO text, YAML dates, or day-first text."""
    assert _read(start_date=written).start_date == date(2024, 1, 31)


def test_the_day_comes_first() -> None:
    """01/02/2024 is the first of February."""
    assert _read(start_date="01/02/2024").start_date == date(2024, 2, 1)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("date_columns", "date", "'date' is not a list of column names; write [name, name]"),
        ("date_columns", [1], "holds 1, which is not the name of a column"),
        ("date_columns", ["date", "date"], "names 'date' twice"),
        ("static_columns", {"sex": 1}, "{'sex': 1} is not a list of column names; "
         "write [name, name]"),
        ("linked_columns", ["id"], "names only 'id'; a link needs two columns or more"),
        ("period", "hours", "'hours' is not known; use days, weeks, months or quarters"),
        ("period", "half-yearly", "'half-yearly' is not known; use days, weeks, months or quarters "
         "(here: period: quarters, length_of_period: 2)"),
        ("period", "Years", "'Years' is not known; use days, weeks, months or quarters "
         "(here: period: months, length_of_period: 12)"),
        ("period", None, "(empty) is not known; use days, weeks, months or quarters"),
        ("period", ["days"], "['days'] is not known; use days, weeks, months or quarters"),
        ("length_of_period", True, "true is not a whole number; use 1 or more"),
        ("length_of_period", 2.0, "2.0 is not a whole number; use 1 or more"),
        ("length_of_period", -1, "-1 is too small; use 1 or more"),
        ("num_datasets", "3", "'3' is not a whole number; use 1 or more"),
        ("num_datasets", 0, "0 is too small; use 1 or more"),
        ("fraction_of_new", True, "true is not a fraction; write it as 1/3, 0.25, 0 or 1"),
        ("fraction_of_new", "1/0", "'1/0' is not a fraction; write it as 1/3, 0.25, 0 or 1"),
        ("fraction_of_new", "third", "'third' is not a fraction; write it as 1/3, 0.25, 0 or 1"),
        ("fraction_of_new", None, "(empty) is not a fraction; write it as 1/3, 0.25, 0 or 1"),
        ("fraction_of_new", -0.1, "-0.1 is not between 0 and 1; write it as 1/3, 0.25, 0 or 1"),
        ("fraction_of_new", "30%", "'30%' is not a fraction; write 0.3"),
        ("fraction_of_new", "0,3", "'0,3' is not a fraction; write 0.3"),
        ("fraction_of_new", "nan", "'nan' is not a fraction; write it as 1/3, 0.25, 0 or 1"),
        ("fraction_of_new", float("inf"), "inf is not a fraction; write it as 1/3, 0.25, 0 or 1"),
        ("release", "now", "'now' is not known; use immediate or calendar"),
        ("start_date", "01-02-2024", "'01-02-2024' is not a date; "
         "write it as 2024-01-31 or 31/01/2024"),
        ("start_date", "31/02/2024", "'31/02/2024' does not exist in the calendar"),
        ("start_date", datetime(2024, 1, 1, 9), "2024-01-01 09:00:00 has a time of day; "
         "only whole days are supported"),
        ("exhibit_db_path", 3, "3 is not a path; name a file, or leave it empty"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused(key: str, value: object, complaint: str) -> None:
    """The message has the key, the value and the remedy."""
    assert _complaints(a_user_input(**{key: value})) == [f"{FILE}: {key} {complaint}"]


def test_all_faults_are_reported_at_once() -> None:
    """Four mistakes lead to four messages at once."""
    content = a_user_input(period="fortnights", num_datasets=0, statics=["sex"])
    del content["fraction_of_new"]
    assert _complaints(content) == [
        f"{FILE}: period 'fortnights' is not known; use days, weeks, months or quarters "
        "(here: period: weeks, length_of_period: 2)",
        f"{FILE}: num_datasets 0 is too small; use 1 or more",
        f"{FILE}: fraction_of_new is missing; say how much of each period is new, for example "
        "fraction_of_new: 1/3",
        f"{FILE}: unknown key 'statics'; did you mean 'static_columns'?",
    ]


@pytest.mark.parametrize("content", [None, [], "period: months", 3])
def test_a_file_without_keys_is_refused(content: object) -> None:
    """An empty file, a list or plain text is not a user input."""
    assert _complaints(content) == [
        f"{FILE}: the file has to hold keys and values, such as period: months"
    ]


def test_what_was_given_is_not_changed() -> None:
    """The parsed content is unchanged."""
    content = a_user_input(static_columns=None, start_date="31/01/2024")
    read_user_input(content, FILE)
    assert content == a_user_input(static_columns=None, start_date="31/01/2024")

"""Extreme numbers, dates and texts are refused, or are valid; none takes long or much memory."""

import random
import time
import tracemalloc
from fractions import Fraction
from typing import Any

import pytest

from series_assets.core.errors import InputError, did_you_mean
from series_assets.core.plan.sampling import count_entities, entity_of_row
from series_assets.core.spec.frequency_distribution import parse_distribution
from series_assets.core.spec.pydantic_faults import format_value
from series_assets_tests.builders import a_series, a_specification, a_user_input

GIANT = 2**20_000
"""More digits than Python converts to text."""
FREQUENCY = "frequency | probability_vector"


def found_at_once(specification: dict[str, Any] | None = None, **keys: Any) -> list[str]:
    """Return the faults of a series, which must be found quickly."""
    begun = time.process_time()
    try:
        a_series(specification, a_user_input(**keys))
    except InputError as error:
        return [fault.message for fault in error.faults]
    else:
        return []
    finally:
        assert time.process_time() - begun < 20


def complaints(specification: dict[str, Any] | None = None, **keys: Any) -> list[str]:
    """Return the faults of a series, which must be found quickly and without much memory."""
    tracemalloc.start()
    try:
        return found_at_once(specification, **keys)
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 2**28


def with_column(column: str, **keys: Any) -> dict[str, Any]:
    """Return a specification with other keys in one of its columns."""
    specification = a_specification()
    specification["columns"][column] |= keys
    return specification


FRACTION = "write it as 1/3, 0.25, 0 or 1"


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("1e999999999", f"'1e999999999' is too long for a fraction; {FRACTION}"),
        ("1e-999999999", f"'1e-999999999' is too long for a fraction; {FRACTION}"),
        ("1/1e99999", f"'1/1e99999' is too long for a fraction; {FRACTION}"),
        ("1/" + "3" * 60, f"'1/{'3' * 54}... is too long for a fraction; {FRACTION}"),
        ("1/0", f"'1/0' is not a fraction; {FRACTION}"),
        (float("inf"), f"inf is not a fraction; {FRACTION}"),
        (float("nan"), f"nan is not a fraction; {FRACTION}"),
        (10**30, f"{10**30} is not between 0 and 1; {FRACTION}"),
        (1e308, f"1e+308 is not between 0 and 1; {FRACTION}"),
        pytest.param(
            GIANT, f"a number of more than 100 digits is not a fraction; {FRACTION}", id="giant"
        ),
    ],
)
def test_fractions_at_the_extremes(value: Any, complaint: str) -> None:
    """A huge exponent is refused without being evaluated."""
    assert complaints(fraction_of_new=value) == [f"fraction_of_new {complaint}"]


@pytest.mark.parametrize("value", ["1/3", "1e-3", "3e-2", "0.1234567890123456789", 1e-5, "0"])
def test_extreme_fractions_stay_exact(value: Any) -> None:
    """They stay exact."""
    series = a_series(None, a_user_input(fraction_of_new=value))
    assert series.user_input.fraction_of_new == Fraction(str(value))


@pytest.mark.parametrize("key", ["num_datasets", "length_of_period"])
@pytest.mark.parametrize("value", [10**6, 10**30, pytest.param(GIANT, id="giant")])
def test_counts_at_the_extremes(key: str, value: int) -> None:
    """An impossible number of periods is refused without counting them."""
    shown = value if value < 10**99 else "a number of more than 100 digits"
    assert complaints(**{key: value}) == [f"{key} {shown} is too large; use 100000 or less"]


@pytest.mark.thorough
@pytest.mark.parametrize("frequency", ["D", "B", "2B", "W-WED", "3D"])
def test_as_many_periods_as_there_are_days(frequency: str) -> None:
    """A window without a date in one of them is found without visiting each."""
    specification = with_column("date", frequency=frequency, to="2024-01-07", uniques=2)
    # Memory is not traced: that takes five times as long, and it grows with the periods alone.
    assert found_at_once(specification, period="days", num_datasets=20_000) == []


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (
            "ms",
            "is shorter than a day, and Exhibit's dates are days; use D or longer; did you mean "
            "'MS'?",
        ),
        ("h", "is shorter than a day, and Exhibit's dates are days; use D or longer"),
        ("24h", "is shorter than a day, and Exhibit's dates are days; use D or longer"),
        ("1D12h", "is shorter than a day, and Exhibit's dates are days; use D or longer"),
        ("bh", "is shorter than a day, and Exhibit's dates are days; use D or longer"),
        ("0D", "leads to no later date; use 1 or more, such as D or 2D"),
        ("-1MS", "leads to no later date; use 1 or more, such as D or 2D"),
        ("99999999999D", "is too long; the most is 10000 of a unit"),
        ("99999999999999999999999D", "is not a frequency that pandas knows, such as D, W or MS"),
        ("fortnight", "is not a frequency that pandas knows, such as D, W or MS"),
        ("D" * 100, "is not a frequency that pandas knows, such as D, W or MS"),
    ],
)
def test_frequencies_at_the_extremes(value: str, complaint: str) -> None:
    """Dates are counted, not listed: a mistyped frequency would need 19 GiB."""
    shown = format_value(value)
    assert complaints(with_column("date", frequency=value)) == [
        f"columns.date.frequency {shown} {complaint}"
    ]


@pytest.mark.parametrize("value", ["D", "2D", "B", "MS", "SMS", "C", "WOM-1MON", "W-MON", "BMS"])
def test_frequencies_of_a_day_and_more(value: str) -> None:
    """All those that pandas knows."""
    assert complaints(with_column("date", frequency=value, uniques=1)) == []


def test_a_great_many_rows_take_no_memory_to_check() -> None:
    """Entities are counted without a list of rows."""
    specification = with_column("id", miss_probability=0.1)
    specification["metadata"]["number_of_rows"] = 10**9
    assert complaints(specification) == []
    specification["metadata"]["number_of_rows"] = 10**12
    assert complaints(specification) == [
        "metadata.number_of_rows 1000000000000 is too large; the largest is 1000000000"
    ]


def test_entities_are_counted_as_they_are_laid_out() -> None:
    """The formula and the list give the same number."""
    rng = random.Random(0)
    for _ in range(500):
        rows = [f"{rng.choice([1, 2, 3, 9, 40])} | {rng.choice([0.1, 0.5, 1])}" for _ in range(3)]
        distribution = parse_distribution([FREQUENCY, *rows[: rng.randint(1, 3)]])
        count = rng.randint(1, 300)
        assert count_entities(distribution, count) == len(set(entity_of_row(distribution, count)))


@pytest.mark.parametrize("row", ["1000000000000 | 1.0", "1 | 1e308"])
def test_an_entity_with_too_many_rows(row: str) -> None:
    """Or with shares whose sum is too large."""
    assert complaints(with_column("id", frequency_distribution=[FREQUENCY, row])) == [
        f"columns.id.frequency_distribution has a row '{row}'; frequencies and shares are 1000000 "
        "at the most"
    ]


@pytest.mark.parametrize("column", ["sex", "date"])
def test_too_many_distinct_values(column: str) -> None:
    """Exhibit would generate all of them."""
    assert complaints(with_column(column, uniques=10**12)) == [
        f"columns.{column}.uniques 1000000000000 is too large; the largest is 1000000"
    ]


@pytest.mark.parametrize(
    ("pattern", "uniques", "length"),
    [("[a-z]{900000}", 5, 900_000), ("[a-z]{9}[0-9]{9}", 10**6, 18)],
)
def test_a_pattern_with_too_many_characters(pattern: str, uniques: int, length: int) -> None:
    """Exhibit would generate every match before it samples one."""
    keys = {"original_values": "regex", "anonymising_set": pattern, "uniques": uniques}
    assert complaints(with_column("sex", **keys)) == [
        f"columns.sex has uniques {uniques} with up to {length} characters each; use fewer or "
        "shorter ones, with 2,000,000 characters in all at the most"
    ]


@pytest.mark.parametrize("value", ["F", "Missing data"])
def test_a_value_that_is_listed_twice(value: str) -> None:
    """The message names the column and the value."""
    specification = a_specification()
    rows = specification["columns"]["sex"]["original_values"]
    rows.insert(1, f"{value} | 0.1 | 0.1")
    assert complaints(specification) == [
        f"columns.sex.original_values lists '{value}' twice, so Exhibit cannot apply its weights; "
        "keep one of its rows"
    ]
    del specification["columns"]["amount"]
    specification["metadata"]["numerical_columns"] = []
    for column in ("sex", "region"):
        rows = specification["columns"][column]["original_values"]
        rows[:] = [row.rpartition("|")[0] for row in rows]
    assert complaints(specification) == []


@pytest.mark.parametrize("day", ["0001-01-01", "1677-09-21", "2262-04-12", "9999-12-31"])
def test_days_at_the_extremes(day: str) -> None:
    """Exhibit's calendar is shorter than Python's."""
    out_of_reach = "is outside Exhibit's range of dates, 1677-09-22 to 2262-04-11"
    found = complaints(with_column("date", **{"from": day, "to": day}))
    assert len(found) >= 2
    assert f"columns.date.from {day} {out_of_reach}; use a date between them" in found
    [alone] = complaints(start_date=day)
    assert "that Exhibit knows" in alone


def test_faults_without_end_are_cut_off() -> None:
    """Thousands of messages help nobody, and each takes time."""
    specification = a_specification() | {f"key{n}": n for n in range(30_000)}
    found = complaints(specification)
    assert len(found) == 101
    assert found[-1] == "29,900 more mistakes of this kind; fix these first"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(GIANT, "a number of more than 100 digits", id="giant"),
        pytest.param(-GIANT, "a number of more than 100 digits", id="negative"),
        pytest.param("x" * 10**7, f"'{'x' * 56}...", id="long"),
        pytest.param([0] * 10**7, f"[{'0, ' * 18}0,...", id="list"),
    ],
)
def test_what_stands_in_a_file_is_shown_in_short(value: object, expected: str) -> None:
    """However long it is."""
    assert format_value(value) == expected


def test_long_words_are_compared_with_nothing() -> None:
    """The comparison would take too long."""
    begun = time.process_time()
    assert did_you_mean("x" * 10**6, ["x" * 10**6 + "y"]) == ""
    assert did_you_mean("amout", ["x" * 10**6, "amount"]) == "; did you mean 'amount'?"
    assert time.process_time() - begun < 1

"""Regex columns: a series has one pool of values, for pools and parts of any size."""

import re
from pathlib import Path
from typing import Any

import pytest

from series_assets_tests.builders import a_specification
from series_assets_tests.columns import a_category, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    existing_records,
    generate_series,
    new_records,
    run_command,
)


def with_codes(pattern: str, uniques: int, rows: int = 40, **more: Any) -> dict[str, Any]:
    """Return a specification with a column of codes that match a pattern."""
    code = a_category(
        "code", {}, uniques=uniques, original_values="regex", anonymising_set=pattern, **more
    )
    return with_columns(a_specification(number_of_rows=rows), code=code)


def test_the_pool_of_a_pattern_is_kept_over_the_series(tmp_path: Path) -> None:
    """Every period and part has the same codes, in its own order."""
    finished = generate_series(tmp_path, with_codes("C[0-9]{4}[XY]", 6, rows=120))
    parts = [
        part(finished, n)["code"].tolist()
        for n in (2, 3)
        for part in (new_records, existing_records)
    ]
    assert all(set(part) == set(parts[0]) for part in parts)
    assert len(set(parts[0])) == 6
    assert len({tuple(part) for part in parts}) == 4


@pytest.mark.parametrize("rows", [2, 10])
def test_a_pool_larger_than_a_part(tmp_path: Path, rows: int) -> None:
    """A period with few rows uses some codes of a larger pool."""
    finished = generate_series(tmp_path, with_codes("[A-Z]{3}", 100, rows=rows))
    assert all(re.fullmatch("[A-Z]{3}", code) for code in new_records(finished, 2)["code"])


def test_a_pool_of_all_that_a_pattern_gives(tmp_path: Path) -> None:
    """A pool can have every code that matches the pattern."""
    finished = generate_series(tmp_path, with_codes("[abc][de]", 6, rows=200, miss_probability=0.2))
    assert set(new_records(finished, 1)["code"]) == {"ad", "ae", "bd", "be", "cd", "ce", ""}


def test_more_codes_than_a_pattern_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many codes are refused by ``validate``, with the possible number."""
    code, message = run_command(monkeypatch, tmp_path, "validate", with_codes("[abc][de]", 7))
    assert (code, message) == (
        2,
        "demo, period 2024-01-01 (new records): Exhibit failed with ValueError: column 'code' asks "
        "for 7 different values, but its pattern '[abc][de]' gives only 6; lower its uniques",
    )


UNREADABLE = [
    r"\d{3}", "[A-Za-z]", "[A-C]+", "(a|b)", "[A-C]{2,3}", ".{3}", "[^A-C]", "a?",
    # One could expect Exhibit to support these: a digit after a class, ten repetitions or more.
    "[A-C]0[0-9]{2}", "x{12}[AB]",
]  # fmt: skip


@pytest.mark.parametrize("pattern", ["C-[A-C]x{3}[xyz]{2}", "0[1-9][AB]", "a.b[12]"])
def test_patterns_that_exhibit_reads(tmp_path: Path, pattern: str) -> None:
    """Plain characters, ranges, lists and repetitions up to nine."""
    finished = generate_series(tmp_path, with_codes(pattern, 2), num_datasets=2)
    assert all(re.fullmatch(pattern, code) for code in existing_records(finished, 2)["code"])


@pytest.mark.parametrize("pattern", UNREADABLE)
def test_patterns_that_exhibit_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    """A pattern that Exhibit would misread or fail on is refused, with the column."""
    code, message = run_command(monkeypatch, tmp_path, "validate", with_codes(pattern, 1))
    assert code == 2
    assert message.startswith("columns.code.anonymising_set")
    assert pattern in message

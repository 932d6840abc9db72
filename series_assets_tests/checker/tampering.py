"""Changes to the files of a generated series, to test that the checker finds them."""

import csv
from pathlib import Path

import pytest

from series_assets_tests.checker import Finished, check

Rows = list[dict[str, str]]


def read(path: Path) -> Rows:
    """Return the rows of a CSV."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write(path: Path, rows: Rows) -> None:
    """Write rows as CSV, in the form in which they were read."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def assert_check_fails(finished: Finished, sentence: str) -> None:
    """Assert that the checker fails with a message that matches."""
    with pytest.raises(AssertionError, match=sentence):
        check(finished)

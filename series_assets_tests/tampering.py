"""Changing the files of finished series, to see that the checker complains."""

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
    """Write rows as the CSV they came from."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def assert_check_fails(finished: Finished, sentence: str) -> None:
    """Expect the checker to complain in words like these."""
    with pytest.raises(AssertionError, match=sentence):
        check(finished)

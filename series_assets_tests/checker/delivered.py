"""The delivered files: which there are, that they are plain CSV, and the records in them."""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from series_assets_tests.checker.finished import (
    Row,
    ensure,
    some,
)
from series_assets_tests.checker.rules import Rules


def check_files(rules: Rules) -> None:
    """The folder has exactly the files that the series delivers, and no run left scratch behind."""
    wanted: set[str] = set()
    for k in range(rules.periods):
        new, existing = rules.counts(k)
        wanted.add(f"dataset_{k + 1}.csv")
        wanted |= {f"dataset_{k + 1}.new.yml", f"new_records/dataset_{k + 1}.csv"} if new else set()
        wanted |= {f"dataset_{k + 1}.existing.yml"} if existing else set()
        wanted |= _requested_files(rules.finished.user_input, k + 1)
    folder, database = rules.finished.folder, rules.finished.database
    found = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path != database
    }
    ensure(wanted <= found, f"{folder}: lacks {some(sorted(wanted - found))}")
    ensure(found <= wanted, f"{folder}: has stray files {some(sorted(found - wanted))}")
    beside = {*folder.parent.iterdir(), *database.parent.iterdir()}
    left = [path.name for path in beside if path.name.startswith(f"{database.name}-")]
    left += [path.name for path in beside if path.name == ".runs" or path.name.endswith(".part")]
    ensure(not left, f"{folder.parent}: a run left {some(sorted(left))} behind")


def _requested_files(user_input: Mapping[str, Any], number: int) -> set[str]:
    """Return the additional files of a dataset that the user input asks for."""
    files = {f"dataset_{number}.manifest.json"} if user_input.get("manifest") else set()
    truth = user_input.get("truth")
    if truth is not None:
        kinds = ["changes", *(["cells"] if truth.get("cells", True) else [])]
        kinds += truth.get("write") or []
        files |= {f"truth/{kind}_{number}.csv" for kind in kinds}
    return files


def read_csv(path: Path) -> tuple[list[str], list[Row]]:
    """Return the header and the rows of a CSV file, which must be in its plain form."""
    raw = path.read_bytes()
    ensure(not raw.startswith(b"\xef\xbb\xbf"), f"{path}: begins with a byte order mark")
    text = raw.decode("utf-8")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    again = io.StringIO(newline="")
    csv.writer(again, lineterminator="\n").writerows([header, *rows])
    for line, (made, plain) in enumerate(
        zip(text.split("\n"), again.getvalue().split("\n"), strict=True), start=1
    ):
        ensure(made == plain, f"{path}, line {line}: is {made!r}, but as plain CSV {plain!r}")
    ensure(len({*header}) == len(header), f"{path}: has two columns of one name")
    return header, [dict(zip(header, row, strict=True)) for row in rows]


class DeliveredData:
    """The records of every period, and which of them are existing records."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        folder = rules.finished.folder
        self.headers: dict[str, list[str]] = {}
        self.datasets: list[list[Row]] = []
        self.new: list[list[Row]] = []
        for k in range(rules.periods):
            name = f"dataset_{k + 1}.csv"
            self.headers[name], rows = read_csv(folder / name)
            self.datasets.append(rows)
            made: list[Row] = []
            if rules.counts(k)[0]:
                part = f"new_records/{name}"
                self.headers[part], made = read_csv(folder / part)
            self.new.append(made)

    @cached_property
    def existing(self) -> list[list[Row]]:
        """The rows of each dataset that are not among its new records."""
        return [self._existing(k) for k in range(self.rules.periods)]

    def _existing(self, k: int) -> list[Row]:
        alike = self._alike
        left = Counter(alike(row) for row in self.new[k])
        existing = []
        for row in self.datasets[k]:
            if left[alike(row)]:
                left[alike(row)] -= 1
            else:
                existing.append(row)
        lost = [*left.elements()][:5]
        ensure(
            not lost, f"dataset_{k + 1}.csv: lacks rows of new_records/dataset_{k + 1}.csv: {lost}"
        )
        return existing

    def _alike(self, row: Row) -> tuple[str, ...]:
        """Return the values that a row shares with the same record in the file of new records.

        Derived columns that depend on other rows are computed again over the complete dataset.
        """
        return tuple(v for name, v in row.items() if name not in self.rules.over_all_rows)

    @cached_property
    def entities(self) -> list[dict[str, Row]]:
        """The first row of every entity, by the period that introduced it."""
        name = self.rules.uuids[0]
        found = []
        for rows in self.new:
            first: dict[str, Row] = {}
            for row in rows:
                if row[name]:
                    first.setdefault(row[name], row)
            found.append(first)
        return found

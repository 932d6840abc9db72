"""A series that every rule applies to, generated, and what its checks find."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from series_assets.checks.rules import RULES as ALL_RULES
from series_assets.checks.rules import TRUTH, Finding
from series_assets.checks.run import check_periods
from series_assets.core.plan.series import Series
from series_assets.interface import generate
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.columns import a_category, a_date, a_number, a_uuid, with_columns

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")


TWICE = ["frequency | probability_vector", "1 | 0.5", "2 | 0.5"]


Row = dict[str, str]


RULES = [name for name in ALL_RULES if name != TRUTH]
"""The rules on the rows of a dataset; ``test_truth_rule`` tests the other one."""


def full_specification() -> dict[str, Any]:
    """Return a specification that every rule applies to."""
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


def full_user_input(**more: Any) -> dict[str, Any]:
    """Return the user input of that specification, with a date that is both static and moving."""
    return a_user_input(
        date_columns=["date", "joined"],
        static_columns=["sex", "born", "joined"],
        linked_columns=["id", "chi", "blood"],
        **more,
    )


@dataclass
class DeliveredSeries:
    """A generated series, and access to its files and the findings of its checks."""

    series: Series
    data: Path

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return self.data / self.series.name

    def path(self, number: int, new: bool = False) -> Path:
        """Return the path of a dataset, or of its new records."""
        return self.folder / ("new_records" if new else "") / f"dataset_{number}.csv"

    def rows(self, number: int, new: bool = False) -> list[Row]:
        """Return the rows of a dataset, or of its new records."""
        with self.path(number, new).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def write(self, number: int, rows: Iterable[Row], new: bool = False) -> None:
        """Replace the rows of a file; the first row determines the columns."""
        rows = list(rows)
        with self.path(number, new).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def existing(self, number: int, times: int = 1) -> list[int]:
        """Return the positions of existing rows, one per entity that has ``times`` rows."""
        return self._places(number, times, known=True)

    def new(self, number: int, times: int = 1) -> list[int]:
        """Return the positions of new rows, one per entity that has ``times`` rows."""
        return self._places(number, times, known=False)

    def _places(self, number: int, times: int, known: bool) -> list[int]:
        fresh = {row["id"] for row in self.rows(number, new=True)}
        ids = [row["id"] for row in self.rows(number)]
        often = Counter(ids)
        first = {name: place for place, name in reversed(list(enumerate(ids)))}
        return [p for n, p in first.items() if often[n] == times and (n not in fresh) == known]

    def change(self, number: int, place: int, *, both: bool = False, **values: str) -> Row:
        """Change one row, with ``both`` also its new record; return the original row."""
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
        """Return the findings on one dataset, by rule."""
        table = Workspace(self.data).reference_table(self.series)
        [checked] = check_periods(table, [self.series.calendar.keys[number - 1]])
        return {finding.rule: finding for finding in checked.findings}

    def broken(self, number: int) -> dict[str, int]:
        """Return the rules that a dataset violates, with the number of violations."""
        return {n: found.wrong for n, found in self.findings(number).items() if not found.holds}

    def problems(self, number: int) -> set[str | None]:
        """Return the reasons why rules could not be evaluated; None where they could."""
        return {finding.problem for finding in self.findings(number).values()}


def generate_series(data: Path, series: Series) -> DeliveredSeries:
    """Generate all periods of a series."""
    generate(series, data)
    return DeliveredSeries(series, data)


def change_rows(delivered: DeliveredSeries, change: Callable[[Row, bool], None]) -> None:
    """Change rows of the second dataset, and the same rows among its new records."""
    fresh = {row["id"] for row in delivered.rows(2, new=True)}
    for new in (True, False):
        rows = delivered.rows(2, new)
        for row in rows:
            change(row, row["id"] in fresh)
        delivered.write(2, rows, new)

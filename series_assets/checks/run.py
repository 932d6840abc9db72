"""Checking what was dataset: the files and the reference table, read and held against the rules.

For Dagster's checks and for the command line; what each rule means is in ``core``.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from series_assets.checks.rules import Finding, rules_of
from series_assets.core.errors import GenerationError, RequestError, SeriesError, sentence
from series_assets.core.plan.series import Series
from series_assets.storage import files
from series_assets.storage.provenance import require_delivered
from series_assets.storage.reference_table import ReferenceTable

if TYPE_CHECKING:
    from series_assets.checks.dataset_under_check import DatasetUnderCheck
    from series_assets.storage.entity_lookup import EntityLookup

_ASKS_THE_TABLE = {"identifiers", "static_columns", "linked_columns"}

T = TypeVar("T")


@dataclass(frozen=True)
class CheckResult:
    """What came of holding the rules against the dataset of one period."""

    key: str
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether every rule holds."""
        return all(finding.holds for finding in self.findings)

    def complaints(self) -> list[str]:
        """Return a line for each rule that does not hold, or one if all fail for one reason."""
        problems = {finding.problem for finding in self.findings}
        if len(problems) == 1 and None not in problems:
            return [f"{self.key}: {problem}" for problem in problems]
        return [f"{self.key} {one.rule}: {one}" for one in self.findings if not one.holds]


def delivered_keys(table: ReferenceTable) -> list[str]:
    """Return the partition keys of the periods that have a dataset."""
    keys = enumerate(table.series.calendar.keys, start=1)
    return [key for number, key in keys if table.layout.dataset(number).exists()]


def check_periods(
    table: ReferenceTable, keys: Sequence[str], rules: Iterable[str] | None = None
) -> Iterator[CheckResult]:
    """Hold the rules (by default all of the series) against the datasets of some periods, in order.

    Each file is read once, and one period is in memory at a time. What cannot be read, is not
    there or was made from other contents is told in the findings; nothing is raised for it.
    """
    wanted = set(rules_of(table.series) if rules is None else rules)
    names = tuple(name for name in rules_of(table.series) if name in wanted)
    with closing(_Check(table, keys)) as check:
        for key in keys:
            yield CheckResult(key, tuple(check.findings(key, names)))


class _Check:
    """The check of some periods of one series, which share what is read of the table."""

    def __init__(self, table: ReferenceTable, keys: Sequence[str]) -> None:
        self._table = table
        self._series: Series = table.series
        self._ks = [table.series.calendar.period_for_key(key).k for key in keys]
        self._values: tuple[int, dict[str, Any]] = (-1, {})
        self._opened = ExitStack()

    def close(self) -> None:
        """Close the database, if it was opened."""
        self._opened.close()

    def findings(self, key: str, names: Sequence[str]) -> Iterator[Finding]:
        """Yield a finding for each of the named rules, in their order."""
        from series_assets.checks.evaluate import evaluate_rules

        period = self._series.calendar.period_for_key(key)
        try:
            require_delivered(self._series, self._table.layout, period)
            dataset, problem = self._delivered(period.k, names)
        except SeriesError as error:
            yield from (Finding(name, problem=str(error)) for name in names)
            return
        for name in names:
            if problem and name in _ASKS_THE_TABLE:
                yield Finding(name, problem=problem)
            else:
                yield from evaluate_rules(dataset, [name])

    def _delivered(self, k: int, rules: Sequence[str]) -> tuple["DatasetUnderCheck", str | None]:
        """Return the dataset of period ``k``, and why nothing is known of what was recorded."""
        import numpy as np
        import pyarrow as pa

        from series_assets.checks.dataset_under_check import DatasetUnderCheck, kept_columns, parts

        series, layout = self._series, self._table.layout
        header, records = _read(layout.dataset(k + 1), f"make dataset of {self._key(k)} again")
        new_rows, is_new = 0, np.zeros(records.num_rows, dtype=bool)
        if series.counts(k)[0]:
            path = layout.new_records(k + 1)
            _, new = _read(path, f"make new_records of {self._key(k)} again")
            wide = [name for name in series.cross_row_columns if name in new.column_names]
            new_rows, is_new = new.num_rows, parts(records, new.drop_columns(wide))
            del new
        rows, names = records.num_rows, kept_columns(series)
        recorded = {name: pa.nulls(rows, pa.string()) for name in names}
        is_seen = dict.fromkeys(series.roles.identifiers, np.zeros(rows, dtype=bool))
        is_known, problem = np.zeros(rows, dtype=bool), None
        there = set(records.column_names)
        if _ASKS_THE_TABLE & set(rules) and k and series.first_identifier in there:
            try:
                self._table.require_periods(k, period=self._key(k))
                known = self._recorded
                columns = {
                    name: records.column(name).combine_chunks()
                    for name in series.roles.identifiers
                    if name in there
                }
                keys = {name: known.keys(name, v.to_pylist(), k) for name, v in columns.items()}
                recorded = known.texts(keys[series.first_identifier], names)
                is_known = keys[series.first_identifier] >= 0
                is_seen |= {name: found >= 0 for name, found in keys.items()}
            except RequestError as error:
                problem = str(error)
            except GenerationError as error:
                again = "make reference_table of all periods again"
                problem = str(error) if error.remedy else sentence(str(error), again)
        return (
            DatasetUnderCheck(
                series=series,
                k=k,
                header=tuple(header),
                first_header=tuple(self._first_header),
                records=records,
                new_rows=new_rows,
                is_new=is_new,
                recorded=recorded,
                is_known=is_known,
                is_seen=is_seen,
                before=self._before(k, records) if "fresh_values" in rules else {},
            ),
            problem,
        )

    def _before(self, k: int, records: Any) -> dict[str, Any]:
        """Return the values that numbers drawn afresh have in the dataset of the period before.

        Nothing where it cannot be read: what is wrong with it is for its own checks to tell. The
        values of period ``k`` are kept for the next one.
        """
        from series_assets.checks.rules import fresh_numbers
        from series_assets.checks.value_rules import long_values

        names = fresh_numbers(self._series)

        def values(table: Any) -> dict[str, Any]:
            there = [name for name in names if name in table.column_names]
            return {name: long_values(table.column(name).combine_chunks()) for name in there}

        kept, before = self._values
        self._values = (k, values(records))
        if kept == k - 1:
            return before
        path = self._table.layout.dataset(k)
        if not k or not names or not path.exists():
            return {}
        try:
            return values(files.read_table(path, names))
        except (OSError, ValueError, KeyError):
            return {}

    def _key(self, k: int) -> str:
        return self._series.calendar.keys[k]

    @cached_property
    def _recorded(self) -> "EntityLookup":
        from series_assets.storage.entity_lookup import entity_lookup

        names = self._series.roles.identifiers
        return self._opened.enter_context(entity_lookup(self._table, names, max(self._ks)))

    @cached_property
    def _first_header(self) -> list[str]:
        """The columns of the first period, from its dataset or else from its new records."""
        layout = self._table.layout
        for path in (layout.dataset(1), layout.new_records(1)):
            if path.exists():
                advice = f"make the assets of {self._key(0)} again"
                return _readable(path, files.read_header, advice)
        raise _missing(layout.dataset(1), f"make dataset of {self._key(0)}")


def _missing(path: Path, remedy: str) -> RequestError:
    return RequestError("is missing", remedy, file=path, colon=False)


def _read(path: Path, advice: str) -> tuple[list[str], Any]:
    """Return the header of a CSV and its table; of columns with one name, the first one."""
    header = _readable(path, files.read_header, advice)
    table = _readable(path, files.read_table, advice)
    firsts = [place for place, name in enumerate(header) if name not in header[:place]]
    return header, table.select(firsts)


def _readable(path: Path, read: Callable[[Path], T], advice: str) -> T:
    try:
        return read(path)
    except (OSError, ValueError, csv.Error) as error:
        said = getattr(error, "strerror", None) or str(error).splitlines()[0]
        problem = f"cannot be read: {said}"
        raise RequestError(problem, advice, file=path, colon=False) from error

"""Checks delivered datasets: reads their files and the reference table, and evaluates the rules.

For Dagster's asset checks, the command line and Python. ``rules`` says what each rule means.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from series_assets.checks.rules import TRUTH, Finding, combine_findings, rules_of
from series_assets.core.arrays import one_array
from series_assets.core.errors import GenerationError, RequestError, SeriesError, sentence
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.storage import files
from series_assets.storage.entities import EntityLookup, EntityTable, ReferenceTable
from series_assets.storage.provenance import require_delivered

if TYPE_CHECKING:
    from series_assets.checks.dataset_under_check import DatasetUnderCheck

_NEEDS_REFERENCE_TABLE = {"identifiers", "static_columns", "linked_columns"}


@dataclass(frozen=True)
class CheckResult:
    """The findings on the dataset of one period."""

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
    """Return the partition keys of the periods that have a dataset, or parts of one.

    A part that is missing is reported by a check, not skipped with its period.
    """
    keys = enumerate(table.series.calendar.keys, start=1)
    return [key for number, key in keys if table.layout.is_begun(number)]


def keys_to_check(table: ReferenceTable, chosen: Sequence[Period]) -> list[str]:
    """Return the partition keys of the chosen periods, or else of all that have a dataset.

    Raises RequestError where none has.
    """
    keys = [period.key for period in chosen] or delivered_keys(table)
    if not keys:
        raise RequestError(
            f"there is no dataset yet in {table.layout.folder}",
            f"first run series-assets generate {table.series.name}",
            series=table.series.name,
        )
    return keys


def check_periods(
    table: ReferenceTable, keys: Sequence[str], rules: Iterable[str] | None = None
) -> Iterator[CheckResult]:
    """Evaluate the rules (by default all of the series) on the datasets of some periods, in order.

    Each file is read once, and one period is in memory at a time; of a sharded series, one part,
    which is held against the entities of its own shard. A file that is missing, unreadable or out
    of date is reported in the findings; no error is raised for it.
    """
    wanted = set(rules_of(table.series) if rules is None else rules)
    names = tuple(name for name in rules_of(table.series) if name in wanted)
    if table.series.is_sharded:
        for key in keys:
            yield CheckResult(key, _findings_of_parts(table, key, names))
        return
    [entities] = table.parts
    with closing(_Check(entities, keys)) as check:
        for key in keys:
            yield CheckResult(key, tuple(check.findings(key, names)))


def _findings_of_parts(
    table: ReferenceTable, key: str, names: Sequence[str]
) -> tuple[Finding, ...]:
    """Return a finding for each rule on all parts of a period, read one at a time."""
    total: list[Finding] = []
    for part in table.parts:
        with closing(_Check(part, [key])) as check:
            found = list(check.findings(key, names))
        total = list(map(combine_findings, total, found)) if total else found
    if TRUTH in names and table.series.user_input.manifest:
        from series_assets.checks.truth_rule import check_operations

        period = table.series.calendar.period_for_key(key)
        place = names.index(TRUTH)
        total[place] = check_operations(table.layout, period, total[place])
    return tuple(total)


class _Check:
    """The check of some periods of a series; keeps the reference table open."""

    def __init__(self, table: EntityTable, keys: Sequence[str]) -> None:
        self._table = table
        self._series: Series = table.series
        self._ks = [table.series.calendar.period_for_key(key).k for key in keys]
        self._last_values: tuple[int, dict[str, Any]] = (-1, {})
        self._opened = ExitStack()

    def close(self) -> None:
        """Close the database, if it was opened."""
        self._opened.close()

    def findings(self, key: str, names: Sequence[str]) -> Iterator[Finding]:
        """Yield a finding for each of the named rules, in order."""
        from series_assets.checks.evaluate import evaluate_rule
        from series_assets.checks.truth_rule import check_truth

        period, layout = self._series.calendar.period_for_key(key), self._table.layout
        of_rows = [name for name in names if name != TRUTH]
        try:
            require_delivered(self._series, layout, period)
            if of_rows:
                dataset, problem = self._read_period(period.k, of_rows)
        except SeriesError as error:
            yield from (Finding(name, problem=str(error)) for name in names)
            return
        for name in of_rows:
            if problem and name in _NEEDS_REFERENCE_TABLE:
                yield Finding(name, problem=problem)
            else:
                yield evaluate_rule(dataset, name)
        if TRUTH in names:
            yield check_truth(self._series, layout, period)

    def _read_period(self, k: int, rules: Sequence[str]) -> tuple["DatasetUnderCheck", str | None]:
        """Return the dataset of period ``k``, and why the reference table could not be used."""
        import numpy as np
        import pyarrow as pa

        from series_assets.checks.dataset_under_check import (
            DatasetUnderCheck,
            recorded_columns,
            rows_of_new_records,
        )

        series, layout = self._series, self._table.layout
        header, records = _read_csv(layout.dataset(k + 1), f"regenerate dataset of {self._key(k)}")
        rows, names = records.num_rows, recorded_columns(series)
        new_rows, is_new = 0, np.zeros(rows, dtype=bool)
        if series.counts(k)[0]:
            path = layout.new_records(k + 1)
            _, new = _read_csv(path, f"regenerate new_records of {self._key(k)}")
            wide = [name for name in series.cross_row_columns if name in new.column_names]
            new_rows, is_new = new.num_rows, rows_of_new_records(records, new.drop_columns(wide))
            del new
        recorded = {name: pa.nulls(rows, pa.string()) for name in names}
        is_seen = dict.fromkeys(series.roles.identifiers, np.zeros(rows, dtype=bool))
        is_known, problem = np.zeros(rows, dtype=bool), None
        present = set(records.column_names)
        if _NEEDS_REFERENCE_TABLE & set(rules) and k and series.first_identifier in present:
            try:
                self._table.require_periods(k, period=self._key(k))
                keys = {
                    name: self._entities.keys(name, records.column(name).to_pylist(), k)
                    for name in series.roles.identifiers
                    if name in present
                }
                recorded = self._entities.texts(keys[series.first_identifier], names)
                is_known = keys[series.first_identifier] >= 0
                is_seen |= {name: found >= 0 for name, found in keys.items()}
            except RequestError as error:
                problem = str(error)
            except GenerationError as error:
                remedy = "regenerate reference_table of all periods"
                problem = str(error) if error.remedy else sentence(str(error), remedy)
        dataset = DatasetUnderCheck(
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
            before=self._values_before(k, records) if "fresh_values" in rules else {},
        )
        return dataset, problem

    def _values_before(self, k: int, records: Any) -> dict[str, Any]:
        """Return the values of fresh number columns in the dataset of the period before.

        Empty if it cannot be read: its own check reports that. The values of period ``k`` are
        kept for the next period.
        """
        from series_assets.checks.rules import fresh_number_columns
        from series_assets.checks.value_rules import long_values

        names = fresh_number_columns(self._series)

        def values(table: Any) -> dict[str, Any]:
            present = [name for name in names if name in table.column_names]
            return {name: long_values(one_array(table.column(name))) for name in present}

        last_k, last_values = self._last_values
        self._last_values = (k, values(records))
        if last_k == k - 1:
            return last_values
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
    def _entities(self) -> EntityLookup:
        names = self._series.roles.identifiers
        return self._opened.enter_context(self._table.lookup(names, max(self._ks)))

    @cached_property
    def _first_header(self) -> list[str]:
        """The columns of the first period, from its dataset or else from its new records."""
        layout = self._table.layout
        for path in (layout.dataset(1), layout.new_records(1)):
            if path.exists():
                remedy = f"regenerate the assets of {self._key(0)}"
                with files.explain_read_errors(path, remedy):
                    return files.read_header(path)
        remedy = f"generate dataset of {self._key(0)}"
        raise RequestError("is missing", remedy, file=layout.dataset(1), colon=False)


def _read_csv(path: Path, remedy: str) -> tuple[list[str], Any]:
    """Return the header of a CSV and its table, which has the first of columns with one name."""
    with files.explain_read_errors(path, remedy):
        header, table = files.read_header(path), files.read_table(path)
    return header, table.select([header.index(name) for name in dict.fromkeys(header)])

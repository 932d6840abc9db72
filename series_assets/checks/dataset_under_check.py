"""A dataset as the rules see it: tables of text, and which rows are new or existing.

Values are those in the files: columns of text, null where a value is missing. ``run`` reads them,
``evaluate`` applies the rules.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from series_assets.checks.rules import (
    EXAMPLES,
    Example,
    Finding,
    linked_outputs,
    static_outputs,
)
from series_assets.core.arrays import one_array
from series_assets.core.plan.series import Series
from series_assets.core.spec.specification import Specification
from series_assets.core.verify.sides import occurrences

Flags = NDArray[np.bool_]
"""One truth value for each row of the dataset."""

_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class DatasetUnderCheck:
    """A dataset and what it is compared with."""

    series: Series
    k: int
    header: tuple[str, ...]
    """The columns in the dataset's header, including repeated ones."""
    first_header: tuple[str, ...]
    """The columns of the first period's dataset."""
    records: pa.Table
    """The dataset. Of columns with the same name, it has the first."""
    new_rows: int
    """The number of rows in the period's file of new records."""
    is_new: Flags
    """Which rows of the dataset are in that file."""
    recorded: Mapping[str, pa.Array]
    """For each row, the identifiers, static and linked columns recorded before the period for the
    entity that its first identifier names; null if there is no such entity."""
    is_known: Flags
    """Which rows name an entity that was recorded before the period."""
    is_seen: Mapping[str, Flags]
    """For each identifier, in which rows its value was recorded before the period."""
    before: Mapping[str, pa.Array] = field(default_factory=dict)
    """The distinct values of number columns in the previous period's dataset, if it exists."""

    @property
    def is_first_period(self) -> bool:
        """Whether there is no earlier period."""
        return self.k == 0

    def column(self, name: str) -> pa.Array:
        """Return a column of the dataset. Raises KeyError if it is missing."""
        return one_array(self.records.column(name))

    @cached_property
    def period(self) -> Specification:
        """The specification with the dates of the period."""
        return self.series.specification_of(self.k)

    @cached_property
    def identifiers(self) -> pa.Array:
        """The first identifier of each row."""
        return self.column(self.series.first_identifier)

    @cached_property
    def is_known_existing(self) -> Flags:
        """Which rows are existing records of an entity that was recorded before the period."""
        return ~self.is_new & self.is_known

    def differs_from_recorded(self, name: str) -> Flags:
        """Return which known existing records differ in a column from what was recorded."""
        found, recorded = (
            pc.fill_null(column, "") for column in (self.column(name), self.recorded[name])
        )
        differs: Flags = pc.not_equal(found, recorded).to_numpy(zero_copy_only=False)
        return self.is_known_existing & differs


def rows_of_new_records(dataset: pa.Table, new: pa.Table) -> Flags:
    """Return which rows of the dataset are those of its new records, each of them once.

    Rows are compared by the columns that both tables have.
    """
    names = [name for name in new.column_names if name in dataset.column_names]
    if not new.num_rows or not names:
        return np.zeros(dataset.num_rows, dtype=bool)
    joined = pa.chunked_array([_joined(dataset, names), _joined(new, names)])
    codes = one_array(joined).dictionary_encode().indices.to_numpy()
    ours, theirs = codes[: dataset.num_rows], codes[dataset.num_rows :]
    wanted = np.bincount(theirs, minlength=int(codes.max()) + 1)
    return occurrences(ours, np.argsort(ours, kind="stable")) < wanted[ours]


def _joined(table: pa.Table, names: list[str]) -> pa.Array:
    columns = [one_array(table.column(name)) for name in names]
    return pc.binary_join_element_wise(
        *columns, _SEPARATOR, null_handling="replace", null_replacement=""
    )


def recorded_columns(series: Series) -> list[str]:
    """Return the columns in which existing records have to agree with the reference table."""
    columns = (*series.roles.identifiers, *static_outputs(series), *linked_outputs(series))
    return list(dict.fromkeys(columns))


def is_present(column: pa.Array) -> Flags:
    """Return in which rows a value is present."""
    return pc.is_valid(column).to_numpy(zero_copy_only=False)


def is_in(column: pa.Array, values: list[str]) -> Flags:
    """Return in which rows the value is one of those given."""
    wanted = pa.array(values, type=pa.string())
    return pc.is_in(column, value_set=wanted).to_numpy(zero_copy_only=False)


def codes_of(column: pa.Array) -> NDArray[np.int64]:
    """Return an integer for each row, the same for equal values, −1 for a missing one."""
    indices = column.dictionary_encode().indices
    return pc.fill_null(indices, -1).to_numpy().astype(np.int64)


class Violations:
    """Collects the cells that violate a rule, and counts the rows they are in."""

    def __init__(self, dataset: DatasetUnderCheck) -> None:
        self._dataset = dataset
        self._rows = np.zeros(dataset.records.num_rows, dtype=bool)
        self._examples: list[Example] = []

    def add(self, column: str, rows: Flags, expected: Callable[[int], str]) -> None:
        """Add the cells of a column in some rows. ``expected`` describes the value due in a row."""
        self._rows |= rows
        room, dataset = EXAMPLES - len(self._examples), self._dataset
        for row in np.flatnonzero(rows)[:room].tolist():
            identifier, found = dataset.identifiers[row], dataset.column(column)[row]
            self._examples.append(Example(identifier.as_py(), column, found.as_py(), expected(row)))

    def finding(
        self,
        rule: str,
        examined: int | None = None,
        *,
        absent: Sequence[Example] = (),
        facts: Mapping[str, int | str] | None = None,
    ) -> Finding:
        """Return what was collected. By default, all rows were examined.

        ``absent`` are examples of values that no row has; each counts as one wrong row.
        """
        count = len(self._rows) if examined is None else examined
        examples = (*self._examples, *absent)[:EXAMPLES]
        wrong = int(self._rows.sum()) + len(absent)
        return Finding(rule, "rows", count, wrong, examples, facts=facts or {})

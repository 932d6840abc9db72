"""A delivered dataset as the rules see it: tables of text, and which rows are whose.

Everything here is text, as it stands in the files: columns of text, null where a value is missing.
Where they come from is the business of ``run``, how rules are held that of ``evaluate``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

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
from series_assets.core.plan.series import Series
from series_assets.core.plan.spec_changes import specification_of_period
from series_assets.core.spec.specification import Specification

Flags = NDArray[np.bool_]
"""One truth value for each row of the dataset."""

_MARK = "\x1f"


@dataclass(frozen=True)
class DatasetUnderCheck:
    """A dataset, and what it is held against."""

    series: Series
    k: int
    header: tuple[str, ...]
    """The columns of the dataset as its first line has them, repeated ones included."""
    first_header: tuple[str, ...]
    """The columns of the first period's dataset."""
    records: pa.Table
    """The dataset; of columns with one name, the first."""
    new_rows: int
    """Rows of the file of the period's new records."""
    is_new: Flags
    """Which rows of the dataset are those of that file."""
    recorded: Mapping[str, pa.Array]
    """For each row, what was recorded before the period with the entity that its first identifier
    names, in the identifiers and all that an entity keeps; null where nothing was."""
    is_known: Flags
    """Which rows name an entity that was recorded before the period."""
    is_seen: Mapping[str, Flags]
    """For each identifier, in which rows its value was recorded with it before the period."""
    before: Mapping[str, pa.Array] = field(default_factory=dict)
    """The different values that columns of numbers have in the dataset of the period before, as
    far as it is there."""

    @property
    def is_first_period(self) -> bool:
        """Whether there is no period before."""
        return self.k == 0

    def column(self, name: str) -> pa.Array:
        """Return a column of the dataset. Raises KeyError for one that it lacks."""
        return self.records.column(name).combine_chunks()

    @cached_property
    def period(self) -> Specification:
        """The specification with the dates of the period."""
        series = self.series
        return specification_of_period(series.specification, series.calendar, series.roles, self.k)

    @cached_property
    def identifiers(self) -> pa.Array:
        """The first identifier of each row."""
        return self.column(self.series.first_identifier)

    def example(self, row: int, column: str, wanted: str) -> Example:
        """Return what stands in a row's column, as an example of what is wrong."""
        return Example(
            self.identifiers[row].as_py(), column, self.column(column)[row].as_py(), wanted
        )


def parts(dataset: pa.Table, new: pa.Table) -> Flags:
    """Return which rows of the dataset are those of its new records, each of them once.

    Rows are compared by the columns that both tables have.
    """
    names = [name for name in new.column_names if name in dataset.column_names]
    if not new.num_rows or not names:
        return np.zeros(dataset.num_rows, dtype=bool)
    joined = pa.chunked_array([_joined(dataset, names), _joined(new, names)])
    numbers = joined.combine_chunks().dictionary_encode().indices.to_numpy()
    ours, theirs = numbers[: dataset.num_rows], numbers[dataset.num_rows :]
    wanted = np.bincount(theirs, minlength=int(numbers.max()) + 1)
    order = np.argsort(ours, kind="stable")
    grouped = ours[order]
    firsts = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
    lengths = np.diff(np.r_[firsts, len(grouped)])
    nth = np.arange(len(grouped)) - np.repeat(firsts, lengths)
    is_new = np.zeros(len(ours), dtype=bool)
    is_new[order] = nth < wanted[grouped]
    return is_new


def _joined(table: pa.Table, names: list[str]) -> pa.Array:
    columns = [table.column(name).combine_chunks() for name in names]
    return pc.binary_join_element_wise(
        *columns, _MARK, null_handling="replace", null_replacement=""
    )


def kept_columns(series: Series) -> list[str]:
    """Return the columns that existing records are held against the reference table in."""
    names: dict[str, Any] = dict.fromkeys(series.roles.identifiers)
    return list(names | dict.fromkeys((*static_outputs(series), *linked_outputs(series))))


def is_there(column: pa.Array) -> Flags:
    """Return where a value is there."""
    found: Flags = pc.is_valid(column).to_numpy(zero_copy_only=False)
    return found


def is_in(column: pa.Array, values: list[str]) -> Flags:
    """Return where a value is one of those."""
    wanted = pa.array(values, type=pa.string())
    found: Flags = pc.is_in(column, value_set=wanted).to_numpy(zero_copy_only=False)
    return found


def differs(found: pa.Array, wanted: pa.Array) -> Flags:
    """Return where two columns differ; missing ones are alike."""
    odd = pc.not_equal(pc.fill_null(found, ""), pc.fill_null(wanted, ""))
    flags: Flags = odd.to_numpy(zero_copy_only=False)
    return flags


def codes(column: pa.Array) -> NDArray[np.int64]:
    """Return a number for each value, the same for the same, −1 where it is missing."""
    indices = column.dictionary_encode().indices
    found: NDArray[np.int64] = pc.fill_null(indices, -1).to_numpy().astype(np.int64)
    return found


class Cells:
    """Collects what is wrong cell by cell, and counts the rows it is in."""

    def __init__(self, dataset: DatasetUnderCheck) -> None:
        self._dataset = dataset
        self._rows = np.zeros(dataset.records.num_rows, dtype=bool)
        self._examples: list[Example] = []

    def add(self, column: str, rows: Flags, wanted: Callable[[int], str]) -> None:
        """Take note that a column is wrong in some rows; ``wanted`` says what should stand."""
        self._rows |= rows
        room = EXAMPLES - len(self._examples)
        for row in np.flatnonzero(rows)[:room].tolist():
            self._examples.append(self._dataset.example(row, column, wanted(row)))

    def finding(
        self,
        rule: str,
        examined: int | None = None,
        *,
        lacking: Sequence[Example] = (),
        facts: Mapping[str, int | str] | None = None,
    ) -> Finding:
        """Return what was collected; by default all rows were looked at.

        ``lacking`` are examples of what no row has; each of them counts as one row that is wrong.
        """
        count = len(self._rows) if examined is None else examined
        examples = (*self._examples, *lacking)[:EXAMPLES]
        wrong = int(self._rows.sum()) + len(lacking)
        return Finding(rule, "rows", count, wrong, examples, facts=facts or {})

"""Static columns within one run: equal in all rows of a new entity (contract, section 4.6).

Exhibit 0.9.9 generates each row by itself, so an entity with several rows would have several birth
dates. Here all of them get the value of the first row, before dependent numbers are generated.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class StaticValues:
    """The columns that have one value for each entity, and the column that identifies entities."""

    identifier: str
    columns: frozenset[str]
    _known: "list[tuple[NDArray[Any], NDArray[np.int64]]]" = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    """The identifiers, or their codes, for which first rows were last looked up, and these."""

    def apply_to(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records with each static column as in the entity's first row.

        Works on a shallow copy. Rows without an identifier are not changed.
        """
        if not self.columns.intersection(records.columns):
            return records
        return self.apply_to_columns(records, records[self.identifier])

    def apply_to_columns(self, columns: Any, identifiers: "pd.Series[Any]") -> Any:
        """Return a new series or frame with static values, given the identifier of each row."""
        if _are_all_different(identifiers):
            return columns
        first = self._first_rows_once(identifiers)
        if isinstance(columns, pd.Series):
            return _take(columns, first) if columns.name in self.columns else columns
        changed = columns.copy(deep=False)
        for name in self.columns.intersection(columns.columns):
            changed[name] = _take(columns[name], first)
        return changed

    def _first_rows_once(self, identifiers: "pd.Series[Any]") -> NDArray[np.int64]:
        """Return the first rows, looked up once for identifiers that are the same again."""
        is_category = isinstance(identifiers.dtype, pd.CategoricalDtype)
        values = identifiers.cat.codes.to_numpy() if is_category else identifiers.to_numpy()
        for known, first in self._known:
            if _are_equal(known, values):
                return first
        first = self.first_rows(identifiers)
        self._known[:] = [(values.copy(), first), *self._known[:1]]
        return first

    @staticmethod
    def first_rows(identifiers: "pd.Series[Any]") -> NDArray[np.int64]:
        """Return for each row the position of its entity's first row; without one, its own."""
        if isinstance(identifiers.dtype, pd.CategoricalDtype):
            codes = identifiers.cat.codes.to_numpy()
        else:
            codes, _ = pd.factorize(identifiers)
        places = np.arange(len(codes), dtype=np.int64)
        first = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.int64)
        known = places[codes >= 0][::-1]
        first[codes[known]] = known  # in reverse, so the first row is written last
        return np.where(codes < 0, places, first[codes] if len(first) else places)


def _are_equal(known: NDArray[Any], values: NDArray[Any]) -> bool:
    """Return whether two columns are equal; False where a missing value leaves it open."""
    try:
        return known.dtype == values.dtype and bool(np.array_equal(known, values))
    except TypeError:
        return False


def _are_all_different(identifiers: "pd.Series[Any]") -> bool:
    """Return whether the identifiers of new records show that each row has its own entity.

    Their categories are the values that occur. False also where finding out would take long.
    """
    if not isinstance(identifiers.dtype, pd.CategoricalDtype):
        return False
    codes = identifiers.cat.codes.to_numpy()
    return len(identifiers.cat.categories) == len(codes) and bool((codes >= 0).all())


def _take(column: "pd.Series[Any]", rows: NDArray[np.int64]) -> "pd.Series[Any]":
    return pd.Series(column.array.take(rows), index=column.index, name=column.name)

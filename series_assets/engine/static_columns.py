"""Static columns within one run: all rows of a new entity agree (contract, section 4.6).

Exhibit 0.9.9 draws row by row, so that an entity with several rows would have several birth dates.
Here its first row speaks for all of them, before numbers are made that depend on it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class StaticValues:
    """Which columns of the data have one value for each entity, and which column names it."""

    identifier: str
    columns: frozenset[str]

    def apply_to(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records with each static column as in the entity's first row.

        ``records`` has the identifier; of the static columns those that are there are changed, on
        a shallow copy. Rows without an identifier stay as they are.
        """
        if not self.columns.intersection(records.columns):
            return records
        changed: pd.DataFrame = self.apply_to_made(records, records[self.identifier])
        return changed

    def apply_to_made(self, made: Any, identifiers: "pd.Series[Any]") -> Any:
        """Return a series or a frame of columns just made for the rows of ``identifiers``."""
        first = self.first_rows(identifiers)
        if isinstance(made, pd.Series):
            return _taken(made, first) if made.name in self.columns else made
        changed = made.copy(deep=False)
        for name in self.columns.intersection(made.columns):
            changed[name] = _taken(made[name], first)
        return changed

    @staticmethod
    def first_rows(identifiers: "pd.Series[Any]") -> NDArray[np.int64]:
        """Return for each row the place of the first row of its entity; shape ``(rows,)``.

        A row without an identifier is its own.
        """
        if isinstance(identifiers.dtype, pd.CategoricalDtype):
            codes = identifiers.cat.codes.to_numpy()
        else:
            codes, _ = pd.factorize(identifiers)
        places = np.arange(len(codes), dtype=np.int64)
        first = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.int64)
        known = places[codes >= 0][::-1]
        first[codes[known]] = known  # of several rows the first is written last
        return np.where(codes < 0, places, first[codes] if len(first) else places)


def _taken(column: "pd.Series[Any]", rows: NDArray[np.int64]) -> "pd.Series[Any]":
    return pd.Series(column.array.take(rows), index=column.index, name=column.name)

"""Columns as codes: each different value once, and for every row the place of its value."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.signedinteger[Any]]


class NotCovered(Exception):  # noqa: N818
    """What is asked for is left to stock Exhibit; nothing has been drawn or changed yet."""


@dataclass(frozen=True)
class Coded:
    """A column of objects."""

    name: str
    values: "pd.Index[Any]"
    """The different values, without a missing one."""
    codes: Codes
    """For each row the place of its value in ``values``, -1 where it is missing."""

    @classmethod
    def of(cls, column: "pd.Series[Any]") -> "Coded":
        """Return a column as codes; categories need no look at the rows."""
        if isinstance(column.dtype, pd.CategoricalDtype):
            return cls(str(column.name), column.cat.categories, column.cat.codes.to_numpy())
        codes, values = pd.factorize(column)
        return cls(str(column.name), pd.Index(values), codes)


def rank_of_codes(codes: Codes, number: int) -> tuple[Codes, int]:
    """Return the codes without those that do not occur, -1 still -1, and how many there are."""
    known = codes[codes >= 0]
    occurs = np.zeros(number + 1, dtype=bool)
    occurs[known] = True
    ranks = np.cumsum(occurs) - 1
    ranks[number] = -1  # where code -1 ends up
    return ranks[codes], int(occurs[:number].sum())

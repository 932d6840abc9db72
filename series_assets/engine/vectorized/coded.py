"""Columns as codes, and the fallback to stock Exhibit for cases that are not covered."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import constraints
from numpy.typing import NDArray

Codes = NDArray[np.signedinteger[Any]]


class NotCovered(Exception):  # noqa: N818
    """The case is left to stock Exhibit; no data has been changed yet."""


def or_stock(method: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """Return a method of a constraint handler that falls back to stock Exhibit's on NotCovered.

    The random generator is then reset first, so that stock Exhibit draws from the same state.
    """

    @wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> pd.DataFrame:
        state = self.rng.bit_generator.state
        try:
            return method(self, *args, **kwargs)
        except NotCovered:
            self.rng.bit_generator.state = state
            stock = getattr(constraints.ConstraintHandler, method.__name__)
            return stock(self, *args, **kwargs)

    return wrapped


@dataclass(frozen=True)
class CodedColumn:
    """A column as its distinct values and a code for each row."""

    name: str
    values: "pd.Index[Any]"
    """The distinct values, without missing ones."""
    codes: Codes
    """The position of each row's value in ``values``, -1 where it is missing."""

    @classmethod
    def of(cls, column: "pd.Series[Any]") -> "CodedColumn":
        """Return a column as codes; those of categories are reused."""
        if isinstance(column.dtype, pd.CategoricalDtype):
            return cls(str(column.name), column.cat.categories, column.cat.codes.to_numpy())
        codes, values = pd.factorize(column)
        return cls(str(column.name), pd.Index(values), codes)

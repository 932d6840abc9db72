"""Parsing the tables of values and weights in a specification once for all periods."""

from functools import lru_cache
from typing import Any

import pandas as pd
from exhibit.core import formatters

_stock = formatters.parse_original_values


def parse_original_values(original_values: Any) -> Any:
    """Return the table in a list of lines, as Exhibit does; other values are returned unchanged."""
    if not isinstance(original_values, list):
        return original_values
    return _parsed(tuple(original_values)).copy()


@lru_cache(maxsize=256)
def _parsed(lines: tuple[str, ...]) -> pd.DataFrame:
    return _stock(list(lines))

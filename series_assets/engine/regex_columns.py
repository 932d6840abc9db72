"""Regex columns: one pool of values for the whole series, drawn from anew each period (4.5).

Exhibit makes as many values as the run has rows and keeps the first ``uniques`` of them, always
the same ones, and hands them out in the same order whatever the seed.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core.generate import regex as stock

from series_assets.core.plan.seeds import derive

_MOST = 2**22


def generate(pattern: str, name: str, rows: int, uniques: int, seed: int) -> "pd.Series[Any]":
    """Return ``rows`` values out of the column's pool of ``uniques``.

    Raises ValueError where the pattern has too few values for the pool.
    """
    values = pool(pattern, name, uniques)
    rng = np.random.default_rng(derive(seed, name, "regex"))
    return pd.Series(rng.choice(values, size=rows), name=name, dtype=object)


@lru_cache(maxsize=32)
def pool(pattern: str, name: str, uniques: int) -> tuple[str, ...]:
    """Return the first ``uniques`` different values that Exhibit makes for the column."""
    size = max(64, 2 * uniques)
    while True:
        made = _in_order(pattern, name, size)
        values = list(dict.fromkeys(made))
        if len(values) >= uniques:
            return tuple(values[:uniques])
        if size >= _MOST or (size > 64 * uniques and len(values) == len(set(made[: size // 4]))):
            raise ValueError(
                f"column '{name}' asks for {uniques} different values, but its pattern "
                f"'{pattern}' gives only {len(values)}; lower its uniques"
            )
        size *= 4


def _in_order(pattern: str, name: str, size: int) -> list[str]:
    shuffle = stock.shuffle_data
    stock.shuffle_data = lambda data: data
    try:
        return list(stock.generate_regex_column(pattern, name, size))
    finally:
        stock.shuffle_data = shuffle

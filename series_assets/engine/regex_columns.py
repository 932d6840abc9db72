"""Regex columns: one pool of values for the series, sampled in each period (contract, 4.5).

Exhibit generates the same values in the same order in every run, whatever the seed.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core.generate import regex as stock

from series_assets.core.plan.seeds import derive
from series_assets.engine.sandbox import patched

_MAX_VALUES = 2**22


def generate(pattern: str, name: str, rows: int, uniques: int, seed: int) -> "pd.Series[Any]":
    """Return ``rows`` values from the column's pool of ``uniques``.

    Raises ValueError where the pattern has too few values for the pool.
    """
    values = pool(pattern, name, uniques)
    rng = np.random.default_rng(derive(seed, name, "regex"))
    return pd.Series(rng.choice(values, size=rows), name=name, dtype=object)


@lru_cache(maxsize=32)
def pool(pattern: str, name: str, uniques: int) -> tuple[str, ...]:
    """Return the first ``uniques`` distinct values that Exhibit generates for the column."""
    size = max(64, 2 * uniques)
    while True:
        with patched([(stock, {"shuffle_data": lambda data: data})]):
            generated = list(stock.generate_regex_column(pattern, name, size))
        values = list(dict.fromkeys(generated))
        if len(values) >= uniques:
            return tuple(values[:uniques])
        if size >= _MAX_VALUES or (
            size > 64 * uniques and len(values) == len(set(generated[: size // 4]))
        ):
            raise ValueError(
                f"column '{name}' asks for {uniques} different values, but its pattern "
                f"'{pattern}' gives only {len(values)}; lower its uniques"
            )
        size *= 4

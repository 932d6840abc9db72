"""Exhibit's constant seeds, replaced by seeds of the run (contract, section 4.5).

Exhibit 0.9.9 decides with generators that it seeds with a constant where gaps fall, which numbers
stand in rows whose category is missing, how ``shift_distribution_*`` spreads values, which values
a filter by frequency picks, and in which rows the values of a linked group stand. Every run would
repeat those of the last one. Here each purpose gets a generator of its own, seeded from the run's
seed. The first period keeps the constants.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import constraints

from series_assets.core.plan.seeds import derive
from series_assets.engine.sandbox import patched

_seed_of_run: ContextVar[int | None] = ContextVar("seed_of_run", default=None)


@contextmanager
def replaced_by(seed: int | None) -> Iterator[None]:
    """Derive generators from ``seed`` while the block lasts; None keeps Exhibit's constants."""
    token = _seed_of_run.set(seed)
    try:
        yield
    finally:
        _seed_of_run.reset(token)


def are_kept() -> bool:
    """Return whether Exhibit's own constants are in force."""
    return _seed_of_run.get() is None


def seed_for(constant: int, *purpose: object) -> int:
    """Return the seed for a purpose within the run, or the constant that Exhibit uses for it."""
    seed = _seed_of_run.get()
    return constant if seed is None else derive(seed, "constant", *purpose)


def generator(constant: int, *purpose: object) -> np.random.Generator:
    """Return a new generator for a purpose, see ``seed_for``."""
    return np.random.default_rng(seed_for(constant, *purpose))


class NumpyWith:
    """numpy, except that the given functions are all that ``numpy.random`` holds."""

    def __init__(self, **functions: Callable[..., Any]) -> None:
        self.random = SimpleNamespace(**functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


class SeededShifts(constraints.ConstraintHandler):
    """Exhibit's handler of constraints, its shifted distributions seeded from the run."""

    _shifts = 0

    def shift_distribution(
        self,
        df: pd.DataFrame,
        filter_idx: "pd.Index[Any]",
        target_str: str,
        partition_cols: str | None = None,
        right: bool = True,
    ) -> pd.DataFrame:
        """Return the filtered rows with the targets' values shifted, each by draws of its own."""
        if are_kept():
            return super().shift_distribution(df, filter_idx, target_str, partition_cols, right)
        shifted = df.loc[filter_idx].copy()
        for target in (name.strip() for name in target_str.split(",")):
            self._shifts += 1
            seed = seed_for(0, "shift", self._shifts, target)
            names = {
                "np": NumpyWith(default_rng=_always(seed)),
                "gamma": _seeded(constraints.gamma, seed),
            }
            with patched([(constraints, names)]):
                one = super().shift_distribution(df, filter_idx, target, partition_cols, right)
            shifted[target] = one[target]
        return shifted


def _always(seed: int) -> Callable[..., np.random.Generator]:
    """Return a ``default_rng`` that takes no notice of the seed that it is asked for."""
    return lambda **_: np.random.default_rng(seed)


def _seeded(distribution: Callable[..., Any], seed: int) -> Callable[..., Any]:
    """Return a distribution of SciPy's whose draws ignore the seed that they are asked with."""

    def frozen(*args: Any, **kwargs: Any) -> Any:
        made = distribution(*args, **kwargs)
        return SimpleNamespace(rvs=lambda size, **_: made.rvs(size=size, random_state=seed))

    return frozen

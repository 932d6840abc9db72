"""Seeds of the run in place of Exhibit's constant seeds (contract, section 4.5).

Exhibit 0.9.9 uses constant seeds for the places of gaps, the numbers in rows with a missing
category, the shifts of ``shift_distribution_*``, filters by frequency, and the order of linked
groups. Every run would repeat the previous one. Here each purpose gets its own generator, seeded
from the run's seed. The first period keeps the constants.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from exhibit.core import constraints

from series_assets.core.plan.seeds import derive
from series_assets.engine.sandbox import patched

Frame: TypeAlias = pd.DataFrame
Labels: TypeAlias = "pd.Index[Any]"
"""Index labels of the rows that the filter of a custom constraint selects."""

_seed_of_run: ContextVar[int | None] = ContextVar("seed_of_run", default=None)


@contextmanager
def replaced_by(seed: int | None) -> Iterator[None]:
    """Use seeds derived from ``seed`` in a block; None keeps Exhibit's constants."""
    token = _seed_of_run.set(seed)
    try:
        yield
    finally:
        _seed_of_run.reset(token)


def are_kept() -> bool:
    """Return whether Exhibit's own constants are in use."""
    return _seed_of_run.get() is None


def seed_for(constant: int, *purpose: object) -> int:
    """Return the run's seed for a purpose, or the constant that Exhibit uses for it."""
    seed = _seed_of_run.get()
    return constant if seed is None else derive(seed, "constant", *purpose)


def generator(constant: int, *purpose: object) -> np.random.Generator:
    """Return a new generator for a purpose; see ``seed_for``."""
    return np.random.default_rng(seed_for(constant, *purpose))


class NumpyWith:
    """numpy, with the given functions as its only ``numpy.random``."""

    def __init__(self, **functions: Callable[..., Any]) -> None:
        self.random = SimpleNamespace(**functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


class SeededShifts(constraints.ConstraintHandler):
    """Exhibit's constraint handler, with shifted distributions seeded from the run."""

    _shifts = 0

    def shift_distribution(
        self, df: Frame, rows: Labels, targets: str, groups: str | None = None, right: bool = True
    ) -> Frame:
        """Return the filtered rows with each target shifted by random values of its own."""
        if are_kept():
            return super().shift_distribution(df, rows, targets, groups, right)
        result = df.loc[rows].copy()
        for target in split_names(targets):
            self._shifts += 1
            seed = seed_for(0, "shift", self._shifts, target)
            names = {
                "np": NumpyWith(default_rng=_always(seed)),
                "gamma": _seeded(constraints.gamma, seed),
            }
            with patched([(constraints, names)]):
                shifted = super().shift_distribution(df, rows, target, groups, right)
            result[target] = shifted[target]
        return result


def split_names(targets: str) -> list[str]:
    """Return the column names in a comma-separated list, as constraints write them."""
    return [name.strip() for name in targets.split(",")]


def _always(seed: int) -> Callable[..., np.random.Generator]:
    """Return a ``default_rng`` that ignores the seed with which Exhibit calls it."""
    return lambda **_: np.random.default_rng(seed)


def _seeded(distribution: Callable[..., Any], seed: int) -> Callable[..., Any]:
    """Return a SciPy distribution that always draws with ``seed``."""

    def frozen(*args: Any, **kwargs: Any) -> Any:
        parameters = distribution(*args, **kwargs)
        return SimpleNamespace(rvs=lambda size, **_: parameters.rvs(size=size, random_state=seed))

    return frozen

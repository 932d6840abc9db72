"""Identifiers as categories, to which Exhibit converts them anyway.

The identifiers are those of ``core.plan.identifiers``, sorted by number instead of by text.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from series_assets.core.plan import identifiers
from series_assets.core.plan.identifiers import IdentifierPlan
from series_assets.core.plan.sampling import allocated_entities

Numbers = NDArray[np.int64]


def generate(plan: IdentifierPlan, rows: int) -> "pd.Series[Any]":
    """Return the column of ``core.plan.identifiers.generate`` as sorted categories."""
    if plan.kind == "range" or not rows:
        return identifiers.generate(plan, rows)
    rng = random.Random(plan.seed)
    count = allocated_entities(plan.distribution, rows)
    values = _uuids(rng, count) if plan.kind == "uuid" else _pseudo_chis(plan, count)
    codes = identifiers.identifier_of_row(plan, rows, rng)
    is_used = np.zeros(count, dtype=bool)
    is_used[codes[codes >= 0]] = True
    numbers = np.flatnonzero(is_used)
    # All texts have the same length, so they sort as the numbers do.
    numbers = numbers[values.order(numbers)]
    places = np.full(count + 1, -1)
    places[numbers] = np.arange(len(numbers))
    texts = pd.Index(values.texts(numbers), dtype=object)
    return pd.Series(pd.Categorical.from_codes(places[codes], categories=texts), name=plan.column)


@dataclass(frozen=True)
class _Values:
    """Identifiers by number."""

    order: Callable[[Numbers], Numbers]
    """Returns the positions that sort the identifiers with the given numbers."""
    texts: Callable[[Numbers], list[str]]
    """Returns the identifiers with the given numbers."""


def _uuids(rng: random.Random, count: int) -> _Values:
    words = identifiers.uuids(rng, count)

    def order(numbers: Numbers) -> Numbers:
        high, low = np.ascontiguousarray(words[numbers]).view(">u8").astype(np.uint64).T
        return np.lexsort((low, high))

    return _Values(order, lambda numbers: identifiers.texts_of(words[numbers]))


def _pseudo_chis(plan: IdentifierPlan, count: int) -> _Values:
    texts = np.array(identifiers.pseudo_chis(plan.series_seed, plan.issued, count), dtype=object)
    return _Values(
        lambda numbers: np.argsort(texts[numbers].astype(np.int64)),
        lambda numbers: texts[numbers].tolist(),
    )

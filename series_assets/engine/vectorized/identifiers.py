"""Identifiers of kind ``uuid`` as categories, to which Exhibit converts them anyway.

The identifiers are those of ``core.plan.identifiers``, sorted by number instead of by text.
"""

import random
from typing import Any

import numpy as np
import pandas as pd

from series_assets.core.plan import identifiers
from series_assets.core.plan.identifiers import IdentifierPlan
from series_assets.core.plan.sampling import allocated_entities


def generate(plan: IdentifierPlan, rows: int) -> "pd.Series[Any]":
    """Return the column of ``core.plan.identifiers.generate`` as sorted categories."""
    if plan.kind != "uuid" or not rows:
        return identifiers.generate(plan, rows)
    rng = random.Random(plan.seed)
    words = identifiers.uuids(rng, allocated_entities(plan.distribution, rows))
    codes = identifiers.identifier_of_row(plan, rows, rng)
    is_used = np.zeros(len(words), dtype=bool)
    is_used[codes[codes >= 0]] = True
    numbers = np.flatnonzero(is_used)
    # All texts have the same length, so they sort as the numbers do.
    high, low = np.ascontiguousarray(words[numbers]).view(">u8").astype(np.uint64).T
    numbers = numbers[np.lexsort((low, high))]
    places = np.full(len(words) + 1, -1)
    places[numbers] = np.arange(len(numbers))
    texts = pd.Index(identifiers.texts_of(words[numbers]), dtype=object)
    return pd.Series(pd.Categorical.from_codes(places[codes], categories=texts), name=plan.column)

"""Identifiers of kind ``uuid`` for a whole column: the values of ``core.plan.identifiers``, sooner.

Python's random generator and numpy's are both the Mersenne Twister. Given the state of Python's,
numpy hands out the same words, and an identifier is four of them.
"""

import random
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from series_assets.core.plan import identifiers
from series_assets.core.plan.identifiers import Identifiers
from series_assets.core.plan.sampling import allotted, entity_of_row


def generate(plan: Identifiers, rows: int) -> "pd.Series[Any]":
    """Return the column as ``core.plan.identifiers.generate`` does, but as sorted categories.

    That is what Exhibit makes of it at once; here it takes no look at the texts.
    """
    if plan.kind != "uuid" or not rows:
        return identifiers.generate(plan, rows)
    words = words_of(random.Random(plan.seed))
    count = allotted(plan.distribution, rows)
    high, low = _numbers(words.random_raw(4 * count).reshape(-1, 4))
    codes = entity_of_row(plan.distribution, rows)
    if plan.miss_probability > 0:
        chances = fractions(words.random_raw(2 * rows).reshape(-1, 2))
        codes = np.where(chances < plan.miss_probability, -1, codes)
    column = pd.Series(codes, name=plan.column).sample(frac=1, random_state=plan.order_seed)
    return _categories(column.reset_index(drop=True), high, low)


def words_of(generator: random.Random) -> np.random.MT19937:
    """Return a source of the 32-bit words that the generator would use next."""
    _, state, _ = generator.getstate()
    words = np.random.MT19937()
    words.state = {
        "bit_generator": "MT19937",
        "state": {"key": np.array(state[:-1], dtype=np.uint32), "pos": state[-1]},
    }
    return words


def fractions(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the numbers between 0 and 1 that Python makes of pairs of words, ``(n, 2)``."""
    coarse, fine = words[:, 0] >> np.uint64(5), words[:, 1] >> np.uint64(6)
    return (coarse * 67108864.0 + fine) / 9007199254740992.0


def _numbers(words: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the upper and lower halves of the identifiers, version and variant put in."""
    shift = np.uint64(32)
    high, low = words[:, 3] << shift | words[:, 2], words[:, 1] << shift | words[:, 0]
    high = high & ~np.uint64(0xF000) | np.uint64(0x4000)
    low = low & ~np.uint64(0xC000 << 48) | np.uint64(0x8000 << 48)
    return high, low


def _categories(
    column: "pd.Series[Any]", high: NDArray[np.uint64], low: NDArray[np.uint64]
) -> "pd.Series[Any]":
    """Return the column as categories, those that occur in the order of their texts."""
    codes = column.to_numpy()
    occurs = np.zeros(len(high), dtype=bool)
    occurs[codes[codes >= 0]] = True
    numbers = np.flatnonzero(occurs)
    # All texts are of one length, so that they are in the order of the numbers they stand for.
    numbers = numbers[np.lexsort((low[numbers], high[numbers]))]
    places = np.full(len(high) + 1, -1)
    places[numbers] = np.arange(len(numbers))
    halves = np.column_stack([high[numbers], low[numbers]]).astype(">u8")
    text = halves.tobytes().hex()
    texts = np.array([text[at : at + 32] for at in range(0, len(text), 32)], dtype=object)
    made = pd.Categorical.from_codes(places[codes], categories=pd.Index(texts, dtype=object))
    return pd.Series(made, name=column.name)

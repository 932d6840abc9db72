"""Entities: how many a period holds, how often each occurs, and which ones are drawn.

Pure arithmetic on integers; the identifiers themselves are made in the engine, and where the
entities so far are kept is the business of ``storage``.
"""

from math import ceil
from typing import TYPE_CHECKING

from series_assets.core.plan.seeds import derive
from series_assets.core.spec.frequency_distribution import Distribution

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def entities_by_frequency(distribution: Distribution, rows: int) -> list[tuple[int, int]]:
    """Return pairs of a frequency and how many entities Exhibit makes with it for ``rows``.

    Exhibit rounds each number up and cuts what is too much from the end.
    """
    return [(frequency, ceil(rows * float(share) / frequency)) for frequency, share in distribution]


def allocated_entities(distribution: Distribution, rows: int) -> int:
    """Return how many entities Exhibit makes for so many rows, before it cuts any."""
    return sum(count for _, count in entities_by_frequency(distribution, rows)) if rows else 0


def entity_of_row(distribution: Distribution, rows: int) -> "NDArray[np.int64]":
    """Return for each of ``rows`` rows the number of its entity, from 0, as Exhibit lays them out.

    Shape ``(rows,)``; the numbers that occur have no gaps. Not shuffled.
    """
    import numpy as np

    blocks, first = [np.empty(0, dtype=np.int64)], 0
    for frequency, count in entities_by_frequency(distribution, rows):
        blocks.append(np.tile(np.arange(first, first + count), frequency))
        first += count
    return np.concatenate(blocks)[:rows]


def count_entities(distribution: Distribution, rows: int) -> int:
    """Return how many different entities ``rows`` rows hold."""
    found, left = 0, rows
    for frequency, count in entities_by_frequency(distribution, rows):
        found += min(count, left)  # a block has each of its entities once, then again
        left = max(left - frequency * count, 0)
    return found


def sample_ranks(
    distribution: Distribution, rows: int, eligible: int, random_seed: int, k: int
) -> "NDArray[np.int64]":
    """Return for each existing row of period ``k`` the rank of its entity (section 5.1, 5.2).

    Ranks count the ``eligible`` entities from 0. Each entity is drawn with equal chance and at
    most once, and then has as many rows as its frequency says. Shape ``(rows,)``, in random
    order. There must be at least ``present(distribution, rows)`` eligible entities.
    """
    import numpy as np

    rng = np.random.default_rng(derive(random_seed, k, "draw"))
    numbers = entity_of_row(distribution, rows)
    ranks = rng.choice(eligible, size=count_entities(distribution, rows), replace=False)
    return rng.permutation(ranks[numbers])

"""How many entities a period has, how often each occurs, and which existing ones are sampled."""

from math import ceil
from typing import TYPE_CHECKING

from series_assets.core.plan.seeds import derive
from series_assets.core.spec.frequency_distribution import Distribution

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def entities_by_frequency(distribution: Distribution, rows: int) -> list[tuple[int, int]]:
    """Return pairs of a frequency and the number of entities with it.

    Exhibit rounds each number up and cuts surplus rows from the end.
    """
    return [(frequency, ceil(rows * float(share) / frequency)) for frequency, share in distribution]


def allocated_entities(distribution: Distribution, rows: int) -> int:
    """Return the number of entities that Exhibit generates before it cuts surplus rows."""
    return sum(count for _, count in entities_by_frequency(distribution, rows)) if rows else 0


def entity_of_row(distribution: Distribution, rows: int) -> "NDArray[np.int64]":
    """Return the number of each row's entity, from 0 without gaps, in Exhibit's own order."""
    import numpy as np

    blocks, first = [np.empty(0, dtype=np.int64)], 0
    for frequency, count in entities_by_frequency(distribution, rows):
        blocks.append(np.tile(np.arange(first, first + count), frequency))
        first += count
    return np.concatenate(blocks)[:rows]


def count_entities(distribution: Distribution, rows: int) -> int:
    """Return the number of different entities in ``rows`` rows."""
    found, left = 0, rows
    for frequency, count in entities_by_frequency(distribution, rows):
        found += min(count, left)  # a block repeats its sequence of entities
        left = max(left - frequency * count, 0)
    return found


def sample_ranks(
    distribution: Distribution, rows: int, eligible: int, random_seed: int, *place: int
) -> "NDArray[np.int64]":
    """Return the rank of the entity of each existing row of a run (section 5.1, 5.2).

    Ranks are those of the ``eligible`` entities, from 0, of which there must be at least
    ``count_entities(distribution, rows)``. Entities are sampled uniformly without replacement, then
    repeated by frequency and shuffled. ``place`` is that of the run, see ``RunNumber``.
    """
    import numpy as np

    rng = np.random.default_rng(derive(random_seed, *place, "draw"))
    numbers = entity_of_row(distribution, rows)
    ranks = rng.choice(eligible, size=count_entities(distribution, rows), replace=False)
    return rng.permutation(ranks[numbers])

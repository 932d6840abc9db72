"""Entities: how many a period holds, how often each occurs, and which ones are drawn.

Pure arithmetic on integers; the identifiers themselves are made in the engine, and where the
entities so far are kept is the business of ``storage``.
"""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from series_assets.core.errors import UnusableError
from series_assets.core.plan.seeds import derive

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Distribution = tuple[tuple[int, float], ...]
"""Pairs of a frequency (rows an entity has in a period) and its share of the rows; shares sum
to 1."""
_MOST = 1_000_000
"""The largest frequency and the largest share that a row of a distribution may give."""


def parse_distribution(rows: Sequence[str]) -> Distribution:
    """Return what a ``frequency_distribution`` says; its first row is the header.

    Raises UnusableError with half a sentence that follows the name of the key.
    """
    pairs = []
    if not rows or [cell.strip() for cell in rows[0].split("|")] != [
        "frequency",
        "probability_vector",
    ]:
        raise UnusableError("has no header row 'frequency | probability_vector'")
    for row in rows[1:]:
        try:
            frequency, share = row.split("|")
            pairs.append((int(frequency), float(share)))
        except ValueError:
            raise UnusableError(f"has a row '{row.strip()}' that is not like '1 | 1.0'") from None
        if pairs[-1][0] < 1 or not 0 <= pairs[-1][1] < float("inf"):
            raise UnusableError(f"has a row '{row.strip()}'", "frequencies start at 1, shares at 0")
        if pairs[-1][0] > _MOST or pairs[-1][1] > _MOST:
            raise UnusableError(
                f"has a row '{row.strip()}'", f"frequencies and shares are {_MOST} at the most"
            )
    total = _numpy_sum([share for _, share in pairs])
    if total <= 0:
        raise UnusableError("has no row with a share above 0")
    return tuple((frequency, share / total) for frequency, share in pairs)


def _numpy_sum(shares: Sequence[float]) -> float:
    import numpy as np

    return float(np.array(shares, dtype=float).sum()) if shares else 0.0


def allotment(distribution: Distribution, rows: int) -> list[tuple[int, int]]:
    """Return pairs of a frequency and how many entities Exhibit makes with it for ``rows``.

    Exhibit rounds each number up and cuts what is too much from the end.
    """
    return [(frequency, ceil(rows * float(share) / frequency)) for frequency, share in distribution]


def allotted(distribution: Distribution, rows: int) -> int:
    """Return how many entities Exhibit makes for so many rows, before it cuts any."""
    return sum(count for _, count in allotment(distribution, rows)) if rows else 0


def entity_of_row(distribution: Distribution, rows: int) -> "NDArray[np.int64]":
    """Return for each of ``rows`` rows the number of its entity, from 0, as Exhibit lays them out.

    Shape ``(rows,)``; the numbers that occur have no gaps. Not shuffled.
    """
    import numpy as np

    blocks, first = [np.empty(0, dtype=np.int64)], 0
    for frequency, count in allotment(distribution, rows):
        blocks.append(np.tile(np.arange(first, first + count), frequency))
        first += count
    return np.concatenate(blocks)[:rows]


def present(distribution: Distribution, rows: int) -> int:
    """Return how many different entities ``rows`` rows hold."""
    found, left = 0, rows
    for frequency, count in allotment(distribution, rows):
        found += min(count, left)  # a block has each of its entities once, then again
        left = max(left - frequency * count, 0)
    return found


def draw(
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
    ranks = rng.choice(eligible, size=present(distribution, rows), replace=False)
    return rng.permutation(ranks[numbers])

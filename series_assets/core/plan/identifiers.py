"""Identifiers of new records, unique across periods without looking at other periods (4.3).

A ``uuid`` column has the values that Exhibit 0.9.9 generates for the same seed, row by row. A
``range`` column has Exhibit's numbers, offset by those of earlier periods. A ``pseudo_chi`` column
keeps Exhibit's format, but takes consecutive numbers of a fixed shuffle of all such numbers, so
that it is reproducible and no two periods share one. Linked columns share one order of entities.
"""

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from series_assets.core.plan.sampling import allocated_entities, entity_of_row
from series_assets.core.plan.seeds import derive
from series_assets.core.spec.frequency_distribution import Distribution

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_DAYS, _YEARS, _SERIALS = 32, 80, 10_000
PSEUDO_CHIS = _DAYS * _YEARS * _SERIALS
"""The number of different pseudo CHI numbers: a day, the month 13, a year, four digits."""


@dataclass(frozen=True)
class IdentifierPlan:
    """How to generate one uuid column of one period."""

    column: str
    kind: str
    """``uuid``, ``pseudo_chi`` or ``range``."""
    seed: int
    """Seed of this period, for uuid values, missing values and the order of a ``range``."""
    order_seed: int
    """Seed of the order of rows, shared by linked columns."""
    series_seed: int
    """Seed shared by all periods, for the order of pseudo CHI numbers."""
    distribution: Distribution
    miss_probability: float
    issued: int
    """The number of identifiers allocated to earlier periods, before truncation and blanks."""


def generate(plan: IdentifierPlan, rows: int) -> "pd.Series[Any]":
    """Return the column: text, or int for a ``range``, None where missing."""
    import numpy as np
    import pandas as pd

    rng = random.Random(plan.seed)
    # A missing identifier has the number −1, which selects the None.
    values = [*_values(plan, allocated_entities(plan.distribution, rows), rng), None]
    data = np.array(values, dtype=object)[identifier_of_row(plan, rows, rng)]
    return pd.Series(data, name=plan.column, dtype=object)


def identifier_of_row(plan: IdentifierPlan, rows: int, rng: random.Random) -> "NDArray[np.int64]":
    """Return the number of each row's identifier, −1 if it is missing.

    ``rng`` is the column's generator after it has generated the identifiers.
    """
    import numpy as np

    numbers = entity_of_row(plan.distribution, rows)
    if plan.miss_probability:
        numbers[_uniform(rng, rows) < plan.miss_probability] = -1
    return numbers[np.random.RandomState(plan.order_seed).permutation(rows)]


def _values(plan: IdentifierPlan, count: int, rng: random.Random) -> list[Any]:
    """Return ``count`` different identifiers, advancing ``rng`` as Exhibit does."""
    if plan.kind == "uuid":
        return texts_of(uuids(rng, count))
    if plan.kind == "range":
        numbers = list(range(count))
        rng.shuffle(numbers)
        return [plan.issued + number for number in numbers]
    return pseudo_chis(plan.series_seed, plan.issued, count)


def _words(rng: random.Random, count: int) -> "NDArray[np.uint32]":
    """Return the next ``count`` 32-bit words of a Python generator, and advance it.

    numpy has the same generator (MT19937), which returns all words at once.
    """
    import numpy as np

    version, (*key, place), gauss = rng.getstate()
    generator = np.random.MT19937()
    generator.state = {
        "bit_generator": "MT19937",
        "state": {"key": np.array(key, dtype=np.uint32), "pos": place},
    }
    words = generator.random_raw(count).astype(np.uint32)
    state = generator.state["state"]
    rng.setstate((version, (*state["key"].tolist(), state["pos"]), gauss))
    return words


def uuids(rng: random.Random, count: int) -> "NDArray[np.uint32]":
    """Return ``count`` results of ``uuid.UUID(int=rng.getrandbits(128), version=4)``.

    Shape ``(count, 4)``, big-endian words, for ``texts_of``. ``getrandbits`` fills the lowest word
    first; variant and version are bits of the second and third word.
    """
    words = _words(rng, 4 * count).reshape(count, 4)
    words[:, 1] = words[:, 1] & 0x3FFF_FFFF | 0x8000_0000
    words[:, 2] = words[:, 2] & 0xFFFF_0FFF | 0x0000_4000
    return words[:, ::-1].astype(">u4")


def texts_of(words: "NDArray[np.uint32]") -> list[str]:
    """Return the hexadecimal digits of each uuid."""
    return _split(words.tobytes().hex(), 32)


def _split(text: str, size: int) -> list[str]:
    return [text[begin : begin + size] for begin in range(0, len(text), size)]


def _uniform(rng: random.Random, count: int) -> "NDArray[np.float64]":
    """Return ``count`` results of ``rng.random()``: 27 bits of a word and 26 of the next."""
    import numpy as np

    high, low = _words(rng, 2 * count).reshape(count, 2).astype(np.float64).T
    uniform: NDArray[np.float64] = (np.floor(high / 2**5) * 2**26 + np.floor(low / 2**6)) / 2**53
    return uniform


def pseudo_chis(seed: int, first: int, count: int) -> list[str]:
    """Return ``count`` pseudo CHI numbers, from position ``first`` of the seed's shuffle.

    Ten digits: a day from 00 to 31, ``13``, a year from 20 to 99, four digits.
    """
    import numpy as np

    places = _shuffled(np.arange(first, first + count, dtype=np.uint64), seed)
    day, rest = np.divmod(places, np.uint64(_YEARS * _SERIALS))
    year, serial = np.divmod(rest, np.uint64(_SERIALS))
    numbers = day * np.uint64(10**8) + np.uint64(13 * 10**6 + 20 * 10**4)
    numbers += year * np.uint64(10**4) + serial
    digits = np.empty((count, 10), dtype=np.uint8)
    for place in range(9, -1, -1):
        numbers, digits[:, place] = np.divmod(numbers, np.uint64(10))
    digits += ord("0")
    return _split(digits.tobytes().decode("ascii"), 10)


def _shuffled(places: "NDArray[np.uint64]", seed: int) -> "NDArray[np.uint64]":
    """Return each position under a keyed permutation of all pseudo CHI numbers.

    A Feistel network on two unequal halves, whose rounds are invertible.
    """
    import numpy as np

    left_size, right_size = 8192, 3125
    assert left_size * right_size == PSEUDO_CHIS
    left, right = np.divmod(places, np.uint64(right_size))
    for turn in range(4):
        left = (left + _mixed(right, derive(seed, "chi", turn, "left"))) % np.uint64(left_size)
        right = (right + _mixed(left, derive(seed, "chi", turn, "right"))) % np.uint64(right_size)
    shuffled: NDArray[np.uint64] = left * np.uint64(right_size) + right
    return shuffled


def _mixed(numbers: "NDArray[np.uint64]", key: int) -> "NDArray[np.uint64]":
    import numpy as np

    mixed = (numbers + np.uint64(key)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed >> np.uint64(32)


def count_identified_entities(first: IdentifierPlan, rows: int) -> int:
    """Return the number of different identifiers in ``rows`` new records."""
    return int(generate(first, rows).nunique())


def linked_in(columns: Iterable[str], linked: Collection[str]) -> tuple[str, ...]:
    """Return the uuid columns that are linked one to one, in the order of the metadata."""
    found = tuple(column for column in columns if column in linked)
    return found if len(found) > 1 else ()

"""Seeds, derived from the specification's own seed and the period, never advanced.

With several shards each shard of a period is a run of its own, and has seeds of its own.
"""

from dataclasses import dataclass
from hashlib import blake2b

LIMIT = 2**32
"""One more than the largest seed that numpy and pandas take."""


def derive(*parts: object) -> int:
    """Return a seed below 2**32 that depends on the parts alone, the same on every machine."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big")


@dataclass(frozen=True)
class RunNumber:
    """Which of the runs of a series a run is: its period and, with several shards, its shard."""

    k: int
    shard: int = 0
    shards: int = 1

    @property
    def index(self) -> int:
        """The number that is added to the specification's own seeds, different for all runs."""
        return self.k * self.shards + self.shard

    def of_key(self, key: str) -> str:
        """Return a period's key for messages: with several shards, the shard is named too."""
        return key if self.shards == 1 else f"{key}, shard {self.shard + 1} of {self.shards}"

    @property
    def place(self) -> tuple[int, ...]:
        """What other seeds are derived from: the period and, with several shards, the shard."""
        return (self.k,) if self.shards == 1 else (self.k, self.shard)


def existing_seed(random_seed: int, run: RunNumber) -> int:
    """Return the seed of a run's existing records, never that of its new ones (5.4)."""
    seed = derive(random_seed, *run.place, "existing")
    return seed ^ 1 if seed == random_seed + run.index else seed

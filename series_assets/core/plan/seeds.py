"""Seeds, derived from the specification's own seed and the period, never advanced."""

from hashlib import blake2b

LIMIT = 2**32
"""One more than the largest seed that numpy and pandas take."""


def derive(*parts: object) -> int:
    """Return a seed below 2**32 that depends on the parts alone, the same on every machine."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big")


def existing_seed(random_seed: int, k: int) -> int:
    """Return the seed of period ``k``'s existing records, never that of its new ones (5.4)."""
    seed = derive(random_seed, k, "existing")
    return seed ^ 1 if seed == random_seed + k else seed

"""How often an entity occurs in a period: the ``frequency_distribution`` of a uuid column."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from series_assets.core.errors import InvalidValueError

Distribution = tuple[tuple[int, float], ...]
"""Pairs of a frequency (rows of an entity in a period) and its share of the rows; they sum to 1."""
_MAX = 1_000_000
"""Of frequencies and shares."""


def parse_distribution(rows: Sequence[str]) -> Distribution:
    """Return a parsed ``frequency_distribution``; its first row is the header.

    Raises InvalidValueError.
    """
    pairs = []
    header = [cell.strip() for cell in rows[0].split("|")] if rows else []
    if header != ["frequency", "probability_vector"]:
        raise InvalidValueError("has no header row 'frequency | probability_vector'")
    for row in rows[1:]:
        try:
            frequency, share = row.split("|")
            pairs.append((int(frequency), float(share)))
        except ValueError:
            raise InvalidValueError(
                f"has a row '{row.strip()}' that is not like '1 | 1.0'"
            ) from None
        if pairs[-1][0] < 1 or not 0 <= pairs[-1][1] < float("inf"):
            raise InvalidValueError(
                f"has a row '{row.strip()}'", "frequencies start at 1, shares at 0"
            )
        if pairs[-1][0] > _MAX or pairs[-1][1] > _MAX:
            raise InvalidValueError(
                f"has a row '{row.strip()}'", f"frequencies and shares are {_MAX} at the most"
            )
    total = _numpy_sum([share for _, share in pairs])
    if total <= 0:
        raise InvalidValueError("has no row with a share above 0")
    return tuple((frequency, share / total) for frequency, share in pairs)


def _numpy_sum(shares: Sequence[float]) -> float:
    """Return the sum that numpy gives, to the last digit."""
    if len(shares) < 8:  # numpy adds these one by one, too, and takes long to import
        return reduce(add, shares, 0.0)
    import numpy as np

    return float(np.array(shares, dtype=float).sum())

"""Names of columns, and choices among them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Draw = st.DrawFn


Content = dict[str, Any]


NAMES = {
    "uuid": ["id", "record chi", "id number"],
    "categorical": ["sex", "region", "sex at birth", "ward", "Ward name", "code", "amount band"],
    "continuous": ["amount", "height", "amount paid", "id count"],
    "date": ["date", "date updated", "birth", "birth_date"],
    "derived": ["total", "age in days", "date_part", "share of sex"],
}
"""Names of columns by type; many of them contain another name."""


@dataclass
class Names:
    """The columns of a specification by type, in the order in which they are generated."""

    uuid: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    continuous: list[str] = field(default_factory=list)
    date: list[str] = field(default_factory=list)
    geospatial: list[str] = field(default_factory=list)
    derived: list[str] = field(default_factory=list)

    @property
    def every(self) -> list[str]:
        """All columns, derived ones last."""
        own = [*self.uuid, *self.categorical, *self.continuous, *self.date]
        return [*own, *self.geospatial, *self.derived]


def some(names: Sequence[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[list[Any]]:
    """Return a strategy for lists of distinct names."""
    if not names:
        return st.just([])
    return st.lists(
        st.sampled_from(list(names)), unique=True, min_size=least, max_size=min(most, len(names))
    )


def rarely(draw: Draw, outcomes: int = 8) -> bool:
    """Draw a condition that is true once in ``outcomes`` times."""
    return draw(st.integers(0, outcomes - 1)) == outcomes - 1


def escaped(name: str) -> str:
    """Return a name as constraints and filters write it."""
    return f"~{name}~" if " " in name else name

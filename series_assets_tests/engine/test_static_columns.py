"""All rows of a new entity have the static columns of its first row."""

import pandas as pd
import pytest

from series_assets.engine.static_columns import StaticValues


@pytest.mark.parametrize("kind", ["object", "category"])
@pytest.mark.parametrize(
    ("identifiers", "first"),
    [
        (["a", "b", "a"], [0, 1, 0]),
        ([None, "a", "a"], [0, 1, 1]),
        (["a", None, "b", None, "b", "a"], [0, 1, 2, 3, 2, 0]),
        ([None, None], [0, 1]),
        ([], []),
    ],
)
def test_the_first_row_of_an_entity(
    identifiers: list[str | None], first: list[int], kind: str
) -> None:
    """Rows without an identifier have no first row but themselves."""
    found = StaticValues.first_rows(pd.Series(identifiers, dtype=object).astype(kind))
    assert found.tolist() == first

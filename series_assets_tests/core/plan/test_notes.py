"""Notes on valid series."""

from typing import Any

import pytest

from series_assets.core.plan.notes import notes_of
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_uuid, with_columns

SEVERAL = ["frequency | probability_vector", "1 | 0.5", "3 | 0.5"]
STATIC = {"static_columns": ["sex", "chi"]}


def with_a_second_identifier(**more: Any) -> dict[str, Any]:
    """Return a specification whose entities have two identifiers."""
    return with_columns(
        a_specification(), id=a_uuid(**more), chi=a_uuid("pseudo_chi", uuid_seed=9, **more)
    )


def test_a_static_identifier_has_no_effect() -> None:
    """It is generated row by row, and only the one of an entity's first row comes again."""
    specification = with_a_second_identifier(frequency_distribution=SEVERAL)
    assert list(notes_of(a_series(specification, a_user_input(**STATIC)))) == [
        "demo/user_input.yml: static_columns names 'chi', an identifier that is not linked with "
        "'id': a new entity with several rows has several of it, of which only the first comes "
        "again; set linked_columns to [id, chi] to give each entity one"
    ]


@pytest.mark.parametrize(
    ("keys", "more"),
    [
        (STATIC | {"linked_columns": ["id", "chi"]}, {"frequency_distribution": SEVERAL}),
        ({"static_columns": ["sex", "id"]}, {"frequency_distribution": SEVERAL}),
        (STATIC, {}),
    ],
)
def test_an_identifier_that_an_entity_has_one_of_needs_no_note(
    keys: dict[str, Any], more: dict[str, Any]
) -> None:
    """Because it is linked, is the first one, or no entity has several rows."""
    series = a_series(with_a_second_identifier(**more), a_user_input(**keys))
    assert list(notes_of(series)) == []

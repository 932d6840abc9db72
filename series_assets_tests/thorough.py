"""Which tests a usual run leaves out, because they add little to the others.

Two markers select them. ``thorough`` is for a test, or a case of one, that only
``HYPOTHESIS_PROFILE=long`` runs. ``each_value`` is for a test with several parameters: a usual run
has as few combinations as needed for each value to occur.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def thorough(*cases: Any) -> list[Any]:
    """Return cases of a parameter, or tuples of several, that only the long profile runs."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.thorough)
        for case in cases
    ]


def mostly_thorough(cases: Iterable[str], *usual: str) -> list[Any]:
    """Return cases of a parameter by name, of which a usual run has only the given ones."""
    cases = list(cases)
    assert set(usual) <= set(cases)
    return [*usual, *thorough(*(case for case in cases if case not in usual))]


def left_out(items: Sequence[pytest.Item]) -> set[pytest.Item]:
    """Return the tests that a usual run leaves out."""
    spared = {item for item in items if item.get_closest_marker("thorough")}
    combined: dict[tuple[Any, ...], list[pytest.Item]] = {}
    for item in items:
        if item not in spared and item.get_closest_marker("each_value"):
            test = (item.path, getattr(item, "cls", None), getattr(item, "originalname", item.name))
            combined.setdefault(test, []).append(item)
    for cases in combined.values():
        values = [getattr(case, "callspec").params for case in cases]  # noqa: B009
        # By identity: values need not be hashable, and all cases share the same objects.
        chosen = covering([{(name, id(one)) for name, one in each.items()} for each in values])
        spared |= {case for place, case in enumerate(cases) if place not in chosen}
    return spared


def covering(cases: Sequence[Iterable[Any]]) -> set[int]:
    """Return the positions of few cases that together contain every value of all cases."""
    sets = [set(case) for case in cases]
    missing = set().union(*sets)
    chosen = set()
    while missing:
        best = max(range(len(sets)), key=lambda place: len(sets[place] & missing))
        chosen.add(best)
        missing -= sets[best]
    return chosen

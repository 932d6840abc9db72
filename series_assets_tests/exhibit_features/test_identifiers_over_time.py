"""Identifiers stay unique over hundreds of periods of thousands of rows, in any order."""

import re
from random import Random
from typing import Any

import pytest

from series_assets.core.plan.identifiers import generate
from series_assets.core.plan.series import Series
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_uuid, with_columns

PERIODS = 300
OFTEN = ["frequency | probability_vector", "1 | 0.5", "2 | 0.3", "5 | 0.2"]
ONCE = [OFTEN[0], "1 | 1.0"]
FORMS = {
    "uuid": re.compile(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}"),
    "pseudo_chi": re.compile(r"([0-2]\d|3[01])13[2-9]\d{5}"),
    "range": re.compile(r"0|[1-9]\d*"),
}


def long_series(
    frequencies: list[str], missing: float, linked: bool, kinds: tuple[str, ...]
) -> Series:
    """Return a series of many large periods with an identifier of each kind."""
    specification = a_specification(number_of_rows=5000)
    columns = {
        kind: a_uuid(
            kind,
            uuid_seed=1_000_000 * place,
            frequency_distribution=frequencies,
            miss_probability=missing,
        )
        for place, kind in enumerate(kinds)
    }
    del specification["columns"]["id"]
    specification["metadata"]["uuid_columns"] = []
    inputs: dict[str, Any] = {"linked_columns": list(kinds)} if linked else {}
    return a_series(
        with_columns(specification, **columns),
        a_user_input(num_datasets=PERIODS, fraction_of_new="1", **inputs),
    )


@pytest.mark.each_value
@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize(("frequencies", "missing"), [(ONCE, 0.0), (OFTEN, 0.1)])
def test_no_identifier_is_issued_twice(kind: str, frequencies: list[str], missing: float) -> None:
    """In 300 periods of 5,000 rows, generated in any order, no identifier is issued twice."""
    series = long_series(frequencies, missing, False, (kind,))
    order = list(range(PERIODS))
    Random(7).shuffle(order)
    seen: set[Any] = set()
    for k in order:
        generated = generate(series.identifier_plans(k)[0], 5000)
        assert 0 <= generated.isna().mean() <= missing * 1.5
        values = set(generated.dropna())
        assert not values & seen
        seen |= values
        assert FORMS[kind].fullmatch(str(next(iter(values))))
    assert len(seen) > PERIODS * 2000


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_linked_identifiers_stay_one_to_one(missing: float) -> None:
    """An entity has one identifier of each kind, and each identifier belongs to one entity."""
    series = long_series(OFTEN, missing, True, tuple(FORMS))
    for k in range(0, PERIODS, 20):
        first, *others = (generate(plan, 5000) for plan in series.identifier_plans(k))
        for other in others:
            known = first.notna() & other.notna()
            pairs = set(zip(first[known], other[known], strict=True))
            assert len(pairs) == first[known].nunique() == other[known].nunique()


def test_identifiers_that_are_not_linked_are_shuffled_apart() -> None:
    """Without a link, the rows of one identifier have various values of the other."""
    series = long_series(OFTEN, 0.0, False, tuple(FORMS))
    first, second, _ = (generate(plan, 5000) for plan in series.identifier_plans(1))
    assert len(set(zip(first, second, strict=True))) > 1.3 * first.nunique()


@pytest.mark.parametrize("kind", FORMS)
def test_two_columns_of_one_kind_share_nothing(kind: str) -> None:
    """Two columns with different seeds have no identifier in common."""
    specification = with_columns(
        a_specification(number_of_rows=2000),
        id=a_uuid(kind, uuid_seed=0),
        other=a_uuid(kind, uuid_seed=1_000_000),
    )
    series = a_series(specification, a_user_input(num_datasets=30, fraction_of_new="1"))
    for k in range(30):
        one, two = (generate(plan, 2000) for plan in series.identifier_plans(k))
        same = (one == two).mean()
        assert same < 0.01
        if kind == "uuid":
            assert not set(one) & set(two)

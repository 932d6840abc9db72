"""Identifiers of new records are unique without looking at other periods (section 4.3)."""

import random
import re
import uuid
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.plan.identifiers import (
    PSEUDO_CHIS,
    IdentifierPlan,
    count_identified_entities,
    generate,
    linked_in,
    pseudo_chis,
    texts_of,
    uuids,
)
from series_assets.core.plan.sampling import allocated_entities, entity_of_row
from series_assets_tests.builders import a_series, a_specification, a_user_input

KINDS = ["uuid", "pseudo_chi", "range"]


def _plan(**changes: Any) -> IdentifierPlan:
    plain = {
        "column": "id",
        "kind": "uuid",
        "seed": 0,
        "order_seed": 0,
        "series_seed": 5,
        "distribution": ((1, 1.0),),
        "miss_probability": 0.0,
        "issued": 0,
    }
    return IdentifierPlan(**(plain | changes))


def _specification(kind: str, miss_probability: float = 0.0) -> dict[str, Any]:
    specification = a_specification(number_of_rows=12)
    specification["columns"]["id"] |= {
        "anonymising_set": kind,
        "miss_probability": miss_probability,
        "frequency_distribution": ["frequency | probability_vector", "1 | 0.6", "2 | 0.4"],
    }
    return specification


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("miss_probability", [0.0, 0.3])
def test_no_identifier_is_issued_twice(kind: str, miss_probability: float) -> None:
    """No identifier of a period occurs in any other, over hundreds of periods."""
    series = a_series(
        _specification(kind, miss_probability),
        a_user_input(num_datasets=400, fraction_of_new="1/2"),
    )
    seen: set[Any] = set()
    for k in range(400):
        new, _ = series.counts(k)
        values = set(generate(series.identifier_plans(k)[0], new).dropna())
        assert not values & seen
        seen |= values


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_periods_does_not_matter(kind: str) -> None:
    """The identifiers of a period do not depend on which were generated before."""
    series = a_series(_specification(kind), a_user_input(num_datasets=9))
    late = generate(series.identifier_plans(8)[0], 4).tolist()
    for k in range(8):
        generate(series.identifier_plans(k)[0], 4)
    assert generate(series.identifier_plans(8)[0], 4).tolist() == late


@pytest.mark.parametrize("kind", KINDS)
def test_an_entity_has_the_rows_of_its_frequency(kind: str) -> None:
    """An identifier occurs as often as its frequency says."""
    distribution = ((1, 0.5), (3, 0.5))
    values = generate(_plan(kind=kind, distribution=distribution), 30)
    expected = sorted(map(entity_of_row(distribution, 30).tolist().count, range(20)))
    assert sorted(values.value_counts().tolist()) == expected


def test_uuids_are_those_that_the_seed_gives() -> None:
    """A uuid column has version 4 uuids of the seeded generator, one per entity."""
    rng = random.Random(11)
    expected = [uuid.UUID(int=rng.getrandbits(128), version=4).hex for _ in range(25)]
    assert sorted(generate(_plan(seed=11), 25)) == sorted(expected)


@given(seed=st.integers(0, 2**70), before=st.integers(0, 700), count=st.integers(1, 200))
def test_uuids_go_on_from_where_a_generator_stands(seed: int, before: int, count: int) -> None:
    """And leave it where single draws would."""
    generator, again = random.Random(seed), random.Random(seed)
    for one in (generator, again):
        for _ in range(before):
            one.random()
    found = texts_of(uuids(generator, count))
    assert found == [uuid.UUID(int=again.getrandbits(128), version=4).hex for _ in range(count)]
    assert generator.random() == again.random()


@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 2**32 - 1),
    order_seed=st.integers(0, 2**32 - 1),
    distribution=st.sampled_from([((1, 1.0),), ((1, 0.5), (2, 0.3), (3, 0.2)), ((4, 1.0),)]),
    miss_probability=st.sampled_from([0, 0.0, 0.3, 1.0]),
    rows=st.sampled_from([1, 2, 77, 156, 312, 1000]),
)
def test_a_column_equals_repeated_calls_of_the_generators(
    kind: str,
    seed: int,
    order_seed: int,
    distribution: Any,
    miss_probability: float,
    rows: int,
) -> None:
    """All at once come the values, the blanks and the order that single draws would give."""
    rng = random.Random(seed)
    count = allocated_entities(distribution, rows)
    if kind == "uuid":
        values: list[Any] = [
            uuid.UUID(int=rng.getrandbits(128), version=4).hex for _ in range(count)
        ]
    elif kind == "range":
        values = list(range(count))
        rng.shuffle(values)
    else:
        values = [pseudo_chis(5, place, 1)[0] for place in range(count)]
    of_row = [values[number] for number in entity_of_row(distribution, rows)]
    blanked = [None if rng.random() < miss_probability else value for value in of_row]
    expected = pd.Series(blanked, dtype=object).sample(frac=1, random_state=order_seed)

    plan = _plan(
        kind=kind,
        seed=seed,
        order_seed=order_seed,
        distribution=distribution,
        miss_probability=miss_probability,
    )
    assert generate(plan, rows).tolist() == expected.tolist()


def test_pseudo_chis_are_always_the_same() -> None:
    """The permutation never changes, so that no issued number is issued again."""
    assert pseudo_chis(5, 0, 3) == ["0613309602", "2413784763", "0613969834"]
    assert pseudo_chis(5, PSEUDO_CHIS - 2, 2) == ["2413401726", "2213524669"]


def test_a_range_goes_on_where_the_periods_before_ended() -> None:
    """A range continues after the last issued number, without repetitions."""
    assert sorted(generate(_plan(kind="range", issued=100), 10)) == list(range(100, 110))


def test_a_pseudo_chi_keeps_its_format() -> None:
    """A pseudo CHI has ten digits: a day up to 31, month 13, a year from 20, four digits."""
    for value in generate(_plan(kind="pseudo_chi"), 500):
        assert re.fullmatch(r"([0-2]\d|3[01])13[2-9]\d{5}", value)


@given(seed=st.integers(0, 2**32 - 1), first=st.integers(0, PSEUDO_CHIS - 300))
def test_two_stretches_of_pseudo_chis_share_none(seed: int, first: int) -> None:
    """Neighbouring stretches of the shuffle are the same as one long one, without repeats."""
    whole = pseudo_chis(seed, first, 300)
    assert whole == pseudo_chis(seed, first, 100) + pseudo_chis(seed, first + 100, 200)
    assert len(set(whole)) == 300


def test_the_last_pseudo_chi_exists() -> None:
    """The permutation ends with the last number, which it does not repeat."""
    end = pseudo_chis(3, PSEUDO_CHIS - 1000, 1000)
    assert len({*end, *pseudo_chis(3, 0, 1000)}) == 2000


def test_columns_of_pseudo_chis_differ() -> None:
    """Different seeds give different orders of the numbers."""
    assert pseudo_chis(1, 0, 50) != pseudo_chis(2, 0, 50)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_identifiers_are_missing(kind: str) -> None:
    """About as many are missing as the probability says; the others are unchanged."""
    whole = generate(_plan(kind=kind), 1000)
    some = generate(_plan(kind=kind, miss_probability=0.25), 1000)
    assert 200 < some.isna().sum() < 300
    assert all(a == b for a, b in zip(some, whole, strict=True) if b is not None and a is not None)


def test_linked_columns_share_the_order_of_entities() -> None:
    """Columns with one order seed and one distribution match row by row."""
    distribution = ((1, 0.5), (2, 0.5))
    one = generate(_plan(seed=1, order_seed=9, distribution=distribution), 60)
    two = generate(_plan(kind="pseudo_chi", seed=2, order_seed=9, distribution=distribution), 60)
    assert len(set(zip(one, two, strict=True))) == one.nunique() == two.nunique()


def test_known_entities_count_what_is_there() -> None:
    """Known entities are the distinct identifiers of the rows that are kept."""
    assert count_identified_entities(_plan(), 40) == 40
    assert count_identified_entities(_plan(), 10) == 10
    assert count_identified_entities(_plan(miss_probability=1.0), 40) == 0
    blanked = _plan(miss_probability=0.5)
    assert count_identified_entities(blanked, 40) == generate(blanked, 40).notna().sum()


def test_a_link_needs_two_identifiers() -> None:
    """Two or more uuid columns are linked, in the order of the metadata."""
    assert linked_in(["a", "b", "c"], ["c", "a", "sex"]) == ("a", "c")
    assert linked_in(["a", "b"], ["b", "sex"]) == ()
    assert linked_in(["a", "b"], []) == ()


@pytest.mark.parametrize("kind", ["range", "pseudo_chi"])
def test_stretches_of_periods_do_not_overlap(kind: str) -> None:
    """A period starts after the identifiers of the one before."""
    series = a_series(_specification(kind), a_user_input(num_datasets=30))
    for k, (one, two) in enumerate(pairwise(series.identifier_plans(k)[0] for k in range(30))):
        assert two.issued >= one.issued + generate(one, series.counts(k)[0]).nunique()

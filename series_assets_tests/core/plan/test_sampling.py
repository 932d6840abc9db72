"""How often an entity occurs, and which entities are sampled (contract, sections 5.1 and 5.2)."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.plan.sampling import (
    allocated_entities,
    count_entities,
    entities_by_frequency,
    entity_of_row,
    sample_ranks,
)
from series_assets.core.spec.frequency_distribution import Distribution, parse_distribution

ONCE: Distribution = ((1, 1.0),)
HEADER = "frequency | probability_vector"


def _distribution(shares: dict[int, float]) -> Distribution:
    return parse_distribution([HEADER, *(f"{n} | {share}" for n, share in shares.items())])


DISTRIBUTIONS = st.dictionaries(st.integers(1, 9), st.floats(0.01, 1), min_size=1, max_size=4).map(
    _distribution
)
ROWS = st.integers(1, 400)


def test_shares_add_up_to_one() -> None:
    """Shares are relative: 2 and 6 mean a quarter and three quarters."""
    assert _distribution({1: 2, 3: 6}) == ((1, 0.25), (3, 0.75))


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (["1 | 1.0"], "has no header row 'frequency | probability_vector'"),
        ([HEADER, "once | 1.0"], "has a row 'once | 1.0' that is not like '1 | 1.0'"),
        ([HEADER, "1 | 0.5 | 2"], "has a row '1 | 0.5 | 2' that is not like '1 | 1.0'"),
        ([HEADER, "0 | 1.0"], "has a row '0 | 1.0'; frequencies start at 1, shares at 0"),
        ([HEADER, "1 | -1"], "has a row '1 | -1'; frequencies start at 1, shares at 0"),
        ([HEADER, "1 | nan"], "has a row '1 | nan'; frequencies start at 1, shares at 0"),
        ([HEADER, "1 | inf"], "has a row '1 | inf'; frequencies start at 1, shares at 0"),
        ([HEADER, "1 | 0"], "has no row with a share above 0"),
        ([HEADER], "has no row with a share above 0"),
    ],
)
def test_a_faulty_distribution_is_refused(rows: list[str], complaint: str) -> None:
    """The message names the row that has no frequency or share."""
    with pytest.raises(ValueError) as caught:
        parse_distribution(rows)
    assert str(caught.value) == complaint


def test_the_allotment_is_exhibits() -> None:
    """Like Exhibit, it rounds the number of entities of each frequency up."""
    assert entities_by_frequency(((1, 0.5), (2, 0.3), (3, 0.2)), 100) == [(1, 50), (2, 15), (3, 7)]
    assert allocated_entities(((1, 0.5), (2, 0.3), (3, 0.2)), 100) == 72


def test_no_rows_hold_no_entity() -> None:
    """A part without rows needs no entities and allots none."""
    assert (allocated_entities(ONCE, 0), count_entities(ONCE, 0), len(entity_of_row(ONCE, 0))) == (
        0,
        0,
        0,
    )


@given(distribution=DISTRIBUTIONS, rows=ROWS)
def test_rows_are_given_to_entities_without_gaps(distribution: Distribution, rows: int) -> None:
    """Each row has one entity, and their numbers are consecutive from 0."""
    numbers = entity_of_row(distribution, rows)
    assert len(numbers) == rows
    assert sorted(set(numbers.tolist())) == list(range(count_entities(distribution, rows)))


@given(distribution=DISTRIBUTIONS, rows=ROWS)
def test_no_entity_has_more_rows_than_a_frequency_allows(
    distribution: Distribution, rows: int
) -> None:
    """An entity never has more rows in a period than the highest frequency."""
    most = max(Counter(entity_of_row(distribution, rows).tolist()).values())
    assert most <= max(frequency for frequency, _ in distribution)


@given(distribution=DISTRIBUTIONS, rows=ROWS)
def test_no_more_entities_are_present_than_allotted(distribution: Distribution, rows: int) -> None:
    """The rows contain at most the allotted identifiers."""
    assert count_entities(distribution, rows) <= allocated_entities(distribution, rows)


@given(
    distribution=DISTRIBUTIONS,
    rows=ROWS,
    spare=st.integers(0, 50),
    seed=st.integers(0, 2**32 - 1),
    k=st.integers(1, 500),
)
def test_a_draw_fills_the_rows_with_eligible_entities(
    distribution: Distribution, rows: int, spare: int, seed: int, k: int
) -> None:
    """A sample has exactly the requested rows, with as many entities as they need."""
    eligible = count_entities(distribution, rows) + spare
    ranks = sample_ranks(distribution, rows, eligible, seed, k)
    assert len(ranks) == rows
    assert ranks.min() >= 0 and ranks.max() < eligible
    assert len(set(ranks.tolist())) == count_entities(distribution, rows)
    occurrences = Counter(Counter(entity_of_row(distribution, rows).tolist()).values())
    assert Counter(Counter(ranks.tolist()).values()) == occurrences


@given(rows=ROWS, seed=st.integers(0, 2**32 - 1), k=st.integers(1, 500))
def test_with_frequency_one_no_entity_is_sampled_twice(rows: int, seed: int, k: int) -> None:
    """Sampling is without replacement: a sample of all entities has each once."""
    assert sorted(sample_ranks(ONCE, rows, rows, seed, k).tolist()) == list(range(rows))


def test_a_draw_depends_on_seed_and_period_alone() -> None:
    """Equal seeds and periods sample the same entities, others sample others."""
    one = sample_ranks(ONCE, 40, 1000, 7, 3).tolist()
    np.random.seed(1)
    assert sample_ranks(ONCE, 40, 1000, 7, 3).tolist() == one
    assert sample_ranks(ONCE, 40, 1000, 7, 4).tolist() != one
    assert sample_ranks(ONCE, 40, 1000, 8, 3).tolist() != one


def test_every_entity_is_sampled_with_equal_chance() -> None:
    """Over many periods, old and new entities are sampled equally often.

    Each of 50 entities is expected 400 times in 1000 samples of 20, with a deviation of 15.
    """
    drawn = Counter(
        rank for k in range(1, 1001) for rank in sample_ranks(ONCE, 20, 50, 0, k).tolist()
    )
    assert len(drawn) == 50
    assert min(drawn.values()) > 400 - 5 * 16
    assert max(drawn.values()) < 400 + 5 * 16

"""Shards divide the population of a series: shares, seeds, identifiers and limits."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.errors import InputError
from series_assets.core.plan.derived_columns import looks_beyond_entity
from series_assets.core.plan.identifiers import generate
from series_assets.core.plan.seeds import LIMIT
from series_assets.core.plan.series import Series, share_of
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.plans import plan_as_dict


def sharded(shards: int, specification: dict[str, Any] | None = None, **keys: Any) -> Series:
    """Return a series of several shards."""
    return a_series(specification, a_user_input(shards=shards, **keys))


@given(st.integers(0, 500), st.integers(1, 40))
def test_shares_are_near_equal_and_the_larger_ones_come_first(rows: int, shards: int) -> None:
    """They add up to all rows."""
    shares = [share_of(rows, shards, shard) for shard in range(shards)]
    assert sum(shares) == rows
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= 1


def test_one_shard_is_the_series_without_the_key() -> None:
    """It has the same fingerprint and plans, and no parts."""
    plain, one, two = a_series(), sharded(1), sharded(2)
    assert plain.fingerprint == one.fingerprint != two.fingerprint
    assert one.parts == (one,)
    assert [plan_as_dict(one.plan(k)) for k in range(4)] == [
        plan_as_dict(plain.plan(k)) for k in range(4)
    ]


def test_no_two_runs_share_a_seed() -> None:
    """For Exhibit, sampling and shuffling; a run's seed is seed + k × S + s."""
    series = sharded(7)
    plans = [part.plan(k) for k in range(4) for part in series.parts]
    new = [plan.new.specification for plan in plans if plan.new]
    assert [one["metadata"]["random_seed"] for one in new] == list(range(28))
    assert [one["columns"]["id"]["uuid_seed"] for one in new] == list(range(28))
    existing = [plan.existing.specification for plan in plans if plan.existing]
    seeds = [one["metadata"]["random_seed"] for one in (*new, *existing)]
    assert len(set(seeds)) == len(seeds) == 28 + 21
    assert len({plan.shuffle_seed for plan in plans}) == 28


def test_the_rows_and_sums_of_a_period_are_divided() -> None:
    """A target_sum is that of the complete period, so each part has its share."""
    specification = a_specification(number_of_rows=62)
    parameters = {"dispersion": 0.1, "target_sum": 620}
    specification["columns"]["amount"]["distribution_parameters"] = parameters
    series = sharded(4, specification)
    for k in range(3):
        plans = [part.plan(k) for part in series.parts]
        for whole, name in zip(series.counts(k), ("new", "existing"), strict=True):
            parts = [part for plan in plans if (part := getattr(plan, name))]
            rows = [part.specification["metadata"]["number_of_rows"] for part in parts]
            assert sum(rows) == whole
            sums = [
                part.specification["columns"]["amount"]["distribution_parameters"]["target_sum"]
                for part in parts
            ]
            assert sums == [10 * count for count in rows]


@pytest.mark.parametrize("kind", ["uuid", "range", "pseudo_chi"])
@pytest.mark.parametrize("often", [1, 3])
def test_no_two_runs_share_an_identifier(kind: str, often: int) -> None:
    """For each kind and frequency; ranges do not overlap."""
    specification = a_specification(number_of_rows=61)
    column = specification["columns"]["id"]
    column["anonymising_set"] = kind
    column["frequency_distribution"] = ["frequency | probability_vector", f"{often} | 1.0"]
    if kind != "uuid":
        del column["uuid_seed"]
    series = sharded(5, specification)
    values: list[Any] = []
    plans = [part.identifier_plans(k)[0] for k in range(4) for part in series.parts]
    for plan, rows in zip(
        plans, (part.counts(k)[0] for k in range(4) for part in series.parts), strict=True
    ):
        values += generate(plan, rows).unique().tolist()
    assert len(set(values)) == len(values)
    assert all(a.issued < b.issued for a, b in pairwise(plans))


def test_a_plan_of_the_whole_has_no_records() -> None:
    """The plan of a complete sharded period cannot be run by mistake."""
    plan = sharded(3).plan(1)
    assert plan.new is None
    assert plan.existing is None


def test_messages_name_the_shard() -> None:
    """Counted from 1, as its files are."""
    part = sharded(3).parts[2]
    assert part.key_of(part.calendar.period(1)) == "2024-02-01, shard 3 of 3"


def _crossed(specification: dict[str, Any]) -> None:
    specification["columns"]["sex"]["cross_join_all_unique_values"] = True


def _distinct(specification: dict[str, Any]) -> None:
    specification["constraints"]["allow_duplicates"] = False


def _ranked(specification: dict[str, Any]) -> None:
    specification["derived_columns"] = {"place": "amount.rank()"}


_REFUSED: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "crossed": (
        _crossed,
        "cannot have cross-joined columns such as 'sex': each shard would have all combinations by "
        "itself; set its cross_join_all_unique_values: false, or leave shards out",
    ),
    "distinct": (
        _distinct,
        "cannot have allow_duplicates: false: duplicates in different shards would stay; set "
        "allow_duplicates: true, or leave shards out",
    ),
    "ranked": (
        _ranked,
        "cannot have the derived column 'place', whose value in a row depends on rows of other "
        "entities: it would be computed within each shard; group by 'id', or compute it where you "
        "read the data, or leave shards out",
    ),
}


@pytest.mark.parametrize(("change", "refusal"), _REFUSED.values(), ids=_REFUSED)
def test_what_is_only_right_over_all_rows_is_refused(
    change: Callable[[dict[str, Any]], None], refusal: str
) -> None:
    """With the remedy; a series of one shard may have it."""
    specification = a_specification()
    change(specification)
    sharded(1, specification)
    assert _complaints(3, specification) == [
        f"demo/user_input.yml: shards 3: the series {refusal}",
    ]


@pytest.mark.parametrize(
    ("calculation", "beyond"),
    [
        ("amount * 2", False),
        ("df.groupby('id')['amount'].sum()", False),
        ("@sysdate.year - date.dt.year", False),
        ("df.groupby(['id', 'sex'])['amount'].mean() / 2", False),
        ("df.groupby('id')['amount'].max() - df.groupby('id')['amount'].min()", False),
        ("df.groupby('id')['amount'].sum().round(1)", False),
        ("df.groupby('sex')['amount'].sum()", True),
        ("df.groupby('id')['amount'].sum() / df.groupby('sex')['amount'].sum()", True),
        ("df.groupby('id')['amount'].sum().max()", True),
        ("df.groupby('id', dropna=False)['amount'].sum()", True),
        ("amount.isin([1, 2])", False),
        ("amount.isin(height)", True),
        ("df.groupby('id')['amount'].sum().isin(height)", True),
        ("amount.rank()", True),
        ("amount.sum()", True),
        ("amount - ", True),
    ],
)
def test_what_looks_at_an_entity_alone_is_right_in_a_shard(calculation: str, beyond: bool) -> None:
    """All rows of an entity in a period are in one part."""
    assert looks_beyond_entity(calculation, "id") is beyond


def _complaints(shards: Any, specification: dict[str, Any] | None = None, **keys: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        sharded(shards, specification, **keys)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("shards", "complaint"),
    [
        (0, "0 is too small; use 1 or more"),
        (10_000, "10000 is too large; use 9999 or less"),
        ("4", "'4' is not a whole number; use 1 or more"),
        (True, "true is not a whole number; use 1 or more"),
        (41, "41 is more than a period of 60 rows can be divided into; use 40 or fewer"),
    ],
)
def test_a_number_of_shards_that_cannot_be_is_refused(shards: Any, complaint: str) -> None:
    """Every part must have rows in every period."""
    assert _complaints(shards) == [f"demo/user_input.yml: shards {complaint}"]
    sharded(40)


def test_seeds_have_room_for_all_runs() -> None:
    """A seed that is valid for one shard may be too large for several."""
    seed = LIMIT - 4
    a_series(a_specification(random_seed=seed))
    assert _complaints(2, a_specification(random_seed=seed)) == [
        f"demo/specification.yml: metadata.random_seed {seed} is too large; keep seed + periods × "
        f"shards below {LIMIT}"
    ]

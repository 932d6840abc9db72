"""Identifiers that two series have in common, and seeds that keep series apart.

A ``uuid`` column of period ``k`` is decided by ``uuid_seed + k`` alone, so two series whose seeds
lie closer together than they have periods give different entities the same identifiers. A
``pseudo_chi`` column walks through one shuffle of all such numbers, which its seed and its name
choose. A ``range`` column counts from 0 in every series, as keys of a table do, and is not looked
at here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from series_assets.core.plan.identifiers import IdentifierPlan
from series_assets.core.plan.seeds import derive
from series_assets.core.plan.series import Series

SEED_STRIDE = 1_000_000
"""How far apart the seeds of two uuid columns of a new series are."""
_MOST_COLUMNS = 1_000
_LOWEST = 1_000_000  # small seeds are those that people write by hand


def default_uuid_seed(name: str, place: int = 0) -> int:
    """Return the ``uuid_seed`` for the uuid column at ``place`` of a new series called ``name``.

    Seeds stay below 2**32 for a million periods. Columns of one series are ``SEED_STRIDE``
    apart; series of different names have seeds of their own, but for chance.
    """
    own = _LOWEST + derive(name, "uuid_seed") % 2**31
    return own + (place % _MOST_COLUMNS) * SEED_STRIDE


@dataclass(frozen=True)
class SharedIdentifiers:
    """Two uuid columns of different series that hold some of the same identifiers."""

    first: str
    first_column: str
    first_seed: int
    second: str
    second_column: str
    second_seed: int
    apart: int | None
    """How far apart the seeds have to be; None where any other seed will do."""

    def __str__(self) -> str:
        alike = self.first_seed == self.second_seed
        seeds = (
            f"uuid_seed {self.first_seed} of both"
            if alike
            else f"uuid_seed {self.first_seed} and {self.second_seed}"
        )
        remedy = f"a uuid_seed at least {self.apart} away" if self.apart else "another uuid_seed"
        return (
            f"{self.first} and {self.second} share identifiers: {self.first}.{self.first_column} "
            f"and {self.second}.{self.second_column} ({seeds}); unless their entities are meant "
            f"to be the same, give {self.second} {remedy}, such as {default_uuid_seed(self.second)}"
        )


def shared_identifiers(series: Iterable[Series]) -> tuple[SharedIdentifiers, ...]:
    """Return which columns of different series share identifiers, in the order of their seeds.

    Where more than two share them, each is named with one of those before it.
    """
    plans = [(one, plan) for one in series for plan in one.identifier_plans(0)]
    uuids = [(one, plan) for one, plan in plans if plan.kind == "uuid"]
    chis = [(one, plan) for one, plan in plans if plan.kind == "pseudo_chi"]
    return (*_of_uuids(uuids), *_of_chis(chis))


def _of_uuids(plans: Sequence[tuple[Series, IdentifierPlan]]) -> Iterator[SharedIdentifiers]:
    """Go through the ranges of seeds from the lowest up.

    A range that begins before an earlier one ends overlaps it. The two series that reach
    furthest are kept, so that there is one of another series to compare with.
    """
    furthest: dict[str, tuple[int, Series, IdentifierPlan]] = {}
    for one, plan in sorted(plans, key=lambda pair: (pair[1].seed, pair[0].name, pair[1].column)):
        others = [reach for name, reach in furthest.items() if name != one.name]
        if others:
            end, other, earlier = max(others, key=lambda reach: reach[0])
            if plan.seed < end:
                periods = max(one.calendar.count, other.calendar.count)
                yield _shared(other, earlier, one, plan, periods)
        end = plan.seed + one.calendar.count
        if one.name not in furthest or furthest[one.name][0] < end:
            furthest[one.name] = (end, one, plan)
        if len(furthest) > 2:
            del furthest[min(furthest, key=lambda name: furthest[name][0])]


def _of_chis(plans: Sequence[tuple[Series, IdentifierPlan]]) -> Iterator[SharedIdentifiers]:
    known: dict[int, tuple[Series, IdentifierPlan]] = {}
    for one, plan in plans:
        other, earlier = known.setdefault(plan.series_seed, (one, plan))
        if other.name != one.name:
            yield _shared(other, earlier, one, plan, None)


def _shared(
    one: Series, first: IdentifierPlan, other: Series, second: IdentifierPlan, apart: int | None
) -> SharedIdentifiers:
    return SharedIdentifiers(
        first=one.name,
        first_column=first.column,
        first_seed=first.seed,
        second=other.name,
        second_column=second.column,
        second_seed=second.seed,
        apart=apart,
    )

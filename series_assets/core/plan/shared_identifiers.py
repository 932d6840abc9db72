"""Detects identifiers that two series have in common, and provides seeds that avoid them.

A ``uuid`` column depends on ``uuid_seed`` and the number of the run alone, so series whose seeds
are closer than they have runs give different entities the same identifiers. A ``pseudo_chi``
column depends on its seed and its name. A ``range`` column starts at 0 in every series and is
ignored.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from series_assets.core.plan.identifiers import IdentifierPlan
from series_assets.core.plan.seeds import derive
from series_assets.core.plan.series import Series

SEED_STRIDE = 1_000_000
"""How far apart the seeds of two uuid columns of a new series are."""
_MOST_COLUMNS = 1_000
_LOWEST = 1_000_000  # smaller seeds are likely to be written by hand


def default_uuid_seed(name: str, place: int = 0) -> int:
    """Return the ``uuid_seed`` for the uuid column at ``place`` of a new series called ``name``.

    Seeds stay below 2**32 for a million periods. Columns of one series are ``SEED_STRIDE`` apart;
    the seeds of series with different names are unlikely to collide.
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
    """The minimum distance of the seeds; None if any other seed will do."""

    def __str__(self) -> str:
        same = self.first_seed == self.second_seed
        seeds = f"uuid_seed {self.first_seed} {'of both' if same else f'and {self.second_seed}'}"
        remedy = f"a uuid_seed at least {self.apart} away" if self.apart else "another uuid_seed"
        changed = self.second
        if abs(default_uuid_seed(changed) - self.first_seed) < (self.apart or 1):
            changed = self.first  # which is a copy
        return (
            f"{self.first} and {self.second} share identifiers: {self.first}.{self.first_column} "
            f"and {self.second}.{self.second_column} ({seeds}); unless their entities are meant "
            f"to be the same, give {changed} {remedy}, such as {default_uuid_seed(changed)}"
        )


def shared_identifiers(all_series: Iterable[Series]) -> tuple[SharedIdentifiers, ...]:
    """Return which columns of different series share identifiers, in the order of their seeds.

    If more than two share them, each is paired with an earlier one.
    """
    plans = [(series, plan) for series in all_series for plan in series.identifier_plans(0)]
    uuids = [(series, plan) for series, plan in plans if plan.kind == "uuid"]
    chis = [(series, plan) for series, plan in plans if plan.kind == "pseudo_chi"]
    return (*_of_uuids(uuids), *_of_chis(chis))


def _of_uuids(plans: Sequence[tuple[Series, IdentifierPlan]]) -> Iterator[SharedIdentifiers]:
    """Sweep over the ranges of seeds, sorted by start.

    The two series whose ranges end last are kept, as at least one of them is another series.
    """
    furthest: dict[str, tuple[int, Series, IdentifierPlan]] = {}
    for series, plan in sorted(
        plans, key=lambda item: (item[1].seed, item[0].name, item[1].column)
    ):
        others = [reach for name, reach in furthest.items() if name != series.name]
        if others:
            end, other, earlier = max(others, key=lambda reach: reach[0])
            if plan.seed < end:
                runs = max(series.runs, other.runs)
                yield _shared(other, earlier, series, plan, runs)
        end = plan.seed + series.runs
        if series.name not in furthest or furthest[series.name][0] < end:
            furthest[series.name] = (end, series, plan)
        if len(furthest) > 2:
            del furthest[min(furthest, key=lambda name: furthest[name][0])]


def _of_chis(plans: Sequence[tuple[Series, IdentifierPlan]]) -> Iterator[SharedIdentifiers]:
    known: dict[int, tuple[Series, IdentifierPlan]] = {}
    for series, plan in plans:
        other, earlier = known.setdefault(plan.series_seed, (series, plan))
        if other.name != series.name:
            yield _shared(other, earlier, series, plan, None)


def _shared(
    first: Series, plan: IdentifierPlan, second: Series, other: IdentifierPlan, apart: int | None
) -> SharedIdentifiers:
    return SharedIdentifiers(
        *(first.name, plan.column, plan.seed), *(second.name, other.column, other.seed), apart
    )

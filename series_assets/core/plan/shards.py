"""What a sharded series cannot have: what is right only where all rows are seen at once."""

from collections.abc import Iterator
from fractions import Fraction
from math import floor

from series_assets.core.errors import Fault, fault_at
from series_assets.core.plan.derived_columns import looks_beyond_entity
from series_assets.core.spec.specification import Specification, calculations_of
from series_assets.core.spec.user_input import UserInput

_UNSHARDED = "or leave shards out"


def shard_faults(specification: Specification, settings: UserInput) -> Iterator[Fault]:
    """Yield what a series with several shards would get wrong, as faults of the user input."""
    if settings.shards == 1:
        return
    yield from _too_many(specification, settings)
    for name, column in specification["columns"].items():
        if column.get("cross_join_all_unique_values"):
            yield _fault(
                settings,
                f"cannot have cross-joined columns such as '{name}': each shard would have all "
                "combinations by itself",
                "set its cross_join_all_unique_values: false",
            )
            break
    if not specification["constraints"]["allow_duplicates"]:
        yield _fault(
            settings,
            "cannot have allow_duplicates: false: duplicates in different shards would stay",
            "set allow_duplicates: true",
        )
    identifier = specification["metadata"]["uuid_columns"][0]
    for name, calculation in calculations_of(specification).items():
        if looks_beyond_entity(calculation, identifier):
            yield _fault(
                settings,
                f"cannot have the derived column '{name}', whose value in a row depends on rows of "
                "other entities: it would be computed within each shard",
                f"group by '{identifier}', or compute it where you read the data",
            )
            break


def _fault(settings: UserInput, problem: str, remedy: str) -> Fault:
    return fault_at("shards", f"{settings.shards}: the series {problem}", f"{remedy}, {_UNSHARDED}")


def _too_many(specification: Specification, settings: UserInput) -> Iterator[Fault]:
    """Yield that a shard would have no rows in some period."""
    rows = int(specification["metadata"]["number_of_rows"])
    counts = [rows]
    if settings.num_datasets > 1:
        new = floor(rows * Fraction(settings.fraction_of_new))
        counts.append(max(new, rows - new))
    if settings.shards > min(counts):
        yield fault_at(
            "shards",
            f"{settings.shards} is more than a period of {rows} rows can be divided into",
            f"use {min(counts)} or fewer",
        )

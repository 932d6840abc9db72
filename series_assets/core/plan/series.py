"""A series: a specification with its user input, and the plan of each period.

A plan determines everything about a period before anything runs. ``build`` validates a series,
``spec_changes`` changes specifications, ``sampling`` chooses entities.
"""

from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from math import floor
from pathlib import Path
from typing import Any

from series_assets.core.errors import RequestError, nearest
from series_assets.core.plan.calendar import Calendar, Period
from series_assets.core.plan.derived_columns import cross_row_columns, whole_columns
from series_assets.core.plan.identifiers import IdentifierPlan
from series_assets.core.plan.sampling import allocated_entities, count_entities
from series_assets.core.plan.seeds import RunNumber, derive
from series_assets.core.plan.spec_changes import (
    Removed,
    Roles,
    existing_specification,
    new_specification,
    specification_of_period,
)
from series_assets.core.plan.truth import Truth, truth_of
from series_assets.core.spec.frequency_distribution import Distribution, parse_distribution
from series_assets.core.spec.specification import (
    Specification,
    all_outputs,
    column_kinds,
    combinations,
)
from series_assets.core.spec.user_input import UserInput

BOOKKEEPING = ("reference_key", "reference_period")
"""Columns that the reference table adds to the user's."""


def share_of(rows: int, shards: int, shard: int) -> int:
    """Return how many of the rows a shard gets: near-equal shares, the larger ones first."""
    return rows // shards + (shard < rows % shards)


@dataclass(frozen=True)
class NewPart:
    """The new records of a period."""

    rows: int
    specification: Specification
    identifiers: tuple[IdentifierPlan, ...]
    static: tuple[str, ...]
    """The output columns that are the same in all rows of an entity (4.6); empty if no entity has
    several rows."""


@dataclass(frozen=True)
class ExistingPart:
    """The existing records of a period."""

    rows: int
    specification: Specification
    unmodified_specification: Specification
    """The period's specification before its changes: the source of weights and definitions."""
    removed: Removed
    distribution: Distribution
    """How many rows an entity has in the period."""

    @property
    def entities(self) -> int:
        """The number of different entities in the rows."""
        return count_entities(self.distribution, self.rows)


@dataclass(frozen=True)
class Plan:
    """The inputs of a period. A part without rows is None."""

    series: str
    period: Period
    run: RunNumber
    random_seed: int
    shuffle_seed: int
    new: NewPart | None
    existing: ExistingPart | None

    @property
    def key(self) -> str:
        """The key of the period for messages; with several shards, with the shard."""
        return self.run.of_key(self.period.key)


@dataclass(frozen=True)
class Series:
    """A checked series. ``specification`` is never changed."""

    name: str
    specification: Specification
    user_input: UserInput
    calendar: Calendar
    roles: Roles
    linked: tuple[str, ...]
    """The uuid columns that are linked one to one, in the order of the metadata."""
    fingerprint: str
    """Identifies the inputs of rows in the reference table (section 6)."""
    specification_file: str = "specification.yml"
    """Its name in messages, as that of the next."""
    user_input_file: str = "user_input.yml"
    source_files: tuple[Path, ...] = ()
    """The files that the series was read from; none of what was given in memory."""
    database: Path | None = None
    """The user's own database; None for the one in the data folder."""
    shard: int | None = None
    """The shard that this is, counted from 0; None for a series as a whole."""

    @staticmethod
    def from_files(specification: str | Path, user_input: str | Path) -> "Series":
        """Return the series of two files, named after ``metadata.id`` of the specification.

        Raises InputError with every fault of both files.
        """
        # The only import that leaves the core, for the convenience of the Python interface.
        from series_assets.storage.loading import load_series_from_files

        return load_series_from_files(Path(specification), Path(user_input))

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields without cached properties, which are cheap to compute again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def table(self) -> str:
        """The name of the reference table."""
        return f"{self.name}_reference"

    @property
    def states_table(self) -> str:
        """The name of the table of states."""
        return f"{self.name}_states"

    @property
    def first_identifier(self) -> str:
        """The column that names the entity of a row."""
        return self.roles.identifiers[0]

    @property
    def rows(self) -> int:
        """Rows of a period."""
        return int(self.specification["metadata"]["number_of_rows"])

    @cached_property
    def truth(self) -> Truth | None:
        """The history that a pipeline should end up with; None where nobody asked for it."""
        return truth_of(self.specification, self.user_input, self.roles)

    @property
    def history(self) -> Truth:
        """The ``truth`` of a series that has one."""
        assert self.truth is not None
        return self.truth

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each output column, see ``column_kinds``."""
        return column_kinds(self.specification)

    @cached_property
    def whole_columns(self) -> frozenset[str]:
        """The derived columns of whole numbers."""
        return whole_columns(self.specification)

    @cached_property
    def reference_columns(self) -> list[str]:
        """The output columns that existing records take from the reference table."""
        kept = (*self.roles.identifiers, *self.roles.static)
        return all_outputs(self.specification, kept)

    @cached_property
    def cross_row_columns(self) -> dict[str, str]:
        """The derived columns computed over the combined dataset, with their calculations."""
        return cross_row_columns(self.specification, frozenset(self.roles.static))

    @property
    def shards(self) -> int:
        """The number of shards; 1 for a series that is not sharded."""
        return self.user_input.shards

    @property
    def is_sharded(self) -> bool:
        """Whether this is a series of several shards, as a whole: only its ``parts`` are run."""
        return self.shards > 1 and self.shard is None

    @property
    def part(self) -> int | None:
        """The number of the part that a shard is, as in its files' names; None for a series."""
        return None if self.shard is None else self.shard + 1

    @cached_property
    def parts(self) -> "tuple[Series, ...]":
        """Its shards, each as a series; the series itself where it is not sharded."""
        if not self.is_sharded:
            return (self,)
        return tuple(replace(self, shard=shard) for shard in range(self.shards))

    def unsharded(self) -> "Series":
        """Return the same series in one shard: other data, for runs of few rows."""
        if self.shards == 1:
            return self
        return replace(self, user_input=self.user_input.model_copy(update={"shards": 1}))

    def run_number(self, k: int) -> RunNumber:
        """Return which of the runs of the series period ``k`` is."""
        return RunNumber(k, self.shard or 0, self.shards)

    @property
    def runs(self) -> int:
        """The number of runs, of all shards: seeds differ by up to one less."""
        return self.calendar.count * self.shards

    def key_of(self, period: Period) -> str:
        """Return a period's key for messages; that of a shard names the shard."""
        return period.key if self.is_sharded else self.run_number(period.k).of_key(period.key)

    def period_named(self, key: str, shown: str) -> Period:
        """Return the period that begins on a day, which a message shows as ``shown``.

        Raises RequestError for a day on which none begins.
        """
        keys = self.calendar.keys
        if key in keys:
            return self.calendar.period_for_key(key)
        known = keys if len(keys) <= 12 else (keys[0], keys[1], "…", keys[-1])
        try:
            day = date(*map(int, key.split("-")))
        except (OverflowError, TypeError, ValueError):
            remedy = nearest(key, keys) or f"known here: {', '.join(known)}"
        else:
            remedy = f"its periods begin on {', '.join(known)}"
            for period in self.calendar.periods:
                if period.start <= day <= period.last_day:
                    remedy = f"did you mean '{period.key}'?"
        raise RequestError(f"{shown} is not the first day of a period of {self.name}", remedy)

    def specification_of(self, k: int) -> Specification:
        """Return the specification with the dates of period ``k``."""
        return specification_of_period(self.specification, self.calendar, self.roles, k)

    def counts(self, k: int) -> tuple[int, int]:
        """Return the numbers of new and existing rows in period ``k`` (section 2).

        Those of a shard are near-equal shares of the period's, the larger ones first.
        """
        new, existing = self._counts_of_period(k)
        if self.shard is None:
            return new, existing
        return share_of(new, self.shards, self.shard), share_of(existing, self.shards, self.shard)

    def _counts_of_period(self, k: int) -> tuple[int, int]:
        if k == 0:
            return self.rows, 0
        new = floor(self.rows * self.user_input.fraction_of_new)
        return new, self.rows - new

    @property
    def unenforced(self) -> tuple[str, ...]:
        """Sentences on the rules of the specification that existing records may break."""
        part = self.parts[0].plan(1).existing if self.calendar.count > 1 else None
        return tuple(map(str, part.removed.constraint_plan.unenforced)) if part else ()

    @cached_property
    def _last_plan(self) -> list[Plan]:
        return []  # of one plan at the most: a series is frozen, a list is not

    def plan(self, k: int) -> Plan:
        """Return the plan of period ``k``; it does not depend on any period's data.

        That of a sharded series has no records: they are in the plans of its ``parts``. The last
        one is kept, as a period needs it several times.
        """
        for plan in self._last_plan:
            if plan.period.k == k:
                return plan
        plan = self._make_plan(k)
        self._last_plan[:] = [plan]
        return plan

    def _make_plan(self, k: int) -> Plan:
        new_rows, existing_rows = (0, 0) if self.is_sharded else self.counts(k)
        run = self.run_number(k)
        metadata = self.specification["metadata"]
        new = existing = None
        if new_rows:
            changed = new_specification(
                self.specification, self.calendar, self.roles, run, new_rows
            )
            new = NewPart(new_rows, changed, self.identifier_plans(k), self.static_within_new)
        if existing_rows:
            changed, removed = existing_specification(
                self.specification, self.calendar, self.roles, run, existing_rows, self.table
            )
            existing = ExistingPart(
                existing_rows,
                changed,
                self.specification_of(k),
                removed,
                self._distribution(self.first_identifier),
            )
        return Plan(
            series=self.name,
            period=self.calendar.period(k),
            run=run,
            random_seed=metadata["random_seed"],
            shuffle_seed=derive(metadata["random_seed"], *run.place, "shuffle"),
            new=new,
            existing=existing,
        )

    @property
    def static_within_new(self) -> tuple[str, ...]:
        """See ``NewPart.static``."""
        if not self.has_repeated_entities:
            return ()
        return tuple(all_outputs(self.specification, self.roles.static))

    @cached_property
    def crosses_moved_dates(self) -> bool:
        """Whether the number of combinations may differ between periods."""
        columns = self.specification["columns"]
        return any(columns[name]["cross_join_all_unique_values"] for name in self.roles.moved)

    @cached_property
    def _combinations_of_first(self) -> int:
        return combinations(self.specification_of(0))

    def combinations(self, k: int) -> int:
        """Return the number of rows in a full cross join of period ``k``."""
        if not self.crosses_moved_dates:
            return self._combinations_of_first
        return combinations(self.specification_of(k))

    @property
    def has_repeated_entities(self) -> bool:
        """Whether an entity may have several rows in a period."""
        return any(n > 1 and share for n, share in self._distribution(self.first_identifier))

    def _distribution(self, column: str) -> Distribution:
        return parse_distribution(self.specification["columns"][column]["frequency_distribution"])

    def _issued_before(self, k: int, distribution: Distribution) -> int:
        """Return how many entities were allotted to the runs before, period by period."""

        def allotted(j: int, shards: int) -> int:
            """Return how many the first shards of period ``j`` are allotted."""
            new, _ = self._counts_of_period(j)
            smaller, larger = new // self.shards, new % self.shards
            counts = [(min(shards, larger), smaller + 1), (max(0, shards - larger), smaller)]
            return sum(times * allocated_entities(distribution, rows) for times, rows in counts)

        within = allotted(min(k, 1), self.shard or 0)
        if k == 0:
            return within
        return allotted(0, self.shards) + (k - 1) * allotted(1, self.shards) + within

    def identifier_plans(self, k: int) -> tuple[IdentifierPlan, ...]:
        """Return a plan for each uuid column of period ``k``, in the metadata's order.

        Of a sharded series they are those of its first shard.
        """
        index = self.run_number(k).index
        columns = self.specification["columns"]
        random_seed = self.specification["metadata"]["random_seed"]

        def seed_of(name: str) -> int:
            return int(columns[name].get("uuid_seed", random_seed))

        leader = dict.fromkeys(self.linked, self.linked[0] if self.linked else "")
        return tuple(
            IdentifierPlan(
                column=name,
                kind=columns[name]["anonymising_set"],
                seed=seed_of(name) + index,
                order_seed=seed_of(leader.get(name, name)) + index,
                series_seed=derive(seed_of(name), name),
                distribution=(distribution := self._distribution(name)),
                miss_probability=columns[name]["miss_probability"],
                issued=self._issued_before(k, distribution),
            )
            for name in self.roles.identifiers
        )

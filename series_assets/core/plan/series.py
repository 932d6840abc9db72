"""A series: a specification with its user input, and the plan of each period.

A plan determines everything about a period before anything runs. ``build`` validates a series,
``spec_changes`` changes specifications, ``sampling`` chooses entities.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from math import floor
from pathlib import Path
from typing import Any

from series_assets.core.plan.calendar import Calendar, Period
from series_assets.core.plan.derived_columns import cross_row_columns
from series_assets.core.plan.identifiers import IdentifierPlan
from series_assets.core.plan.sampling import allocated_entities, count_entities
from series_assets.core.plan.seeds import derive
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
    column_kinds,
    combinations,
    output_columns,
)
from series_assets.core.spec.user_input import UserInput

BOOKKEEPING = ("reference_key", "reference_period")
"""Columns that the reference table adds to the user's."""


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
    random_seed: int
    shuffle_seed: int
    new: NewPart | None
    existing: ExistingPart | None


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

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each output column, see ``column_kinds``."""
        return column_kinds(self.specification)

    @cached_property
    def reference_columns(self) -> list[str]:
        """The output columns that existing records take from the reference table."""
        return self._outputs_of(*self.roles.identifiers, *self.roles.static)

    def _outputs_of(self, *names: str) -> list[str]:
        return [out for name in names for out in output_columns(self.specification, name)]

    @cached_property
    def cross_row_columns(self) -> dict[str, str]:
        """The derived columns computed over the combined dataset, with their calculations."""
        return cross_row_columns(self.specification, frozenset(self.roles.static))

    def counts(self, k: int) -> tuple[int, int]:
        """Return the numbers of new and existing rows in period ``k`` (section 2)."""
        if k == 0:
            return self.rows, 0
        new = floor(self.rows * self.user_input.fraction_of_new)
        return new, self.rows - new

    @property
    def unenforced(self) -> tuple[str, ...]:
        """Sentences on the rules of the specification that existing records may break."""
        part = self.plan(1).existing if self.calendar.count > 1 else None
        return tuple(map(str, part.removed.constraint_plan.unenforced)) if part else ()

    @cached_property
    def _plans(self) -> dict[int, Plan]:
        return {}

    def plan(self, k: int) -> Plan:
        """Return the plan of period ``k``, cached; it does not depend on any period's data."""
        if k not in self._plans:
            self._plans[k] = self._make_plan(k)
        return self._plans[k]

    def _make_plan(self, k: int) -> Plan:
        new_rows, existing_rows = self.counts(k)
        metadata = self.specification["metadata"]
        new = existing = None
        if new_rows:
            changed = new_specification(self.specification, self.calendar, self.roles, k, new_rows)
            new = NewPart(new_rows, changed, self.identifier_plans(k), self.static_within_new)
        if existing_rows:
            changed, removed = existing_specification(
                self.specification, self.calendar, self.roles, k, existing_rows, self.table
            )
            existing = ExistingPart(
                existing_rows,
                changed,
                specification_of_period(self.specification, self.calendar, self.roles, k),
                removed,
                self._distribution(self.first_identifier),
            )
        return Plan(
            series=self.name,
            period=self.calendar.period(k),
            random_seed=metadata["random_seed"],
            shuffle_seed=derive(metadata["random_seed"], k, "shuffle"),
            new=new,
            existing=existing,
        )

    @property
    def static_within_new(self) -> tuple[str, ...]:
        """See ``NewPart.static``."""
        distribution = self._distribution(self.first_identifier)
        if not any(frequency > 1 and share for frequency, share in distribution):
            return ()
        return tuple(self._outputs_of(*self.roles.static))

    @cached_property
    def crosses_moved_dates(self) -> bool:
        """Whether the number of combinations may differ between periods."""
        columns = self.specification["columns"]
        return any(columns[name]["cross_join_all_unique_values"] for name in self.roles.moved)

    @cached_property
    def _combinations_of_first(self) -> int:
        return combinations(
            specification_of_period(self.specification, self.calendar, self.roles, 0)
        )

    def combinations(self, k: int) -> int:
        """Return the number of rows in a full cross join of period ``k``."""
        if not self.crosses_moved_dates:
            return self._combinations_of_first
        return combinations(
            specification_of_period(self.specification, self.calendar, self.roles, k)
        )

    def _distribution(self, column: str) -> Distribution:
        return parse_distribution(self.specification["columns"][column]["frequency_distribution"])

    def _issued_before(self, k: int, distribution: Distribution) -> int:
        if k == 0:
            return 0
        first, later = (allocated_entities(distribution, self.counts(j)[0]) for j in (0, 1))
        return first + (k - 1) * later

    def identifier_plans(self, k: int) -> tuple[IdentifierPlan, ...]:
        """Return a plan for each uuid column of period ``k``, in the metadata's order."""
        columns = self.specification["columns"]
        random_seed = self.specification["metadata"]["random_seed"]

        def seed_of(name: str) -> int:
            return int(columns[name].get("uuid_seed", random_seed))

        leader = dict.fromkeys(self.linked, self.linked[0] if self.linked else "")
        return tuple(
            IdentifierPlan(
                column=name,
                kind=columns[name]["anonymising_set"],
                seed=seed_of(name) + k,
                order_seed=seed_of(leader.get(name, name)) + k,
                series_seed=derive(seed_of(name), name),
                distribution=(distribution := self._distribution(name)),
                miss_probability=columns[name]["miss_probability"],
                issued=self._issued_before(k, distribution),
            )
            for name in self.roles.identifiers
        )

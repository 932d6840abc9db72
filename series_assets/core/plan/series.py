"""A series: a specification and a user input that fit together, and the plan of each period.

The plan says everything about a period before anything runs. Whether two files make a series is
decided in ``build``, how a specification is changed in ``spec_changes``, who is drawn in
``sampling``.
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
"""Columns of the reference table that are not the user's."""


@dataclass(frozen=True)
class NewPart:
    """The new records of a period."""

    rows: int
    specification: Specification
    identifiers: tuple[IdentifierPlan, ...]
    static: tuple[str, ...]
    """The columns of the data in which all rows of an entity agree (4.6); empty where no entity
    has several rows."""


@dataclass(frozen=True)
class ExistingPart:
    """The existing records of a period."""

    rows: int
    specification: Specification
    unmodified_specification: Specification
    """The period's specification before it was changed: weights and definitions come from it."""
    removed: Removed
    distribution: Distribution
    """How many rows an entity has in the period."""

    @property
    def entities(self) -> int:
        """How many different entities the rows need."""
        return count_entities(self.distribution, self.rows)


@dataclass(frozen=True)
class Plan:
    """What a period is made from. A part without rows is None."""

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
    """The uuid columns that are one to one, in the order of the metadata; empty without any."""
    fingerprint: str
    """What the rows of the reference table are marked with (section 6)."""
    specification_file: str = "specification.yml"
    """The specification's file, as messages call it."""
    user_input_file: str = "user_input.yml"
    """The user input's file, as messages call it."""
    database: Path | None = None
    """The database the user named; None for the one in the data folder."""

    @staticmethod
    def from_files(specification: str | Path, user_input: str | Path) -> "Series":
        """Return the series of two files, called after ``metadata.id`` of the specification.

        Raises InputError with every fault of both files.
        """
        # The one door out of the core, for the Python interface; opened only by who calls it.
        from series_assets.storage.loading import load_series_from_files

        return load_series_from_files(Path(specification), Path(user_input))

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone: plans and the like are computed again where they are needed."""
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
        """What the values of each column of the data are, see ``column_kinds``."""
        return column_kinds(self.specification)

    @cached_property
    def reference_columns(self) -> list[str]:
        """The columns of the data that existing records take from the reference table."""
        names = (*self.roles.identifiers, *self.roles.static)
        return [out for name in names for out in output_columns(self.specification, name)]

    @cached_property
    def cross_row_columns(self) -> dict[str, str]:
        """The derived columns that are computed over a whole dataset, with their calculations."""
        return cross_row_columns(self.specification, frozenset(self.roles.static))

    def counts(self, k: int) -> tuple[int, int]:
        """Return how many new and how many existing rows period ``k`` has (section 2)."""
        if k == 0:
            return self.rows, 0
        new = floor(self.rows * self.user_input.fraction_of_new)
        return new, self.rows - new

    @property
    def unenforced(self) -> tuple[str, ...]:
        """What of the specification existing records are not made to meet, in sentences."""
        part = self.plan(1).existing if self.calendar.count > 1 else None
        return tuple(map(str, part.removed.constraint_plan.unenforced)) if part else ()

    @cached_property
    def _plans(self) -> dict[int, Plan]:
        return {}

    def plan(self, k: int) -> Plan:
        """Return what period ``k`` is made from; takes no notice of any other period's data.

        Always the same object, which is never changed.
        """
        if k not in self._plans:
            self._plans[k] = self._planned(k)
        return self._plans[k]

    def _planned(self, k: int) -> Plan:
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
        """The columns of the data in which all rows of a new entity agree; see ``NewPart``."""
        distribution = self._distribution(self.first_identifier)
        if not any(frequency > 1 and share for frequency, share in distribution):
            return ()
        static = self.roles.static
        return tuple(out for name in static for out in output_columns(self.specification, name))

    @cached_property
    def crosses_moved_dates(self) -> bool:
        """Whether the combinations may differ from period to period."""
        columns = self.specification["columns"]
        return any(columns[name]["cross_join_all_unique_values"] for name in self.roles.moved)

    @cached_property
    def _combinations_of_first(self) -> int:
        return combinations(
            specification_of_period(self.specification, self.calendar, self.roles, 0)
        )

    def combinations(self, k: int) -> int:
        """Return the rows of a full crossing of period ``k``'s cross-joined columns."""
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
        """Return how the uuid columns of period ``k`` are filled, in the metadata's order."""
        columns = self.specification["columns"]
        own_seed = self.specification["metadata"]["random_seed"]

        def seed_of(name: str) -> int:
            return int(columns[name].get("uuid_seed", own_seed))

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


def plan_as_dict(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain data, to print it or to compare it."""
    shown: dict[str, Any] = {"dataset": plan.period.number, "starts": plan.period.key, "seeds": {}}
    shown["seeds"]["shuffle"] = plan.shuffle_seed
    if plan.new:
        shown["new"] = {
            "rows": plan.new.rows,
            "identifiers": {
                ids.column: {"kind": ids.kind, "seed": ids.seed, "issued_before": ids.issued}
                for ids in plan.new.identifiers
            },
            "specification": plan.new.specification,
        }
    if plan.existing:
        removed = plan.existing.removed
        shown["existing"] = {
            "rows": plan.existing.rows,
            "entities": plan.existing.entities,
            "removed": {
                "basic_constraints": list(removed.basic_constraints),
                "custom_constraints": list(removed.custom_constraints),
                "derived_columns": list(removed.derived_columns),
            },
            "made_true_afterwards": {
                "basic_constraints": list(removed.restored_constraints),
                "custom_constraints": dict(removed.constraint_plan.custom),
                "derived_columns": dict(removed.restored_derived),
            },
            "specification": plan.existing.specification,
        }
    return shown

"""What the ``truth`` block means for a series: which columns are followed, and what is refused.

The keys of the block are in ``core/spec/truth_settings``, the history that follows from it in
``core/truth``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from series_assets.core.errors import Fault, fault_at, suggestion
from series_assets.core.plan.calendar import Calendar
from series_assets.core.plan.spec_changes import Roles
from series_assets.core.spec.specification import (
    Specification,
    all_outputs,
    calculations_of,
    column_kinds,
)
from series_assets.core.spec.truth_settings import TruthSettings
from series_assets.core.spec.user_input import UserInput

DATASET = "dataset"
"""Column of an exported change log: the number of the dataset that a line is about."""
PART = "part"
"""Column of a sharded series' files beside ``row``, which counts within the part that it names."""
CHANGE_COLUMNS = ("row", "op", "version", "changed", "previous_dataset", "previous_row", "tied")
"""Columns of the change log beside the key, which is the second."""
CELL_COLUMNS = ("row", "column", "before", "after")
"""Columns of the list of changed values beside the key, which is the second."""
SCD2_COLUMNS = (
    "version",
    "valid_from",
    "valid_to",
    "is_current",
    "opened_in",
    "closed_in",
    "row",
)
"""Columns of a history behind the key and the tracked columns."""
SCD1_COLUMNS = ("version", "since", "is_deleted")
"""Columns of a current state behind the key and the tracked columns."""
STATE_COLUMNS = (
    "state_place",
    "state_row",
    "state_version",
    "state_opened_in",
    "state_opened_row",
    "state_valid_from",
    "state_opens",
    "state_deleted",
    "state_tied",
)
"""Columns of the table of states that are not the user's."""
STATE_ENTITY = "state_entity"
"""Column of states that were looked up: the place of the entity among those that were wanted."""
STATE_DATASET = "state_dataset"
"""Column of states that were read: the number of the dataset that each comes from."""
STATE_HASH = "state_hash"
"""Column of a hash of the key, by which states in Parquet are found."""
STATE_OPERATION = "state_op"
"""Column of rows of which only the place in the file decided: their operation."""
_OF_STATES = {*STATE_COLUMNS, STATE_ENTITY, STATE_DATASET, STATE_HASH, STATE_OPERATION}
_OF_DIMENSIONS = {*SCD2_COLUMNS, *SCD1_COLUMNS, *_OF_STATES}
_OF_FILES = {*_OF_DIMENSIONS, *CHANGE_COLUMNS, *CELL_COLUMNS, DATASET}


@dataclass(frozen=True)
class Truth:
    """The history that a series asks for, in columns of its data."""

    key: str
    """The first identifier, which names the entity of a row."""
    track: tuple[str, ...]
    """The columns whose changes open a version."""
    order_by: str | None
    """The column that orders the rows of an entity within a period; None: the place in the file."""
    order_kind: str
    """What its values are, a key of ``KINDS``."""
    settings: TruthSettings

    @property
    def every_row(self) -> bool:
        """Whether a period may open several versions for an entity."""
        return self.settings.history == "every_row"

    @property
    def by_event(self) -> bool:
        """Whether a version begins on the day of its row, not on the first day of its period."""
        return self.settings.time == "event"

    @property
    def identity(self) -> dict[str, Any]:
        """What the states of a series depend on beside its data, as plain data."""
        return {
            "key": self.key,
            "track": list(self.track),
            "order_by": self.order_by,
            "history": self.settings.history,
            "time": self.settings.time,
        }


def truth_of(specification: Specification, said: UserInput, roles: Roles) -> Truth | None:
    """Return the history that a user input asks for; None where it has no ``truth`` block."""
    settings = said.truth
    if settings is None:
        return None
    key, order_by = roles.identifiers[0], settings.order_by
    names = all_outputs(specification, settings.track)
    if not settings.track:
        left_out = {key, *(name for name in roles.moved if name not in roles.static)}
        names = [name for name in _data_columns(specification) if name not in left_out]
    kind = column_kinds(specification)[order_by] if order_by else "any"
    return Truth(key, tuple(dict.fromkeys(names)), order_by, kind, settings)


def _data_columns(specification: Specification) -> list[str]:
    outputs = all_outputs(specification, specification["columns"])
    return [*outputs, *calculations_of(specification)]


def truth_misfits(specification: Specification, said: UserInput) -> Iterator[Fault]:
    """Yield the names in the ``truth`` block that do not fit the specification."""
    if said.truth is None:
        return
    key = specification["metadata"]["uuid_columns"][0]
    columns = _data_columns(specification)
    known = [*columns, *(name for name in specification["columns"] if name not in columns)]
    for name in said.truth.track:
        if name == key:
            problem = f"names '{name}', which identifies the entity and never changes"
            yield fault_at("truth.track", problem, "take it off the list")
        elif name not in known:
            yield fault_at(
                "truth.track",
                f"names '{name}', which the specification lacks",
                suggestion(name, [one for one in known if one != key]),
            )
    order_by = said.truth.order_by
    if order_by == key:
        problem = f"'{order_by}' identifies the entity, so it is the same in all of its rows"
        yield fault_at("truth.order_by", problem, "name another column")
    elif order_by and order_by not in columns:
        yield fault_at(
            "truth.order_by",
            f"'{order_by}' is not a column of the data",
            suggestion(order_by, [one for one in columns if one != key]),
        )
    yield from _event_needs(said.truth)


def _event_needs(settings: TruthSettings) -> Iterator[Fault]:
    if settings.time == "event" and settings.order_by is None:
        yield fault_at(
            "truth.order_by",
            "is missing, but with time: event a version begins on the day that it names",
            "name a date column, or use time: load",
        )
    if settings.history == "every_row" and settings.time == "load":
        yield fault_at(
            "truth.history",
            "every_row opens several versions in a period, which time: load would all date to "
            "its first day",
            "use time: event and name a date column as order_by",
        )


def taken_names(truth: Truth, *, is_sharded: bool = False) -> Iterator[Fault]:
    """Yield the columns that the files of the history would hold twice."""
    of_parts = {PART} if is_sharded else set()
    if truth.key.lower() in _OF_FILES | of_parts:
        yield fault_at(
            "truth",
            f"cannot be used, since its files have a column '{truth.key.lower()}' of their own "
            "beside the identifier of that name",
            "rename the identifier in the specification",
        )
    for name in truth.track:
        if name.lower() in _OF_DIMENSIONS | of_parts:
            yield fault_at(
                "truth.track",
                f"includes '{name}', but histories have a column '{name.lower()}' of their own",
                "list the columns to track without it, or rename it in the specification",
            )


def misdated_events(
    truth: Truth, specification: Specification, roles: Roles, calendar: Calendar
) -> Iterator[Fault]:
    """Yield why versions cannot be dated by ``order_by``, where the block asks for that."""
    if not truth.by_event or truth.order_by is None:
        return
    name = truth.order_by
    column = specification["columns"].get(name, {})
    if name not in roles.moved or name in roles.static:
        yield fault_at(
            "truth.order_by",
            f"'{name}' does not move with the period, which time: event needs",
            "name one of the date_columns that is not static, or use time: load",
        )
        return
    if column["miss_probability"]:
        yield fault_at(
            "truth.order_by",
            f"'{name}' may be missing (miss_probability {column['miss_probability']}), and a row "
            "without a date cannot be dated",
            "set its miss_probability to 0, or use time: load",
        )
    if column.get("from") is None or column.get("to") is None:
        yield fault_at(
            "truth.order_by",
            f"'{name}' lacks from or to, so its windows may overlap",
            "give it both, or use time: load",
        )
        return
    if fault := _overlap(name, column, calendar):
        yield fault


def _overlap(name: str, column: dict[str, Any], calendar: Calendar) -> Fault | None:
    window = date.fromisoformat(column["from"]), date.fromisoformat(column["to"])
    for k in range(calendar.count - 1):
        _, last = calendar.move_window(*window, k)
        first, _ = calendar.move_window(*window, k + 1)
        assert first is not None and last is not None
        if last >= first:
            return fault_at(
                "truth.time",
                f"event needs dates that do not overlap, but '{name}' ends on {last} in period "
                f"{calendar.keys[k]} and begins on {first} in the next",
                "use time: load, or a shorter window",
            )
    return None

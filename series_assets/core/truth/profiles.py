"""In which columns and values tools keep a history: a table, with one entry for each profile.

Adding a tool is adding an entry. What the verifier makes of a profile is its own affair.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from series_assets.core.plan.truth import PART, SCD1_COLUMNS, SCD2_COLUMNS, Truth


@dataclass(frozen=True)
class Profile:
    """How a tool writes down a history (SCD2)."""

    valid_from: str
    """The column in which a version begins."""
    valid_to: str
    """The column in which it ends; intervals are half open."""
    open_value: str | None = None
    """What stands in ``valid_to`` of a current version; None: it is missing."""
    current: str | None = None
    """The column that tells a current version; None: there is none."""
    instants: str = "day"
    """What both times are: ``day``, ``timestamp`` or ``timestamp_utc``."""
    deleted: str | None = None
    """The column that marks rows of deleted entities in a table that has such rows; the history
    itself has none, so that a deleted entity has no version."""
    more: Mapping[str, str] | None = None
    """Other columns of it: the name, and which of the plain columns it is."""
    ignored: tuple[str, ...] = ()
    """Columns that the tool adds and that hold no history, as patterns with ``*``."""


PLAIN = "plain"
PROFILES: Mapping[str, Profile] = {
    PLAIN: Profile(
        "valid_from",
        "valid_to",
        current="is_current",
        ignored=("version", "since", "opened_in", "closed_in", PART, "row"),
    ),
    "dbt": Profile(
        "dbt_valid_from",
        "dbt_valid_to",
        instants="timestamp",
        deleted="dbt_is_deleted",
        ignored=("dbt_scd_id", "dbt_updated_at"),
    ),
    "dlt": Profile(
        "_dlt_valid_from",
        "_dlt_valid_to",
        instants="timestamp_utc",
        ignored=("_dlt_id", "_dlt_load_id"),
    ),
    "sqlmesh": Profile("valid_from", "valid_to", instants="timestamp"),
    "databricks": Profile("__START_AT", "__END_AT"),
    "tpcdi": Profile(
        "EffectiveDate",
        "EndDate",
        open_value="9999-12-31",
        current="IsCurrent",
        more={"BatchID": "opened_in"},
        ignored=("BatchID", "SK_*"),
    ),
}
"""The profiles by name."""
INSTANTS: Mapping[str, pa.DataType] = {
    "day": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamp_utc": pa.timestamp("us", "UTC"),
}
"""What the instants of a profile are in a typed file."""
_TEXT_OF_INSTANTS = {"day": "", "timestamp": " 00:00:00", "timestamp_utc": " 00:00:00+00:00"}


def names_of(profile: str) -> list[str]:
    """Return the columns that a profile's history has behind the key and the tracked columns."""
    if profile == PLAIN:
        return list(SCD2_COLUMNS)
    one = PROFILES[profile]
    names = [one.valid_from, one.valid_to, one.current, *(one.more or {})]
    return [name for name in names if name]


def shaped_history(
    truth: Truth, found: pa.Table, profile: str, part: int | None = None
) -> pa.Table:
    """Return what ``dimensions.history`` found in the columns of a profile, times as text.

    ``part`` is the number of the part that the rows are in; None where there is only one.
    """
    if profile == PLAIN:
        return with_part(found.select([truth.key, *truth.track, *SCD2_COLUMNS]), part)
    one = PROFILES[profile]
    tail = pa.scalar(_TEXT_OF_INSTANTS[one.instants])
    end = pc.binary_join_element_wise(found["valid_to"], tail, "")
    if one.open_value is not None:
        end = pc.fill_null(end, one.open_value)
    columns = {name: found[name] for name in (truth.key, *truth.track)}
    columns[one.valid_from] = pc.binary_join_element_wise(found["valid_from"], tail, "")
    columns[one.valid_to] = end
    if one.current:
        columns[one.current] = found["is_current"]
    for name, plain in (one.more or {}).items():
        columns[name] = found[plain]
    return pa.table(columns)


def with_part(table: pa.Table, part: int | None) -> pa.Table:
    """Return a table with the number of a part before its column ``row``; as it is for None."""
    if part is None:
        return table
    numbers = pa.array([part] * table.num_rows, pa.int64())
    return table.add_column(table.column_names.index("row"), PART, numbers)


def shaped_current(truth: Truth, found: pa.Table, profile: str) -> pa.Table:
    """Return what ``dimensions.current`` found as a profile has it.

    ``plain`` keeps deleted entities and says so; the others have the key and the tracked columns of
    those that are not deleted.
    """
    if profile == PLAIN:
        return found.select([truth.key, *truth.track, *SCD1_COLUMNS])
    alive = found.filter(pc.invert(found["is_deleted"]))
    return alive.select([truth.key, *truth.track])

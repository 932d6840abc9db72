"""The ``truth`` block of the user input: which history a correct pipeline ends up with.

Here is what each key may hold by itself. What the block means together with the specification is
in ``core/plan/truth``, the history itself in ``core/truth``.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from series_assets.core.errors import InvalidValueError
from series_assets.core.spec.pydantic_faults import format_value
from series_assets.core.spec.user_input_values import NAMES_SCHEMA, flag, names

DIMENSIONS = ("scd1", "scd2")
"""What ``write`` may list."""

FORMS = ("scd1", "scd2", "changes")
"""What the expected history can be asked for as."""
PROFILES = ("plain", "dbt", "dlt", "sqlmesh", "databricks", "tpcdi")
"""The names of the profiles, whose entries are in ``core/truth/profiles``."""


def _column(value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise InvalidValueError(
            f"{format_value(value)} is not the name of a column", "name one column"
        )
    return value or None


def _dimensions(value: object) -> object:
    found = names(value)
    for name in found if isinstance(found, list) else []:
        if name not in DIMENSIONS:
            raise InvalidValueError(f"names '{name}', which is not known", "use scd1, scd2 or both")
    return found


_DIMENSIONS_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"enum": [*DIMENSIONS]}, "uniqueItems": True},
        {"type": "null"},
    ]
}


class TruthSettings(BaseModel):
    """Settings of the expected history; every key has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    track: Annotated[tuple[str, ...], BeforeValidator(names), WithJsonSchema(NAMES_SCHEMA)] = Field(
        (),
        description="columns whose changes open a version; empty: all but the first identifier "
        "and the moving dates that are not static",
    )
    order_by: Annotated[str | None, BeforeValidator(_column)] = Field(
        None,
        description="column that orders the rows of an entity within a period; equal values keep "
        "their order in the file; empty: the order in the file alone",
    )
    history: Literal["last_of_period", "every_row"] = Field(
        "last_of_period",
        description="how many versions a period may open for an entity: one, from its last row, "
        "or one for each row that changes something",
    )
    time: Literal["load", "event"] = Field(
        "load",
        description="when a version begins: on the first day of its period, or on the day that "
        "its row has in order_by",
    )
    cells: Annotated[bool, BeforeValidator(flag)] = Field(
        True, description="whether each changed value is written too, one per line"
    )
    write: Annotated[
        tuple[str, ...], BeforeValidator(_dimensions), WithJsonSchema(_DIMENSIONS_SCHEMA)
    ] = Field((), description="dimensions that are written each period: scd1, scd2")

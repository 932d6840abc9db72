"""The column types of a specification: one table, with one entry for each type.

Here is all that follows from a type alone. How a column changes from period to period is in
``core/plan``, what Exhibit demands of it in ``exhibit_limits``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from series_assets.core.spec import schema


@dataclass(frozen=True)
class Kind:
    """What the values of a column of the data are."""

    shown_as: str
    """What a reader of Dagster's pages sees as the type of the column."""
    dtype: str | None = None
    """The dtype of a column without any values; None for text."""
    is_number: bool = False


KINDS: Mapping[str, Kind] = {
    "text": Kind("text"),
    "integer": Kind("integer", "Int64", is_number=True),
    "real": Kind("number", "float64", is_number=True),
    "date": Kind("date", "datetime64[ns]"),
    "any": Kind("any"),
}
"""``any``: only the data can tell."""
NUMBERS = frozenset(name for name, kind in KINDS.items() if kind.is_number)
"""The kinds that are numbers."""

Column = Mapping[str, Any]


@dataclass(frozen=True)
class ColumnType:
    """What a type of columns means."""

    form: type[BaseModel]
    """The keys that a column of the type may have, and their values."""
    metadata_list: str
    """The key of the metadata that lists the columns of the type."""
    kind_of: Callable[[Column], str]
    """Takes the definition of a column and gives the kind of its values, a key of ``KINDS``."""
    suffixes: tuple[str, ...] = ("",)
    """One for each column of the data that a column becomes, added to its name."""
    adjustable: bool = False
    """Whether a basic constraint may change the values."""


def _of_identifier(column: Column) -> str:
    return "integer" if column["anonymising_set"] == "range" else "text"


def _of_number(column: Column) -> str:
    return "integer" if column["precision"] == "integer" else "real"


def _always(kind: str) -> Callable[[Column], str]:
    return lambda _: kind


TYPES: Mapping[str, ColumnType] = {
    "uuid": ColumnType(schema.UuidColumn, "uuid_columns", _of_identifier),
    "categorical": ColumnType(schema.CategoricalColumn, "categorical_columns", _always("text")),
    "continuous": ColumnType(
        schema.ContinuousColumn, "numerical_columns", _of_number, adjustable=True
    ),
    "date": ColumnType(schema.DateColumn, "date_columns", _always("date"), adjustable=True),
    "geospatial": ColumnType(
        schema.GeospatialColumn,
        "geospatial_columns",
        _always("real"),
        suffixes=("_latitude", "_longitude"),
    ),
}

DERIVED_KIND = "any"
"""The kind of derived columns, which have no type: only the data can tell."""
LISTS_DERIVED = "continuous"
"""The type whose metadata list may name derived columns as well."""


def outputs_of(type_: str, name: str) -> list[str]:
    """Return the columns of the data that a column of a type becomes."""
    return [f"{name}{suffix}" for suffix in TYPES[type_].suffixes]

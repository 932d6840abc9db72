"""The column types of a specification, with everything that follows from a type alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from series_assets.core.spec import schema


@dataclass(frozen=True)
class Kind:
    """The kind of values in an output column."""

    shown_as: str
    """The type of the column as Dagster shows it."""
    dtype: str | None = None
    """The dtype of a column without values; None for text."""
    is_number: bool = False


KINDS: Mapping[str, Kind] = {
    "text": Kind("text"),
    "integer": Kind("integer", "Int64", is_number=True),
    "real": Kind("number", "float64", is_number=True),
    "date": Kind("date", "datetime64[ns]"),
    "any": Kind("any"),
}
"""``any``: depends on the data."""
NUMBERS = frozenset(name for name, kind in KINDS.items() if kind.is_number)
"""The kinds that are numbers."""

Column = Mapping[str, Any]


@dataclass(frozen=True)
class ColumnType:
    """The properties of a column type."""

    form: type[BaseModel]
    """The model of its keys and values."""
    metadata_list: str
    """The key of the metadata that lists the columns of the type."""
    kind_of: Callable[[Column], str]
    """Takes the definition of a column and returns its kind, a key of ``KINDS``."""
    suffixes: tuple[str, ...] = ("",)
    """One per output column, appended to the name."""
    adjustable: bool = False
    """Whether a basic constraint may adjust the values."""


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
"""The kind of derived columns, which have no type."""
LISTS_DERIVED = "continuous"
"""The type whose metadata list may name derived columns as well."""


def outputs_of(type_: str, name: str) -> list[str]:
    """Return the output columns of a column of a type."""
    return [f"{name}{suffix}" for suffix in TYPES[type_].suffixes]

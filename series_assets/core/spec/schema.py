"""The form of an Exhibit 0.9.9 specification: its keys and their values."""

import warnings
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from series_assets.core.errors import InvalidValueError, did_you_mean
from series_assets.core.spec.dates import parse_date
from series_assets.core.spec.frequency_distribution import parse_distribution
from series_assets.core.spec.markers import MISSING, PAIRED
from series_assets.core.spec.pydantic_faults import format_value, keys_of


def _iso(value: object) -> object:
    return None if value is None else parse_date(value).isoformat()


def _original_values(value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    rows = _check_rows(value, f"table rows, nor '{PAIRED}'", example="F | 0.5")
    header = [cell.strip() for cell in rows[0].split("|")] if rows else []
    if "probability_vector" not in header:
        raise InvalidValueError("has no header row with a probability_vector")
    if len(rows) < 3 or rows[-1].split("|")[0].strip() != MISSING:
        raise InvalidValueError(
            f"does not end with a row '{MISSING}'",
            "Exhibit takes the last row for it and would drop a value",
        )
    return value


def _distribution(value: object) -> object:
    parse_distribution(_check_rows(value, "rows such as '1 | 1.0'", example="1 | 1.0"))
    return value


def _check_rows(value: object, expected: str, *, example: str) -> list[str]:
    """Return a list of text rows. Raises InvalidValueError for anything else."""
    if not isinstance(value, list):
        raise InvalidValueError(f"{format_value(value)} is not a list of {expected}")
    for number, row in enumerate(value, start=1):
        if not isinstance(row, str):
            raise InvalidValueError(
                f"has a row {number}, {format_value(row)}, that is not text like '{example}'",
                "write the whole row in quotes, or take it out",
            )
    return value


def _frequency(value: object) -> object:
    if value is None or value in _COMMON_FREQUENCIES:
        return value
    unknown = f"{format_value(value)} is not a frequency that pandas knows, such as D"
    if not isinstance(value, str) or len(value) > _LONGEST_FREQUENCY:
        raise InvalidValueError(unknown)
    from pandas.tseries.frequencies import to_offset

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            offset = to_offset(value)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            raise InvalidValueError(unknown) from None
    _check_offset(value, offset)
    # A deprecated name that Exhibit passes on; pandas will drop it.
    return offset.freqstr if caught else value


def _check_offset(value: str, offset: Any) -> None:
    """Raise InvalidValueError for an offset with more than one date a day, or with none."""
    from pandas.tseries import offsets

    within_days = isinstance(offset, offsets.Tick) and not isinstance(offset, offsets.Day)
    if within_days or isinstance(offset, offsets.BusinessHour):
        near = did_you_mean(value.upper(), _COMMON_FREQUENCIES)
        hint = near if value.upper() in _COMMON_FREQUENCIES else ""
        raise InvalidValueError(
            f"{format_value(value)} is shorter than a day, and Exhibit's dates are days",
            f"use D or longer{hint}",
        )
    if offset.n < 1:
        raise InvalidValueError(
            f"{format_value(value)} leads to no later date", "use 1 or more, such as D or 2D"
        )
    if offset.n > _MOST_STEPS:
        raise InvalidValueError(
            f"{format_value(value)} is too long", f"the most is {_MOST_STEPS} of a unit"
        )


_COMMON_FREQUENCIES = ("D", "B", "W", "MS", "ME", "QS", "QE", "YS", "YE")
_LONGEST_FREQUENCY = 30
_MOST_STEPS = 10_000

Names = list[StrictStr] | None
Seed = Annotated[StrictInt, Field(ge=0)]
Uniques = Annotated[StrictInt, Field(ge=1, le=10**6)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Probability = Annotated[Number, Field(ge=0, le=1)]
Day = Annotated[str | None, BeforeValidator(_iso)]
Size = Annotated[StrictInt, Field(ge=1, le=10**9)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Metadata(_Form):
    """The head of a specification."""

    number_of_rows: Size
    uuid_columns: Names = None
    categorical_columns: Names = None
    numerical_columns: Names = None
    date_columns: Names = None
    geospatial_columns: Names = None
    inline_limit: Annotated[StrictInt, Field(ge=0, le=10**9)]
    random_seed: Seed
    id: StrictStr | None = None


class UuidColumn(_Form):
    """An identifier."""

    type: Literal["uuid"]
    frequency_distribution: Annotated[list[str], BeforeValidator(_distribution)]
    uuid_seed: Seed = 0
    miss_probability: Probability
    anonymising_set: Literal["uuid", "pseudo_chi", "range"]


class CategoricalColumn(_Form):
    """A column of values drawn from a list, a table, a pattern or a pair."""

    type: Literal["categorical"]
    name: StrictStr | None = None
    """Written by ``exhibit fromdata``; repeats the name of the column."""
    paired_columns: Names = None
    uniques: Uniques
    original_values: Annotated[Any, BeforeValidator(_original_values)]
    cross_join_all_unique_values: StrictBool | None = None
    miss_probability: Probability
    anonymising_set: StrictStr
    dispersion: Number | None = None


class DistributionParameters(_Form):
    """How the values of a continuous column are spread and scaled."""

    dispersion: Number | None = None
    target_sum: Number | None = None
    target_min: Number | None = None
    target_max: Number | None = None
    target_mean: Number | None = None
    target_std: Number | None = None


class ContinuousColumn(_Form):
    """A column of numbers."""

    type: Literal["continuous"]
    precision: Literal["integer", "float"]
    distribution: Literal["weighted_uniform", "normal"]
    distribution_parameters: DistributionParameters
    miss_probability: Probability


class DateColumn(_Form):
    """A column of days within a window."""

    type: Literal["date"]
    cross_join_all_unique_values: StrictBool | None = None
    miss_probability: Probability
    from_: Annotated[Day, Field(alias="from")] = None
    to: Day = None
    uniques: Uniques
    frequency: Annotated[str | None, BeforeValidator(_frequency)]
    anonymising_set: StrictStr | None = None


class GeospatialColumn(_Form):
    """A place: two columns of the data, its latitude and its longitude."""

    type: Literal["geospatial"]
    h3_table: StrictStr
    distribution: StrictStr
    miss_probability: Probability


Column = Annotated[
    UuidColumn | CategoricalColumn | ContinuousColumn | DateColumn | GeospatialColumn,
    Field(discriminator="type"),
]


class CustomConstraint(_Form):
    """Actions on the columns it targets, for the rows that its filter picks."""

    filter: StrictStr | None = None
    partition: StrictStr | None = None
    targets: dict[str, StrictStr]


class Constraints(_Form):
    """Constraints between columns."""

    allow_duplicates: StrictBool
    basic_constraints: list[StrictStr] | None
    custom_constraints: Annotated[
        dict[str, CustomConstraint] | None, BeforeValidator(lambda value: value or None)
    ] = None


class SpecificationForm(_Form):
    """The whole file."""

    metadata: Metadata
    columns: dict[str, Column]
    constraints: Constraints
    linked_columns: list[tuple[StrictInt, list[StrictStr]]] | None = None
    derived_columns: dict[str, StrictStr] | None = None
    models: dict[str, dict[str, Any]] | None = None


_SECTION = "'series-assets new NAME' writes a template to copy it from"
REMEDIES = {
    "metadata": _SECTION,
    "columns": _SECTION,
    "constraints": _SECTION,
    "number_of_rows": "say how many rows a dataset has, for example number_of_rows: 100",
    "random_seed": "any whole number from 0 does, for example random_seed: 0",
    "inline_limit": "Exhibit's own default is inline_limit: 30",
    "uniques": "say how many different values it has, for example uniques: 2",
    "original_values": "list the values, or write regex or See paired column",
    "miss_probability": "say how often it is missing, for example miss_probability: 0.0",
    "anonymising_set": "say where values come from, for example anonymising_set: random",
    "frequency_distribution": "say how many rows an entity has, for example '1 | 1.0'",
    "precision": "use integer or float",
    "distribution": "use weighted_uniform or normal (uniform for a geospatial column)",
    "distribution_parameters": "give a target, for example target_min: 0 and target_max: 100",
    "frequency": "say how far apart its days are, for example frequency: D",
    "h3_table": "name the table of the database that holds its hexagons",
    "allow_duplicates": "use true or false",
    "basic_constraints": "leave it empty where there are none",
    "targets": "name the columns and what is done with them",
}
KNOWN_KEYS = {
    "": keys_of(SpecificationForm),
    "metadata": keys_of(Metadata),
    "constraints": keys_of(Constraints),
    "custom_constraints": keys_of(CustomConstraint),
    "distribution_parameters": keys_of(DistributionParameters),
}
"""The keys of each part of the file; those of the columns by type are in ``column_types``."""

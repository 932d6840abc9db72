"""The form of an Exhibit 0.9.9 specification: its keys and their values.

Each key has a description, which editors and the reference show; ``json_schema`` turns the models
into the schema that editors read.
"""

import warnings
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)

from series_assets.core.errors import InvalidValueError, did_you_mean
from series_assets.core.spec.dates import DAY_SCHEMA, parse_date
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
    unknown = f"{format_value(value)} is not a frequency that pandas knows, such as D, W or MS"
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
Day = Annotated[str | None, BeforeValidator(_iso), WithJsonSchema(DAY_SCHEMA)]
Size = Annotated[StrictInt, Field(ge=1, le=10**9)]
_ROWS_SCHEMA = {"type": "array", "items": {"type": "string"}}
_Values = Annotated[
    Any,
    BeforeValidator(_original_values),
    WithJsonSchema({"anyOf": [_ROWS_SCHEMA, {"type": ["string", "null"]}]}),
]
_Group = Annotated[
    tuple[StrictInt, list[StrictStr]],
    WithJsonSchema({"type": "array", "minItems": 2, "maxItems": 2}),
]


def _key(description: str, default: Any = ..., **more: Any) -> Any:
    """Return the field of a key; required without ``default``."""
    return Field(default, description=description, **more)


def _miss_probability() -> Any:
    return _key("share of rows in which the value is missing, from 0 to 1")


def _cross_join() -> Any:
    return _key("whether each value occurs with each value of the other cross-joined columns", None)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Metadata(_Form):
    """The head of a specification: its size, its seed, and its columns by type."""

    number_of_rows: Size = _key("rows of every dataset")
    uuid_columns: Names = _key("identifiers; the first one names the entity of a row", None)
    categorical_columns: Names = _key("columns of type categorical", None)
    numerical_columns: Names = _key("columns of type continuous, and derived columns", None)
    date_columns: Names = _key("columns of type date", None)
    geospatial_columns: Names = _key("columns of type geospatial", None)
    inline_limit: Annotated[StrictInt, Field(ge=0, le=10**9)] = _key(
        "columns with more different values than this keep them in the database"
    )
    random_seed: Seed = _key("seed of the first period; those of later periods follow from it")
    id: StrictStr | None = _key(
        "name of the tables of values in the database, and of a series of two single files", None
    )


class UuidColumn(_Form):
    """An identifier."""

    type: Literal["uuid"] = _key("an identifier")
    frequency_distribution: Annotated[
        list[str], BeforeValidator(_distribution), WithJsonSchema(_ROWS_SCHEMA)
    ] = _key("rows per entity in a period, and the share of rows (not of entities) with that many")
    uuid_seed: Seed = _key("seed of the identifiers; must differ between columns and series", 0)
    miss_probability: Probability = _miss_probability()
    anonymising_set: Literal["uuid", "pseudo_chi", "range"] = _key(
        "kind of identifier: a random uuid, a Scottish health number, or whole numbers from 0"
    )


class CategoricalColumn(_Form):
    """A column of values drawn from a list, a table, a pattern or a pair."""

    type: Literal["categorical"] = _key("values from a list, a table, a pattern or a pair")
    name: StrictStr | None = _key("written by `exhibit fromdata`; repeats the column's name", None)
    paired_columns: Names = _key("columns whose values follow from this one's", None)
    uniques: Uniques = _key("number of different values")
    original_values: _Values = _key(
        "rows with each value, its probability and its weight for each number, the last one for "
        "missing data; or `regex`, or `See paired column`"
    )
    cross_join_all_unique_values: StrictBool | None = _cross_join()
    miss_probability: Probability = _miss_probability()
    anonymising_set: StrictStr = _key(
        "where values come from: `random` (those listed), a ready-made set such as `mountains`, a "
        "pattern (with `regex`), or a SELECT statement"
    )
    dispersion: Number | None = _key("not used by Exhibit for this type", None)


class DistributionParameters(_Form):
    """How the values of a continuous column are spread and scaled."""

    dispersion: Number | None = _key("how far values of equal weight differ; 0: not at all", None)
    target_sum: Number | None = _key("sum over the rows of the first period", None)
    target_min: Number | None = _key("smallest value", None)
    target_max: Number | None = _key("largest value", None)
    target_mean: Number | None = _key("mean of the values", None)
    target_std: Number | None = _key("standard deviation of the values", None)


class ContinuousColumn(_Form):
    """A column of numbers."""

    type: Literal["continuous"] = _key("numbers")
    precision: Literal["integer", "float"] = _key("whole numbers or numbers with decimals")
    distribution: Literal["weighted_uniform", "normal"] = _key(
        "how values are spread around the level that the weights of the categories set"
    )
    distribution_parameters: DistributionParameters = _key("spread and scale; needs a target")
    miss_probability: Probability = _miss_probability()


class DateColumn(_Form):
    """A column of days within a window."""

    type: Literal["date"] = _key("days within a window")
    cross_join_all_unique_values: StrictBool | None = _cross_join()
    miss_probability: Probability = _miss_probability()
    from_: Day = _key("first day of the window in the first period", None, alias="from")
    to: Day = _key("last day of the window in the first period", None)
    uniques: Uniques = _key("number of different days")
    frequency: Annotated[
        str | None, BeforeValidator(_frequency), WithJsonSchema({"type": ["string", "null"]})
    ] = _key("how far apart days are, as a pandas frequency: D, W, MS")
    anonymising_set: StrictStr | None = _key("a SELECT statement that looks the days up", None)


class GeospatialColumn(_Form):
    """A place: two columns of the data, its latitude and its longitude."""

    type: Literal["geospatial"] = _key("places; the data has a latitude and a longitude")
    h3_table: StrictStr = _key("table of the database with hexagons, in a column h3")
    distribution: StrictStr = _key("uniform, or the column of the table with weights")
    miss_probability: Probability = _miss_probability()


Column = Annotated[
    UuidColumn | CategoricalColumn | ContinuousColumn | DateColumn | GeospatialColumn,
    Field(discriminator="type"),
]


class CustomConstraint(_Form):
    """Actions on the columns it targets, for the rows that its filter picks."""

    filter: StrictStr | None = _key("condition that rows must meet, as in pandas' query", None)
    partition: StrictStr | None = _key("columns whose equal values form a group", None)
    targets: dict[str, StrictStr] = _key("columns, and the actions on them")


class Constraints(_Form):
    """Constraints between columns."""

    allow_duplicates: StrictBool = _key("whether equal rows are kept")
    basic_constraints: list[StrictStr] | None = _key(
        "such as `date_updated >= date_created`, with spaces around the operator"
    )
    custom_constraints: Annotated[
        dict[str, CustomConstraint] | None, BeforeValidator(lambda value: value or None)
    ] = _key("constraints with actions, by names of your own", None)


class SpecificationForm(_Form):
    """An Exhibit 0.9.9 specification: the columns of a dataset in the first period."""

    metadata: Metadata = _key("size, seed, and columns by type")
    columns: dict[str, Column] = _key("the columns by name")
    constraints: Constraints = _key("constraints between columns")
    linked_columns: list[_Group] | None = _key(
        "groups of columns whose combinations come from the database: a number, then names", None
    )
    derived_columns: dict[str, StrictStr] | None = _key(
        "calculations by the name of their column, such as `(cost / days)`", None
    )
    models: dict[str, dict[str, Any]] | None = _key("models that predict columns", None)


_SECTION = "'series-assets new NAME' writes a template to copy it from"
REMEDIES = {
    "metadata": _SECTION,
    "columns": _SECTION,
    "constraints": _SECTION,
    "number_of_rows": "say how many rows a dataset has, for example number_of_rows: 100",
    "random_seed": "any whole number from 0 will do, for example random_seed: 0",
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

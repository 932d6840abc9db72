"""An Exhibit 0.9.9 specification: its form, checked, and what can be read from it.

A specification is a plain dict in Exhibit's own form and is never mutated. How it changes from
period to period is in ``changes``.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from math import prod
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from series_assets.core.dates import parse_date
from series_assets.core.entities import parse_distribution
from series_assets.core.errors import Fault, InputError
from series_assets.core.faults import faults_of, keys_of, told, with_remedy

Specification = dict[str, Any]

PAIRED = "See paired column"
REGEX = "regex"
MISSING = "Missing data"
LISTS = {
    "uuid": "uuid_columns",
    "categorical": "categorical_columns",
    "continuous": "numerical_columns",
    "date": "date_columns",
    "geospatial": "geospatial_columns",
}
"""Where the metadata lists the columns of each type."""


def _iso(value: object) -> object:
    return None if value is None else parse_date(value).isoformat()


def _original_values(value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise ValueError(f"{told(value)} is not a list of table rows, nor '{PAIRED}'")
    for place, row in enumerate(value, start=1):
        if not isinstance(row, str):
            raise ValueError(f"has a row {place}, {told(row)}, that is not text like 'F | 0.5'")
    header = [cell.strip() for cell in value[0].split("|")] if value else []
    if "probability_vector" not in header:
        raise ValueError("has no header row with a probability_vector")
    if len(value) < 3 or value[-1].split("|")[0].strip() != MISSING:
        raise ValueError(
            f"does not end with a row '{MISSING}'; Exhibit takes the last row for it and "
            "would drop a value"
        )
    return value


def _distribution(value: object) -> object:
    if not isinstance(value, list):
        raise ValueError(f"{told(value)} is not a list of rows such as '1 | 1.0'")
    for place, row in enumerate(value, start=1):
        if not isinstance(row, str):
            raise ValueError(f"has a row {place}, {told(row)}, that is not text like '1 | 1.0'")
    parse_distribution(value)
    return value


def _frequency(value: object) -> object:
    if value is None or value in _COMMON_FREQUENCIES:
        return value
    from pandas.tseries.frequencies import to_offset

    try:
        to_offset(value)
    except (ValueError, TypeError):
        raise ValueError(f"{told(value)} is not a frequency that pandas knows, such as D") from None
    return value


_COMMON_FREQUENCIES = ("D", "B", "W", "MS", "ME", "QS", "QE", "YS", "YE")

Names = list[StrictStr] | None
Seed = Annotated[StrictInt, Field(ge=0)]
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
    inline_limit: Annotated[StrictInt, Field(ge=0)]
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
    """Written by ``exhibit fromdata``; says again what the column is called."""
    paired_columns: Names = None
    uniques: Annotated[StrictInt, Field(ge=1)]
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
    uniques: Annotated[StrictInt, Field(ge=1)]
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
    """What has to hold between columns."""

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
    models: dict[str, dict[str, Any] | None] | None = None


_SECTION = "'series-assets new NAME' writes a template to copy it from"
_REMEDIES = {
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
_KNOWN_KEYS = {
    "": keys_of(SpecificationForm),
    "metadata": keys_of(Metadata),
    "constraints": keys_of(Constraints),
    "custom_constraints": keys_of(CustomConstraint),
    "distribution_parameters": keys_of(DistributionParameters),
    "uuid": keys_of(UuidColumn),
    "categorical": keys_of(CategoricalColumn),
    "continuous": keys_of(ContinuousColumn),
    "date": keys_of(DateColumn),
    "geospatial": keys_of(GeospatialColumn),
}


def read_specification(content: object, file: str) -> Specification:
    """Return the specification that ``content`` (the parsed YAML of ``file``) holds.

    The result is what Exhibit would see: every column listed in the metadata, what may be left
    out filled in, all days in ISO form. ``content`` stays as it is. Raises InputError with
    every fault of the form; if there is none, with every fault of what columns say of another.
    """
    if not isinstance(content, Mapping):
        raise InputError([Fault(file, "the file does not hold an Exhibit specification")])
    columns = content.get("columns")
    if isinstance(columns, Mapping):
        odd = [name for name in columns if not isinstance(name, str)]
        if odd:
            raise InputError(
                Fault(file, f"columns.{name} has a name that is not text; put it in quotes")
                for name in odd
            )
    try:
        form = SpecificationForm.model_validate(dict(content))
    except ValidationError as error:
        found = faults_of(error, file, _KNOWN_KEYS)
        raise InputError(with_remedy(fault, _REMEDIES) for fault in found) from None
    faults = [Fault(file, message) for message in _contradictions(form)]
    if faults:
        raise InputError(faults)
    return _completed(_unshared(content), form)


def _contradictions(form: SpecificationForm) -> Iterator[str]:
    columns = form.columns
    derived = form.derived_columns or {}
    if not any(column.type == "uuid" for column in columns.values()):
        yield "columns has no uuid column; the entities of a series need an identifier"
    for name in sorted(columns.keys() & derived.keys()):
        yield f"derived_columns.{name} has the name of a column"
    for type_, key in LISTS.items():
        for name in getattr(form.metadata, key) or []:
            if name in derived and type_ == "continuous":
                continue
            if name not in columns:
                yield (
                    f"metadata.{key} names '{name}', which is not under columns; take it off the "
                    "list, or add the column"
                )
            elif columns[name].type != type_:
                its = columns[name].type
                yield (
                    f"metadata.{key} names '{name}', whose type is {its}; "
                    f"it belongs in {LISTS[its]}"
                )
    for name, column in columns.items():
        if isinstance(column, CategoricalColumn):
            yield from _of_categorical(name, column, columns)
        elif isinstance(column, ContinuousColumn):
            targets = column.distribution_parameters.model_dump(exclude={"dispersion"})
            if all(value is None for value in targets.values()):
                yield (
                    f"columns.{name}.distribution_parameters has no target; Exhibit needs one of "
                    f"{', '.join(targets)}"
                )
        elif isinstance(column, DateColumn):
            yield from _of_date(name, column)
    for _, members in form.linked_columns or []:
        for name in members:
            if name not in columns or columns[name].type != "categorical":
                yield f"linked_columns names '{name}', which is not a categorical column"
    yield from _of_constraints(form.constraints, columns)


def _of_categorical(
    name: str, column: CategoricalColumn, columns: Mapping[str, Any]
) -> Iterator[str]:
    place = f"columns.{name}"
    for pair in column.paired_columns or []:
        if pair not in columns or columns[pair].type != "categorical":
            yield f"{place}.paired_columns names '{pair}', which is not a categorical column"
    values = column.original_values
    if isinstance(values, list) and values[0].split("|")[0].strip() != name:
        yield f"{place}.original_values has no header row that starts with '{name}'"
    if values == PAIRED and not column.paired_columns:
        yield f"{place}.original_values is '{PAIRED}', but paired_columns is empty"
    if column.cross_join_all_unique_values and values != PAIRED:
        if not isinstance(values, list):
            yield f"{place} is cross-joined; Exhibit needs its values listed in original_values"
        elif len(values) - 2 != column.uniques:
            yield f"{place}.uniques is {column.uniques}, but original_values has {len(values) - 2}"


def _of_date(name: str, column: DateColumn) -> Iterator[str]:
    place = f"columns.{name}"
    if is_select(column.anonymising_set):
        return
    if column.from_ is None and column.to is None:
        yield f"{place} has neither from nor to; give the first day as from: '2024-01-01'"
    elif column.from_ and column.to and column.to < column.from_:
        yield f"{place}.to {column.to} is before from {column.from_}; swap them or mend one"


def _of_constraints(constraints: Constraints, columns: Mapping[str, Any]) -> Iterator[str]:
    for text in constraints.basic_constraints or []:
        parts = split_constraint(text)
        if parts is None:
            yield (
                f"constraints.basic_constraints '{text}' is not 'column operator expression' with "
                "one of < > <= >= == between blanks"
            )
        elif parts[0] not in columns:
            yield f"constraints.basic_constraints '{text}' starts with an unknown column"
        elif columns[parts[0]].type not in ("continuous", "date"):
            type_ = columns[parts[0]].type
            yield f"constraints.basic_constraints '{text}' adjusts a {type_} column"
    for name, custom in (constraints.custom_constraints or {}).items():
        for key, names in [
            ("partition", custom.partition),
            *(("targets", t) for t in custom.targets),
        ]:
            for column in filter(None, map(str.strip, (names or "").split(","))):
                if column not in columns:
                    yield (
                        f"constraints.custom_constraints.{name}.{key} names '{column}', "
                        "which is not under columns"
                    )


def split_constraint(text: str) -> tuple[str, str, str] | None:
    """Return column, operator and expression of a basic constraint, or None if it is not one."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if word in ("<", ">", "<=", ">=", "==")]
    if len(places) != 1:
        return None
    place = places[0]
    left, right = " ".join(words[:place]).strip(), " ".join(words[place + 1 :]).strip()
    name = left.strip("~")
    if not left or not right or (" " in name and left != f"~{name}~"):
        return None
    return name, words[place], right


def _unshared(value: Any) -> Any:
    """Return a copy in which nothing stands in two places, as YAML's anchors make it."""
    if isinstance(value, Mapping):
        return {key: _unshared(item) for key, item in value.items()}
    return [_unshared(item) for item in value] if isinstance(value, list) else value


def _completed(specification: Specification, form: SpecificationForm) -> Specification:
    metadata = specification["metadata"] = dict(specification["metadata"])
    for type_, key in LISTS.items():
        known = metadata.get(key) or []
        metadata[key] = [*known, *(c for c in of_type(specification, type_) if c not in known)]
    for name, column in specification["columns"].items():
        model = form.columns[name]
        if isinstance(model, DateColumn):
            column.update({"from": model.from_} if "from" in column else {})
            column.update({"to": model.to} if "to" in column else {})
        if isinstance(model, CategoricalColumn):
            column.setdefault("paired_columns", None)
        if isinstance(model, CategoricalColumn | DateColumn):
            column["cross_join_all_unique_values"] = bool(model.cross_join_all_unique_values)
    specification["constraints"].setdefault("custom_constraints", None)
    for key, nothing in (("linked_columns", []), ("derived_columns", {})):
        specification[key] = specification.get(key) or nothing
    return specification


def of_type(specification: Specification, *types: str) -> list[str]:
    """Return the columns of the given types, in the order of the specification."""
    return [name for name, column in specification["columns"].items() if column["type"] in types]


def derived(specification: Specification) -> dict[str, str]:
    """Return the derived columns that Exhibit computes (it skips names with "Example")."""
    found: Mapping[str, str] = specification["derived_columns"]
    return {name: text for name, text in found.items() if "Example" not in name}


def is_select(anonymising_set: object) -> bool:
    """Tell whether an anonymising set is an SQL statement."""
    return isinstance(anonymising_set, str) and anonymising_set.strip().upper()[:6] == "SELECT"


def is_paired(column: Mapping[str, Any]) -> bool:
    """Tell whether a column's values come with those of the column it is paired with."""
    return bool(column.get("original_values") == PAIRED)


def output_columns(specification: Specification, name: str) -> list[str]:
    """Return the columns of the data that ``name`` stands for: two for a geospatial one."""
    column = specification["columns"].get(name)
    if column is not None and column["type"] == "geospatial":
        return [f"{name}_latitude", f"{name}_longitude"]
    return [name]


def column_kinds(specification: Specification) -> dict[str, str]:
    """Return what the values of each column of the data are.

    ``text``, ``integer``, ``real``, ``date``, or ``any`` where only the data can tell (derived
    columns, and categories that a table of the database may hold as numbers).
    """
    kinds: dict[str, str] = {}
    for name, column in specification["columns"].items():
        match column["type"]:
            case "uuid":
                kinds[name] = "integer" if column["anonymising_set"] == "range" else "text"
            case "continuous":
                kinds[name] = "integer" if column["precision"] == "integer" else "real"
            case "date":
                kinds[name] = "date"
            case "geospatial":
                kinds |= dict.fromkeys(output_columns(specification, name), "real")
            case _:
                kinds[name] = "text"
    return kinds | dict.fromkeys(derived(specification), "any")


def window_size(column: Mapping[str, Any]) -> int | None:
    """Return how many dates the window of a date column holds; None where one end is open."""
    start, end, frequency = column.get("from"), column.get("to"), column["frequency"]
    if start is None or end is None:
        return None
    if frequency == "D":
        return (date.fromisoformat(end) - date.fromisoformat(start)).days + 1
    import pandas as pd

    return len(pd.date_range(start, end, freq=frequency))


def combinations(specification: Specification) -> int:
    """Return how many rows a full crossing of the cross-joined columns has; 1 without any."""
    return prod(
        column["uniques"]
        for column in specification["columns"].values()
        if column.get("cross_join_all_unique_values") and not is_paired(column)
    )


def closed(names: Iterable[str], groups: Iterable[Iterable[str]]) -> set[str]:
    """Return the names, and all that is in a group with one of them, however far removed."""
    found, open_groups = set(names), [set(group) for group in groups]
    while touched := [group for group in open_groups if group & found and not group <= found]:
        found = found.union(*touched)
    return found


def belonging(specification: Specification) -> list[set[str]]:
    """Return the groups of columns that can only be kept together: pairs and linked groups."""
    pairs = [
        {name, *column["paired_columns"]}
        for name, column in specification["columns"].items()
        if column.get("paired_columns")
    ]
    return pairs + [set(members) for _, members in specification["linked_columns"]]

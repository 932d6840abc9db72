"""The keys of the user input and their values (section 1.3).

``UserInput`` has one entry per key: its meaning, its default, and whether it changes data. Whether
the values fit the specification is checked in ``core/plan/build``.
"""

import re
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from series_assets.core.errors import Fault, InputError, InvalidValueError, join_words
from series_assets.core.spec.dates import DAY_SCHEMA, parse_date
from series_assets.core.spec.period_units import UNITS
from series_assets.core.spec.pydantic_faults import decimal_of, faults_of, format_value, keys_of
from series_assets.core.spec.truth_settings import TruthSettings
from series_assets.core.spec.user_input_values import NAMES_SCHEMA, flag, names

_MAX_COUNT = 100_000
"""Maximum of periods in a series and of units in a period."""
_MAX_SHARDS = 9_999
_MAX_FRACTION_LENGTH = 50
"""In characters; exact arithmetic slows down with the number of digits."""
_EXPONENT = re.compile(r"[eE][-+]?([0-9_]+)")
_OTHER_CADENCES = {
    "fortnight": ("weeks", 2),
    "half-year": ("quarters", 2),
    "year": ("months", 12),
    "annual": ("months", 12),
    "decade": ("months", 120),
}


def _linked_names(value: object) -> object:
    listed_names = names(value)
    if isinstance(listed_names, list) and len(listed_names) == 1:
        raise InvalidValueError(
            f"names only '{listed_names[0]}'", "a link needs two columns or more"
        )
    return listed_names


def _unit(value: object) -> object:
    if isinstance(value, str) and value in UNITS:
        return value
    hint = _unit_hint(value.lower()) if isinstance(value, str) else ""
    raise InvalidValueError(f"{format_value(value)} is not known", f"use {join_words(UNITS)}{hint}")


def _unit_hint(text: str) -> str:
    """Return what to write instead of another word for a cadence; "" if it is not known."""
    for word, (name, length) in _OTHER_CADENCES.items():
        if word in text:
            return f" (here: period: {name}, length_of_period: {length})"
    for name, unit in UNITS.items():
        if text in (name, unit.singular, unit.adverb):
            return f"; did you mean '{name}'?"
    return ""


def _count(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValueError(f"{format_value(value)} is not a whole number", "use 1 or more")
    if value < 1:
        raise InvalidValueError(f"{format_value(value)} is too small", "use 1 or more")
    if value > _MAX_COUNT:
        raise InvalidValueError(f"{format_value(value)} is too large", f"use {_MAX_COUNT} or less")
    return value


def _shards(value: object) -> object:
    if isinstance(value, int) and value > _MAX_SHARDS:
        raise InvalidValueError(f"{format_value(value)} is too large", f"use {_MAX_SHARDS} or less")
    return _count(value)


def _fraction(value: object) -> object:
    remedy = "write it as 1/3, 0.25, 0 or 1"
    shown = format_value(value) if isinstance(value, int) else value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidValueError(f"{format_value(value)} is not a fraction", remedy)
    text = str(shown).replace(" ", "")
    exponent = _EXPONENT.search(text)
    if len(text) > _MAX_FRACTION_LENGTH or (exponent and len(exponent[1].lstrip("0_")) > 3):
        raise InvalidValueError(f"{format_value(value)} is too long for a fraction", remedy)
    try:
        fraction = Fraction(text)
    except (ValueError, ArithmeticError):
        remedy = decimal_of(text) or remedy
        raise InvalidValueError(f"{format_value(value)} is not a fraction", remedy) from None
    if not 0 <= fraction <= 1:
        if fraction.denominator == 1 and 1 < fraction <= 100:
            remedy = f"{remedy}; {fraction}% is {float(fraction) / 100:g}"
        raise InvalidValueError(f"{shown} is not between 0 and 1", remedy)
    return fraction


def _path(value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise InvalidValueError(
            f"{format_value(value)} is not a path", "name a file, or leave it empty"
        )
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(names), WithJsonSchema(NAMES_SCHEMA)]
Count = Annotated[
    int,
    BeforeValidator(_count),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _MAX_COUNT}),
]
_LINK_SCHEMA = {
    "anyOf": [{**NAMES_SCHEMA["anyOf"][0], "not": {"minItems": 1, "maxItems": 1}}, {"type": "null"}]
}
_FRACTION_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": r"^[-+0-9./eE_ ]+$", "maxLength": _MAX_FRACTION_LENGTH},
    ]
}


def _key(
    meaning: str, default: Any = ..., *, if_missing: str | None = None, changes_data: bool = True
) -> Any:
    """Return the field of a key; required without ``default``, with ``if_missing`` as remedy.

    Changing a key that ``changes_data`` makes the rows generated so far those of another series.
    """
    more: dict[str, Any] = {"if_missing": if_missing, "changes_data": changes_data}
    return Field(default, description=meaning, json_schema_extra=more)


class UserInput(BaseModel):
    """How a series continues after the period that its specification describes."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    exhibit_db_path: Annotated[str | None, BeforeValidator(_path)] = _key(
        "SQLite database with Exhibit's lookup tables, relative to this file; the reference table "
        "is stored in it too; empty: one is created in the data folder",
        None,
        changes_data=False,
    )
    date_columns: Names = _key(
        "date columns that move with the period",
        if_missing="list the date columns that move with the period, or [] for none",
    )
    static_columns: Names = _key("columns that an entity keeps for life", ())
    period: Annotated[str, BeforeValidator(_unit), WithJsonSchema({"enum": [*UNITS]})] = _key(
        "unit of a period", if_missing=f"use {join_words(UNITS)}"
    )
    length_of_period: Count = _key(
        "number of units in a period",
        if_missing="say how many units a period has, for example length_of_period: 2",
    )
    num_datasets: Count = _key("number of periods in the series", 3, changes_data=False)
    fraction_of_new: Annotated[
        Fraction, BeforeValidator(_fraction), WithJsonSchema(_FRACTION_SCHEMA)
    ] = _key(
        "share of new records among the rows of every period but the first: 1/3, 0.25, 0, 1",
        if_missing="say how much of each period is new, for example fraction_of_new: 1/3",
    )
    linked_columns: Annotated[
        tuple[str, ...], BeforeValidator(_linked_names), WithJsonSchema(_LINK_SCHEMA)
    ] = _key("two or more columns that belong together, such as two identifiers", ())
    release: Literal["immediate", "calendar"] = _key(
        "when a period exists in Dagster: immediate (all at once) or calendar (on its first day)",
        "immediate",
        changes_data=False,
    )
    start_date: Annotated[
        date | None,
        BeforeValidator(lambda value: None if value is None else parse_date(value)),
        WithJsonSchema(DAY_SCHEMA),
    ] = _key("first day of the first period; empty: the earliest `from` among date_columns", None)
    shards: Annotated[
        int,
        BeforeValidator(_shards),
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _MAX_SHARDS}),
    ] = _key("groups into which entities are permanently divided, each generated alone", 1)
    format: Literal["csv", "parquet"] = _key(
        "format of the files of records; parquet is typed and compressed", "csv"
    )
    manifest: Annotated[bool, BeforeValidator(flag)] = _key(
        "whether each dataset gets a manifest, which is written last", False, changes_data=False
    )
    truth: TruthSettings | None = _key(
        "settings of the history that a correct pipeline ends up with; empty: none is delivered",
        None,
        changes_data=False,
    )


def _entries(word: str) -> dict[str, Any]:
    """Return for each key the value of ``word``, an argument of ``_key``."""
    return {
        key: field.json_schema_extra[word]
        for key, field in UserInput.model_fields.items()
        if isinstance(field.json_schema_extra, dict)
    }


DATA_NEUTRAL_KEYS = frozenset(
    key for key, changes in _entries("changes_data").items() if not changes
)
"""The keys that do not affect the rows of a period."""
_REMEDIES = {key: remedy for key, remedy in _entries("if_missing").items() if remedy}

_KNOWN_KEYS = {"": keys_of(UserInput), "truth": keys_of(TruthSettings)}


def read_user_input(content: object, file: str) -> UserInput:
    """Return the user input that ``content`` (the parsed YAML of ``file``) holds.

    Raises InputError with every fault that can be found without the specification.
    """
    if not isinstance(content, Mapping):
        raise InputError(
            [Fault(file, "", "the file has to hold keys and values, such as period: months")]
        )
    try:
        return UserInput.model_validate(_with_text_keys(content))
    except ValidationError as error:
        faults = faults_of(error, file, _KNOWN_KEYS, _REMEDIES)
        raise InputError(faults) from None


def _with_text_keys(content: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        key if isinstance(key, str) else format_value(key): value for key, value in content.items()
    }

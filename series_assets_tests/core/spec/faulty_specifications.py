"""Specifications with single faults, and the messages about them."""

from copy import deepcopy
from typing import Any

from series_assets.core.errors import InputError
from series_assets_tests.builders import a_series, a_specification, a_user_input

Content = dict[str, Any]


GEOSPATIAL = {
    "type": "geospatial",
    "h3_table": "geo",
    "distribution": "uniform",
    "miss_probability": 0.0,
}


def faults_of(specification: Content, **keys: Any) -> list[str]:
    """Return the messages about a specification, as a user reads them."""
    try:
        a_series(specification, a_user_input(**keys))
    except InputError as error:
        assert {fault.file for fault in error.faults} == {"demo/specification.yml"}
        return [fault.message for fault in error.faults]
    return []


def with_column(name: str, like: str, **keys: Any) -> Content:
    """Return a specification with one more column, modelled on one of its own."""
    specification = a_specification()
    column = deepcopy(specification["columns"][like]) | keys
    values = column.get("original_values")
    if isinstance(values, list):
        column["original_values"] = [values[0].replace(like, name), *values[1:]]
    specification["columns"][name] = column
    return specification


def with_keys(column: str, **keys: Any) -> Content:
    """Return a specification with other keys in one of its columns."""
    specification = a_specification()
    specification["columns"][column] |= keys
    return specification

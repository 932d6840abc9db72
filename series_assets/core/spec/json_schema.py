"""The two files of a series as JSON Schemas, derived from their models, for editors.

A schema knows the keys and the kinds of their values. Whether the parts of a file fit each other is
checked when it is read. The draft is 07, which every editor supports.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from series_assets.core.spec.schema import SpecificationForm
from series_assets.core.spec.user_input import UserInput

JsonSchema = dict[str, Any]
SCHEMAS: Mapping[str, type[BaseModel]] = {
    "specification": SpecificationForm,
    "user_input": UserInput,
}
"""The models of the two files, by the name of the file without its extension."""

_DRAFT = "http://json-schema.org/draft-07/schema#"
_NAMED = ("properties", "$defs")
"""Keywords whose own keys are names, not keywords."""
_INTERNAL = ("title", "if_missing", "changes_data")
"""Generated titles only repeat the keys; the others are notes of ``user_input``."""


def json_schema(file: str) -> JsonSchema:
    """Return the JSON Schema of a file, a key of ``SCHEMAS``."""
    generated = SCHEMAS[file].model_json_schema()
    return {"$schema": _DRAFT, "title": file.replace("_", " "), **_simplified(generated)}


def _simplified(schema: Mapping[str, Any]) -> JsonSchema:
    """Return a schema without what is of use to pydantic alone."""
    result: JsonSchema = {}
    for keyword, value in schema.items():
        if keyword in _INTERNAL:
            continue
        if keyword in _NAMED:
            result[keyword] = {name: _simplified(one) for name, one in value.items()}
        elif isinstance(value, Mapping):
            result[keyword] = _simplified(value)
        elif isinstance(value, list):
            result[keyword] = [
                _simplified(one) if isinstance(one, Mapping) else one for one in value
            ]
        else:
            result[keyword] = value
    return _by_type(result) if "discriminator" in result else result


def _by_type(union: JsonSchema) -> JsonSchema:
    """Return a union of models as conditions on the key that tells them apart.

    With ``oneOf`` an editor reports what is wrong with every one of them.
    """
    key, models = union["discriminator"]["propertyName"], union["discriminator"]["mapping"]
    return {
        "type": "object",
        "required": [key],
        "properties": {key: {"enum": [*models]}},
        "allOf": [
            {
                "if": {"required": [key], "properties": {key: {"const": name}}},
                "then": {"$ref": reference},
            }
            for name, reference in models.items()
        ],
    }

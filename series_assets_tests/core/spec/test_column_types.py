"""The table of column types is the only one, and covers every type."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

import series_assets
from series_assets.core.errors import InputError
from series_assets.core.records import column_from_text
from series_assets.core.spec import schema
from series_assets.core.spec.column_types import KINDS, LISTS_DERIVED, TYPES, outputs_of
from series_assets.core.spec.parse import read_specification
from series_assets.core.spec.pydantic_faults import keys_of
from series_assets.core.spec.specification import column_kinds, output_columns
from series_assets_tests.builders import a_specification

PACKAGE = Path(series_assets.__file__).parent
FILE = "demo/specification.yml"


def _specification(**changes: Any) -> dict[str, Any]:
    """Return a complete specification with a column of each type, one of them changed."""
    content = a_specification()
    content["columns"]["home"] = {
        "type": "geospatial",
        "h3_table": "geo",
        "distribution": "uniform",
        "miss_probability": 0.0,
    }
    for name, keys in changes.items():
        content["columns"][name] |= keys
    return read_specification(content, FILE)


def test_each_type_has_a_form_and_each_form_a_type() -> None:
    """The models of a specification and the table have the same types."""
    forms = get_args(get_args(schema.Column)[0])
    assert [one.form for one in TYPES.values()] == list(forms)
    for name, one in TYPES.items():
        assert get_args(one.form.model_fields["type"].annotation) == (name,)


def test_each_type_has_its_list_in_the_metadata() -> None:
    """The metadata has one list for each type, as in the table."""
    lists = [key for key in keys_of(schema.Metadata) if key.endswith("_columns")]
    assert [one.metadata_list for one in TYPES.values()] == lists
    assert LISTS_DERIVED in TYPES


@pytest.mark.parametrize(
    ("name", "changes", "kinds"),
    [
        ("id", {}, {"id": "text"}),
        ("id", {"anonymising_set": "pseudo_chi"}, {"id": "text"}),
        ("id", {"anonymising_set": "range"}, {"id": "integer"}),
        ("sex", {}, {"sex": "text"}),
        ("amount", {}, {"amount": "real"}),
        ("amount", {"precision": "integer"}, {"amount": "integer"}),
        ("date", {}, {"date": "date"}),
        ("home", {}, {"home_latitude": "real", "home_longitude": "real"}),
    ],
)
def test_what_a_column_becomes(name: str, changes: dict[str, Any], kinds: dict[str, str]) -> None:
    """Type and definition determine the columns of the data and the kind of their values."""
    specification = _specification(**{name: changes})
    assert output_columns(specification, name) == list(kinds)
    assert outputs_of(specification["columns"][name]["type"], name) == list(kinds)
    assert kinds.items() <= column_kinds(specification).items()


def test_a_specification_with_each_type_has_a_kind_for_every_column() -> None:
    """The examples above cover every type, and readers know every kind."""
    specification = _specification()
    assert {column["type"] for column in specification["columns"].values()} == set(TYPES)
    assert set(column_kinds(specification).values()) <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_without_values_has_the_dtype_of_its_kind(kind: str) -> None:
    """Columns of numbers and dates keep their dtype even if all values are missing."""
    assert str(column_from_text([None, None], kind).dtype) == (KINDS[kind].dtype or "object")


@pytest.mark.parametrize("name", TYPES)
def test_only_what_is_adjustable_has_basic_constraints(name: str) -> None:
    """A basic constraint on a column of another type is refused."""
    content = _specification()
    column = next(key for key, one in content["columns"].items() if one["type"] == name)
    content["constraints"]["basic_constraints"] = [f"{column} > 1"]
    if TYPES[name].adjustable:
        assert read_specification(content, FILE)["constraints"]["basic_constraints"]
    else:
        with pytest.raises(InputError, match=f"adjusts a {name} column"):
            read_specification(content, FILE)


def _tables(path: Path) -> Iterator[ast.expr]:
    """Yield the collections in a module that name three types or more."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[Any] = []
        if isinstance(node, ast.Dict):
            parts = [*node.keys, *node.values]
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts = node.elts
        names = {part.value for part in parts if isinstance(part, ast.Constant)}
        if len(names & set(TYPES)) >= 3 and isinstance(node, ast.expr):
            yield node


def test_no_other_module_has_a_table_of_the_types() -> None:
    """A new type is one entry in one table, and a model."""
    found = {path.name for path in PACKAGE.rglob("*.py") if list(_tables(path))}
    assert found == {"column_types.py"}

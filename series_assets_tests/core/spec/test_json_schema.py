"""The JSON Schemas of both files, which editors use to check and complete them."""

import json
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft7Validator, ValidationError

import series_assets
from series_assets.core.errors import InputError
from series_assets.core.spec.json_schema import SCHEMAS, json_schema
from series_assets.storage.loading import load_parts
from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.strategies import Files, files

PACKAGE = Path(series_assets.__file__).parent
ROOT = PACKAGE.parent
VALIDATORS = {name: Draft7Validator(json_schema(name)) for name in SCHEMAS}


def as_json(content: Any) -> Any:
    """Return parsed YAML as an editor sees it, to which a date is text."""
    return json.loads(json.dumps(content, default=date.isoformat))


def errors(name: str, content: Any) -> list[ValidationError]:
    """Return the errors that a schema finds in the content of a file."""
    return list(VALIDATORS[name].iter_errors(as_json(content)))


def yaml_files() -> list[Path]:
    """Return both files of all shipped series, of the template and of the examples."""
    places = chain(
        (PACKAGE / "series").glob("*/*.yml"),
        (PACKAGE / "templates").glob("*.yml"),
        (ROOT / "examples").glob("*/src/*/defs/*/*.yml"),
    )
    return sorted(path for path in places if path.stem in SCHEMAS)


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_the_schema_that_ships_is_that_of_the_models(name: str) -> None:
    """After a change of a model, run ``make schemas``."""
    shipped = json.loads((PACKAGE / "schemas" / f"{name}.json").read_text("utf-8"))
    assert shipped == json_schema(name)
    Draft7Validator.check_schema(shipped)


@pytest.mark.parametrize("path", yaml_files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_schemas_accept_the_series_that_exist(path: Path) -> None:
    """Shipped series, the template and the examples, with empty keys as written there."""
    content = yaml.safe_load(path.read_text("utf-8").replace("UUID_SEED", "1"))
    assert errors(path.stem, content) == []


def test_every_key_may_be_empty_that_the_models_accept_empty() -> None:
    """The schema and the models agree on every key."""
    specification, user_input = a_specification(), a_user_input()
    for key in json_schema("user_input")["properties"]:
        emptied = {**user_input, key: None}
        try:
            load_parts(
                "demo",
                specification,
                emptied,
                labels=("s", "u"),
                named_by="name",
                folder=Path.cwd(),
            )
        except InputError as error:
            accepted = not any("(empty)" in fault.message for fault in error.faults)
        else:
            accepted = True
        assert (errors("user_input", emptied) == []) == accepted, key


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=files())
def test_the_schemas_accept_whatever_may_form_a_series(drawn: Files) -> None:
    """Any column type, constraint and setting, in all the ways in which they can be combined."""
    assert errors("specification", drawn.specification) == []
    assert errors("user_input", drawn.user_input) == []


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("user_input", ("fraction_off_new",), "1/3", "'fraction_off_new' was unexpected"),
        ("user_input", ("period",), "fortnights", "'fortnights' is not one of"),
        ("user_input", ("fraction_of_new",), 1.5, "1.5 is not valid"),
        ("user_input", ("start_date",), "tomorrow", "'tomorrow' is not valid"),
        ("user_input", ("truth",), {"trak": ["sex"]}, "is not valid"),
        ("specification", ("metadata", "number_of_row"), 5, "'number_of_row' was unexpected"),
        ("specification", ("columns", "sex", "uniqes"), 2, "'uniqes' was unexpected"),
        ("specification", ("columns", "sex", "type"), "category", "'category' is not one of"),
        ("specification", ("columns", "amount", "precision"), "real", "'real' is not one of"),
        ("specification", ("notes",), "mine", "'notes' was unexpected"),
    ],
)
def test_a_typo_is_found(name: str, place: tuple[str, ...], value: Any, message: str) -> None:
    """There is one error at the place of the typo, also for keys that Exhibit ignores."""
    content = a_specification() if name == "specification" else a_user_input()
    at = content
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    [error] = errors(name, content)
    assert message in error.message


def test_every_key_has_a_description() -> None:
    """Editors show it."""
    for name in SCHEMAS:
        schema = json_schema(name)
        for model in (schema, *schema["$defs"].values()):
            assert model["description"]
            for key, value in model["properties"].items():
                assert value.get("description"), key

"""The output of the hooks of the documentation site, without building it."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel, Field

from series_assets.cli import main
from series_assets.core.spec.schema import DateColumn
from series_assets.core.spec.user_input import UserInput
from series_assets_tests.documents import ROOT


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    """Return the module that ``mkdocs.yml`` names."""
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "site_hooks.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_table_has_every_key_of_a_model(hooks: ModuleType) -> None:
    """With its name in YAML, its values, its default and its meaning."""
    rows = hooks.key_table(UserInput).splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(UserInput.model_fields)
    assert rows[3] == (
        "| `period` | `days`, `weeks`, `months`, `quarters` | required | unit of a period |"
    )
    assert any(row.startswith("| `manifest` | `true` or `false` | `false` |") for row in rows)
    assert "| `from` | " in hooks.key_table(DateColumn)


def test_a_meaning_stays_in_its_cell(hooks: ModuleType) -> None:
    """Also if it contains a cell separator."""

    class Model(BaseModel):
        key: str = Field("a", description="a | b")

    assert hooks.key_table(Model).endswith("| `key` | text | `a` | a \\| b |")


def test_a_marker_that_names_no_model_is_a_mistake(hooks: ModuleType) -> None:
    """The build fails."""
    with pytest.raises(TypeError, match="UNITS is not a pydantic model"):
        hooks.with_key_tables("<!-- keys of series_assets.core.spec.period_units:UNITS -->")


def test_every_command_and_option_has_its_help(hooks: ModuleType) -> None:
    """Below a heading with the name of the command."""
    text = hooks.with_commands("<!-- commands -->")
    for name, command in main.commands.items():
        section = text.split(f"### series-assets {name}\n")[1].split("\n### ")[0]
        for option in command.params:
            assert all(one in section for one in option.opts if one.startswith("--"))


def test_links_lead_to_pages_or_are_plain_text(hooks: ModuleType) -> None:
    """From the README to pages, and from a page to files outside of the site."""
    assert hooks.from_checkout("[a](docs/start.md#b) ![c](docs/images/d.png)") == (
        "[a](start.md#b) ![c](images/d.png)"
    )
    text = "[a](../examples/warehouse) [b](../README.md#c) [d](e.md) [f](https://g.h)"
    assert hooks.without_outside_links(text, Path()) == (
        "a [b](index.md#c) [d](e.md) [f](https://g.h)"
    )

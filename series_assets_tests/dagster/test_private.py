"""Unpublished parts of Dagster are used in one module only, and still exist."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

ROOT = Path(__file__).parents[2]
PLACE = "series_assets/dagster/private.py"
UNPUBLISHED_ATTRIBUTES: list[tuple[type, str]] = [
    (dg.OutputContext, "step_context"),
    (dg.DagsterEvent, "asset_check_evaluation"),
]
"""Attributes without an underscore that lead to Dagster's internal objects."""

UNDOCUMENTED_METHODS: list[tuple[type, str]] = [
    (dg.DagsterInstance, "get_backfills"),
    (dg.DagsterInstance, "get_materialized_partitions"),
    (dg.Definitions, "resolve_implicit_global_asset_job_def"),
]
"""Methods of public classes that the package uses although Dagster's reference omits them."""


def private_imports(source: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import from a private module of Dagster's."""
    if not re.search(r"import.*dagster|dagster.*import", source):
        return  # parsing takes time
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and is_private(node.module or ""):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "dagster":
            yield from (("dagster", one.name) for one in node.names if one.name.startswith("_"))
        elif isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names if is_private(one.name))


def is_private(module: str) -> bool:
    """Return whether a module is a private one of Dagster's."""
    top, *below = module.split(".")
    return top.startswith("dagster") and any(part.startswith("_") for part in below)


def internal_attributes(source: str) -> Iterator[str]:
    """Yield the private attributes of other objects."""
    internal = {name for _, name in UNPUBLISHED_ATTRIBUTES}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and not is_own(node.value):
            hidden = node.attr.startswith("_") and not node.attr.startswith("__")
            if hidden or node.attr in internal:
                yield node.attr


def is_own(node: ast.expr) -> bool:
    """Return whether an expression is the object itself, or its class."""
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def vanished(module: str, name: str) -> str | None:
    """Return the message about a name that Dagster no longer has, None if it exists."""
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError:
        return f"Dagster {dg.__version__} has no module {module}"
    if name and not hasattr(found, name):
        return f"Dagster {dg.__version__} has no {name} in {module}"
    return None


def modules(folder: str) -> dict[str, str]:
    """Return the source of each module below a folder, by its path in the project."""
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


USES = sorted(
    (path, *use)
    for folder in ("series_assets", "series_assets_tests", "benchmarks")
    for path, source in modules(folder).items()
    for use in private_imports(source)
)


@pytest.mark.parametrize(("path", "module", "name"), USES)
def test_each_private_name_still_exists(path: str, module: str, name: str) -> None:
    """An upgrade of Dagster that removes one fails here, with the name and its user."""
    problem = vanished(module, name)
    assert problem is None, f"{problem}, which {path} uses"


@pytest.mark.parametrize(("owner", "name"), UNPUBLISHED_ATTRIBUTES + UNDOCUMENTED_METHODS)
def test_each_undocumented_attribute_still_exists(owner: type, name: str) -> None:
    """So does one that removes an attribute on which the package relies."""
    assert hasattr(owner, name), f"Dagster {dg.__version__} has no {owner.__name__}.{name}"


def test_a_vanished_name_is_reported() -> None:
    """The message has the missing name or module."""
    assert vanished("dagster._core", "no_such_name") == (
        f"Dagster {dg.__version__} has no no_such_name in dagster._core"
    )
    assert vanished("dagster._no_such", "name") == (
        f"Dagster {dg.__version__} has no module dagster._no_such"
    )
    assert vanished("dagster._core.instance", "DagsterInstance") is None


def test_private_names_are_imported_in_one_module_only() -> None:
    """An upgrade of Dagster concerns ``private.py``, and nothing else in the package."""
    users = {
        path for path, source in modules("series_assets").items() if [*private_imports(source)]
    }
    assert users == {PLACE}


def test_internal_objects_are_reached_in_one_module_only() -> None:
    """Other modules read no private attributes of Dagster's objects."""
    users = {
        path: sorted(set(internal_attributes(source)))
        for path, source in modules("series_assets/dagster").items()
        if path != PLACE and [*internal_attributes(source)]
    }
    assert users == {}


def test_every_way_to_a_private_name_is_seen() -> None:
    """Imports at the top or within a function, of modules, names and attributes."""
    source = """
import dagster._utils
import dagster_shared._model as model
from dagster import _check, asset
from dagster.components import Component
def late(context):
    from dagster._core.loader import LoadingContext
    self._own = context.step_context.step, context._hidden, context.__class__
"""
    assert sorted(private_imports(source)) == [
        ("dagster", "_check"),
        ("dagster._core.loader", "LoadingContext"),
        ("dagster._utils", ""),
        ("dagster_shared._model", ""),
    ]
    assert sorted(internal_attributes(source)) == ["_hidden", "step_context"]

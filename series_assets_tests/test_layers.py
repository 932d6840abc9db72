"""Imports go one way, and one module reads the environment."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import series_assets

ROOT = Path(series_assets.__file__).parent

_BELOW_ALL = {"core", "core.spec", "core.plan", "core.records", "core.truth"}
_BELOW_ALL |= {"core.verify", "core.manifest", "core.typed_records"}
_ROOMS = _BELOW_ALL | {"storage", "engine", "pipeline", "checks", "reporting"}
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "core.spec": {"core"},
    "core.plan": {"core", "core.spec"},
    "core.records": {"core", "core.spec"},
    "core.truth": {"core", "core.spec", "core.plan", "core.records"},
    "core.verify": {"core", "core.spec", "core.plan", "core.records", "core.truth"},
    "core.manifest": {"core", "core.spec", "core.plan", "core.records"}
    | {"core.truth", "core.typed_records"},
    "core.typed_records": {"core", "core.spec", "core.plan", "core.records"},
    "storage": _BELOW_ALL,
    "engine": _BELOW_ALL,
    "settings": {"core", "storage", "pipeline"},
    "checks": _BELOW_ALL | {"storage"},
    "reporting": _BELOW_ALL | {"storage"},
    "pipeline": _BELOW_ALL | {"storage", "engine", "interrupts"},
    "scaffolding": _ROOMS,
    "interrupts": set(),
    "terminal": {"core", "pipeline"},
    "interface": _ROOMS | {"settings"},
    "dagster": _ROOMS | {"scaffolding", "settings", "interrupts"},
    "pytest_plugin": _ROOMS | {"interface", "settings"},
    "definitions": _ROOMS | {"dagster", "settings"},
    "cli": _ROOMS | {"scaffolding", "dagster", "settings", "interrupts", "terminal"},
    "__main__": {"cli", "interrupts"},
    "": _ROOMS | {"interface", "dagster"},
}
"""The parts that each part of the package may import; "" is ``series_assets`` itself."""

EXCEPTIONS = {
    # ``Series.from_files`` is the Python interface for reading files.
    ("core.plan.series", "storage.loading"),
    # The guard that validates SQL statements also runs them.
    ("engine.patches", "storage.sql_guard"),
    # Exhibit's ``fromdata`` reads values of the data from its database.
    ("engine.infer.from_data", "storage.scratch_database"),
}
"""Exceptions, each with its reason. The list must only shrink."""

ENVIRONMENT = {
    # The only reader of settings.
    "settings",
    # Exhibit reads its database's address from the environment, so each run sets it.
    "engine.sandbox",
}
"""The modules that may use the environment."""


def modules() -> dict[str, ast.Module]:
    """Return the syntax of each module of the package, by its name within it."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix("__init__").removesuffix(".")] = ast.parse(path.read_text("utf-8"))
    return found


MODULES = modules()


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of the package that one imports, anywhere in it, also by their name."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom():
                assert not node.level, "imports are absolute"
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            case ast.Constant(value=str(text)) if text.startswith("series_assets."):
                names = [text]  # for import_module
            case _:
                continue
        for name in names:
            if name.startswith("series_assets."):
                yield known(name.removeprefix("series_assets."))


def known(name: str) -> str:
    """Return the module that a name belongs to; "" for the package itself."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def part_of(module: str) -> str:
    """Return the part of the package that a module is in."""
    first, *others = module.split(".")
    inner = ".".join(["core", *others[:1]]) if first == "core" else first
    return inner if inner in MAY_IMPORT else first


def crossings() -> set[tuple[str, str]]:
    """Return the pairs of a module and one in another part that it imports."""
    return {
        (module, imported)
        for module, tree in MODULES.items()
        for imported in imports(tree)
        if part_of(imported) != part_of(module)
    }


def test_every_part_has_its_place() -> None:
    """A new part must be added here, and all listed parts exist."""
    assert {part_of(module) for module in MODULES} == set(MAY_IMPORT)


def test_imports_go_one_way() -> None:
    """At the top of a module and inside of functions."""
    found = crossings()
    assert len(found) > 100
    wrong = {pair for pair in found if part_of(pair[1]) not in MAY_IMPORT[part_of(pair[0])]}
    assert wrong - EXCEPTIONS == set()


def test_the_list_of_exceptions_shrinks() -> None:
    """An exception that is no longer needed must be removed."""
    assert EXCEPTIONS - crossings() == set()


def test_no_two_parts_import_each_other() -> None:
    """Allowed imports are acyclic."""
    left = {one: set(others) for one, others in MAY_IMPORT.items()}
    while left:
        lowest = {one for one, others in left.items() if not others & set(left)}
        assert lowest, f"these go round: {sorted(left)}"
        left = {one: others for one, others in left.items() if one not in lowest}


def test_no_modules_import_each_other() -> None:
    """Not in a roundabout way either, except for the exceptions."""
    left = {
        module: {one for one in imports(tree) if one in MODULES and (module, one) not in EXCEPTIONS}
        for module, tree in MODULES.items()
    }
    while left:
        lowest = {one for one, others in left.items() if not others & set(left) - {one}}
        assert lowest, f"these go round: {sorted(left)}"
        left = {one: others for one, others in left.items() if one not in lowest}


def names_the_environment(tree: ast.Module) -> bool:
    """Return whether a module uses ``os.environ`` or a function that reads it."""
    named = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in named:
            return True
        imported = isinstance(node, ast.ImportFrom) and node.module == "os"
        if imported and named & {alias.name for alias in node.names}:
            return True
    return False


def test_settings_alone_reads_the_environment() -> None:
    """Everything else gets its settings as arguments."""
    assert {name for name, tree in MODULES.items() if names_the_environment(tree)} == ENVIRONMENT


@pytest.mark.parametrize(
    "text", ["import os\nos.environ['A']", "from os import getenv", "import os\nos.getenv('A')"]
)
def test_any_reading_of_the_environment_is_seen(text: str) -> None:
    """In any notation."""
    assert names_the_environment(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "import series_assets.storage.files",
        "from series_assets.storage import files",
        "from series_assets.storage.files import Layout",
        "def f():\n    from series_assets.storage.files import Layout",
        "import_module('series_assets.storage.files')",
    ],
)
def test_any_import_is_seen(text: str) -> None:
    """In any notation."""
    assert set(imports(ast.parse(text))) == {"storage.files"}


def test_modules_name_others_that_are_there() -> None:
    """Modules and keys mentioned in the first lines of a module exist."""
    keys = {"original_values"}
    sources = {path: path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py")}
    places = {path.stem for path in sources} | {path.parent.name for path in sources}
    lost = []
    for path, source in sources.items():
        head = ast.get_docstring(ast.parse(source)) or ""
        for name in re.findall(r"\bin\s+``(?:[a-z_]+\.)*([a-z_]+)``", head):
            if name not in places | keys:
                lost.append((path.name, name))
    assert lost == []

"""The layout of the tests: helpers are in plain modules, folders mirror the package."""

import ast
from collections.abc import Iterator
from pathlib import Path

_TESTS = Path(__file__).parent
_ROOT = _TESTS.parent


def imported(path: Path) -> Iterator[str]:
    """Return the dotted names that a module imports, also within functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def holds_tests(module: str) -> bool:
    """Return whether a dotted name is that of a module of tests, or of a name in one."""
    first, *parts = module.split(".")
    return first == _TESTS.name and any(
        part == "conftest" or part.startswith("test_") for part in parts[:-1]
    )


def test_nothing_imports_from_a_module_of_tests() -> None:
    """Shared helpers are in plain modules, so that test modules can be moved."""
    folders = [_TESTS, _ROOT / "series_assets", _ROOT / "benchmarks", _ROOT / "docs"]
    modules = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(modules) > 200
    found = {
        f"{path.relative_to(_ROOT)} imports {name}"
        for path in modules
        for name in imported(path)
        if holds_tests(name)
    }
    assert sorted(found) == []


def test_an_import_from_a_module_of_tests_is_seen(tmp_path: Path) -> None:
    """Of a module or of a name in one, at the top or in a function."""
    module = tmp_path / "test_one.py"
    module.write_text(
        "from series_assets_tests.core.test_records import a_row\n"
        "def shared():\n    from series_assets_tests.conftest import durations\n"
        "from series_assets_tests.builders import test_data\n"
    )
    seen = [name for name in imported(module) if holds_tests(name)]
    assert seen == [
        "series_assets_tests.core.test_records.a_row",
        "series_assets_tests.conftest.durations",
    ]


def test_each_folder_of_the_package_has_tests_of_its_own() -> None:
    """After a change in a folder, it is clear which tests to run."""
    package = _ROOT / "series_assets"
    folders = {
        path.relative_to(package)
        for path in package.rglob("*")
        if path.is_dir() and (path / "__init__.py").exists()
    }
    assert Path("core/plan") in folders
    without = {
        folder.as_posix() for folder in folders if not list((_TESTS / folder).glob("test_*.py"))
    }
    assert without == set()

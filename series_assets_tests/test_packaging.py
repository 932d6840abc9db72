"""The built distributions have the right contents and declare their dependencies."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = (
    ".ci",
    ".github",
    "benchmarks",
    "docs",
    "examples",
    "series_assets",
    "series_assets_tests",
)
FILES = (
    ".pre-commit-config.yaml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "MANIFEST.in",
    "Makefile",
    "README.md",
    "mkdocs.yml",
    "pyproject.toml",
    "requirements-dev.lock",
    "setup.py",
    "workspace.yaml",
)
"""All files of the project except those that are only useful in its repository."""
LEFT_BEHIND = (
    "__pycache__",
    "*.py[co]",
    "*.egg-info",
    ".*_cache",
    "data",
    "tmp*",
    "*.db*",
    "*.duckdb*",
    "target",
    "logs",
    ".user.yml",
)
"""Files that running the project leaves in its folder (see .gitignore)."""
OF_THE_CALLER = {
    "polars (series_assets/dagster/input_loading.py)",
    "pytest (series_assets/pytest_plugin.py)",
}
"""Libraries used only if they are installed."""
NEEDED_SETUPTOOLS = 77
BUILD = """
import sys
from setuptools import build_meta
out = sys.argv[1]  # which setuptools changes
build_meta.build_wheel(out)
build_meta.build_sdist(out)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project, with files that a user's runs would leave in it."""
    tree = tmp_path_factory.mktemp("project")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    for name in FILES:
        shutil.copy(ROOT / name, tree / name)
    return tree


@pytest.fixture(scope="module")
def built(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a wheel and a source distribution, built from that copy."""
    if int(version("setuptools").split(".")[0]) < NEEDED_SETUPTOOLS:
        pytest.skip(f"building needs setuptools>={NEEDED_SETUPTOOLS}: pip install -e '.[dev]'")
    place, out = tmp_path_factory.mktemp("copy") / "project", tmp_path_factory.mktemp("built")
    shutil.copytree(tree, place)
    for junk in (
        "data/demo/dataset_1.csv",
        "series/own/specification.yml",
        "examples/warehouse/data/customers/dataset_1.csv",
        "examples/warehouse/warehouse.db",
        "examples/dbt_snapshots/warehouse.duckdb",
        "examples/dbt_snapshots/dbt/target/manifest.json",
        "series_assets/__pycache__/cli.pyc",
        "series_assets_tests/__pycache__/builders.pyc",
        ".dagster/storage.db",
    ):
        (place / junk).parent.mkdir(parents=True, exist_ok=True)
        (place / junk).write_text("of a user's")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(out)], cwd=place, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return out


def files_of(folder: Path) -> set[str]:
    """Return the relative paths of all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_wheel_holds_the_package_alone(tree: Path, built: Path) -> None:
    """All files of the package with series and templates, but no tests."""
    [path] = built.glob("*.whl")
    with ZipFile(path) as wheel:
        names = wheel.namelist()
    package = {name for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert {name.split("/")[0] for name in package} == {"series_assets"}
    assert package == {f"series_assets/{name}" for name in files_of(tree / "series_assets")}
    assert {
        "series_assets/py.typed",
        "series_assets/schemas/specification.json",
        "series_assets/series/claims/user_input.yml",
        "series_assets/templates/report.html",
    } <= package
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_source_distribution_holds_the_project(tree: Path, built: Path) -> None:
    """Tests with golden files, documents, benchmarks and examples; no files of a user's."""
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {one.name.partition("/")[2] for one in archive.getmembers() if one.isfile()}
    generated = {name for name in names if name.startswith("series_assets.egg-info/")}
    assert names - generated == {*files_of(tree), "PKG-INFO", "setup.cfg"}
    assert {"series_assets_tests/golden/clinic.yml", "docs/operating.md"} <= names


def test_what_is_declared_of_the_project(built: Path) -> None:
    """The wheel's metadata has versions, licence and classifiers, and no placeholder address."""
    [path] = built.glob("*.whl")
    with ZipFile(path) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = wheel.read(name).decode()
    assert "License-Expression: AGPL-3.0-or-later" in metadata
    assert "Classifier: Typing :: Typed" in metadata
    assert "Classifier: License ::" not in metadata  # the licence expression replaces it


@pytest.mark.thorough
def test_the_wheel_alone_is_enough_to_use_it(built: Path, tmp_path: Path) -> None:
    """As pipx and uvx install it: a copy of a shipped series is created and generated."""
    [wheel] = built.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    binaries = tmp_path / "venv" / "bin"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SERIES_ASSETS", "PYTHON"))}
    install = [binaries / "python", "-m", "pip", "install", "-q", str(wheel)]
    subprocess.run(install, env=kept, check=True)
    for arguments in (
        ("new", "mine", "--like", "claims"),
        ("validate", "mine"),
        ("generate", "mine", "--periods", "2023-01-01..2023-04-01"),
        ("check", "mine"),
    ):
        done = subprocess.run(
            [binaries / "series-assets", *arguments],
            cwd=tmp_path,
            env=kept | {"SERIES_ASSETS_SERIES_DIR": str(tmp_path / "series")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "mine" / "dataset_2.csv").exists()


def imported(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield module and file of each import of another project below a folder."""
    own = {path.name for path in ROOT.iterdir()} | {"warehouse"}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for name in {name.split(".")[0] for name in names}:
                if name not in sys.stdlib_module_names and name not in own:
                    yield name, str(path.relative_to(ROOT))


def normal(name: str) -> str:
    """Return the normalized name of a distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: Iterable[str]) -> set[str]:
    """Return the names of the distributions in requirements."""
    return {normal(re.match(r"[\w.-]+", one).group()) for one in requirements}  # type: ignore[union-attr]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("folder", "extras"),
    [("series_assets", ("duckdb",)), ("benchmarks", ("dev",))],
)
def test_what_is_imported_is_declared(folder: str, extras: tuple[str, ...]) -> None:
    """Each imported distribution is declared in pyproject.toml, not only installed indirectly."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = named(project["dependencies"])
    for extra in extras:
        declared |= named(project["optional-dependencies"][extra])
    providers = packages_distributions()
    lacking = {
        f"{module} ({path})"
        for module, path in imported(ROOT / folder)
        if not declared & set(map(normal, providers.get(module, [module])))
    }
    assert lacking <= OF_THE_CALLER

"""The lock file pins all packages of the development environment."""

import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PYTHONS = ("3.11", "3.12")


def running_on(python: str) -> dict[str, str]:
    """Return the environment of requirement markers on Linux with a version of Python."""
    return {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def pins(text: str, python: str) -> dict[str, str]:
    """Return the versions by name that a lock file installs with a version of Python.

    Raises ValueError with a line that pins no version, or a package a second time.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        one = Requirement(line)
        if one.marker and not one.marker.evaluate(running_on(python)):
            continue
        [*specifiers] = one.specifier
        name = canonicalize_name(one.name)
        if len(specifiers) != 1 or specifiers[0].operator != "==" or "*" in specifiers[0].version:
            raise ValueError(f"{line}: pins no version")
        if name in found:
            raise ValueError(f"{line}: pinned before, to {found[name]}")
        found[name] = specifiers[0].version
    return found


def faults(requirements: list[str], pinned: Mapping[str, str], python: str) -> list[str]:
    """Return the faults of the pins of requirements, one text each."""
    found = []
    for text in requirements:
        one = Requirement(text)
        if one.marker and not one.marker.evaluate(running_on(python)):
            continue
        pin = pinned.get(canonicalize_name(one.name))
        if pin is None:
            found.append(f"{one.name} is not pinned")
        elif not one.specifier.contains(pin, prereleases=True):
            found.append(f"{one.name} is pinned to {pin}, but has to be {one.specifier}")
    return found


def lock() -> str:
    """Return the text of the lock file."""
    return (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")


def project() -> dict:
    """Return the project's table in pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("python", PYTHONS)
def test_every_declared_dependency_is_pinned_to_a_version_it_allows(python: str) -> None:
    """Of the package and all its extras; run ``make lock`` after a change of either."""
    declared = project()
    requirements = sum(declared["optional-dependencies"].values(), declared["dependencies"])
    assert len(requirements) > len(declared["dependencies"])
    assert faults(requirements, pins(lock(), python), python) == []


def test_all_supported_versions_of_python_are_looked_at() -> None:
    """A change of the supported versions must be made in this test too."""
    supported = SpecifierSet(project()["requires-python"])
    minors = [f"3.{minor}" for minor in range(30)]
    assert tuple(one for one in minors if supported.contains(f"{one}.0")) == PYTHONS


def test_what_the_dependencies_need_is_pinned_too() -> None:
    """No package is installed in a version that the lock file leaves open.

    Indirect dependencies are read from the installed packages, if they have the pinned versions.
    """
    python = ".".join(map(str, sys.version_info[:2]))
    pinned = pins(lock(), python)
    unpinned: dict[str, list[str]] = {}
    for name, pin in pinned.items():
        try:
            if version(name) != pin:
                continue
        except PackageNotFoundError:
            continue
        needed = [text for text in requires(name) or [] if "extra ==" not in text]
        unpinned[name] = faults(needed, pinned, python)
    assert unpinned, "nothing that the lock file pins is installed"
    assert {name: found for name, found in unpinned.items() if found} == {}


def test_a_pin_that_is_missing_or_outside_what_is_declared_is_found() -> None:
    """The message has the package, its pin and the requirement."""
    split = "split==1 ; python_version < '3.12'\nsplit==2 ; python_version >= '3.12'\n"
    text = f"# by a tool\nOld_Name==1.5\n{split}"
    assert pins(text, "3.11") == {"old-name": "1.5", "split": "1"}
    assert pins(text, "3.12") == {"old-name": "1.5", "split": "2"}
    requirements = ["old.name>=2", "split>=2", "lacking", "other; python_version < '3'"]
    assert faults(requirements, pins(text, "3.11"), "3.11") == [
        "old.name is pinned to 1.5, but has to be >=2",
        "split is pinned to 1, but has to be >=2",
        "lacking is not pinned",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("one>=1", "one>=1: pins no version"),
        ("one", "one: pins no version"),
        ("one==1.*", r"one==1\.\*: pins no version"),
        ("one==1\nOne==2", "One==2: pinned before, to 1"),
    ],
)
def test_a_line_that_pins_nothing_is_found(text: str, fault: str) -> None:
    """Each line has one version, and each package has one line per version of Python."""
    with pytest.raises(ValueError, match=fault):
        pins(text, "3.11")

"""Strange or malicious YAML results in a value or a message."""

import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from series_assets.core.errors import InputError
from series_assets.storage import yaml_reading
from series_assets.storage.yaml_reading import check_values, parse_yaml, read_yaml


def fault(text: str) -> str:
    """Return the only fault of a text."""
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "demo/file.yml")
    [found] = caught.value.faults
    assert found.file == "demo/file.yml"
    return found.message


QUOTE = "put it in quotes if it is text"
KEY = "a key has to be plain text, not a list or a mapping; put text with { or [ in quotes"
DEEP = "has values nested more than 50 levels deep; write it with fewer levels"
MANY = (
    "holds more than 100,000 values, or anchors that stand for as many; keep long tables of values "
    "in the database that exhibit_db_path names"
)
ITSELF = "refers to itself; write it out in full"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: {{ x }}", f"line 1, column 5: {KEY}"),
        ("b: 1\n[a]: b", f"line 2, column 1: {KEY}"),
        ("? {a: b}\n: c", f"line 1, column 3: {KEY}"),
        ("x: !!int abc", "line 1, column 4: 'abc' is not a whole number"),
        ("x: !!int ''", "line 1, column 4: '' is not a whole number"),
        ("x: !!float abc", "line 1, column 4: 'abc' is not a number"),
        ("x: !!bool maybe", "line 1, column 4: 'maybe' is not true or false"),
        ("x: !!null x", "line 1, column 4: 'x' is not empty"),
        ("x: !!timestamp soon", "line 1, column 4: 'soon' is not a date in the calendar"),
        ("x: 2024-02-30", "line 1, column 4: '2024-02-30' is not a date in the calendar"),
        ("x: 2024-01-01 10:00:00 +99:99", "is not a date in the calendar"),
        ("x: !!str [a]", "line 1, column 4: the tag !!str has no meaning here; leave it out"),
        ("x: !!seq a", "line 1, column 4: the tag !!seq has no meaning here; leave it out"),
        ("x: !!map [a]", "line 1, column 4: the tag !!map has no meaning here; leave it out"),
        ("x: !!set {a}", "line 1, column 4: the tag !!set has no meaning here; leave it out"),
        (
            "x: !!binary aaaa",
            "line 1, column 4: the tag !!binary has no meaning here; leave it out",
        ),
        (
            "x: !!python/object/apply:os.system [ls]",
            "line 1, column 4: the tag !!python/object/apply:os.system has no meaning here; leave "
            "it out",
        ),
        ("x: =", f"line 1, column 4: '=' has no meaning here; {QUOTE}"),
        ("x: [<<]", f"line 1, column 5: '<<' has no meaning here; {QUOTE}"),
        ("x: 0x_", "line 1, column 4: '0x_' is not a whole number"),
        ("0x_: 1", "line 1, column 1: '0x_' is not a whole number"),
        ("x: 1:30", f"line 1, column 4: '1:30' is a number of base 60 to YAML; {QUOTE}"),
        ("x: 1:30.5", f"line 1, column 4: '1:30.5' is a number of base 60 to YAML; {QUOTE}"),
        (
            "x: 010",
            "line 1, column 4: '010' is a number of base 8 to YAML; write it without the 0 in "
            "front, or in quotes if it is text",
        ),
        ("x: " + "1" * 5000, "is too long for a number; write it with fewer digits"),
        ("x: 0x" + "f" * 5000, "is too long for a number; write it with fewer digits"),
        ('x: "\\0"', "text with the character NUL cannot be written to a file; leave it out"),
        ('x: "\\ud800"', "text with a lone surrogate (half a character) cannot be written"),
        ("x: &x [*x]", f"line 1, column 8: '*x' {ITSELF}"),
        ("x: &x {y: *x}", f"line 1, column 11: '*x' {ITSELF}"),
        ("x: &x {<<: *x}", f"line 1, column 12: '*x' {ITSELF}"),
        ("a: 1\n---\nb: 2", "line 2, column 1: is not YAML: a second document begins here"),
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the key 'a' is given twice; keep one of them"),
        ("a: *b", "line 1, column 4: is not YAML: found undefined alias 'b'"),
        ("<<: 3", "is not YAML: expected a mapping or list of mappings for merging"),
        ("a: 1\n b: 2\n", "check indentation, colons and quotes here and in the lines above"),
        ("a:\n  b: 1\n c: 2\n", "check indentation, colons and quotes here and in the lines"),
        ("a: 1\nb\nc: 2\n", "check indentation, colons and quotes here and in the lines above"),
    ],
)
def test_what_is_no_plain_value_is_told_with_its_place(text: str, expected: str) -> None:
    """Line and column, what is wrong, and what to do."""
    assert expected in fault(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a: 1", "a: [1, 2.5, x, null, true]", "a: {b: {c: d}}", "a: 2024-01-31", "a: 1_000"),
        *("a: &x [1]\nb: *x", "a: &x {y: 1}\nb:\n  <<: *x\n  z: 2", "a: 0", "a: '010'"),
        *("a: '1:30'", "a: .inf", "a: -0.5", "a: 0x", "a: 1e5", "- a\n- b", "a: |\n  x\n  y\n"),
        "!!int 3: 4",
    ],
)
def test_plain_values_are_those_of_yaml(text: str) -> None:
    """The limits do not affect them."""
    assert parse_yaml(text, "demo") == yaml.safe_load(text)


def _bomb(first: str, line: str, levels: int) -> str:
    names = [f"a{level}" for level in range(levels)]
    lines = [f"{names[0]}: &{names[0]} {first}"]
    for inner, outer in pairwise(names):
        lines.append(f"{outer}: &{outer} " + line.format(", ".join([f"*{inner}"] * 9)))
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(_bomb("[x, x, x]", "[{}]", 30), MANY, id="anchors"),
        pytest.param(_bomb("{x: 1, y: 2}", "{{<<: [{}]}}", 30), MANY, id="merged"),
        pytest.param("x: [" + "a, " * 150_000 + "]", MANY, id="long", marks=pytest.mark.thorough),
        pytest.param("x: " + "[" * 100_000, DEEP, id="flow"),
        pytest.param("- " * 5_000, DEEP, id="block"),
        pytest.param("? " * 5_000, DEEP, id="keys"),
        pytest.param(
            "a0: &a0 [x]\n" + "\n".join(f"a{n + 1}: &a{n + 1} [*a{n}]" for n in range(5000)),
            DEEP,
            id="anchors of anchors",
        ),
    ],
)
def test_endless_yaml_is_reported_at_once(text: str, expected: str) -> None:
    """Aliases count as often as they are used, without expanding them."""
    begun = time.process_time()
    assert fault(text).endswith(expected)
    assert time.process_time() - begun < 10


@pytest.mark.thorough
@pytest.mark.slow
def test_as_much_as_the_limits_allow_is_read() -> None:
    """In the number of values and of levels."""
    assert len(parse_yaml("[" + "a," * 99_990 + "]", "demo")) == 99_990
    nested = parse_yaml("[" * 50 + "]" * 50, "demo")
    assert str(nested) == "[" * 50 + "]" * 50


def test_a_file_that_is_too_large_is_reported_before_it_is_parsed(tmp_path: Path) -> None:
    """With its size, the limit, and the right place for large tables."""
    path = tmp_path / "file.yml"
    path.write_text("# " + "x" * 60_000_000)
    begun = time.process_time()
    with pytest.raises(InputError) as caught:
        read_yaml(path, "demo/file.yml")
    assert str(caught.value) == (
        "demo/file.yml: is too large, with 60.0 MB; the limit is 2 MB: keep long tables of values "
        "in the database that exhibit_db_path names"
    )
    assert time.process_time() - begun < 1


def _folder(path: Path) -> None:
    path.mkdir()


def _nothing(path: Path) -> None:
    path.symlink_to("nowhere.yml")


def _itself(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (_folder, "is a folder, not a file"),
        (os.mkfifo, "is a pipe or a device, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a pipe or a device, not a file"),
        (_nothing, "is a link to a file that is not there; correct the link"),
        (_itself, "cannot be read: Too many levels of symbolic links; correct the link"),
        (lambda path: path.write_bytes(b"a: \xff"), "is not text in UTF-8; save it in UTF-8"),
        (
            lambda path: None,
            "there is no such file; a series needs specification.yml and user_input.yml",
        ),
    ],
)
def test_a_path_that_is_no_file_is_reported(tmp_path: Path, make: Any, expected: str) -> None:
    """Without waiting for it."""
    path = tmp_path / "file.yml"
    make(path)
    with pytest.raises(InputError) as caught:
        read_yaml(path, "demo/file.yml")
    assert str(caught.value) == f"demo/file.yml: {expected}"


@pytest.mark.parametrize("written", ["a\0b", "x" * 5000])
def test_an_impossible_path_is_reported(written: str) -> None:
    """A NUL character, or a path that is too long."""
    with pytest.raises(InputError, match=r"^demo: cannot be read: "):
        read_yaml(Path(written), "demo")


def test_a_file_without_read_permission_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the system's reason."""

    def refuse(*_: Any) -> int:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "file.yml"
    path.write_text("a: 1")
    monkeypatch.setattr(yaml_reading.os, "open", refuse)
    with pytest.raises(InputError) as caught:
        read_yaml(path, "demo")
    assert str(caught.value) == "demo: cannot be read: Permission denied"


def _endless() -> list[Any]:
    values: list[Any] = []
    values.append(values)
    return values


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[]] * 100_000, MANY),
        (_endless(), DEEP),
        ({"a": 10**100}, "holds a number of more than 100 digits; write a smaller one"),
        (["\0"], "text with the character NUL cannot be written to a file; leave it out"),
    ],
)
def test_values_from_elsewhere_have_the_same_limits(values: object, expected: str) -> None:
    """Such as those in a ``defs.yaml``."""
    with pytest.raises(InputError) as caught:
        check_values(values, "demo")
    assert str(caught.value) == f"demo: {expected}"

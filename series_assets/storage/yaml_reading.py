"""Reading untrusted YAML: plain values, within limits of size and depth.

Any file results in a value, or in an InputError with line and column.
"""

import errno
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from series_assets.core.errors import Fault, InputError, fault_at

MAX_BYTES = 2_000_000
MAX_VALUES = 100_000
"""Keys and values of a file, with every reference to an anchor counted in full."""
MAX_DEPTH = 50
_LONGEST_NUMBER = 100
_KINDS = {
    yaml.ScalarNode: ("null", "bool", "int", "float", "str", "timestamp"),
    yaml.SequenceNode: ("seq",),
    yaml.MappingNode: ("map",),
}
_SURROGATES = re.compile("[\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"
Flaw = tuple[str, str]
"""A problem and its remedy, which may be empty."""
_USE_DATABASE = "keep long tables of values in the database that exhibit_db_path names"
_TOO_MANY_VALUES: Flaw = (
    f"holds more than {MAX_VALUES:,} values, or anchors that stand for as many",
    _USE_DATABASE,
)
_TOO_DEEP: Flaw = (
    f"has values nested more than {MAX_DEPTH} levels deep",
    "write it with fewer levels",
)


def read_yaml(path: Path, label: str) -> Any:
    """Return the content of a YAML file, which messages call ``label``. Raises InputError."""
    return parse_yaml(_text(path, label), label)


def parse_yaml(text: str, label: str) -> Any:
    """Return the content of a YAML text. Raises InputError with the place of the fault."""
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise InputError([_fault_of(error).in_file(label)]) from None


def check_values(content: object, label: str) -> None:
    """Check values from another source against the limits for a file. Raises InputError."""
    queue, seen = [(content, 1)], 0
    while queue:
        value, depth = queue.pop()
        seen += 1
        fault: Flaw | None = None
        if seen > MAX_VALUES:
            fault = _TOO_MANY_VALUES
        elif depth > MAX_DEPTH:
            fault = _TOO_DEEP
        elif isinstance(value, Mapping):
            queue += ((part, depth + 1) for pair in value.items() for part in pair)
        elif isinstance(value, list | tuple):
            queue += ((part, depth + 1) for part in value)
        elif isinstance(value, str):
            fault = _unwritable(value)
        elif isinstance(value, int) and abs(value) >= 10**_LONGEST_NUMBER:
            fault = f"holds a number of more than {_LONGEST_NUMBER} digits", "write a smaller one"
        if fault:
            raise InputError([Fault(label, "", *fault)])


def _text(path: Path, label: str) -> str:
    try:
        with open(path, "rb", opener=_open_without_blocking) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError([Fault(label, "", "is a pipe or a device, not a file")])
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            problem = f"is too large, with {status.st_size / 1e6:.1f} MB"
            remedy = f"the limit is {MAX_BYTES / 1e6:.0f} MB: {_USE_DATABASE}"
            raise InputError([Fault(label, "", problem, remedy)])
        return content.decode()
    except FileNotFoundError:
        raise InputError([Fault(label, "", *_missing(path, label))]) from None
    except IsADirectoryError:
        raise InputError([Fault(label, "", "is a folder, not a file")]) from None
    except UnicodeDecodeError:
        raise InputError([Fault(label, "", "is not text in UTF-8", "save it in UTF-8")]) from None
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "correct the link" if error.errno == errno.ELOOP else ""
        raise InputError([Fault(label, "", f"cannot be read: {reason}", remedy)]) from None
    except ValueError:  # about the path, not the file
        problem = "cannot be read: its path has a character that no path can have"
        raise InputError([Fault(label, "", problem, "leave it out")]) from None


def _open_without_blocking(path: str, flags: int) -> int:
    """Open a file; a pipe would otherwise block until it is written to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _missing(path: Path, label: str) -> Flaw:
    if path.is_symlink():
        return "is a link to a file that is not there", "correct the link"
    remedy = "a series needs specification.yml and user_input.yml"
    if path.suffix == ".yml" and path.with_suffix(".yaml").exists():
        remedy = f"rename {path.stem}.yaml to {path.name}"
    elif label == str(path):
        remedy = "correct the path"
    return "there is no such file", remedy


def _unwritable(text: str) -> Flaw | None:
    if "\x00" in text:
        return "text with the character NUL cannot be written to a file", "leave it out"
    if _SURROGATES.search(text):
        problem = "text with a lone surrogate (half a character) cannot be written"
        return problem, "leave it out"
    return None


class _FlawError(yaml.MarkedYAMLError):
    """A fault of valid YAML that is not accepted here."""

    def __init__(self, flaw: Flaw, mark: Any) -> None:
        super().__init__(problem=flaw[0], problem_mark=mark)
        self.remedy = flaw[1]


class _Loader(yaml.SafeLoader):
    """A loader of plain YAML within the limits, whose faults all have a place.

    Duplicate keys are faults, because YAML would ignore the first one; so are numbers that YAML
    reads in another base.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._level = 0
        self._count = 0
        self._depths = [0]
        """The depth below each node that is being read."""
        self._sizes: dict[yaml.Node, tuple[int, int]] = {}
        """The number of values in a node, and its depth."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> Any:
        """Return the next node. Raises _FlawError where it exceeds a limit."""
        event: Any = self.peek_event()
        start: Any = event.start_mark
        if self._level >= MAX_DEPTH:
            raise _FlawError(_TOO_DEEP, start)
        before = self._count
        self._level += 1
        self._depths.append(0)
        node: Any = super().compose_node(parent, index)
        levels = self._depths.pop() + 1
        self._level -= 1
        if isinstance(event, yaml.AliasEvent):
            if node not in self._sizes:
                flaw = f"'*{event.anchor}' refers to itself", "write it out in full"
                raise _FlawError(flaw, start)
            size, levels = self._sizes[node]
            self._count += size
        else:
            self._count += 1
            self._sizes[node] = (self._count - before, levels)
        self._depths[-1] = max(self._depths[-1], levels)
        if self._count > MAX_VALUES:
            raise _FlawError(_TOO_MANY_VALUES, start)
        if self._level + levels > MAX_DEPTH:
            raise _FlawError(_TOO_DEEP, start)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return the value of a node. Raises _FlawError for one that is not accepted."""
        kind = node.tag.removeprefix(_TAG)
        if kind not in _KINDS[type(node)]:
            raise _FlawError(_unknown_tag(node), node.start_mark)
        if isinstance(node, yaml.ScalarNode) and (
            fault := _unwritable(node.value) or _misleading(node, kind)
        ):
            raise _FlawError(fault, node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            expected = _TYPE_NAMES.get(kind, f"a {kind}")
            raise _FlawError((f"{_shown(node)} is not {expected}", ""), node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node. Raises _FlawError for a key that is not accepted."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                problem = "a key has to be plain text, not a list or a mapping"
                flaw = problem, "put text with { or [ in quotes"
                raise _FlawError(flaw, key.start_mark)
            if key.tag != f"{_TAG}merge" and key.value in seen:
                flaw = f"the key '{key.value}' is given twice", "keep one of them"
                raise _FlawError(flaw, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_TYPE_NAMES = {
    "timestamp": "a date in the calendar",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "empty",
}
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_BASE_8 = re.compile(r"[-+]?0[0-7_]+")


def _misleading(node: yaml.ScalarNode, kind: str) -> Flaw | None:
    """Return why a scalar is not what YAML would read, or None."""
    text = node.value
    if kind == "null" and text.lower() not in ("", "~", "null"):
        return f"{_shown(node)} is not empty", ""
    if kind not in ("int", "float"):
        return None
    if len(text) > _LONGEST_NUMBER:
        return f"{_shown(node)} is too long for a number", "write it with fewer digits"
    if _BASE_60.fullmatch(text):
        return f"{_shown(node)} is a number of base 60 to YAML", "put it in quotes if it is text"
    if kind == "int" and _BASE_8.fullmatch(text) and text.strip("+-0_"):
        return (
            f"{_shown(node)} is a number of base 8 to YAML",
            "write it without the 0 in front, or in quotes if it is text",
        )
    return None


def _unknown_tag(node: yaml.Node) -> Flaw:
    if node.tag in (f"{_TAG}value", f"{_TAG}merge"):
        return f"{_shown(node)} has no meaning here", "put it in quotes if it is text"
    tag = node.tag.replace(_TAG, "!!")
    return f"the tag {tag[:60]} has no meaning here", "leave it out"


def _shown(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
    return f"'{node.value if len(node.value) <= 40 else node.value[:37] + '...'}'"


_BY_LAYOUT = ("expected <block end>", "expected ':'", "mapping values are not allowed")
"""What PyYAML says of a wrong indentation or a missing quote or colon, often of a later line."""


def _fault_of(error: yaml.YAMLError) -> Fault:
    """Return the fault of a text; no other function reads PyYAML's messages."""
    if isinstance(error, yaml.reader.ReaderError):
        return fault_at("", f"is not YAML: {error.reason} (position {error.position})")
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem, remedy = getattr(error, "problem", None) or str(error), ""
    if isinstance(error, _FlawError):
        remedy = error.remedy
    else:
        if problem == "but found another document":
            problem, remedy = "a second document begins here", "keep one of them"
        elif "'\\t'" in problem:
            remedy = "indent with spaces instead of tabs"
        elif any(part in problem for part in _BY_LAYOUT):
            remedy = "check indentation, colons and quotes here and in the lines above"
        problem = f"is not YAML: {problem}"
    text = f"{place}: {problem}" if place else problem
    return Fault("", place, text, remedy, place_first=False)

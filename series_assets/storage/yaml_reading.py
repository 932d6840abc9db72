"""Reading YAML that anybody may have written: plain values, and no more of them than fit.

Whatever stands in a file ends in a value or in an InputError with line and column. What the values
mean is the business of ``core``.
"""

import errno
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from series_assets.core.errors import Fault, InputError, fault_at

MAX_BYTES = 2_000_000
MAX_VALUES = 100_000
"""Keys and values of a file, each reference to an anchor counted as all that it stands for."""
MAX_DEPTH = 50
_LONGEST_NUMBER = 100
_KINDS = {
    yaml.ScalarNode: ("null", "bool", "int", "float", "str", "timestamp"),
    yaml.SequenceNode: ("seq",),
    yaml.MappingNode: ("map",),
}
_HALVES = re.compile("[\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"
Flaw = tuple[str, str]
"""A problem, and its remedy, which may be \"\"."""


def read_yaml(path: Path, label: str) -> Any:
    """Return what a YAML file holds; ``label`` is what messages call the file.

    Raises InputError for a file that is missing, no regular file, too large, no text or no YAML.
    """
    return parse_yaml(_text(path, label), label)


def parse_yaml(text: str, label: str) -> Any:
    """Return what a YAML text holds. Raises InputError, with the line and column of the fault."""
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise InputError([_fault_of(error).in_file(label)]) from None


def check_values(content: object, label: str) -> None:
    """Hold values that were read elsewhere against the limits for a file. Raises InputError."""
    waiting, seen = [(content, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        fault: Flaw | None = None
        if seen > MAX_VALUES:
            fault = _too_many()
        elif depth > MAX_DEPTH:
            fault = _too_deep()
        elif isinstance(value, Mapping):
            waiting += ((part, depth + 1) for pair in value.items() for part in pair)
        elif isinstance(value, list | tuple):
            waiting += ((part, depth + 1) for part in value)
        elif isinstance(value, str):
            fault = _unwritable(value)
        elif isinstance(value, int) and abs(value) >= 10**_LONGEST_NUMBER:
            fault = f"holds a number of more than {_LONGEST_NUMBER} digits", "write a smaller one"
        if fault:
            raise InputError([Fault(label, "", *fault)])


def _text(path: Path, label: str) -> str:
    try:
        # Opening a pipe would wait for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
                raise InputError([Fault(label, "", f"is {what}, not a file")])
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError([Fault(label, "", *_too_large(found.st_size))])
        return content.decode()
    except FileNotFoundError:
        raise InputError([Fault(label, "", *_missing(path, label))]) from None
    except IsADirectoryError:
        raise InputError([Fault(label, "", "is a folder, not a file")]) from None
    except UnicodeDecodeError:
        raise InputError([Fault(label, "", "is not text in UTF-8")]) from None
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "mend the link" if error.errno == errno.ELOOP else ""
        raise InputError([Fault(label, "", f"cannot be read: {reason}", remedy)]) from None
    except ValueError:  # from a path, not from its file
        problem = "cannot be read: its path has a character that no path can have"
        raise InputError([Fault(label, "", problem, "leave it out")]) from None


def _missing(path: Path, label: str) -> Flaw:
    if path.is_symlink():
        return "is a link to a file that is not there", "mend the link"
    needs = "a series needs specification.yml and user_input.yml"
    return "there is no such file", "mend the path" if label == str(path) else needs


def _too_large(size: int) -> Flaw:
    return (
        f"is too large, with {size / 1e6:.1f} MB",
        f"the limit is {MAX_BYTES / 1e6:.0f} MB: keep long tables of values in the database that "
        "exhibit_db_path names",
    )


def _too_many() -> Flaw:
    return (
        f"holds more than {MAX_VALUES:,} values, or anchors that stand for as many",
        "keep long tables of values in the database that exhibit_db_path names",
    )


def _too_deep() -> Flaw:
    return f"has values nested more than {MAX_DEPTH} levels deep", "write it with fewer levels"


def _unwritable(text: str) -> Flaw | None:
    if "\x00" in text:
        return "a text with the character NUL cannot be written to a file", "leave it out"
    if _HALVES.search(text):
        problem = "a text with half a character (a lone surrogate) cannot be written"
        return problem, "leave it out"
    return None


class _TooMuchError(yaml.MarkedYAMLError):
    """A file that is YAML, and more of it than is read."""

    def __init__(self, flaw: Flaw, mark: Any) -> None:
        super().__init__(problem=flaw[0], problem_mark=mark)
        self.remedy = flaw[1]


class _Loader(yaml.SafeLoader):
    """Plain YAML within the limits; every fault has a place.

    A key given twice is a fault, since the first one would vanish; so are numbers that mean
    something else than they look like.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._level = 0
        self._total = 0
        self._reach = [0]
        """The deepest level below each node that is being read."""
        self._known: dict[yaml.Node, tuple[int, int]] = {}
        """How many values a node stands for, and how many levels."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> Any:
        """Return the next node, counted. Raises _TooMuchError where the limits are passed."""
        event: Any = self.peek_event()
        start: Any = event.start_mark
        if self._level >= MAX_DEPTH:
            raise _TooMuchError(_too_deep(), start)
        before = self._total
        self._level += 1
        self._reach.append(0)
        node: Any = super().compose_node(parent, index)
        levels = self._reach.pop() + 1
        self._level -= 1
        if isinstance(event, yaml.AliasEvent):
            if node not in self._known:
                flaw = f"'*{event.anchor}' refers to itself", "write out what is meant"
                raise _TooMuchError(flaw, start)
            size, levels = self._known[node]
            self._total += size
        else:
            self._total += 1
            self._known[node] = (self._total - before, levels)
        self._reach[-1] = max(self._reach[-1], levels)
        if self._total > MAX_VALUES:
            raise _TooMuchError(_too_many(), start)
        if self._level + levels > MAX_DEPTH:
            raise _TooMuchError(_too_deep(), start)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return the value of a node. Raises ConstructorError for one that makes no sense."""
        kind = node.tag.removeprefix(_TAG)
        if kind not in _KINDS[type(node)]:
            raise _PlainError(_foreign(node), node.start_mark)
        if isinstance(node, yaml.ScalarNode) and (
            fault := _unwritable(node.value) or _misleading(node, kind)
        ):
            raise _PlainError(fault, node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            what = _MEANT.get(kind, f"a {kind}")
            raise _PlainError((f"{_shown(node)} is not {what}", ""), node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node. Raises ConstructorError for a key that cannot be one."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                flaw = (
                    "a key has to be plain text, not a list or a mapping",
                    "put text with { or [ in quotes",
                )
                raise _PlainError(flaw, key.start_mark)
            if key.tag != f"{_TAG}merge" and key.value in seen:
                flaw = f"the key '{key.value}' is given twice", "keep one of them"
                raise _PlainError(flaw, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_MEANT = {
    "timestamp": "a day of the calendar",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "empty",
}
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_BASE_8 = re.compile(r"[-+]?0[0-7_]+")


def _misleading(node: yaml.ScalarNode, kind: str) -> Flaw | None:
    """Return why a scalar is no number to read, though YAML has a meaning for it."""
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


def _foreign(node: yaml.Node) -> Flaw:
    if node.tag in (f"{_TAG}value", f"{_TAG}merge"):
        return f"{_shown(node)} stands for nothing here", "put it in quotes if it is text"
    tag = node.tag.replace(_TAG, "!!")
    return f"the tag {tag[:60]} has no meaning here", "leave it out"


def _shown(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
    return f"'{node.value if len(node.value) <= 40 else node.value[:37] + '...'}'"


class _PlainError(ConstructorError):
    """A fault that is no fault of YAML itself, told in a sentence of its own."""

    def __init__(self, flaw: Flaw, mark: Any) -> None:
        super().__init__(None, None, flaw[0], mark)
        self.remedy = flaw[1]


def _fault_of(error: yaml.YAMLError) -> Fault:
    """Return what is wrong with a text; the one place that reads the messages of PyYAML."""
    if isinstance(error, yaml.reader.ReaderError):
        return fault_at("", f"is not YAML: {error.reason} (position {error.position})")
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem, remedy = getattr(error, "problem", None) or str(error), ""
    if isinstance(error, _PlainError | _TooMuchError):
        remedy = error.remedy
    else:
        if problem == "but found another document":
            problem, remedy = "a second document begins here", "keep one of them"
        problem = f"is not YAML: {problem}"
    text = f"{place}: {problem}" if place else problem
    return Fault("", place, text, remedy, place_first=False)

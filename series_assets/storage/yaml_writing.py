"""Specifications as plain YAML, part by part: most columns are the same from period to period.

What was written once is kept for the next time; the bytes are those of writing it as a whole.
"""

import re
from functools import lru_cache
from typing import Any

import yaml

from series_assets.core.spec.specification import Specification


def as_yaml(content: Specification) -> str:
    """Return a specification as plain YAML, one line a value, keys in their order."""
    if not content or _shares(content):  # YAML then refers from one part to another
        return _dumped(content)
    parts = []
    for key, value in content.items():
        if isinstance(value, dict) and value and _is_plain(key):
            parts.append(f"{key}:\n")
            parts += [_entry(_Part(name, inner)) for name, inner in value.items()]
        else:
            parts.append(_whole(_Part(key, value)))
    return "".join(parts)


@lru_cache
def _is_plain(key: str) -> bool:
    """Tell whether YAML writes a key as it is."""
    return bool(re.fullmatch("[a-z]+_?[a-z]+", key)) and _dumped({key: 0}) == f"{key}: 0\n"


def _dumped(content: Any) -> str:
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=2**16)
    return text


class _Part:
    """An entry of a mapping; two are the same that look the same, to the type of each value."""

    def __init__(self, name: Any, value: Any) -> None:
        self.content = {name: value}
        self._looks = repr(self.content)

    def __hash__(self) -> int:
        return hash(self._looks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Part) and self._looks == other._looks


@lru_cache(maxsize=512)
def _entry(part: _Part) -> str:
    """Return the YAML of an entry of a mapping that is itself an entry."""
    return _dumped({"_": part.content}).removeprefix("_:\n")


@lru_cache(maxsize=64)
def _whole(part: _Part) -> str:
    return _dumped(part.content)


def _shares(content: Any) -> bool:
    """Tell whether a list or a mapping, or another value with parts, occurs in it twice."""
    seen: set[int] = set()
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if value is None or isinstance(value, str | int | float | bool):
            continue
        if id(value) in seen:
            return True
        seen.add(id(value))
        if isinstance(value, dict):
            waiting += value.keys()
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
    return False

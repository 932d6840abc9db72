"""Specifications as plain YAML."""

import re
from typing import Any

import yaml

from series_assets.core.spec.specification import Specification

_FAST = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The dumper of libyaml, five times as fast; not every build of PyYAML has it."""
_LIBYAML_DIFFERS = re.compile(r"\\[NU]|^[ -]*(\? |'':)|^.{120,}:( |$)", re.MULTILINE)
"""What libyaml writes differently: characters beyond U+FFFF, empty and very long keys."""


def as_yaml(content: Specification) -> str:
    """Return a specification as plain YAML, one line for each value, keys in their order.

    The text is the same with and without libyaml.
    """
    text = _dump(content, _FAST)
    return _dump(content, yaml.SafeDumper) if _LIBYAML_DIFFERS.search(text) else text


def _dump(content: Specification, dumper: Any) -> str:
    return yaml.dump(content, Dumper=dumper, sort_keys=False, allow_unicode=True, width=2**16)

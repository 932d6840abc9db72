"""Isolation of a run of Exhibit from the rest of the process; one run at a time.

Exhibit reads its database's address from the environment, prints its messages, and uses and
overwrites the process's random state. Here each run has its own.
"""

import contextlib
import io
import os
import random
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

Patches = Sequence[tuple[ModuleType, Mapping[str, Any]]]
"""New values for attributes of modules; later entries take precedence."""
_LOCK = threading.RLock()


class SortedSet(set[Any]):
    """A set with sorted iteration, so that results do not depend on the hash seed."""

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__(), key=str))

    def __sub__(self, other: Any) -> "SortedSet":
        return SortedSet(set.__sub__(self, set(other)))

    def __and__(self, other: Any) -> "SortedSet":
        return SortedSet(set.__and__(self, set(other)))

    def __or__(self, other: Any) -> "SortedSet":
        return SortedSet(set.__or__(self, set(other)))


class Clock:
    """pandas, with the start of the period as "now" (``@sysdate``, contract, section 8)."""

    def __init__(self, today: pd.Timestamp) -> None:
        self._today = today

    def __getattr__(self, name: str) -> Any:
        return getattr(pd, name)

    def to_datetime(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what pandas returns, except for "now"."""
        if isinstance(value, str) and value == "now":
            return self._today.tz_localize("UTC")
        return pd.to_datetime(value, *args, **kwargs)


@dataclass
class ExhibitMessages:
    """What Exhibit printed and its warnings during a run."""

    printed: io.StringIO = field(default_factory=io.StringIO)
    warnings: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the messages line by line, without empty and repeated ones."""
        lines = [line.strip() for line in self.printed.getvalue().splitlines()]
        return [*filter(None, lines), *dict.fromkeys(self.warnings)]


@contextlib.contextmanager
def isolated(database: Path | None, seed: int) -> Iterator[ExhibitMessages]:
    """Run a block with a database, output, warnings and random state of its own.

    ``database`` is a scratch copy that Exhibit may write to, None where it needs none; ``seed``
    seeds the process's own random generators.
    """
    messages = ExhibitMessages()
    # As a file URI, in which any character of a path can be written.
    address = f"sqlite:///file:{quote(str(database.resolve()))}?uri=true" if database else None
    environment = {"EXHIBIT_DB_URL": address, "EXHIBIT_DB_SCHEMA": None}
    with (
        _LOCK,
        _environment(environment),
        _random_state(seed),
        contextlib.redirect_stdout(messages.printed),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            yield messages
        finally:
            messages.warnings += [
                str(warning.message)
                for warning in caught
                if issubclass(warning.category, RuntimeWarning | UserWarning)
            ]


@contextlib.contextmanager
def patched(patches: Patches) -> Iterator[None]:
    """Replace attributes of modules in a block."""
    with contextlib.ExitStack() as stack:
        for module, names in patches:
            for name, value in names.items():
                stack.callback(_restore, module, name, vars(module).get(name, _restore))
                setattr(module, name, value)
        yield


def _restore(module: ModuleType, name: str, value: Any) -> None:
    if value is _restore:  # the attribute did not exist
        delattr(module, name)
    else:
        setattr(module, name, value)


@contextlib.contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    try:
        _set_environment(values)
        yield
    finally:
        _set_environment(before)


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _random_state(seed: int) -> Iterator[None]:
    # Exhibit replaces ``random.seed`` itself.
    function, python_state, numpy_state = random.seed, random.getstate(), np.random.get_state()
    try:
        random.seed(seed)
        np.random.seed(seed)
        yield
    finally:
        random.seed = function
        random.setstate(python_state)
        np.random.set_state(numpy_state)

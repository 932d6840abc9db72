"""One run of Exhibit at a time, with nothing of it left behind and nothing of before let in.

Exhibit reads its database's address from the environment, prints its complaints, and uses (and
overwrites) the process's own random state. Here each run gets these for itself.
"""

import contextlib
import io
import os
import random
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

_ONE_AT_A_TIME = threading.RLock()


class SortedSet(set[Any]):
    """A set that is iterated in sorted order, so that the hash seed shows nowhere."""

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__(), key=str))

    def __sub__(self, other: Any) -> "SortedSet":
        return SortedSet(set.__sub__(self, set(other)))

    def __and__(self, other: Any) -> "SortedSet":
        return SortedSet(set.__and__(self, set(other)))

    def __or__(self, other: Any) -> "SortedSet":
        return SortedSet(set.__or__(self, set(other)))


class Clock:
    """pandas, except that "now" is the start of the period (``@sysdate``, contract 8)."""

    def __init__(self, today: pd.Timestamp) -> None:
        self._today = today

    def __getattr__(self, name: str) -> Any:
        return getattr(pd, name)

    def to_datetime(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Return pandas' own reading of ``value``, but for "now"."""
        if isinstance(value, str) and value == "now":
            return self._today.tz_localize("UTC")
        return pd.to_datetime(value, *args, **kwargs)


@dataclass
class ExhibitMessages:
    """What Exhibit printed and warned of during a run."""

    printed: io.StringIO = field(default_factory=io.StringIO)
    warned: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return what was said, line by line, without what says nothing."""
        lines = [line.strip() for line in self.printed.getvalue().splitlines()]
        return [*filter(None, lines), *dict.fromkeys(self.warned)]


@contextlib.contextmanager
def isolated(database: Path | None, seed: int) -> Iterator[ExhibitMessages]:
    """Run the block with Exhibit to itself: its database, output, warnings and random state.

    ``database`` is a scratch copy that Exhibit may write to, None where it needs none; ``seed``
    decides what Exhibit draws from the process's own generators.
    """
    said = ExhibitMessages()
    # As a file URI, in which any character of a path can be written.
    address = f"sqlite:///file:{quote(str(database.resolve()))}?uri=true" if database else None
    environment = {"EXHIBIT_DB_URL": address, "EXHIBIT_DB_SCHEMA": None}
    with (
        _ONE_AT_A_TIME,
        _environment(environment),
        _random_state(seed),
        contextlib.redirect_stdout(said.printed),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            yield said
        finally:
            said.warned += [
                str(warning.message)
                for warning in caught
                if issubclass(warning.category, RuntimeWarning | UserWarning)
            ]


@contextlib.contextmanager
def patched(stand_ins: Iterable[tuple[ModuleType, Mapping[str, Any]]]) -> Iterator[None]:
    """Give modules other objects under the names given, for as long as the block lasts."""
    with contextlib.ExitStack() as stack:
        for module, names in stand_ins:
            for name, value in names.items():
                stack.callback(_put_back, module, name, vars(module).get(name, _put_back))
                setattr(module, name, value)
        yield


def _put_back(module: ModuleType, name: str, value: Any) -> None:
    if value is _put_back:  # it was not there before
        delattr(module, name)
    else:
        setattr(module, name, value)


@contextlib.contextmanager
def _environment(wanted: Mapping[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    try:
        _set_environment(wanted)
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
    kept = SimpleNamespace(
        function=random.seed, python=random.getstate(), numpy=np.random.get_state()
    )
    try:
        random.seed(seed)
        np.random.seed(seed)
        yield
    finally:
        random.seed = kept.function
        random.setstate(kept.python)
        np.random.set_state(kept.numpy)

"""Loading the libraries that make records, without the one that hardly a series needs.

Exhibit imports two distributions of SciPy for its actions that shift numbers, and scikit-learn
its statistics for tests of its own. They take longer to import than thousands of rows to make.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_STATISTICS = "scipy.stats"


def import_exhibit() -> None:
    """Import Exhibit and scikit-learn's shuffle; SciPy's statistics follow where they are used."""
    with _statistics_later():
        for name in ("exhibit.core.exhibit", "sklearn.utils"):
            import_module(name)


class _Later:
    """Stands for something of a module, which is imported when it is first used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(import_module(_STATISTICS), self._name), attribute)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(_STATISTICS), self._name)(*args, **kwargs)


class _LaterModule(ModuleType):
    def __getattr__(self, name: str) -> _Later:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(name)


@contextmanager
def _statistics_later() -> Iterator[None]:
    """Let what a block imports have SciPy's statistics without importing them yet."""
    if _STATISTICS in sys.modules:
        yield
        return
    later = sys.modules[_STATISTICS] = _LaterModule(_STATISTICS)
    try:
        yield
    finally:
        if sys.modules.get(_STATISTICS) is later:
            del sys.modules[_STATISTICS]

"""Importing Exhibit without SciPy's statistics, which few series need.

Exhibit imports two distributions of SciPy for its actions that shift numbers, and scikit-learn
imports the statistics for its own tests. Importing them takes longer than generating thousands of
rows.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_STATISTICS = "scipy.stats"


def import_exhibit() -> None:
    """Import Exhibit and scikit-learn's shuffle; SciPy's statistics are imported on first use."""
    with _lazy_statistics():
        for name in ("exhibit.core.exhibit", "sklearn.utils"):
            import_module(name)


class _LazyAttribute:
    """An attribute of SciPy's statistics, imported on first use."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(import_module(_STATISTICS), self._name), attribute)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(_STATISTICS), self._name)(*args, **kwargs)


class _LazyModule(ModuleType):
    def __getattr__(self, name: str) -> _LazyAttribute:
        if name.startswith("__"):
            raise AttributeError(name)
        return _LazyAttribute(name)


@contextmanager
def _lazy_statistics() -> Iterator[None]:
    """Let imports in a block refer to SciPy's statistics without importing these."""
    if _STATISTICS in sys.modules:
        yield
        return
    lazy = sys.modules[_STATISTICS] = _LazyModule(_STATISTICS)
    try:
        yield
    finally:
        if sys.modules.get(_STATISTICS) is lazy:
            del sys.modules[_STATISTICS]

"""Libraries without the statistics of SciPy, until somebody asks for them.

Exhibit imports two distributions for its actions that shift numbers, scikit-learn one for tests of
its own. Hardly a series needs them, and their import takes longer than making thousands of rows.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_NAME = "scipy.stats"


class _Later(ModuleType):
    """Has a function for each name, which imports the module when it is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: getattr(import_module(_NAME), name)(*args, **kwargs)


@contextmanager
def statistics_later() -> Iterator[None]:
    """Let what a block imports have SciPy's distributions without importing them yet."""
    if _NAME in sys.modules:
        yield
        return
    later = sys.modules[_NAME] = _Later(_NAME)
    try:
        yield
    finally:
        if sys.modules.get(_NAME) is later:
            del sys.modules[_NAME]

"""Importing Exhibit without SciPy's statistics and SQLAlchemy, which few series need.

Exhibit imports two distributions of SciPy for its actions that shift numbers, and SQLAlchemy for
tables of values in a database. Importing them takes longer than generating thousands of rows.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_ON_FIRST_USE = ("scipy.stats", "exhibit.core.sql")


def import_exhibit() -> None:
    """Import Exhibit; what few series need of it is imported on first use."""
    with _lazy_modules():
        import_module("exhibit.core.exhibit")


class _LazyAttribute:
    """An attribute of a module that is imported on first use."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(import_module(self._module), self._name), attribute)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(self._module), self._name)(*args, **kwargs)


class _LazyModule(ModuleType):
    def __getattr__(self, name: str) -> _LazyAttribute:
        if name.startswith("__"):
            raise AttributeError(name)
        return _LazyAttribute(self.__name__, name)


@contextmanager
def _lazy_modules() -> Iterator[None]:
    """Let imports in a block refer to modules that are not imported then."""
    lazy = {name: _LazyModule(name) for name in _ON_FIRST_USE if name not in sys.modules}
    sys.modules.update(lazy)
    try:
        yield
    finally:
        for name, module in lazy.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]

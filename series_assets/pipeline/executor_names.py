"""How executors are named in settings and calls: ``auto``, ``none``, ``processes:N``."""

import re

SETTING = "SERIES_ASSETS_EXECUTOR"
_FORM = re.compile(r"auto|none|processes:([1-9][0-9]{0,3})")


def is_executor(name: str) -> bool:
    """Tell whether a name is one of an executor."""
    return bool(_FORM.fullmatch(name))


def wanted_processes(name: str) -> int | None:
    """Return how many processes an executor's name asks for; None for ``auto``.

    Raises ValueError for a name that is none.
    """
    match = _FORM.fullmatch(name)
    if match is None:
        raise ValueError(f"'{name}' is not known; use auto, none or processes:N")
    return 1 if name == "none" else int(match[1]) if match[1] else None

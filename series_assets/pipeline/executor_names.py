"""The names of executors in settings and calls: ``auto``, ``none``, ``processes:N``."""

import re

SETTING = "SERIES_ASSETS_EXECUTOR"
_FORM = re.compile(r"auto|none|processes:([1-9][0-9]{0,3})")


def is_executor(name: str) -> bool:
    """Return whether a name is that of an executor."""
    return bool(_FORM.fullmatch(name))


def wanted_processes(name: str) -> int | None:
    """Return the number of processes of an executor; None for ``auto``.

    Raises ValueError for an unknown name.
    """
    match = _FORM.fullmatch(name)
    if match is None:
        raise ValueError(f"'{name}' is not known; use auto, none or processes:N")
    return 1 if name == "none" else int(match[1]) if match[1] else None

"""The names of executors in settings and calls.

``auto``, ``none``, ``processes:N``, and ``dask:ADDRESS`` with the address of a scheduler.
"""

import re

SETTING = "SERIES_ASSETS_EXECUTOR"
_DASK = re.compile(r"dask:((?:tcp|tls|ws|wss)://[^\s/]+:[0-9]+)")
_FORM = re.compile(r"auto|none|processes:([1-9][0-9]{0,3})")


def is_executor(name: str) -> bool:
    """Return whether a name is that of an executor."""
    return bool(_FORM.fullmatch(name) or dask_address(name))


def dask_address(name: str) -> str | None:
    """Return the address of the Dask scheduler that an executor names; None for any other."""
    match = _DASK.fullmatch(name)
    return match[1] if match else None


def wanted_processes(name: str) -> int | None:
    """Return the number of processes of an executor; None for ``auto``.

    Raises ValueError for an unknown name.
    """
    match = _FORM.fullmatch(name)
    if match is None:
        raise ValueError(
            f"'{name}' is not known; use auto, none, processes:N or dask:tcp://HOST:PORT"
        )
    return 1 if name == "none" else int(match[1]) if match[1] else None

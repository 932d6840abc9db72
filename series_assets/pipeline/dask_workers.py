"""Workers of an existing Dask scheduler, on this machine or on others.

A worker generates one part at a time, whatever number of threads it has: Exhibit keeps state in
modules, which a process has only once. Dask gives the part of a worker that died to another one.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from series_assets.core.errors import RequestError
from series_assets.pipeline.executor_names import SETTING

_TIMEOUT = 10
"""Seconds to wait for the scheduler."""
_one_at_a_time = threading.Lock()
_PACKAGES = ("series_assets", "exhibit", "pandas", "numpy")
"""The packages whose versions have to be the same everywhere, as bytes depend on them."""


class DaskWorkers(Executor):
    """The workers of a scheduler, as an executor."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)

    @property
    def count(self) -> int:
        """The number of workers at this moment; 1 while there are none, to wait for new ones."""
        return max(1, len(self._client.nthreads()))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call a function in a worker that has no other work."""
        future: Future[Any] = self._executor.submit(_alone, fn, *args, **kwargs)
        return future


def _alone(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function while no other thread of this worker calls one."""
    with _one_at_a_time:
        return fn(*args, **kwargs)


@contextmanager
def connect_workers(address: str, folder: Path | None) -> Iterator[DaskWorkers]:
    """Provide the workers of the scheduler at an address.

    ``folder`` is one for temporary files, which all of them have to see, if any. Raises
    RequestError where there is no scheduler or worker, or one is not fit for the work.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise RequestError(
            f"{SETTING} is dask:{address}, but Dask is not installed",
            "install series_assets[dask], also where the workers run",
        ) from None
    try:
        client = distributed.Client(address, timeout=_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RequestError(
            f"no Dask scheduler answers at {address}: {error or type(error).__name__}",
            f"start one there, or set {SETTING} to another executor",
        ) from None
    with client:
        _check_workers(client, address, folder)
        yield DaskWorkers(client)  # parts that still wait are cancelled when the client closes


def _check_workers(client: Any, address: str, folder: Path | None) -> None:
    """Refuse workers that have other versions, or do not see the folder. Raises RequestError."""
    if not client.nthreads():
        raise RequestError(
            f"the Dask scheduler at {address} has no workers", "start some with dask worker"
        )
    own = _versions()
    for worker, found in _ask(client, _versions, address).items():
        other = [name for name in _PACKAGES if found[name] != own[name]]
        if other:
            raise RequestError(
                f"the Dask worker {worker} has {other[0]} {found[other[0]]}, not {own[other[0]]}",
                "install the same versions everywhere: the bytes of datasets depend on them",
            )
    if folder is None:
        return
    for worker, sees in _ask(client, _sees, address, str(folder)).items():
        if not sees:
            raise RequestError(
                f"the Dask worker {worker} cannot write to {folder}",
                "put the data folder on storage that all workers share, under the same path",
            )


def _ask(client: Any, function: Callable[..., Any], address: str, *args: Any) -> dict[str, Any]:
    """Return what each worker answers. Raises RequestError where one lacks this package."""
    try:
        found: dict[str, Any] = client.run(function, *args)
    except (ImportError, AttributeError, KeyError) as error:
        raise RequestError(
            f"a Dask worker of {address} cannot load series_assets: {error}",
            "install the same version of series_assets where the workers run",
        ) from None
    return found


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in _PACKAGES}


def _sees(folder: str) -> bool:
    """Return whether a folder of the run's own is there, and can be written."""
    import os

    return os.path.isdir(folder) and os.access(folder, os.W_OK)  # noqa: PTH112

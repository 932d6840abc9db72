"""Scratch folders of runs: each run has its own, and clears away those of runs that were killed.

A run holds a lock while it lives; the system frees it when the process ends, however it does.
"""

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from series_assets.storage.files import telling_of

_LOCK = ".lock"
_ONE_PROCESS = "one process"
_DAY = 24 * 60 * 60
_MINUTE = 60
_held: dict[Path, FileLock] = {}


def claim(runs: Path, run: str, *, one_process: bool) -> Path:
    """Return the folder of a run among those of all ``runs``, made where there is none.

    ``one_process`` says that all of the run happens in this process: once the process is gone,
    the folder is nobody's. Where each step has a process of its own, nobody holds the lock
    between two of them, and the folder is only cleared away after a day.
    Raises GenerationError where nothing can be written.
    """
    folder = runs / run
    with telling_of(folder):
        if folder not in _held:
            runs.mkdir(parents=True, exist_ok=True)
            lock = FileLock(_lock_of(folder))
            lock.acquire()
            _held[folder] = lock
            _lock_of(folder).write_text(_ONE_PROCESS if one_process else "")
            _clear_away_abandoned(runs)
        folder.mkdir(exist_ok=True)
    return folder


def give_back(runs: Path, run: str) -> None:
    """Remove the folder of a run unless something is left in it, and ``runs`` if it was the last.

    Does nothing for a run that has none.
    """
    folder = runs / run
    with contextlib.suppress(OSError):
        if folder.exists():
            folder.rmdir()
        if lock := _held.pop(folder, None):
            _lock_of(folder).unlink(missing_ok=True)
            lock.release()
        runs.rmdir()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK)


def _clear_away_abandoned(runs: Path) -> None:
    """Remove what runs left that were killed."""
    names = {path.name.removesuffix(_LOCK) for path in runs.iterdir()}
    for folder in (runs / name for name in sorted(names)):
        if folder not in _held:
            with contextlib.suppress(Timeout, OSError), _lock_if_free(folder):
                if _is_abandoned(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                    _lock_of(folder).unlink(missing_ok=True)


@contextlib.contextmanager
def _lock_if_free(folder: Path) -> Iterator[None]:
    with FileLock(_lock_of(folder)).acquire(timeout=0):
        yield


def _is_abandoned(folder: Path) -> bool:
    """Tell whether nobody will come back to a folder whose lock nobody holds."""
    lock = _lock_of(folder)
    if not folder.exists():  # its run may be about to take the lock
        return time.time() - lock.stat().st_mtime > _MINUTE
    if lock.read_text() == _ONE_PROCESS:
        return True
    newest = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    return time.time() - newest > _DAY

"""Scratch folders of runs: each run has its own, and removes those of runs that were killed.

A run locks its folder until its process ends, however it does. A second lock, for all runs, is
held briefly while a run changes folders or files that others may change too.
"""

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from filelock import FileLock, Timeout

from series_assets.core.errors import GenerationError
from series_assets.storage.files import explain_write_errors

_LOCK = ".lock"
_LOCK_CONTENT = "one process"
"""The content of a lock file of this package."""
_TIMEOUT = 60
"""Seconds to wait for another run."""
_NO_LINKS = (
    "scratch files of runs are written and removed there, so it has to be a real folder: "
    "remove the link, then run this again"
)
_held: dict[Path, FileLock] = {}


def claim(runs: Path, run: str) -> Path:
    """Return the folder of a run below ``runs``, created and locked until this process ends.

    Raises GenerationError where nothing can be written.
    """
    folder = runs / run
    with explain_write_errors(folder):
        if folder not in _held:
            with exclusive_access(runs):
                _remove_abandoned(runs)
                _refuse_foreign(folder)
                _lock_of(folder).write_text(_LOCK_CONTENT)
                lock = FileLock(_lock_of(folder))
                lock.acquire(timeout=0)  # the name is new
                _held[folder] = lock
                try:
                    folder.mkdir(exist_ok=True)
                except BaseException:
                    _release(folder)
                    raise
        folder.mkdir(exist_ok=True)
    return folder


def discard(runs: Path, run: str) -> None:
    """Remove the folder of a run that was claimed here, and ``runs`` if it is then empty."""
    folder = runs / run
    if runs.is_symlink() or not (folder in _held or _is_ours(folder)):
        return
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError, GenerationError), exclusive_access(runs):
        _release(folder)


@contextlib.contextmanager
def exclusive_access(runs: Path) -> Iterator[None]:
    """Run a block while no other run is in one, and then remove ``runs`` if it is empty.

    Blocks may not be nested. Raises GenerationError where others take too long.
    """
    lock_file = runs / _LOCK
    for path in (runs, lock_file):
        if path.is_symlink():
            raise GenerationError("is a link", _NO_LINKS, file=path)
    with contextlib.suppress(OSError):
        if lock_file.stat().st_size:  # this package's is empty
            raise GenerationError(
                "is not a lock file of series_assets, but has the name of one",
                "move it away, then run this again",
                file=lock_file,
            )
    lock, until = FileLock(lock_file), time.monotonic() + _TIMEOUT
    with explain_write_errors(runs):
        while not lock.is_locked:
            try:
                runs.mkdir(parents=True, exist_ok=True)
                lock.acquire(timeout=_TIMEOUT, poll_interval=0.01)
            except (FileNotFoundError, FileExistsError):
                # The last of the other runs has just removed the folder.
                if time.monotonic() > until or _is_no_folder(runs):
                    raise
            except Timeout:
                raise GenerationError(
                    f"another run has held this lock for {_TIMEOUT} seconds",
                    "wait until it is done or end it, then run this again",
                    file=lock_file,
                ) from None
            except OSError:
                with contextlib.suppress(OSError):
                    runs.rmdir()
                raise
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if not any(path != lock_file for path in runs.iterdir()):
                lock_file.unlink(missing_ok=True)
                runs.rmdir()
        lock.release()


def _is_no_folder(path: Path) -> bool:
    """Return whether a path is something else; a folder may vanish at any time."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK)


def _release(folder: Path) -> None:
    if lock := _held.pop(folder, None):
        with contextlib.suppress(OSError):
            _lock_of(folder).unlink(missing_ok=True)
        lock.release()


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder or lock of another program in the place of a run's own."""
    for path in (folder, _lock_of(folder)):
        if path.is_symlink() or (path.exists() and not _is_ours(folder)):
            raise GenerationError(
                "was not created by series_assets",
                "move it elsewhere, then run this again",
                file=path,
            )


def _remove_abandoned(runs: Path) -> None:
    """Remove the folders of killed runs, which have a lock of this package beside them."""
    names = {path.name for path in runs.iterdir() if path.name.endswith(_LOCK)} - {_LOCK}
    for folder in (runs / name.removesuffix(_LOCK) for name in sorted(names)):
        if folder not in _held and _is_ours(folder):
            lock = FileLock(_lock_of(folder))
            with contextlib.suppress(Timeout, OSError), lock.acquire(timeout=0):
                if not _has_links(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                    _lock_of(folder).unlink(missing_ok=True)


def _is_ours(folder: Path) -> bool:
    """Return whether a lock of this package is beside a folder, and neither is a link."""
    lock = _lock_of(folder)
    if lock.is_symlink() or not lock.is_file() or folder.is_symlink():
        return False
    with lock.open("rb") as stream:
        content = stream.read(len(_LOCK_CONTENT) + 1)
    if content == _LOCK_CONTENT.encode():
        return True
    # A run that was killed while writing its lock has not created its folder.
    unfinished = _LOCK_CONTENT.encode().startswith(content) and not folder.exists()
    return unfinished and _is_run_id(folder.name)


def _is_run_id(name: str) -> bool:
    """Return whether a name is a run's: a UUID as Dagster writes it."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _has_links(folder: Path) -> bool:
    """Return whether a folder is or holds a link: runs create none, so the user must have."""
    paths = [folder]
    for place, folders, names in os.walk(folder):
        paths += [Path(place, name) for name in (*folders, *names)]
    return any(path.is_symlink() for path in paths)

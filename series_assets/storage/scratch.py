"""Scratch folders of runs: each run has its own, and clears away those of runs that were killed.

A run holds a lock while it lives; the system frees it when the process ends, however it does.
What runs do to each other's folders, and to files that more than one of them writes, they do one
at a time, under a second lock that is held for moments only.
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
_OURS = "one process"
"""What a lock of ours says; a file that says anything else is somebody else's."""
_PATIENCE = 60
"""Seconds to wait for what another run does in moments."""
_NO_LINKS = (
    "what runs put down on their way is kept and removed there, so it has to be a place of its "
    "own: remove the link, then run this again"
)
_held: dict[Path, FileLock] = {}


def claim(runs: Path, run: str) -> Path:
    """Return the folder of a run among those of all ``runs``, made where there is none.

    Once this process is gone, the folder is nobody's.
    Raises GenerationError where nothing can be written.
    """
    folder = runs / run
    with explain_write_errors(folder):
        if folder not in _held:
            with exclusive_access(runs):
                _clear_away_abandoned(runs)
                _refuse_foreign(folder)
                _lock_of(folder).write_text(_OURS)
                lock = FileLock(_lock_of(folder))
                lock.acquire(timeout=0)  # the name is new
                _held[folder] = lock
                try:
                    folder.mkdir(exist_ok=True)
                except BaseException:
                    _let_go(folder)
                    raise
        folder.mkdir(exist_ok=True)
    return folder


def discard(runs: Path, run: str) -> None:
    """Remove the folder of a run, and ``runs`` if it was the last.

    What was not claimed here is left alone.
    """
    folder = runs / run
    if runs.is_symlink() or not (folder in _held or _is_ours(folder)):
        return
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError, GenerationError), exclusive_access(runs):
        _let_go(folder)


@contextlib.contextmanager
def exclusive_access(runs: Path) -> Iterator[None]:
    """Do a block while no other run does one; ``runs`` goes in the end if nothing is in it.

    Blocks may not be within each other. Raises GenerationError where the others take too long.
    """
    place = runs / _LOCK
    for path in (runs, place):
        if path.is_symlink():
            raise GenerationError("is a link", _NO_LINKS, file=path)
    with contextlib.suppress(OSError):
        if place.stat().st_size:  # ours is empty
            raise GenerationError(
                "is no lock of series_assets, and stands where its lock has to be",
                "move it away, then run this again",
                file=place,
            )
    lock, until = FileLock(place), time.monotonic() + _PATIENCE
    with explain_write_errors(runs):
        while not lock.is_locked:
            try:
                runs.mkdir(parents=True, exist_ok=True)
                lock.acquire(timeout=_PATIENCE, poll_interval=0.01)
            except (FileNotFoundError, FileExistsError):
                # The last of the other runs has just taken the folder away.
                if time.monotonic() > until or _is_no_folder(runs):
                    raise
            except Timeout:
                raise GenerationError(
                    f"another run has held this lock for {_PATIENCE} seconds",
                    "wait until it is done or end it, then run this again",
                    file=place,
                ) from None
            except OSError:
                with contextlib.suppress(OSError):
                    runs.rmdir()
                raise
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if not any(path != place for path in runs.iterdir()):
                place.unlink(missing_ok=True)
                runs.rmdir()
        lock.release()


def _is_no_folder(path: Path) -> bool:
    """Tell whether something else is there, by one look: a folder may go at any moment."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK)


def _let_go(folder: Path) -> None:
    if lock := _held.pop(folder, None):
        with contextlib.suppress(OSError):
            _lock_of(folder).unlink(missing_ok=True)
        lock.release()


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder, or a lock, that stands where a run's own is to be."""
    for path in (folder, _lock_of(folder)):
        if path.is_symlink() or (path.exists() and not _is_ours(folder)):
            raise GenerationError(
                "was not made by series_assets",
                "move it elsewhere, then run this again",
                file=path,
            )


def _clear_away_abandoned(runs: Path) -> None:
    """Remove what runs left that were killed; no other run begins or ends meanwhile.

    Only what has a lock of ours beside it: the rest is somebody else's.
    """
    names = {path.name for path in runs.iterdir() if path.name.endswith(_LOCK)} - {_LOCK}
    for folder in (runs / name.removesuffix(_LOCK) for name in sorted(names)):
        if folder not in _held and _is_ours(folder):
            with contextlib.suppress(Timeout, OSError), _lock_if_free(folder):
                if _is_abandoned(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                    _lock_of(folder).unlink(missing_ok=True)


def _is_ours(folder: Path) -> bool:
    """Tell whether a lock of ours is beside a folder (or where it was), and no link is there."""
    lock = _lock_of(folder)
    if lock.is_symlink() or not lock.is_file() or folder.is_symlink():
        return False
    with lock.open("rb") as stream:
        content = stream.read(len(_OURS) + 1)
    if content == _OURS.encode():
        return True
    # A run that was killed while it wrote its lock had not made its folder yet.
    unfinished = _OURS.encode().startswith(content) and not folder.exists()
    return unfinished and _is_run(folder.name)


def _is_run(name: str) -> bool:
    """Tell whether a name is one that a run has: a UUID as Dagster writes it."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


@contextlib.contextmanager
def _lock_if_free(folder: Path) -> Iterator[None]:
    with FileLock(_lock_of(folder)).acquire(timeout=0):
        yield


def _is_abandoned(folder: Path) -> bool:
    """Tell whether nobody will come back to a folder of ours whose lock nobody holds.

    Runs make no links: a folder with one in it has something of somebody else's.
    """
    if not folder.exists():
        return True
    paths = [folder]
    for place, folders, names in os.walk(folder):
        paths += [Path(place, name) for name in (*folders, *names)]
    return not any(path.is_symlink() for path in paths)

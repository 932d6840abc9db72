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
from series_assets.storage.files import telling_of

_LOCK = ".lock"
_ONE_PROCESS, _MANY_PROCESSES = "one process", "many processes"
"""What a lock of ours says; a file that says anything else is somebody else's."""
_DAY = 24 * 60 * 60
_PATIENCE = 60
"""Seconds to wait for what another run does in moments."""
_NO_LINKS = (
    "what runs put down on their way is kept and removed there, so it has to be a place of its "
    "own: remove the link, then run this again"
)
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
            with one_at_a_time(runs):
                _clear_away_abandoned(runs)
                _refuse_foreign(folder)
                _lock_of(folder).write_text(_ONE_PROCESS if one_process else _MANY_PROCESSES)
                lock = FileLock(_lock_of(folder))
                with contextlib.suppress(Timeout):  # another process of the same run holds it
                    lock.acquire(timeout=0)
                _held[folder] = lock
                try:
                    folder.mkdir(exist_ok=True)
                except BaseException:
                    _let_go(folder)
                    raise
        folder.mkdir(exist_ok=True)
    return folder


def discard(runs: Path, run: str, part: str = "") -> None:
    """Remove what is in the folder of a run, or in one part of it; then ``give_back``.

    What was not claimed here is left alone.
    """
    folder = runs / run
    if not runs.is_symlink() and (folder in _held or _is_ours(folder)):
        shutil.rmtree(folder / part, ignore_errors=True)
    give_back(runs, run)


def give_back(runs: Path, run: str) -> None:
    """Remove the folder of a run unless something is left in it, and ``runs`` if it was the last.

    Does nothing for a run that has none.
    """
    folder = runs / run
    if folder in _held or folder.exists():
        with contextlib.suppress(OSError, GenerationError), one_at_a_time(runs):
            if folder.exists():
                folder.rmdir()
            _let_go(folder)


@contextlib.contextmanager
def one_at_a_time(runs: Path) -> Iterator[None]:
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
    with telling_of(runs):
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
        said = stream.read(len(_MANY_PROCESSES) + 1)
    ours = (_ONE_PROCESS.encode(), _MANY_PROCESSES.encode())
    if said in ours:
        return True
    # A run that was killed while it wrote its lock had not made its folder yet.
    unfinished = any(text.startswith(said) for text in ours) and not folder.exists()
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
    if any(path.is_symlink() for path in paths):
        return False
    if _lock_of(folder).read_text() == _ONE_PROCESS:
        return True
    return time.time() - max(path.stat().st_mtime for path in paths) > _DAY

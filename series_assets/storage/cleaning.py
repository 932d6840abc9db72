"""Removing the files that were generated for a series, and nothing else."""

import os
from collections.abc import Sequence
from pathlib import Path

from series_assets.core.errors import GenerationError
from series_assets.storage import files
from series_assets.storage.layout import Layout
from series_assets.storage.remote import is_remote


def removable_files(layout: Layout) -> list[Path]:
    """Return the files that were generated for a series, after checking that they can be removed.

    Ignores links and folders under their names. Raises GenerationError where a folder is a link
    or cannot be written.
    """
    if is_remote(layout.folder):  # there are no links, and no folders but in names
        return layout.existing_files()
    for folder in (layout.folder, *layout.inner_folders()):
        if folder.is_symlink():
            raise GenerationError(
                "is a link, which is not followed to remove anything",
                "remove the files where it leads by hand, and then the link",
                file=folder,
            )
    found = [path for path in layout.existing_files() if path.is_file() and not path.is_symlink()]
    for folder in sorted({path.parent for path in found}):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise GenerationError(
                "its files cannot be removed: the folder cannot be written; nothing was removed",
                "make it writable, then run this again",
                file=folder,
            )
    return found


def remove_surplus(layout: Layout, number: int, *, history: bool = False) -> None:
    """Remove the files of a dataset that another number of shards left, and empty folders.

    ``history`` is as in ``Layout.surplus_files``. Raises GenerationError.
    """
    found = layout.surplus_files(number, history=history)
    for path in found:
        files.remove(path)
    if is_remote(layout.folder):
        return
    # Specifications are in a folder within that of their parts.
    for folder in sorted({path.parent for path in found}, reverse=True):
        for place in (folder, folder.parent):
            if place != layout.folder:
                files.remove_if_empty(place)


def remove_part(path: Path) -> None:
    """Remove a file of a part if it exists, and its folder if it is empty then.

    Parts are generated side by side, so another one may remove the folder at the same time. Raises
    GenerationError.
    """
    files.remove(path)
    if not is_remote(path):
        files.remove_if_empty(path.parent)


def remove_files(layout: Layout, paths: Sequence[Path]) -> None:
    """Remove the files, and then the empty folders of the series.

    Raises GenerationError at the first file that cannot be removed.
    """
    for path in paths:
        try:
            if path.exists():
                path.unlink()
        except OSError as error:
            raise GenerationError(
                f"cannot be removed: {error.strerror or error}; the reference table is still there",
                "make sure that the file can be removed, then run this again",
                file=path,
            ) from error
    if is_remote(layout.folder):  # there are no folders but in names
        return
    for folder in (*reversed(layout.inner_folders()), layout.folder):
        files.remove_if_empty(folder)

"""Finding series on disk and reading their two files, whose content ``core`` validates."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from series_assets.core.errors import Fault, InputError, as_input_error, collected, fault_at
from series_assets.core.plan.build import build_series
from series_assets.core.plan.series import Series
from series_assets.storage.paths import (
    installed_database,
    is_regular,
    printable,
    resolve_path,
)
from series_assets.storage.sqlite import is_database
from series_assets.storage.unexpected_errors import errors_as_faults
from series_assets.storage.yaml_reading import check_values, read_yaml

SPECIFICATION = "specification.yml"
USER_INPUT = "user_input.yml"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class BrokenSeries:
    """A folder whose two files are not a valid series, and the reason."""

    name: str
    error: InputError


class InstalledDatabaseWarning(UserWarning):
    """The user input names the database that ships with Exhibit, which is never written."""


def find_series(folder: Path) -> list[Series | BrokenSeries]:
    """Return every series in a folder, sorted by name, broken ones with their faults.

    A series is a folder with at least one of the two files; hidden folders are ignored. Raises
    InputError where the folder itself cannot be read.
    """
    found: list[Series | BrokenSeries] = []
    for place in _folders(folder):
        name = printable(place.name)
        try:
            with errors_as_faults(name):
                if _is_series(place, name):
                    found.append(load_series(place))
        except InputError as error:
            found.append(BrokenSeries(name, error))
    return found


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder that are not hidden. Raises InputError."""
    try:
        if not folder.is_dir():
            remedy = "correct SERIES_ASSETS_SERIES_DIR, or create a series with series-assets new"
            raise InputError([Fault(str(folder), "", "there is no such series folder", remedy)])
        return sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.is_dir())
    except OSError as error:
        raise InputError([_unreadable(str(folder), "", error)]) from None


def _is_series(place: Path, name: str) -> bool:
    """Return whether a folder has one of the two files, or a link in its place."""
    try:
        return any(part.name in (SPECIFICATION, USER_INPUT) for part in place.iterdir())
    except OSError as error:
        raise InputError([_unreadable(name, "this folder", error)]) from None


def _unreadable(file: str, place: str, error: OSError) -> Fault:
    return Fault(file, place, f"cannot be read: {error.strerror}", "make sure that you may read it")


def load_series(folder: str | Path) -> Series:
    """Return the series whose files are in ``folder``, named after it.

    Raises InputError with every fault of both files.
    """
    folder = Path(folder)
    with as_input_error(printable(str(folder))):
        name = printable(resolve_path(folder).name)
    return load_parts(
        name,
        folder / SPECIFICATION,
        folder / USER_INPUT,
        labels=(f"{name}/{SPECIFICATION}", f"{name}/{USER_INPUT}"),
        named_by="the folder's name",
        folder=folder,
    )


def load_series_from_files(specification: Path, user_input: Path) -> Series:
    """Return the series of two files, named after ``metadata.id``.

    Raises InputError with every fault of both files.
    """
    return load_parts(
        None,
        specification,
        user_input,
        labels=(str(specification), str(user_input)),
        named_by="metadata.id",
        folder=user_input.parent,
    )


def load_parts(
    name: str | None,
    specification: Path | object,
    user_input: Path | object,
    *,
    labels: tuple[str, str],
    named_by: str,
    folder: Path,
) -> Series:
    """Return the series of two parts, each a path or the content of such a file.

    ``name`` None: ``metadata.id``. Messages call the parts by their ``labels`` and the place of the
    name ``named_by``; ``exhibit_db_path`` is relative to ``folder``. Raises InputError with every
    fault of both parts.
    """
    faults: list[Fault] = []
    with errors_as_faults(" and ".join(labels)):
        contents: list[Any] = []
        for part, label in zip((specification, user_input), labels, strict=True):
            with collected(faults):
                contents.append(_content(part, label))
        if faults:
            raise InputError(faults)
        if name is None:
            name = _metadata_id(contents[0])
            if not name:
                remedy = "add it: the series is named after it"
                faults.append(Fault(labels[0], "metadata.id", "is missing", remedy))
        faults += [fault.in_file(labels[0]) for fault in name_faults(name, named_by) if name]
        database: Path | None = None
        with collected(faults):
            database = _database(contents[1], folder, labels[1])
        with collected(faults):
            series = build_series(
                name,
                *contents,
                specification_file=labels[0],
                user_input_file=labels[1],
                source_files=tuple(
                    part.absolute()
                    for part in (specification, user_input)
                    if isinstance(part, Path)
                ),
                database=database,
            )
        if faults:
            raise InputError(faults)
        return series


def _content(part: Path | object, label: str) -> Any:
    if isinstance(part, Path):
        return read_yaml(part, label)
    check_values(part, label)
    return part


def _metadata_id(specification: Any) -> str:
    metadata = specification.get("metadata") if isinstance(specification, dict) else None
    return str(metadata.get("id") or "") if isinstance(metadata, dict) else ""


def name_faults(name: str, named_by: str) -> Iterator[Fault]:
    """Yield why ``name`` cannot name a series; ``named_by`` is the place of the name."""
    shown = name if len(name) <= 2 * _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
    if not _NAME.fullmatch(name):
        yield fault_at(
            named_by,
            f"'{shown}' cannot name a series",
            "use lower-case letters, digits and _, a letter first",
        )
    elif "temp" in name or name.startswith("select"):
        word = "temp" if "temp" in name else "select"
        yield fault_at(
            named_by,
            f"'{shown}' cannot name a series",
            f"choose another: to Exhibit, '{word}' in a table's name has a special meaning",
        )
    elif len(name) > _LONGEST_NAME:
        yield fault_at(
            named_by,
            f"'{name[:20]}...' has {len(name)} characters",
            f"files are named after the series, so use at most {_LONGEST_NAME}",
        )


def _database(user_input: Any, folder: Path, label: str) -> Path | None:
    """Return the database that a user input names, or None for the default."""
    written = user_input.get("exhibit_db_path") if isinstance(user_input, dict) else None
    if not isinstance(written, str) or not written.strip():
        return None

    def refused(problem: str, remedy: str) -> InputError:
        return InputError([Fault(label, "exhibit_db_path", f"'{shown}' {problem}", remedy)])

    shown = written if len(written) <= 300 else f"{written[:297]}..."
    with as_input_error(label, "exhibit_db_path", shown):
        path = resolve_path(written, folder)
    try:
        if not path.exists():
            raise refused(
                f"does not exist (looked for {path})",
                "name an existing database, or leave it empty to get one",
            )
        is_usable = is_regular(path) and is_database(path)
    except OSError as error:
        raise refused(
            f"cannot be read: {error.strerror}", "make sure that you may read it, or name another"
        ) from None
    if not is_usable:
        raise refused("is not an SQLite database", "name one that is, or leave it empty to get one")
    if path == installed_database().resolve():
        warnings.warn(
            f"{label}: exhibit_db_path names the database that ships with Exhibit, which is never "
            "written; a copy in the data folder is used",
            InstalledDatabaseWarning,
            stacklevel=2,
        )
        return None
    return path

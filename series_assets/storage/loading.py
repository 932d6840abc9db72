"""Finding the series on disk and reading their two files. What they may hold is core's business."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from series_assets.core.errors import Fault, InputError, InvalidValueError, fault_at
from series_assets.core.plan.build import build_series
from series_assets.core.plan.series import Series
from series_assets.storage.paths import is_regular, printable, resolve_path
from series_assets.storage.sqlite import installed_database, is_database
from series_assets.storage.unexpected_errors import errors_as_faults
from series_assets.storage.yaml_reading import check_values, read_yaml

SPECIFICATION = "specification.yml"
USER_INPUT = "user_input.yml"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class BrokenSeries:
    """A folder whose two files make no series, and why."""

    name: str
    error: InputError


class InstalledDatabaseWarning(UserWarning):
    """The user named the database that ships with Exhibit, which is never written."""


def find_series(folder: Path) -> list[Series | BrokenSeries]:
    """Return every series in a folder, by name, the broken ones with what is wrong.

    A series is a folder in it with at least one of the two files; hidden folders are none. Raises
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
            raise InputError([Fault(str(folder), "", "there is no such folder of series")])
        return sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.is_dir())
    except OSError as error:
        raise InputError([_unreadable(str(folder), "", error)]) from None


def _is_series(place: Path, name: str) -> bool:
    """Tell whether a folder holds one of the two files, or a link in its place."""
    try:
        return any(part.name in (SPECIFICATION, USER_INPUT) for part in place.iterdir())
    except OSError as error:
        raise InputError([_unreadable(name, "this folder", error)]) from None


def _unreadable(file: str, place: str, error: OSError) -> Fault:
    return Fault(file, place, f"cannot be read: {error.strerror}", "see that you may read it")


def load_series(folder: str | Path) -> Series:
    """Return the series whose files lie in ``folder``, called after it.

    Raises InputError with every fault of both files.
    """
    folder = Path(folder)
    try:
        name = printable(resolve_path(folder).name)
    except InvalidValueError as error:
        fault = Fault(printable(str(folder)), "", error.problem, error.remedy)
        raise InputError([fault]) from None
    return load_parts(
        name,
        folder / SPECIFICATION,
        folder / USER_INPUT,
        labels=(f"{name}/{SPECIFICATION}", f"{name}/{USER_INPUT}"),
        named_by="the folder's name",
        folder=folder,
    )


def load_series_from_files(specification: Path, user_input: Path) -> Series:
    """Return the series of two loose files, called after ``metadata.id``.

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
    """Return the series of two parts, each the path of a file or what such a file would hold.

    ``name`` None: called after ``metadata.id``. ``labels`` are what messages call the two parts,
    ``named_by`` says where the name stands, ``folder`` is what ``exhibit_db_path`` is relative
    to. Raises InputError with every fault of both.
    """
    with errors_as_faults(" and ".join(labels)):
        return _loaded(name, (specification, user_input), labels, named_by, folder)


def _loaded(
    name: str | None,
    parts: tuple[Path | object, Path | object],
    labels: tuple[str, str],
    named_by: str,
    folder: Path,
) -> Series:
    faults: list[Fault] = []
    contents: list[Any] = []
    for part, label in zip(parts, labels, strict=True):
        try:
            contents.append(_content(part, label))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    content, said = contents
    if name is None:
        metadata = content.get("metadata") if isinstance(content, dict) else None
        name = str(metadata.get("id") or "") if isinstance(metadata, dict) else ""
        if not name:
            remedy = "the series is called after it"
            faults.append(Fault(labels[0], "metadata.id", "is missing", remedy))
    faults += [fault.in_file(labels[0]) for fault in name_faults(name, named_by) if name]
    database: Path | None = None
    try:
        database = _database(said, folder, labels[1])
    except InputError as error:
        faults += error.faults
    try:
        series = build_series(
            name,
            content,
            said,
            specification_file=labels[0],
            user_input_file=labels[1],
            database=database,
        )
    except InputError as error:
        faults += error.faults
    if faults:
        raise InputError(faults)
    return series


def _content(part: Path | object, label: str) -> Any:
    """Return what a part of a series holds. Raises InputError."""
    if isinstance(part, Path):
        return read_yaml(part, label)
    check_values(part, label)
    return part


def name_faults(name: str, named_by: str) -> Iterator[Fault]:
    """Yield why a series cannot be called ``name``; ``named_by`` says where the name stands."""
    shown = name if len(name) <= 2 * _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
    if not _NAME.fullmatch(name):
        yield fault_at(
            named_by,
            f"'{shown}' cannot name a series",
            "use small letters, digits and _, a letter first",
        )
    elif "temp" in name or name.startswith("select"):
        word = "temp" if "temp" in name else "select"
        yield fault_at(
            named_by,
            f"'{shown}' cannot name a series",
            f"Exhibit takes a table with '{word}' in its name for something else",
        )
    elif len(name) > _LONGEST_NAME:
        yield fault_at(
            named_by,
            f"'{name[:20]}...' has {len(name)} characters",
            f"files are called after a series, so use {_LONGEST_NAME} at the most",
        )


def _database(said: Any, folder: Path, label: str) -> Path | None:
    """Return the database that a user input names, None where it names none of its own."""
    named = said.get("exhibit_db_path") if isinstance(said, dict) else None
    if not isinstance(named, str) or not named.strip():
        return None

    def refused(problem: str, remedy: str) -> InputError:
        return InputError([Fault(label, "exhibit_db_path", f"'{shown}' {problem}", remedy)])

    shown = named if len(named) <= 300 else f"{named[:297]}..."

    try:
        path = resolve_path(named, folder)
    except InvalidValueError as error:
        raise refused(error.problem, error.remedy) from None
    try:
        if not path.exists():
            raise refused(
                f"does not exist (looked for {path})",
                "name an existing database, or leave it empty to get one",
            )
        usable = is_regular(path) and is_database(path)
    except OSError as error:
        raise refused(
            f"cannot be read: {error.strerror}", "see that you may read it, or name another"
        ) from None
    if not usable:
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

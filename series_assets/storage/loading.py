"""Finding the series on disk and reading their two files. What they may hold is core's business."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from series_assets.core.building import build_series
from series_assets.core.errors import Fault, InputError
from series_assets.core.series import Series
from series_assets.storage.database import installed_database, is_database

SPECIFICATION = "specification.yml"
USER_INPUT = "user_input.yml"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


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
    if not folder.is_dir():
        raise InputError([Fault(str(folder), "there is no such folder of series")])
    found: list[Series | BrokenSeries] = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        if place.name.startswith("."):
            continue
        if (place / SPECIFICATION).exists() or (place / USER_INPUT).exists():
            try:
                found.append(load_series(place))
            except InputError as error:
                found.append(BrokenSeries(place.name, error))
    return found


def load_series(folder: Path) -> Series:
    """Return the series whose files lie in ``folder``, called after it.

    Raises InputError with every fault of both files.
    """
    name = folder.resolve().name
    return load_parts(
        name,
        folder / SPECIFICATION,
        folder / USER_INPUT,
        labels=(f"{name}/{SPECIFICATION}", f"{name}/{USER_INPUT}"),
        named_by="the folder's name",
        folder=folder,
    )


def load_loose(specification: Path, user_input: Path) -> Series:
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
    faults: list[Fault] = []
    contents: list[Any] = []
    for part, label in zip((specification, user_input), labels, strict=True):
        try:
            contents.append(_parsed(part, label) if isinstance(part, Path) else part)
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    content, said = contents
    if name is None:
        metadata = content.get("metadata") if isinstance(content, dict) else None
        name = str(metadata.get("id") or "") if isinstance(metadata, dict) else ""
        if not name:
            faults.append(Fault(labels[0], "metadata.id is missing; the series is called after it"))
    faults += [Fault(labels[0], fault) for fault in name_faults(name, named_by) if name]
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


def name_faults(name: str, named_by: str) -> Iterator[str]:
    """Yield why a series cannot be called ``name``; ``named_by`` says where the name stands."""
    if not _NAME.fullmatch(name):
        yield (
            f"{named_by} '{name}' cannot name a series; use small letters, digits and _, "
            "a letter first"
        )
    elif "temp" in name or name.startswith("select"):
        word = "temp" if "temp" in name else "select"
        yield (
            f"{named_by} '{name}' cannot name a series; Exhibit takes a table with '{word}' in "
            "its name for something else"
        )


def _parsed(path: Path, label: str) -> Any:
    try:
        with path.open(encoding="utf-8") as stream:
            return yaml.load(stream, _Loader)
    except FileNotFoundError:
        needs = f"a series needs {SPECIFICATION} and {USER_INPUT}"
        remedy = "mend the path" if label == str(path) else needs
        raise InputError([Fault(label, f"there is no such file; {remedy}")]) from None
    except IsADirectoryError:
        raise InputError([Fault(label, "is a folder, not a file")]) from None
    except OSError as error:
        raise InputError([Fault(label, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise InputError([Fault(label, "is not text in UTF-8")]) from None
    except yaml.YAMLError as error:
        raise InputError([Fault(label, _told(error))]) from None


class _Loader(yaml.SafeLoader):
    """Plain YAML whose faults have a place; a key given twice is one: the first would vanish."""

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        """Return the date of a node. Raises ConstructorError for a day that no calendar has."""
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError:
            problem = f"'{node.value}' is not a day of the calendar"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node. Raises ConstructorError for a key given twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' is given twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)


def _told(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"is not YAML: {error.reason} (position {error.position})"
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    problem = getattr(error, "problem", None) or str(error)
    if "given twice" in problem:
        return f"{place}{problem}; keep one of them"
    if "not a day" in problem:
        return f"{place}{problem}"
    return f"{place}is not YAML: {problem}"


def _database(said: Any, folder: Path, label: str) -> Path | None:
    """Return the database that a user input names, None where it names none of its own."""
    named = said.get("exhibit_db_path") if isinstance(said, dict) else None
    if not isinstance(named, str) or not named.strip():
        return None
    path = (folder / Path(named).expanduser()).resolve()
    if not path.exists():
        raise InputError(
            [
                Fault(
                    label,
                    f"exhibit_db_path '{named}' does not exist (looked for {path}); name an "
                    "existing database, or leave it empty to get one",
                )
            ]
        )
    if path == installed_database().resolve():
        warnings.warn(
            f"{label}: exhibit_db_path names the database that ships with Exhibit, which is never "
            "written; a copy in the data folder is used",
            InstalledDatabaseWarning,
            stacklevel=2,
        )
        return None
    if path.is_dir() or not is_database(path):
        raise InputError(
            [
                Fault(
                    label,
                    f"exhibit_db_path '{named}' is not an SQLite database; name one that is, or "
                    "leave it empty to get one",
                )
            ]
        )
    return path

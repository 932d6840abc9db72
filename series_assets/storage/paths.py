"""Paths as users write them, whether or not a file exists there, and that of Exhibit's database."""

import errno
import os
import stat
from importlib.util import find_spec
from pathlib import Path

from series_assets.core.errors import InvalidValueError

_NO_PATH = {
    errno.ENAMETOOLONG: ("is longer than the system allows", "use a shorter one"),
    errno.ELOOP: ("is a link that leads back to itself", "correct the link"),
    errno.EILSEQ: ("has a character that no path can have here", "leave it out"),
}
_LONGEST_NAME = 255
"""Bytes of one name in a path, on all common file systems."""


def installed_database() -> Path:
    """Return the database that ships with Exhibit, without importing that; it is never written."""
    package = find_spec("exhibit")
    assert package is not None and package.submodule_search_locations
    return Path(package.submodule_search_locations[0]) / "db" / "exhibit.db"


def resolve_path(written: str | Path, folder: Path | None = None) -> Path:
    """Return the absolute path, relative to ``folder`` or the working directory.

    ``~`` is expanded where a ``folder`` is given. Raises InvalidValueError for an impossible path.
    """
    if "\x00" in str(written):
        raise InvalidValueError("has the character NUL, which no path can have", "leave it out")
    try:
        path = Path(written) if folder is None else folder / Path(written).expanduser()
    except RuntimeError:
        problem = "names the home of an unknown user"
        raise InvalidValueError(problem, "write it out") from None
    try:
        path = path.resolve()
        if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
            raise InvalidValueError(*_NO_PATH[errno.ENAMETOOLONG])  # its folder may not exist yet
        os.stat(path)  # noqa: PTH116  it may be absent; this finds impossible paths
    except RuntimeError:  # pathlib's error for a loop of links
        raise InvalidValueError(*_NO_PATH[errno.ELOOP]) from None
    except OSError as error:
        if error.errno in _NO_PATH:
            raise InvalidValueError(*_NO_PATH[error.errno]) from None
    except UnicodeError:
        raise InvalidValueError("has a character that no path can have", "leave it out") from None
    return path


def is_regular(path: Path) -> bool:
    """Return whether a path is a regular file. Raises OSError."""
    return stat.S_ISREG(path.stat().st_mode)


def is_pipe_or_device(path: Path) -> bool:
    """Return whether a path is a pipe or a device, which may block readers. Raises OSError."""
    return path.exists() and not path.is_file() and not path.is_dir()


def printable(name: str) -> str:
    """Return a file's name as printable text, whatever bytes it has."""
    return name.encode("utf-8", "backslashreplace").decode()

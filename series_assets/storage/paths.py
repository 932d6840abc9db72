"""Paths as people write them, made absolute. Whether something is there is for others to find."""

import errno
import os
import stat
from pathlib import Path

from series_assets.core.errors import InvalidValueError

_NO_PATH = {
    errno.ENAMETOOLONG: ("is longer than the system allows", "use a shorter one"),
    errno.ELOOP: ("is a link that leads back to itself", "mend the link"),
    errno.EILSEQ: ("has a character that no path can have here", "leave it out"),
}
_LONGEST_NAME = 255
"""Bytes of one name in a path, on every file system in common use."""


def resolve_path(written: str | Path, folder: Path | None = None) -> Path:
    """Return the path that ``written`` names, relative to ``folder`` or the working directory.

    ``~`` is the home of whoever runs this where a ``folder`` is given. Raises UnusableError
    for what no path can be.
    """
    if "\x00" in str(written):
        raise InvalidValueError("has the character NUL, which no path can have", "leave it out")
    try:
        path = Path(written) if folder is None else folder / Path(written).expanduser()
    except RuntimeError:
        problem = "names the home of a user whom nobody knows here"
        raise InvalidValueError(problem, "write it out") from None
    try:
        path = path.resolve()
        if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
            raise InvalidValueError(
                *_NO_PATH[errno.ENAMETOOLONG]
            )  # its folder may be absent as yet
        os.stat(path)  # noqa: PTH116  it may be absent; only a path that cannot be is of interest
    except RuntimeError:  # what pathlib makes of a loop of links
        raise InvalidValueError(*_NO_PATH[errno.ELOOP]) from None
    except OSError as error:
        if error.errno in _NO_PATH:
            raise InvalidValueError(*_NO_PATH[error.errno]) from None
    except UnicodeError:
        raise InvalidValueError("has a character that no path can have", "leave it out") from None
    return path


def is_regular(path: Path) -> bool:
    """Tell whether something is a file that can be read to its end. Raises OSError."""
    return stat.S_ISREG(path.stat().st_mode)


def is_pipe_or_device(path: Path) -> bool:
    """Tell whether reading would wait for others: a pipe, a device. Raises OSError."""
    return path.exists() and not path.is_file() and not path.is_dir()


def printable(name: str) -> str:
    """Return a file's name as text that can be written, whatever bytes it has."""
    return name.encode("utf-8", "backslashreplace").decode()

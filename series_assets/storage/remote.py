"""Data on object storage: places that are URLs, such as ``s3://bucket/prefix``.

Paths there are those of universal-pathlib, which Dagster uses too; fsspec and its drivers do the
transfers. An object appears whole, so a put is what a rename is on a disk. Credentials are the
driver's own: nothing here reads or prints any.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from series_assets.core.errors import GenerationError, InvalidValueError
from series_assets.core.plain_text import one_line
from series_assets.storage.paths import resolve_path

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure"}
_FORMS = "use s3://BUCKET/PREFIX, gs:// or abfs://"
_LOCAL = ("file", "local")
_OPTIONS = {"use_listings_cache": False}
"""Other processes write too, so that a listing of before may be out of date."""


def is_url(place: object) -> bool:
    """Return whether a place is written as a URL."""
    return bool(_URL.match(str(place)))


def is_remote(path: object) -> bool:
    """Return whether a path is not on a disk of this machine."""
    return getattr(path, "protocol", "") not in ("", *_LOCAL)


def remote_path(url: str) -> Path:
    """Return the path of a URL. Raises InvalidValueError where no driver is installed for it."""
    universal_path: Any = import_module("upath").UPath
    match = _URL.match(url)
    assert match
    scheme = match[1].lower()
    if scheme in _EXTRAS and url[match.end() :][:1] in ("", "/"):  # as from an empty variable
        raise InvalidValueError("names no bucket", _FORMS)
    try:
        path: Any = universal_path(url.rstrip("/"), **_OPTIONS)
        _ = path.fs  # the driver is imported only now
    except ImportError:
        extra = _EXTRAS.get(scheme)
        remedy = f"install series_assets[{extra}]" if extra else "install its fsspec driver"
        raise InvalidValueError(f"needs a driver for {scheme}://", remedy) from None
    except ValueError as error:
        raise InvalidValueError(
            f"cannot be used: {one_line(str(error))[:200]}",
            _FORMS,
        ) from None
    if scheme in _LOCAL:
        return Path(path.path)
    return path


def data_path(place: str | Path) -> Path:
    """Return the path of a data folder, which may be a URL. Raises InvalidValueError."""
    if isinstance(place, str):
        return remote_path(place) if is_url(place) else Path(place)
    return place


def resolved(place: str | Path, folder: Path | None = None) -> Path:
    """Return the absolute path of a data folder, which may be a URL, as ``resolve_path`` does."""
    path = data_path(place)
    return path if is_remote(path) else resolve_path(path, folder)


@contextmanager
def explain_remote_errors(path: Path, what: str = "cannot be written") -> Iterator[None]:
    """Raise GenerationError about ``path`` for any error of its storage in a block."""
    try:
        yield
    except Exception as error:
        if not is_remote(path) or isinstance(error, GenerationError):
            raise
        raise GenerationError(f"{what}: {_reason(error)}", _remedy(error), file=path) from error


def _reason(error: Exception) -> str:
    text = one_line(str(error))[:300] or type(error).__name__
    return text.rstrip(".")


def _remedy(error: Exception) -> str:
    name = type(error).__name__
    if isinstance(error, PermissionError) or "Credential" in name or "Auth" in name:
        return "make sure that the credentials in use may read and write there"
    if isinstance(error, FileNotFoundError):
        return "create the bucket or container first, or name another one"
    return "make sure that the storage can be reached, then run it again"


def names_below(folder: Path) -> list[str]:
    """Return the names of all objects below a folder, relative to it, by one listing."""
    remote: Any = folder
    base = remote.path.strip("/") + "/"
    with explain_remote_errors(folder, "cannot be read"):
        found = remote.fs.find(remote.path)
    return sorted(name.strip("/").removeprefix(base) for name in found)


def put(source: Path, target: Path) -> None:
    """Put a local file to its place, in which it appears whole. Raises GenerationError."""
    remote: Any = target
    with explain_remote_errors(target):
        remote.fs.put_file(str(source), remote.path)
        source.unlink()


def check_access(folder: Path) -> None:
    """Write, read and remove an object in a folder. Raises GenerationError."""
    from uuid import uuid4

    probe: Any = folder / f".probe-{uuid4()}"
    with explain_remote_errors(folder):
        probe.fs.pipe_file(probe.path, b"series_assets")
        probe.fs.rm_file(probe.path)
    with explain_remote_errors(folder, "cannot be read"):
        probe.exists()


def check_readable(folder: Path) -> None:
    """Ask for an object in a folder, if it is remote. Raises GenerationError."""
    if is_remote(folder):
        with explain_remote_errors(folder, "cannot be read"):
            folder.exists()

"""A process that generates series, each in a child process that can be killed at a chosen point.

``python -m series_assets_tests.kill_points`` reads requests from standard input and answers each on
standard output, one JSON object per line. A request names the folder of a series (``series``), the
folder for its data (``data``) and, if the child is to be killed, the number of the kill point
(``kill``). The answer has the signal that ended the child (0 if it ran to the end), its error
message, and the points that it passed.

A point is anything that changes the disk below the data folder: a file opened for writing, written
(completely or half), synced, renamed, linked or removed, a folder created or removed, a lock taken,
an SQLite statement that writes, and the start and end of a transaction. Wrappers around functions
of os, io, fcntl and sqlite3 count them; the code under test does not notice. Modules are imported
once, and each request runs in a fork.
"""

import builtins
import fcntl
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

_RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_READS = ("SELECT", "PRAGMA", "ATTACH", "EXPLAIN")


class Points:
    """The points of one run, counted from 0; the process is killed at the point ``kill_at``."""

    def __init__(self, data: Path, kill_at: int | None) -> None:
        self.data = data.resolve()
        self.kill_at = kill_at
        self.names: list[str] = []

    def name_of(self, place: Any, dir_fd: int | None = None) -> str | None:
        """Return a path relative to the data folder, without run and process ids, or None."""
        if isinstance(place, int):
            path = Path(f"/proc/self/fd/{place}").readlink()
        else:
            folder = Path.cwd() if dir_fd is None else Path(f"/proc/self/fd/{dir_fd}").readlink()
            path = folder / os.fsdecode(place)
        if path == self.data or not path.is_relative_to(self.data):
            return None
        name = _RUN.sub("RUN", path.relative_to(self.data).as_posix())
        return name.replace(f".{os.getpid()}.", ".PID.")

    def reach(self, name: str) -> None:
        """Record a point; kill the process if it is the one to be killed at."""
        if len(self.names) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.names.append(name)


def count_changes(points: Points) -> None:
    """Wrap the functions that change the disk, so that each call below the data folder counts."""
    _count_calls(points)
    _count_files(points)
    _count_statements(points)


def _count_calls(points: Points) -> None:
    """Count system calls; for those with two paths, the second is the one that counts."""

    def counted(module: Any, name: str, place: int, within: str = "dir_fd") -> None:
        original = getattr(module, name)

        def function(*args: Any, **kwargs: Any) -> Any:
            where = points.name_of(args[place], kwargs.get(within))
            if where is None:
                return original(*args, **kwargs)
            points.reach(f"before {name} {where}")
            result = original(*args, **kwargs)
            points.reach(f"after {name} {where}")
            return result

        setattr(module, name, function)

    for name in ("mkdir", "rmdir", "unlink", "remove", "fsync", "ftruncate", "truncate"):
        counted(os, name, 0)
    for name in ("rename", "replace", "link", "symlink"):
        counted(os, name, 1, "dst_dir_fd")
    counted(fcntl, "flock", 0)
    for name in ("write", "sendfile"):
        _count_writes(points, name)
    _count_opening(points)


def _count_opening(points: Points) -> None:
    original = os.open

    def function(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        where = points.name_of(path, kwargs.get("dir_fd")) if flags & os.O_CREAT else None
        if where is None:
            return original(path, flags, *args, **kwargs)
        points.reach(f"before open {where}")
        descriptor = original(path, flags, *args, **kwargs)
        points.reach(f"after open {where}")
        return descriptor

    os.open = function


def _count_writes(points: Points, name: str) -> None:
    """Count a call that writes, with a point after half of the bytes."""
    original: Callable[..., int] = getattr(os, name)

    def function(descriptor: int, *args: Any) -> int:
        where = points.name_of(descriptor)
        if where is None:
            return original(descriptor, *args)
        points.reach(f"before write {where}")
        if name == "write":
            half = original(descriptor, args[0][: len(args[0]) // 2])
            points.reach(f"half of write {where}")
            half += original(descriptor, args[0][half:])
        else:
            source, offset, count = args
            size = os.fstat(source).st_size - offset
            half = original(descriptor, source, offset, min(count, max(size // 2, 1)))
            if half:
                points.reach(f"half of write {where}")
                half += original(descriptor, source, offset + half, count)
        points.reach(f"after write {where}")
        return half

    setattr(os, name, function)


def _count_files(points: Points) -> None:
    original = io.open

    class Counted(io.FileIO):
        """A file that counts its writes as points."""

        def __init__(self, path: Any, mode: str, where: str) -> None:
            points.reach(f"before open {where}")
            super().__init__(path, mode)
            self._where = where
            points.reach(f"after open {where}")

        def write(self, content: Any) -> int:
            points.reach(f"before write {self._where}")
            view = memoryview(content).cast("B")
            half = super().write(view[: len(view) // 2])
            points.reach(f"half of write {self._where}")
            half += super().write(view[half:])
            points.reach(f"after write {self._where}")
            return half

    def function(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        writes = bool(set(mode) & set("wax+")) and not isinstance(file, int) and opener is None
        where = points.name_of(file) if writes else None
        if where is None:
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = Counted(file, mode.replace("b", "").replace("t", ""), where)
        stream: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding, errors, newline)

    io.open = builtins.open = function


def _count_statements(points: Points) -> None:
    original = sqlite3.connect

    class Counted(sqlite3.Connection):
        """A connection that counts its writing statements as points."""

        where: str | None = None

        def cursor(self, *args: Any, **kwargs: Any) -> Any:
            return super().cursor(CountedCursor) if not args else super().cursor(*args, **kwargs)

        def execute(self, statement: str, *args: Any) -> Any:
            return self.cursor().execute(statement, *args)

        def executemany(self, statement: str, rows: Any) -> Any:
            return self.cursor().executemany(statement, rows)

        def commit(self) -> None:
            with_points(self.where, "COMMIT", super().commit)

        def close(self) -> None:
            with_points(self.where, "close", super().close)

    class CountedCursor(sqlite3.Cursor):
        """A cursor that counts its writing statements as points."""

        def execute(self, statement: str, *args: Any) -> Any:
            word = _word(statement)
            if word in _READS and "journal_mode" not in statement:
                return super().execute(statement, *args)
            where = self.connection.where  # type: ignore[attr-defined]
            return with_points(
                where, word, lambda: super(CountedCursor, self).execute(statement, *args)
            )

        def executemany(self, statement: str, rows: Iterable[Any]) -> Any:
            where = self.connection.where  # type: ignore[attr-defined]
            known = _with_point_after_first_row(points, where, rows)
            return with_points(
                where,
                _word(statement),
                lambda: super(CountedCursor, self).executemany(statement, known),
            )

    def with_points(where: str | None, what: str, call: Callable[[], Any]) -> Any:
        if where is None:
            return call()
        points.reach(f"before {what} {where}")
        result = call()
        points.reach(f"after {what} {where}")
        return result

    def connect(database: Any, *args: Any, **kwargs: Any) -> Any:
        connection = original(database, *args, **{"factory": Counted, **kwargs})
        path = unquote(os.fsdecode(database).removeprefix("file:").partition("?")[0])
        connection.where = points.name_of(path) if path.startswith("/") else None
        return connection

    sqlite3.connect = sqlite3.dbapi2.connect = connect  # type: ignore[assignment]


def _word(statement: str) -> str:
    return statement.split(maxsplit=1)[0].upper()


def _with_point_after_first_row(
    points: Points, where: str | None, rows: Iterable[Any]
) -> Iterator[Any]:
    for place, row in enumerate(rows):
        if place == 1 and where:
            points.reach(f"amid rows of {where}")
        yield row


class RunResult(NamedTuple):
    """How a child process ended."""

    signal: int
    failure: str | None
    points: list[str]


def run_in_fork(series: Path, data: Path, kill_at: int | None) -> RunResult:
    """Generate a series in a fork, to the end or up to the point ``kill_at``."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        result = _generate(series, data, kill_at)
        with os.fdopen(writing, "w") as stream:
            json.dump(result, stream)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    failure, names = json.loads(answer) if answer else (None, [])
    return RunResult(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, failure, names)


def _generate(series: Path, data: Path, kill_at: int | None) -> tuple[str | None, list[str]]:
    from series_assets.core.errors import SeriesError
    from series_assets.interface import generate
    from series_assets.storage.loading import load_series

    points = Points(data, kill_at)
    count_changes(points)
    try:
        generate(load_series(series), data)
    except SeriesError as error:
        return str(error), points.names
    return None, points.names


def _warm_up(series: Path) -> None:
    """Import what a run needs, by generating two periods into a temporary folder."""
    import tempfile

    from series_assets.interface import generate
    from series_assets.storage.loading import load_series

    folder = Path(tempfile.mkdtemp())
    try:
        loaded = load_series(series)
        generate(loaded, folder, periods=f"{loaded.calendar.keys[0]}..{loaded.calendar.keys[1]}")
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Answer requests until standard input ends."""
    import gc
    import warnings

    warnings.simplefilter("ignore")
    _warm_up(Path(sys.argv[1]))
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        result = run_in_fork(Path(request["series"]), Path(request["data"]), request.get("kill"))
        sys.stdout.write(json.dumps(result._asdict()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

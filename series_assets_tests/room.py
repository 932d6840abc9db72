"""A process in which commands of ``series-assets`` run side by side, if wanted with own mounts.

``python -m series_assets_tests.room SERIES`` reads orders from standard input and answers each on
standard output, one JSON object a line. An order is a list of runs, each with ``arguments``,
``environment``, the seconds of ``patience`` with a database that is in use, and the size of the
``largest_file`` that it may write; they begin together, each in a fork, and the answer tells how
each ended. What a run needs is imported once, by a run of the series in the folder ``SERIES``.

Under ``unshare --mount`` a process and those below it see mounts that nobody else does: a disk
of any size, a folder that is read-only even for root. An order may also have a ``command`` to run
there, such as one that mounts.
"""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

_LIMIT = 120
_ASSIGNMENT = re.compile(r"[A-Z_]+=")


class Ended(NamedTuple):
    """How a command ended, and what it told."""

    code: int
    out: str
    said: str


class Room:
    """The room as seen from the outside; use it as a context."""

    def __init__(self, series: Path, *, mounts: bool = False) -> None:
        front = namespace() if mounts else []
        self.process = subprocess.Popen(
            [*front, sys.executable, "-m", "series_assets_tests.room", str(series)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Room":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=_LIMIT)
        self.process.stdout.close()

    def begin(
        self,
        commands: Sequence[Sequence[str]],
        *,
        patience: float | None = None,
        largest_file: int | None = None,
        **environment: str | Path,
    ) -> None:
        """Let commands begin; ``ended`` has to follow.

        Words such as ``NAME=value`` at the beginning of one are variables for it alone.
        """
        known = {name: str(value) for name, value in environment.items()}
        self._order(
            [
                {
                    "arguments": list(command),
                    "environment": known,
                    "patience": patience,
                    "largest_file": largest_file,
                }
                for command in commands
            ]
        )

    def ended(self) -> list[Ended]:
        """Wait for the commands that began and return how each ended."""
        return [Ended(**told) for told in self._answer()]

    def call(self, *command: str | Path) -> None:
        """Run any program in the room; it has to succeed."""
        self._order({"command": [str(word) for word in command]})
        told = self._answer()
        assert told["code"] == 0, told

    def _order(self, order: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def _answer(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())


def namespace() -> list[str]:
    """Return the command that begins a process with mounts of its own; empty where none works."""
    for flags in (["--mount"], ["--user", "--map-root-user", "--mount"]):
        command = ["unshare", *flags]
        with contextlib.suppress(OSError):
            tried = subprocess.run(
                [*command, "mount", "-t", "tmpfs", "none", tempfile.gettempdir()],
                capture_output=True,
                check=False,
            )
            if tried.returncode == 0:
                return command
    return []


def _begun(run: Mapping[str, Any], told: Path) -> int:
    """Begin a run in a fork and return its process; it tells in two files in a folder."""
    child = os.fork()
    if child:
        return child
    signal.alarm(_LIMIT)
    for name, descriptor in (("out", 1), ("said", 2)):
        file = os.open(told / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    code = 70
    try:
        code = _run(run)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(run: Mapping[str, Any]) -> int:
    from series_assets.cli import main as command
    from series_assets.storage import sqlite

    arguments: list[str] = list(run["arguments"])
    own = list(takewhile(_ASSIGNMENT.match, arguments))
    os.environ.update(run["environment"], **dict(word.split("=", 1) for word in own))
    if run["patience"] is not None:
        sqlite._PATIENCE = run["patience"]
    if run["largest_file"] is not None:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (run["largest_file"], hard))
    try:
        command(arguments[len(own) :])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


def _carried_out(order: Any) -> Any:
    if isinstance(order, dict):
        done = subprocess.run(order["command"], capture_output=True, text=True, check=False)
        return {"code": done.returncode, "said": done.stdout + done.stderr}
    folders = [Path(tempfile.mkdtemp()) for _ in order]
    children = [_begun(run, told) for run, told in zip(order, folders, strict=True)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    answer = [
        {"code": code, **{name: (told / name).read_text() for name in ("out", "said")}}
        for code, told in zip(codes, folders, strict=True)
    ]
    for told in folders:
        shutil.rmtree(told)
    return answer


def main() -> None:
    """Answer orders until there are no more."""
    import gc
    import warnings

    from series_assets.interface import generate
    from series_assets.storage.loading import load_series

    warnings.simplefilter("ignore")
    os.environ.pop("DAGSTER_HOME", None)
    with tempfile.TemporaryDirectory() as folder:
        generate(load_series(Path(sys.argv[1])), Path(folder))
    gc.freeze()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_carried_out(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""A process that runs ``series-assets`` commands at the same time, with its own mounts if required.

``python -m series_assets_tests.command_runner SERIES`` reads requests from standard input and
answers each on standard output, one JSON object per line. A request is a list of runs, each with
``arguments``, ``environment``, ``patience`` (seconds to wait for a database that is in use) and
``largest_file`` (the size of the largest file that it may write). The runs start together, each in
a fork, and the answer reports how each ended. What a run needs is imported only once, by generating
the series in the folder ``SERIES``.

Under ``unshare --mount`` a process and its children see mounts that no other process sees: a disk
of any size, or a folder that is read-only even for root. A request may also be a ``command`` to run
there, such as one that mounts something.
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


class CommandResult(NamedTuple):
    """The exit code of a command, and what it printed."""

    exit_code: int
    stdout: str
    stderr: str


class CommandRunner:
    """A client of such a process, as a context manager."""

    def __init__(self, series: Path, *, mounts: bool = False) -> None:
        front = unshare_command() if mounts else []
        self.process = subprocess.Popen(
            [*front, sys.executable, "-m", "series_assets_tests.command_runner", str(series)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "CommandRunner":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=_LIMIT)
        self.process.stdout.close()

    def start(
        self,
        commands: Sequence[Sequence[str]],
        *,
        patience: float | None = None,
        largest_file: int | None = None,
        **environment: str | Path,
    ) -> None:
        """Start commands; a call of ``results`` must follow.

        Words such as ``NAME=value`` at the start of a command set variables for it only.
        """
        known = {name: str(value) for name, value in environment.items()}
        self._request(
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

    def results(self) -> list[CommandResult]:
        """Wait for the commands that were started and return their results."""
        return [CommandResult(**result) for result in self._answer()]

    def run_program(self, *command: str | Path) -> None:
        """Run any program in that process's namespace; it must succeed."""
        self._request({"command": [str(word) for word in command]})
        result = self._answer()
        assert result["exit_code"] == 0, result

    def _request(self, request: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def _answer(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())


def unshare_command() -> list[str]:
    """Return the command that starts a process with its own mounts; empty if none works."""
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


def _start(run: Mapping[str, Any], folder: Path) -> int:
    """Start a run in a fork and return its process id; its output goes to two files in a folder."""
    child = os.fork()
    if child:
        return child
    signal.alarm(_LIMIT)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    exit_code = 70
    try:
        exit_code = _run(run)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


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
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    return 0


def _answer_to(request: Any) -> Any:
    if isinstance(request, dict):
        done = subprocess.run(request["command"], capture_output=True, text=True, check=False)
        return {"exit_code": done.returncode, "stderr": done.stdout + done.stderr}
    folders = [Path(tempfile.mkdtemp()) for _ in request]
    children = [_start(run, folder) for run, folder in zip(request, folders, strict=True)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    answer = [
        {
            "exit_code": exit_code,
            **{name: (folder / name).read_text() for name in ("stdout", "stderr")},
        }
        for exit_code, folder in zip(codes, folders, strict=True)
    ]
    for folder in folders:
        shutil.rmtree(folder)
    return answer


def main() -> None:
    """Answer requests until standard input ends."""
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
        sys.stdout.write(json.dumps(_answer_to(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

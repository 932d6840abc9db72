"""Commands that cannot continue end with a message and an exit code, never with a traceback."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from series_assets import cli
from series_assets.core.errors import NO_MEMORY
from series_assets.engine import run
from series_assets.pipeline.failures import period_error
from series_assets_tests.builders import a_specification, write_series
from series_assets_tests.thorough import thorough

_INTERRUPTING = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, {handler})
sys.meta_path.insert(0, Interrupting())
sys.argv = ["series-assets", *{arguments!r}]
from series_assets.__main__ import run
run()
"""


def interrupted_at(
    module: str, arguments: list[str], folder: Path, handler: str = "signal.default_int_handler"
) -> "subprocess.CompletedProcess[str]":
    """Run the command line with an interrupt while it imports a module."""
    program = _INTERRUPTING.format(module=module, arguments=arguments, handler=handler)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SERIES_ASSETS", "DAGSTER"))}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("series_assets.cli", ["list"]),
        ("rich.console", ["list"]),
        ("exhibit.core.exhibit", ["generate", "school"]),
        ("series_assets.checks.run", ["check", "school"]),
        ("pandas", ["validate", "school"]),
        ("series_assets.scaffolding.new_series", ["new", "demo"]),
        *thorough(
            ("click", ["list"]),
            ("pydantic", ["list"]),
            ("series_assets.pipeline.run", ["generate", "school"]),
            ("pandas", ["generate", "school"]),
            ("series_assets.engine.libraries", ["validate", "school"]),
        ),
    ],
)
def test_ctrl_c_while_libraries_are_imported(
    module: str, arguments: list[str], tmp_path: Path
) -> None:
    """During most of the first second: one line, exit code 130, no files left behind."""
    ended = interrupted_at(module, arguments, tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "\ninterrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_that_is_to_be_ignored_is_ignored(tmp_path: Path) -> None:
    """As in the background of a shell."""
    ended = interrupted_at("click", ["list"], tmp_path, handler="signal.SIG_IGN")
    assert ended.returncode == 0, ended.stderr
    assert "school" in ended.stdout


def call(folder: Path, *arguments: str, **settings: str) -> Result:
    """Run the command line in this process."""
    environment = {
        "SERIES_ASSETS_SERIES_DIR": str(folder / "series"),
        "SERIES_ASSETS_DATA_DIR": str(folder / "data"),
        "SERIES_ASSETS_EXECUTOR": "none",
        "DAGSTER_HOME": "",
    }
    return CliRunner().invoke(cli.main, arguments, env=environment | settings)


COMMANDS = [["list"], ["validate"], ["generate", "demo"], ["check", "demo"], ["clean", "demo"]]


def break_finding(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make all commands that look for series raise an error."""

    def fail(_: Path) -> Any:
        raise error

    monkeypatch.setattr(cli.lookup, "find_series", fail)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
        (MemoryError(), 1, f"series-assets: {NO_MEMORY}\n"),
        (
            PermissionError(13, "Permission denied", "/somewhere"),
            2,
            "/somewhere: cannot be used: Permission denied; make sure that you may read and write "
            "it, or choose another folder\n",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_that_any_command_can_have(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    error: BaseException,
    code: int,
    message: str,
) -> None:
    """An interrupt, lack of memory, a folder without access."""
    break_finding(monkeypatch, error)
    ended = call(tmp_path, *command)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (code, "", message)


def test_a_bug_asks_for_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its type, its text and its place."""
    break_finding(monkeypatch, ZeroDivisionError("by nothing"))
    ended = call(tmp_path, "list")
    assert ended.exit_code == 1
    assert ended.stderr.startswith(
        "series-assets failed unexpectedly: ZeroDivisionError: by nothing (cli/lookup.py, line "
    )
    assert ended.stderr.endswith("; this is a bug in series_assets, please report it\n")


@pytest.mark.parametrize("command", COMMANDS[:4], ids=lambda command: command[0])
def test_a_data_folder_without_access(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """The message has the path and the system's reason."""
    write_series(tmp_path / "series")
    kept = os.stat

    def refuse(path: Any, *args: Any, **kwargs: Any) -> Any:
        if str(path).startswith(str(tmp_path / "data")):
            raise PermissionError(13, "Permission denied", str(path))
        return kept(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", refuse)
    ended = call(tmp_path, *command)
    assert ended.exit_code == 2, ended.output
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"{tmp_path / 'data'}")
    assert "Permission denied; " in line


@pytest.mark.parametrize("executor", ["none", "processes:2"])
def test_lack_of_memory_while_periods_are_generated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    """It is reported with a remedy, not as unexpected, even if Exhibit raises it."""
    write_series(tmp_path / "series", a_specification(number_of_rows=6))

    def fail(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(run, "_run_exhibit", fail)
    ended = call(tmp_path, "generate", "demo", "--quiet", SERIES_ASSETS_EXECUTOR=executor)
    assert ended.exit_code == 1
    assert ended.stderr == f"demo, period 2024-01-01 (new records): {NO_MEMORY}\n"


def test_lack_of_memory_outside_of_exhibit() -> None:
    """In any other step of a period."""
    assert str(period_error(MemoryError(), "demo", "x")) == f"demo, period x: {NO_MEMORY}"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("x" * 5000, "is longer than the system allows; use a shorter one"),
        ("a/" + "y" * 300, "is longer than the system allows; use a shorter one"),
        ("loop", "is a link that leads back to itself; correct the link"),
    ],
)
def test_an_impossible_output_path(tmp_path: Path, output: str, expected: str) -> None:
    """It is refused before anything is generated."""
    place = write_series(tmp_path / "series")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    files = [str(place / file) for file in ("specification.yml", "user_input.yml")]
    loose = ["--specification", files[0], "--user-input", files[1]]
    ended = call(tmp_path, "generate", *loose, "--output", str(tmp_path / output))
    assert ended.exit_code == 2
    assert ended.stderr.startswith("--output ")
    assert ended.stderr.endswith(f": {expected}\n")


@pytest.mark.parametrize("name", ["SERIES_ASSETS_SERIES_DIR", "SERIES_ASSETS_DATA_DIR"])
def test_an_impossible_path_in_a_setting(tmp_path: Path, name: str) -> None:
    """The message has the variable."""
    write_series(tmp_path / "series")
    ended = call(tmp_path, "list", **{name: "/" + "x" * 5000})
    assert ended.exit_code == 2
    assert ended.stderr == (
        f"{name}: '/{'x' * 99}' is longer than the system allows; use a shorter one\n"
    )


@pytest.mark.parametrize(("command", "code"), [("validate", 2), ("generate", 1), ("check", 2)])
def test_a_pipe_in_place_of_the_database(tmp_path: Path, command: str, code: int) -> None:
    """It is refused without waiting for its contents."""
    write_series(tmp_path / "series")
    (tmp_path / "data" / "demo").mkdir(parents=True)
    database = tmp_path / "data" / "exhibit.db"
    os.mkfifo(database)
    ended = call(tmp_path, command, "demo")
    assert ended.exit_code == code
    reported = f"{database}: is a pipe or a device, not a database; move it away\n"
    assert ended.stderr == reported or command == "check"


def test_a_pipe_in_place_of_real_data(tmp_path: Path) -> None:
    """It is refused without reading it."""
    os.mkfifo(tmp_path / "visits.csv")
    data = str(tmp_path / "visits.csv")
    ended = call(tmp_path, "new", "demo", "--from-data", data, "--id", "id")
    assert ended.exit_code == 2
    assert ended.stderr == (
        f"{data}: is a pipe or a device, not a file; save its output as a CSV file\n"
    )

"""Read-only folders and files: the message names them, and nothing is changed.

They are mounts that only the process of ``command_runner`` sees, so they are read-only for root
too.
"""

import shutil
from pathlib import Path

import pytest

from series_assets_tests.command_runner import CommandRunner
from series_assets_tests.interference.runs import (
    Runs,
    Snapshot,
    assert_succeeded,
    error_message,
    needs_mounts,
)
from series_assets_tests.thorough import thorough


def make_read_only(runner: CommandRunner, path: Path) -> None:
    """Make a file or folder read-only, even for root, until ``umount``."""
    runner.run_program("mount", "--bind", path, path)
    runner.run_program("mount", "-o", "remount,bind,ro", path)


@needs_mounts
@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("", 2, "{data}/demo: cannot be written: Read-only file system; name another folder"),
        ("exhibit.db", 1, "{data}/exhibit.db: SQLite reports: attempt to write a readonly"),
        *thorough(
            ("demo", 2, "{data}/demo: cannot be written: Read-only file system; name another"),
            ("demo/new_records", 2, "{data}/demo/new_records: cannot be written: Read-only fi"),
            ("demo/dataset_2.csv", 1, "{data}/demo/dataset_2.csv: cannot be written: Device o"),
            ("demo/dataset_2.new.yml", 1, "{data}/demo/dataset_2.new.yml: cannot be written: "),
        ),
    ],
)
def test_a_place_that_is_read_only(
    runs: Runs, undisturbed_data: Path, undisturbed: Snapshot, name: str, code: int, message: str
) -> None:
    """The message names it and no file changes; once it is writable, a run succeeds."""
    shutil.copytree(undisturbed_data, runs.data)
    make_read_only(runs.runner, runs.data / name)
    try:
        assert error_message(runs.run(), code).startswith(message.format(data=runs.data))
    finally:
        runs.runner.run_program("umount", runs.data / name)
    assert Snapshot.read(runs.data) == undisturbed
    assert {path.name for path in runs.data.iterdir()} == {"demo", "exhibit.db"}
    assert_succeeded(runs.run())
    assert Snapshot.read(runs.data) == undisturbed


@needs_mounts
def test_a_data_folder_that_is_read_only_and_empty(runs: Runs) -> None:
    """The command is refused before anything runs."""
    runs.data.mkdir()
    make_read_only(runs.runner, runs.data)
    assert error_message(runs.run(), 2).startswith(
        f"{runs.data}/demo: cannot be written: Read-only"
    )
    runs.runner.run_program("umount", runs.data)
    assert list(runs.data.iterdir()) == []


@needs_mounts
@pytest.mark.thorough
def test_a_dagster_home_that_is_read_only(
    tmp_path: Path, runs: Runs, undisturbed: Snapshot
) -> None:
    """The message has the system's reason, both for a new home and for one that was used before."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    for reason in ("[Errno 30] Read-only file system", "unable to open database file"):
        make_read_only(runs.runner, home)
        message = error_message(runs.run(DAGSTER_HOME=home), 2)
        assert message.startswith(f"DAGSTER_HOME cannot be used: {reason}")
        runs.runner.run_program("umount", home)
        assert runs.run(DAGSTER_HOME=home).exit_code == 0
    assert Snapshot.read(runs.data) == undisturbed

"""Full disks: a message names the file that cannot be written, and no incomplete file remains.

The disks are mounts that only the process of ``command_runner`` sees. Where the machine does not
allow such mounts, only a limit on the size of files is tested.
"""

import re
import shutil
from pathlib import Path

import pytest

from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_user_input, files_in, write_series
from series_assets_tests.interference.runs import (
    GENERATE_EACH,
    Runs,
    Snapshot,
    assert_succeeded,
    assert_undamaged,
    csv_files,
    error_message,
    needs_mounts,
    reference_rows,
    small_specification,
)
from series_assets_tests.thorough import thorough

_KINDS = {
    "database": r"(exhibit|(new|existing)_\d)\.db: (cannot be written: No space|SQLite reports: )",
    "records": r"new_\d\.csv: cannot be written: No space",
    "specification": r"(new|existing)_\d\.yml: cannot be written: No space",
    "dataset": r"dataset_\d\.csv: cannot be written: No space",
    "folder": r"(demo|\.runs|/[-0-9a-f]{36}): cannot be written: No space",
}


@needs_mounts
def test_a_disk_that_is_full(tmp_path: Path, runs: Runs, undisturbed: Snapshot) -> None:
    """The message names what could not be written, and no incomplete file remains.

    Disks of many sizes, in bytes and in inodes, so that the database, records or folders fail.
    """
    disk, out = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    runs.data = disk / "data"
    database = installed_database().stat().st_size // 1024
    beyond = range(4, 116, 36)
    sizes = [f"size={size}k" for size in (8, 600, *(database + more for more in beyond))]
    counts = [f"nr_inodes={count}" for count in range(4, 34, 4)]
    seen: set[str] = set()
    for options in (*sizes, *counts):
        runs.runner.run_program("mount", "-t", "tmpfs", "-o", options, "none", disk)
        result = runs.run()
        if result.exit_code:
            message = error_message(result, 2 if "SERIES_ASSETS_DATA_DIR" in result.stderr else 1)
            assert str(disk) in message
            kinds = {kind for kind, pattern in _KINDS.items() if re.search(pattern, message)}
            assert kinds, message
            first_time = not kinds <= seen
            seen |= kinds
            runs.runner.run_program("cp", "-r", f"{disk}/.", out)
            assert_undamaged(out / "data", undisturbed)
            if first_time:
                runs.runner.run_program("mount", "-o", "remount,size=0,nr_inodes=0", disk)
                assert_succeeded(runs.run())
                runs.runner.run_program("cp", "-r", f"{disk}/.", tmp_path / "then")
                assert Snapshot.read(tmp_path / "then" / "data") == undisturbed
                shutil.rmtree(tmp_path / "then")
            shutil.rmtree(out)
        runs.runner.run_program("umount", disk)
    assert {"database", "folder"} <= seen


@pytest.mark.thorough
@needs_mounts
def test_a_database_on_a_disk_that_is_full(
    tmp_path: Path, runs: Runs, undisturbed: Snapshot
) -> None:
    """The data folder has space, the folder of the user's database has none."""
    disk = tmp_path / "disk"
    disk.mkdir()
    runs.series_dir = tmp_path / "series"
    database = disk / "own.db"
    messages = set()
    for more in (0, 40, 64):
        size = installed_database().stat().st_size // 1024 + more
        runs.runner.run_program("mount", "-t", "tmpfs", "-o", f"size={size}k", "none", disk)
        runs.runner.run_program("cp", installed_database(), database)
        inputs = a_user_input(exhibit_db_path=str(database))
        database.touch()  # also outside of the mount, where this process reads the series
        write_series(runs.series_dir, small_specification(), inputs)
        result = runs.run()
        if result.exit_code:
            message = error_message(result)
            assert f"{database}: SQLite reports: " in message
            assert "make sure that it and its folder can be written and have space" in message
            messages.add(message)
            runs.runner.run_program("mount", "-o", "remount,size=0", disk)
            assert_succeeded(runs.run())
        runs.runner.run_program("cp", "-r", f"{disk}/.", tmp_path / "copy")
        recorded = reference_rows(tmp_path / "copy" / "own.db")["demo_reference"]
        assert recorded == undisturbed.rows["demo_reference"]
        shutil.rmtree(tmp_path / "copy")
        assert csv_files(files_in(runs.data)) == csv_files(undisturbed.files)
        runs.runner.run_program("umount", disk)
        shutil.rmtree(runs.data)
    assert messages


@pytest.mark.parametrize("limit", [700, *thorough(40_000)])
def test_files_that_cannot_grow(runs: Runs, undisturbed: Snapshot, limit: int) -> None:
    """With a limit on the size of files, such as a quota, the message names the file."""
    assert_succeeded(runs.run(*GENERATE_EACH[0]))
    message = error_message(runs.run(largest_file=limit))
    assert re.search(
        rf"{runs.data}\S+: (cannot be written: File too large|SQLite reports: )", message
    ), message
    assert_undamaged(runs.data, undisturbed)
    assert_succeeded(runs.run())
    assert Snapshot.read(runs.data) == undisturbed


@needs_mounts
@pytest.mark.thorough
def test_a_dagster_home_on_a_disk_that_is_full(
    tmp_path: Path, runs: Runs, undisturbed: Snapshot
) -> None:
    """At the start or in the middle of a run: nothing of it remains, and it can be run again."""
    home = tmp_path / "home"
    home.mkdir()
    codes = set()
    for size in (40, 500, 600):
        runs.runner.run_program("mount", "-t", "tmpfs", "-o", f"size={size}k", "none", home)
        runs.runner.run_program(
            "sh", "-c", f"echo 'telemetry: {{enabled: false}}' > {home}/dagster.yaml"
        )
        result = runs.run(DAGSTER_HOME=home)
        runs.runner.run_program("umount", home)
        codes.add(result.exit_code)
        if result.exit_code == 2:
            assert "DAGSTER_HOME cannot be used: " in error_message(result, 2)
        elif result.exit_code == 1:
            assert f"{home}: Dagster cannot keep its records of the run: " in error_message(result)
        assert not (runs.data / ".runs").exists()
        if runs.data.exists():
            assert_undamaged(runs.data, undisturbed)
    assert codes >= {1, 2}
    assert_succeeded(runs.run())
    assert Snapshot.read(runs.data) == undisturbed

"""Scratch folders belong to a run; the next run removes those of killed runs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from series_assets.core.errors import GenerationError
from series_assets.storage import scratch
from series_assets.storage.scratch import claim, discard

HOLDING = """
import sys
from pathlib import Path
from series_assets.storage.scratch import claim

folder = claim(Path(sys.argv[1]), "other")
(folder / "records.csv").write_text("id")
print("claimed", flush=True)
sys.stdin.read()
"""


def another_process(runs: Path) -> "subprocess.Popen[str]":
    """Start a process that owns the folder of a run, with a file in it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(runs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "claimed\n"
    return process


def test_a_folder_is_created_and_removed_with_its_contents(tmp_path: Path) -> None:
    """With the folder of all runs, if it was the only one."""
    runs = tmp_path / "data" / ".runs"
    folder = claim(runs, "mine")
    assert folder == runs / "mine"
    assert claim(runs, "mine") == folder
    assert folder.is_dir()
    discard(runs, "mine")
    assert not runs.exists()


def test_releasing_an_unclaimed_folder_does_nothing(tmp_path: Path) -> None:
    """A run may end before it writes anything."""
    discard(tmp_path / "runs", "mine")
    assert not (tmp_path / "runs").exists()


def test_a_run_leaves_those_alone_that_are_alive(tmp_path: Path) -> None:
    """Their files stay until they end."""
    with another_process(tmp_path) as other:
        try:
            claim(tmp_path, "mine")
            assert (tmp_path / "other" / "records.csv").exists()
        finally:
            other.kill()
    discard(tmp_path, "mine")
    claim(tmp_path, "next")
    assert {path.name for path in tmp_path.iterdir()} == {"next", "next.lock", ".lock"}
    discard(tmp_path, "next")


def test_a_lock_without_a_folder_goes(tmp_path: Path) -> None:
    """Its run was killed before it created the folder."""
    lock = tmp_path / "other.lock"
    lock.write_text("one process")
    claim(tmp_path, "next")
    assert not lock.exists()
    discard(tmp_path, "next")


def test_files_of_others_stay(tmp_path: Path) -> None:
    """Other folders, files and links are neither removed, nor followed, nor changed."""
    precious, runs = tmp_path / "Documents", tmp_path / "data" / ".runs"
    for folder in (precious, runs, runs / "Photos", runs / "linked", runs / "named"):
        folder.mkdir(parents=True)
        (folder / "mine.txt").write_text("mine")
    (runs / "file").write_text("mine")
    (runs / "foreign.lock").write_text("mine")
    (runs / "empty.lock").write_text("")
    (runs / "named.lock").write_text("one process, says somebody else")
    (runs / "link").symlink_to(precious)
    (runs / "link.lock").write_text("one process")
    (runs / "linked" / "inside").symlink_to(precious)
    (runs / "linked.lock").write_text("one process")
    (runs / "lock_is_link").mkdir()
    (precious / "lock").write_text("one process")
    (runs / "lock_is_link.lock").symlink_to(precious / "lock")
    yesterday = time.time() - 25 * 60 * 60
    for path in [*runs.rglob("*"), *precious.rglob("*")]:
        os.utime(path, (yesterday, yesterday), follow_symlinks=False)
    before = everything(tmp_path)
    claim(runs, "mine")
    discard(runs, "mine")
    (runs / ".lock").unlink(missing_ok=True)
    assert everything(tmp_path) == before


def everything(folder: Path) -> dict[str, str]:
    """Return the contents of a folder: link targets and file contents."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else path.read_text()
        if path.is_file()
        else "folder"
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("name", ["", ".lock"])
def test_a_link_in_place_of_the_folder_of_runs_is_refused(tmp_path: Path, name: str) -> None:
    """Its target is unchanged, and the message has the remedy."""
    precious, runs = tmp_path / "Documents", tmp_path / "data" / ".runs"
    precious.mkdir()
    (precious / "mine.txt").write_text("mine")
    (runs if name else runs.parent).mkdir(parents=True)
    link = runs / name if name else runs
    link.symlink_to(precious / "mine.txt" if name else precious)
    before = everything(tmp_path)
    with pytest.raises(GenerationError) as caught:
        claim(runs, "mine")
    assert str(caught.value) == (
        f"{link}: is a link; scratch files of runs are written and removed there, so it has to be "
        "a real folder: remove the link, then run this again"
    )
    scratch.discard(runs, "mine.txt")
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", ["mine", "mine.lock"])
def test_a_path_that_is_already_used_is_refused(tmp_path: Path, name: str) -> None:
    """A folder or file with the name of a run stays, and the message names it."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine.txt").write_text("mine")
    before = everything(tmp_path)
    with pytest.raises(GenerationError) as caught:
        claim(tmp_path, "mine")
    assert str(caught.value) == (
        f"{tmp_path / name}: was not created by series_assets; move it elsewhere, then run this "
        "again"
    )
    scratch.discard(tmp_path, "mine")
    (tmp_path / ".lock").unlink(missing_ok=True)
    assert everything(tmp_path) == before


@pytest.mark.thorough
def test_runs_wait_for_the_lock(tmp_path: Path) -> None:
    """Many processes update a file under the lock, and no update is lost."""
    runs, total = tmp_path / "runs", tmp_path / "total"
    total.write_text("0")
    code = (
        "import sys; from pathlib import Path; from series_assets.storage import scratch\n"
        "total = Path(sys.argv[2])\n"
        "for _ in range(100):\n"
        "    with scratch.exclusive_access(Path(sys.argv[1])):\n"
        "        total.write_text(str(int(total.read_text()) + 1))\n"
    )
    command = [sys.executable, "-c", code, str(runs), str(total)]
    for process in [subprocess.Popen(command) for _ in range(4)]:
        assert process.wait(timeout=60) == 0
    assert total.read_text() == "400"
    assert not runs.exists()


def test_a_run_that_blocks_others_too_long_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the lock and the remedy."""
    monkeypatch.setattr(scratch, "_TIMEOUT", 1)
    with (
        scratch.exclusive_access(tmp_path),
        pytest.raises(GenerationError) as caught,
        scratch.exclusive_access(tmp_path),
    ):
        pass
    assert str(caught.value) == (
        f"{tmp_path}/.lock: another run has held this lock for 1 seconds; wait until it is done "
        "or end it, then run this again"
    )


def test_a_read_only_path_is_reported(tmp_path: Path) -> None:
    """With the path and the remedy."""
    (tmp_path / "data").write_text("a file")
    with pytest.raises(GenerationError, match=r"data/\.runs: cannot be written: "):
        claim(tmp_path / "data" / ".runs", "mine")

"""Others at the same files, disks that are full, places that are read-only, contents that change.

Everything waits, or fails with a message and harms nothing. Disks and places are mounts that only
the process sees that makes the series (``command_runner``); where no such mounts can be made, a limit on the
size of files stands in for the full disk, and the rest is skipped.
"""

import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from series_assets.core.errors import GenerationError, RequestError
from series_assets.interface import generate
from series_assets.pipeline.progress import Progress
from series_assets.storage.loading import load_series
from series_assets.storage.provenance import read_fingerprint
from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_specification, a_user_input, files_in, write_series
from series_assets_tests.command_runner import Ended, Room, namespace

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
WHOLE = ("generate", "demo", "--quiet")
ONE_BY_ONE = [(*WHOLE, "--periods", key) for key in KEYS]

_A_WHILE = 1
"""Seconds in which a run comes to where it has to wait."""

needs_mounts = pytest.mark.skipif(
    not namespace(), reason="this machine lets nobody make mounts of their own (unshare)"
)


def a_small_specification(**metadata: Any) -> dict[str, Any]:
    """Return a specification of so few rows that a run takes moments."""
    return a_specification(number_of_rows=30, **metadata)


def other_contents() -> dict[str, Any]:
    """Return a specification with other values in every column."""
    specification = a_small_specification(random_seed=7)
    specification["columns"]["id"]["uuid_seed"] = 7
    return specification


Rows = dict[str, list[tuple[Any, ...]]]


def rows(database: Path) -> Rows:
    """Return the rows of all reference tables; the database has to be whole."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%_reference%'"
        ).fetchall()
        return {
            name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()
            for (name,) in found
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a series of four periods."""
    return write_series(tmp_path_factory.mktemp("series"), a_small_specification())


@pytest.fixture(scope="module")
def room(place: Path) -> Iterator[Room]:
    """A room with mounts of its own where there can be such."""
    with Room(place, mounts=bool(namespace())) as room:
        yield room


@dataclass(frozen=True)
class Made:
    """What a run makes that nobody disturbs."""

    files: dict[str, bytes]
    rows: Rows

    @classmethod
    def of(cls, data: Path, database: Path | None = None) -> "Made":
        """Read a data folder, in which there may be nothing else."""
        return cls(files_in(data), rows(database or data / "exhibit.db"))


@pytest.fixture(scope="module")
def undisturbed_data(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the series made by one run, to be copied."""
    data = tmp_path_factory.mktemp("undisturbed")
    generate(load_series(place), data)
    return data


@pytest.fixture(scope="module")
def undisturbed(undisturbed_data: Path) -> Made:
    """The series made by one run."""
    return Made.of(undisturbed_data)


@dataclass
class Table:
    """Where a test makes the series, and what with."""

    room: Room
    series_dir: Path
    data: Path

    def run(self, *arguments: str, **more: Any) -> Ended:
        """Run one command with the folders of the test."""
        [ended] = self.side_by_side([arguments or WHOLE], **more)
        return ended

    def side_by_side(self, commands: list[tuple[str, ...]], **more: Any) -> list[Ended]:
        """Run commands at once."""
        self.begin(commands, **more)
        return self.room.ended()

    def begin(self, commands: list[tuple[str, ...]], **more: Any) -> None:
        """Let commands begin at once."""
        folders = {"SERIES_ASSETS_SERIES_DIR": self.series_dir, "SERIES_ASSETS_DATA_DIR": self.data}
        self.room.begin(commands, **folders, **more)


@pytest.fixture
def table(tmp_path: Path, room: Room, place: Path) -> Table:
    """The series, to be made in a folder of the test's own."""
    return Table(room, place.parent, tmp_path / "data")


def fine(ended: Ended) -> None:
    """Hold that a command came to a good end."""
    assert (ended.code, ended.said) == (0, "")


def told(ended: Ended, code: int = 1) -> str:
    """Return the message of a command that failed as it should, without the name of the period."""
    assert ended.code == code, ended
    assert "Traceback" not in ended.said
    assert "unexpectedly" not in ended.said
    return re.sub(r"^demo, period [-0-9]+( \([a-z ]+\))?: ", "", ended.said.rstrip("\n"))


# Runs of one series at once


def test_runs_of_one_series_at_once(table: Table, undisturbed: Made) -> None:
    """All end well and with the same bytes, from the making of the database on."""
    for ended in table.side_by_side([WHOLE] * 3):
        fine(ended)
    assert Made.of(table.data) == undisturbed
    assert {path.name for path in table.data.iterdir()} == {"demo", "exhibit.db"}


def test_periods_made_again_side_by_side(table: Table, undisturbed: Made) -> None:
    """As a backfill of several runs does; a run of the whole range beside them does no harm."""
    fine(table.run())
    for ended in table.side_by_side([*ONE_BY_ONE, WHOLE]):
        fine(ended)
    assert Made.of(table.data) == undisturbed


def test_periods_made_first_side_by_side(table: Table, undisturbed: Made) -> None:
    """A period that comes before those that it draws from says so, and can be made afterwards."""
    for _ in KEYS:
        ended = table.side_by_side(ONE_BY_ONE)
        for one in ended:
            if one.code:
                assert "samples from all periods before it, but nothing is recorded yet for" in (
                    told(one, one.code)
                )
        if not any(one.code for one in ended):
            break
    assert [one.code for one in ended] == [0] * len(KEYS)
    assert Made.of(table.data) == undisturbed


# One database for several


def a_database(path: Path, mode: str) -> Path:
    """Make a database of a user's own, in a journal mode."""
    shutil.copyfile(installed_database(), path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    return path


@pytest.fixture(params=["WAL", "DELETE"])
def own(request: pytest.FixtureRequest, tmp_path: Path, table: Table) -> Path:
    """A database of the user's own, which the series of the test name."""
    database = a_database(tmp_path / "own.db", request.param)
    table.series_dir = tmp_path / "series"
    inputs = a_user_input(exhibit_db_path=str(database))
    write_series(table.series_dir, a_small_specification(), inputs)
    write_series(table.series_dir, a_small_specification(id="second"), inputs, name="second")
    return database


def test_two_series_on_one_database(table: Table, own: Path, undisturbed: Made) -> None:
    """Each has tables of its own there, and waits for the other where both write."""
    for ended in table.side_by_side([WHOLE, ("generate", "second", "--quiet")]):
        fine(ended)
    made = Made.of(table.data, own)
    demo = {path: data for path, data in made.files.items() if path.startswith("demo/")}
    assert demo.keys() == undisturbed.files.keys()
    csv = {path for path in demo if path.endswith(".csv")}
    assert all(demo[path] == undisturbed.files[path] for path in csv)
    assert made.rows["demo_reference"] == undisturbed.rows["demo_reference"]
    assert made.rows["second_reference"] == undisturbed.rows["demo_reference"]


def datasets(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return what a consumer picks up."""
    return {path: data for path, data in files.items() if path.endswith(".csv")}


def test_a_reader_in_the_middle_of_reading(table: Table, own: Path, undisturbed: Made) -> None:
    """What reads for a while keeps nobody from writing, and reads what there was."""
    with closing(sqlite3.connect(own, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT name FROM sqlite_master").fetchall()
        in_wal = reader.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
        table.begin([WHOLE])
        time.sleep(_A_WHILE)
        assert reader.execute("SELECT name FROM sqlite_master").fetchall() == before
        if not in_wal:  # where a writer has to wait for those that read
            reader.execute("COMMIT")
        [ended] = table.room.ended()
        fine(ended)
    assert datasets(files_in(table.data)) == datasets(undisturbed.files)


def test_a_writer_that_takes_a_while(table: Table, own: Path, undisturbed: Made) -> None:
    """A run waits for it."""
    with closing(sqlite3.connect(own, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("CREATE TABLE mine (a)")
        table.begin([WHOLE])
        time.sleep(_A_WHILE)
        writer.execute("COMMIT")
        [ended] = table.room.ended()
        fine(ended)
    assert datasets(files_in(table.data)) == datasets(undisturbed.files)


@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_writer_that_takes_too_long(
    table: Table, own: Path, undisturbed: Made, lock: str
) -> None:
    """A run says which database it waited for in vain; nothing is recorded, and it can be tried
    again."""
    with closing(sqlite3.connect(own, isolation_level=None)) as writer:
        writer.execute(f"BEGIN {lock}")
        said = told(table.run(patience=1))
        writer.execute("ROLLBACK")
    assert said == (
        f"{own}: another program has been using it for more than 1 seconds; close that program "
        "or wait until it is done, then run it again"
    )
    assert rows(own) == {}
    assert not (table.data / ".runs").exists()
    fine(table.run())
    assert datasets(files_in(table.data)) == datasets(undisturbed.files)


# Full disks


_KINDS = {
    "database": r"(exhibit|(new|existing)_\d)\.db: (cannot be written: No space|SQLite reports: )",
    "records": r"new_\d\.csv: cannot be written: No space",
    "specification": r"(new|existing)_\d\.yml: cannot be written: No space",
    "dataset": r"dataset_\d\.csv: cannot be written: No space",
    "folder": r"(demo|\.runs|/[-0-9a-f]{36}): cannot be written: No space",
}


@needs_mounts
def test_a_disk_that_is_full(tmp_path: Path, table: Table, undisturbed: Made) -> None:
    """Whatever it is that finds no place, the message names it and nothing half made stays.

    Disks of many sizes, by bytes and by files: the database takes the most of both, then folders.
    """
    disk, out = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    table.data = disk / "data"
    database = installed_database().stat().st_size // 1024
    beyond = range(4, 116, 36)
    sizes = [f"size={size}k" for size in (8, 600, *(database + more for more in beyond))]
    counts = [f"nr_inodes={count}" for count in range(4, 34, 4)]
    seen: set[str] = set()
    for options in (*sizes, *counts):
        table.room.call("mount", "-t", "tmpfs", "-o", options, "none", disk)
        ended = table.run()
        if ended.code:
            said = told(ended, 2 if "SERIES_ASSETS_DATA_DIR" in ended.said else 1)
            assert str(disk) in said
            kinds = {kind for kind, pattern in _KINDS.items() if re.search(pattern, said)}
            assert kinds, said
            first_time = not kinds <= seen
            seen |= kinds
            table.room.call("cp", "-r", f"{disk}/.", out)
            harmless(out / "data", undisturbed)
            if first_time:
                table.room.call("mount", "-o", "remount,size=0,nr_inodes=0", disk)
                fine(table.run())
                table.room.call("cp", "-r", f"{disk}/.", tmp_path / "then")
                assert Made.of(tmp_path / "then" / "data") == undisturbed
                shutil.rmtree(tmp_path / "then")
            shutil.rmtree(out)
        table.room.call("umount", disk)
    assert {"database", "folder"} <= seen


def harmless(data: Path, undisturbed: Made) -> None:
    """Hold that all there is is whole, and that nothing lies about."""
    if data.exists():
        assert files_in(data).items() <= undisturbed.files.items()
        assert {path.name for path in data.iterdir()} <= {
            *("demo", "exhibit.db", "exhibit.db-wal", "exhibit.db-shm")
        }
    if (data / "exhibit.db").exists():
        for name, found in rows(data / "exhibit.db").items():
            assert {*found} <= {*undisturbed.rows[name]}


@needs_mounts
def test_a_database_on_a_disk_that_is_full(tmp_path: Path, table: Table, undisturbed: Made) -> None:
    """The data folder has room, the place of the database has not."""
    disk = tmp_path / "disk"
    disk.mkdir()
    table.series_dir = tmp_path / "series"
    database = disk / "own.db"
    told_of = set()
    for more in (0, 40, 64):
        size = installed_database().stat().st_size // 1024 + more
        table.room.call("mount", "-t", "tmpfs", "-o", f"size={size}k", "none", disk)
        table.room.call("cp", installed_database(), database)
        inputs = a_user_input(exhibit_db_path=str(database))
        database.touch()  # seen from outside the room too, where the series is read
        write_series(table.series_dir, a_small_specification(), inputs)
        ended = table.run()
        if ended.code:
            said = told(ended)
            assert f"{database}: SQLite reports: " in said
            assert "make sure that it and its folder can be written and have space" in said
            told_of.add(said)
            table.room.call("mount", "-o", "remount,size=0", disk)
            fine(table.run())
        table.room.call("cp", "-r", f"{disk}/.", tmp_path / "copy")
        recorded = rows(tmp_path / "copy" / "own.db")["demo_reference"]
        assert recorded == undisturbed.rows["demo_reference"]
        shutil.rmtree(tmp_path / "copy")
        assert datasets(files_in(table.data)) == datasets(undisturbed.files)
        table.room.call("umount", disk)
        shutil.rmtree(table.data)
    assert told_of


@pytest.mark.parametrize("limit", [700, 40_000])
def test_files_that_cannot_grow(table: Table, undisturbed: Made, limit: int) -> None:
    """A limit on the size of files, as a quota sets it, ends in a message that names the file."""
    fine(table.run(*ONE_BY_ONE[0]))
    said = told(table.run(largest_file=limit))
    assert re.search(
        rf"{table.data}\S+: (cannot be written: File too large|SQLite reports: )", said
    ), said
    harmless(table.data, undisturbed)
    fine(table.run())
    assert Made.of(table.data) == undisturbed


# Places that are read-only


def read_only(room: Room, path: Path) -> None:
    """Make a file or folder read-only for all, root included; ``umount`` ends it."""
    room.call("mount", "--bind", path, path)
    room.call("mount", "-o", "remount,bind,ro", path)


@needs_mounts
@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("", 2, "{data}/demo: cannot be written: Read-only file system; name another folder"),
        ("demo", 2, "{data}/demo: cannot be written: Read-only file system; name another folder"),
        ("demo/new_records", 2, "{data}/demo/new_records: cannot be written: Read-only file sys"),
        ("exhibit.db", 1, "{data}/exhibit.db: SQLite reports: attempt to write a readonly"),
        ("demo/dataset_2.csv", 1, "{data}/demo/dataset_2.csv: cannot be written: Device or reso"),
        ("demo/dataset_2.new.yml", 1, "{data}/demo/dataset_2.new.yml: cannot be written: Device"),
    ],
)
def test_a_place_that_is_read_only(
    table: Table, undisturbed_data: Path, undisturbed: Made, name: str, code: int, said: str
) -> None:
    """The message names it, and what was there stays; once it is writable a run goes through."""
    shutil.copytree(undisturbed_data, table.data)
    read_only(table.room, table.data / name)
    try:
        assert told(table.run(), code).startswith(said.format(data=table.data))
    finally:
        table.room.call("umount", table.data / name)
    assert Made.of(table.data) == undisturbed
    assert {path.name for path in table.data.iterdir()} == {"demo", "exhibit.db"}
    fine(table.run())
    assert Made.of(table.data) == undisturbed


@needs_mounts
def test_a_data_folder_that_is_read_only_and_empty(table: Table) -> None:
    """Refused before anything is tried."""
    table.data.mkdir()
    read_only(table.room, table.data)
    assert told(table.run(), 2).startswith(f"{table.data}/demo: cannot be written: Read-only")
    table.room.call("umount", table.data)
    assert list(table.data.iterdir()) == []


@needs_mounts
@pytest.mark.thorough
def test_a_dagster_home_that_is_read_only(tmp_path: Path, table: Table, undisturbed: Made) -> None:
    """Told with the system's reason, whether it was used before or not."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    for reason in ("[Errno 30] Read-only file system", "unable to open database file"):
        read_only(table.room, home)
        said = told(table.run(DAGSTER_HOME=home), 2)
        assert said.startswith(f"DAGSTER_HOME cannot be used: {reason}")
        table.room.call("umount", home)
        assert table.run(DAGSTER_HOME=home).code == 0
    assert Made.of(table.data) == undisturbed


@needs_mounts
@pytest.mark.thorough
def test_a_dagster_home_on_a_disk_that_is_full(
    tmp_path: Path, table: Table, undisturbed: Made
) -> None:
    """At the beginning or in the middle of a run; nothing of it stays, and it can be run again."""
    home = tmp_path / "home"
    home.mkdir()
    codes = set()
    for size in (40, 500, 600):
        table.room.call("mount", "-t", "tmpfs", "-o", f"size={size}k", "none", home)
        table.room.call("sh", "-c", f"echo 'telemetry: {{enabled: false}}' > {home}/dagster.yaml")
        ended = table.run(DAGSTER_HOME=home)
        table.room.call("umount", home)
        codes.add(ended.code)
        if ended.code == 2:
            assert "DAGSTER_HOME cannot be used: " in told(ended, 2)
        elif ended.code == 1:
            assert f"{home}: Dagster cannot keep its records of the run: " in told(ended)
        assert not (table.data / ".runs").exists()
        if table.data.exists():
            harmless(table.data, undisturbed)
    assert codes >= {1, 2}
    fine(table.run())
    assert Made.of(table.data) == undisturbed


# Contents that change while a run is under way


class Elsewhere(Progress):
    """Lets something happen once, when a phase of a period is reached."""

    def __init__(self, key: str, phase: str, happen: Any) -> None:
        self.place: tuple[str, str] | None = (key, phase)
        self.happen = happen

    def reached(self, key: str, phase: str) -> None:
        """Let it happen in the place."""
        if (key, phase) == self.place:
            self.place = None
            self.happen()


PHASES = [
    *((KEYS[1], phase) for phase in ("new records", "reference table", "dataset")),
    (KEYS[3], "dataset"),
]


@pytest.mark.each_value
@pytest.mark.parametrize("others", [WHOLE, (*WHOLE, "--periods", f"{KEYS[0]}..{KEYS[1]}")])
@pytest.mark.parametrize(("key", "phase"), PHASES)
def test_a_run_of_other_contents_in_the_middle_of_one(
    tmp_path: Path,
    table: Table,
    place: Path,
    undisturbed: Made,
    made_of_others: Made,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    phase: str,
    others: tuple[str, ...],
) -> None:
    """No dataset is a mixture: each is of one of the two, and so are the files beside it.

    Or the run says whose new records or entities it found in place of its own.
    """
    table.series_dir = tmp_path / "series"
    changed = write_series(table.series_dir, other_contents())
    series = load_series(place)
    progress = Elsewhere(key, phase, lambda: fine(table.run(*others)))
    refused = ""
    try:
        generate(series, table.data, executor="none", progress=progress)
    except (GenerationError, RequestError) as error:
        refused = str(error)
        assert "generated from different versions of the two files" in refused
        assert "unexpectedly" not in refused
    assert progress.place is None
    made = {series.fingerprint: undisturbed, load_series(changed).fingerprint: made_of_others}
    sound(table.data, made, unless=bool(refused))
    fine(table.run())
    assert Made.of(table.data) == made_of_others


@pytest.fixture(scope="module")
def made_of_others(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The series of other contents made by one run."""
    folder = tmp_path_factory.mktemp("others")
    generate(load_series(write_series(folder, other_contents())), folder / "data")
    return Made.of(folder / "data")


def sound(data: Path, made: dict[str, Made], *, unless: bool) -> None:
    """Hold that each file is of one of the contents, and says so where it says of which.

    ``unless`` says that somebody was told: then the files of a dataset may be of both.
    """
    found = files_in(data)
    for path, content in found.items():
        assert content in [one.files[path] for one in made.values()], f"{path} is a mixture"
    for number in range(1, len(KEYS) + 1):
        new = f"demo/new_records/dataset_{number}.csv"
        mark = read_fingerprint(data / "demo" / f"dataset_{number}.new.yml")
        if mark:
            assert found[new] == made[mark].files[new]
        if not unless and mark:
            beside = [path for path in found if f"dataset_{number}." in path]
            assert all(found[path] == made[mark].files[path] for path in beside)
    recorded = rows(data / "exhibit.db")
    for period, _, _, mark, _ in recorded.get("demo_reference_periods", []):
        bounds = range(period << 32, (period + 1) << 32)
        in_period = [row for row in recorded["demo_reference"] if row[0] in bounds]
        whole = [row for row in made[mark].rows["demo_reference"] if row[0] in bounds]
        assert in_period == whole


OF_ANOTHER_RUN = (
    "generated from different versions of the two files",
    # Between the two renames that put them there:
    "no specification beside them that says what they were generated from",
)


def test_runs_of_two_contents_side_by_side(
    tmp_path: Path, table: Table, place: Path, undisturbed: Made, made_of_others: Made
) -> None:
    """Wherever they meet: what is delivered is of one of them, or one has said that it is not."""
    other = tmp_path / "series"
    changed = write_series(other, other_contents())
    made = {
        load_series(place).fingerprint: undisturbed,
        load_series(changed).fingerprint: made_of_others,
    }
    for _ in range(2):
        ended = beside(table, other)
        for one in ended:
            if one.code:
                said = told(one, one.code)
                assert any(reason in said for reason in OF_ANOTHER_RUN), said
        sound(table.data, made, unless=any(one.code for one in ended))
    table.series_dir = other
    fine(table.run())
    assert Made.of(table.data) == made_of_others


def beside(table: Table, other: Path) -> list[Ended]:
    """Run the series of the table and one of other contents at once."""
    return table.side_by_side([WHOLE, (f"SERIES_ASSETS_SERIES_DIR={other}", *WHOLE)])

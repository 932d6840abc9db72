"""A run killed at any point damages nothing, and the next run completes the series.

``kill_points`` counts every change that a run of three periods makes on the disk. With
``HYPOTHESIS_PROFILE=long``, runs are killed at ten times as many randomly chosen points.
"""

import os
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from series_assets.storage.loading import load_series
from series_assets.storage.provenance import read_fingerprint
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.killed_runs import DataFolder, KillableRuns
from series_assets_tests.thorough import mostly_thorough

_PERIODS = 3
_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
_DRAWN, _DRAWN_REPLACING = (100, 50) if _LONG else (1, 1)

_SCRATCH = ".runs/RUN/"
NAMED_POINTS = [
    # The scratch folder of a run, its lock, and the lock of all runs.
    "after mkdir .runs",
    "after open .runs/.lock",
    "after flock .runs/.lock",
    "after open .runs/RUN.lock",
    "after flock .runs/RUN.lock",
    "half of write .runs/RUN.lock",
    "after write .runs/RUN.lock",
    "after mkdir .runs/RUN",
    f"after unlink {_SCRATCH}new_2.db",
    "after rmdir .runs/RUN",
    "after unlink .runs/RUN.lock",
    "after unlink .runs/.lock",
    "after rmdir .runs",
    # The database: creating it as a copy, and writing to it.
    f"after open {_SCRATCH}.exhibit.db.PID.part",
    f"half of write {_SCRATCH}.exhibit.db.PID.part",
    "before link exhibit.db",
    "after link exhibit.db",
    "after BEGIN exhibit.db",
    "after CREATE exhibit.db",
    "after DELETE exhibit.db",
    "amid rows of exhibit.db",
    "before COMMIT exhibit.db",
    "after COMMIT exhibit.db",
    "after close exhibit.db",
    # Delivered files: written in the scratch folder, and renamed.
    "after mkdir demo",
    "after mkdir demo/new_records",
    f"before write {_SCRATCH}.new_2.csv.PID.part",
    f"half of write {_SCRATCH}.new_2.csv.PID.part",
    f"after write {_SCRATCH}.new_2.csv.PID.part",
    f"after fsync {_SCRATCH}.new_2.csv.PID.part",
    "before replace demo/new_records/dataset_2.csv",
    "after replace demo/new_records/dataset_2.csv",
    f"half of write {_SCRATCH}.new_2.yml.PID.part",
    "before replace demo/dataset_2.new.yml",
    "after replace demo/dataset_2.new.yml",
    f"half of write {_SCRATCH}.dataset_2.csv.PID.part",
    f"half of write {_SCRATCH}.existing_2.yml.PID.part",
    "before replace demo/dataset_2.csv",
    "after replace demo/dataset_2.csv",
    "before replace demo/dataset_2.existing.yml",
    "after replace demo/dataset_2.existing.yml",
    # Optional files: the history, and the manifest at the end.
    "after mkdir demo/truth",
    f"half of write {_SCRATCH}.truth_changes_2.csv.PID.part",
    "before replace demo/truth/changes_2.csv",
    "after replace demo/truth/changes_2.csv",
    "after replace demo/truth/cells_2.csv",
    "after replace demo/truth/scd2_2.csv",
    f"half of write {_SCRATCH}.manifest_2.json.PID.part",
    "before replace demo/dataset_2.manifest.json",
    "after replace demo/dataset_2.manifest.json",
]
"""The kinds of changes, by name; a run is killed at the second occurrence if there is one."""
_USUAL = (
    "before link exhibit.db",
    "amid rows of exhibit.db",
    "after replace demo/new_records/dataset_2.csv",
    "before replace demo/dataset_2.csv",
    "before replace demo/truth/changes_2.csv",
    f"half of write {_SCRATCH}.manifest_2.json.PID.part",
)
"""Those of a usual run: one of each kind of write."""


@dataclass(frozen=True)
class Scenario:
    """A series of three periods, a changed version of it, and their undisturbed results."""

    runs: KillableRuns
    series: Path
    changed_series: Path
    changed_data: Path
    """A data folder with the changed version."""
    undisturbed: DataFolder
    changed_result: DataFolder
    points: list[str]
    replacement_points: list[str]
    """The points of a run that replaces the changed version."""
    paths: list[str]
    """All paths after an undisturbed run."""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Both versions, generated once; each test kills its own runs."""
    folder = tmp_path_factory.mktemp("scenario")
    inputs = a_user_input(num_datasets=_PERIODS, manifest=True, truth={"write": ["scd2"]})
    series = write_series(folder / "series", a_specification(number_of_rows=30), inputs)
    changed = a_specification(number_of_rows=30, random_seed=7)
    changed["columns"]["sex"]["original_values"][1] = "X            | 0.500              | 0.800"
    changed_series = write_series(folder / "changed_series", changed, inputs)
    runs = KillableRuns(series)
    try:
        points = runs.generate(series, folder / "undisturbed")
        runs.generate(changed_series, folder / "made")
        shutil.copytree(folder / "made", folder / "over")
        replacement_points = runs.generate(series, folder / "over")
        undisturbed = DataFolder.read(folder / "undisturbed")
        assert DataFolder.read(folder / "over") == undisturbed
        yield Scenario(
            runs,
            series,
            changed_series,
            folder / "made",
            undisturbed,
            DataFolder.read(folder / "made"),
            points,
            replacement_points,
            _paths(folder / "undisturbed"),
        )
    finally:
        runs.close()


def _paths(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def _assert_undamaged(scenario: Scenario, data: Path, earlier: DataFolder) -> None:
    """Assert that each file is complete: that of before, or that of an undisturbed run."""
    found = DataFolder.read(data)
    for path, content in found.files.items():
        whole = [delivered.files.get(path) for delivered in (scenario.undisturbed, earlier)]
        assert content in whole, f"{path} is neither that of before nor that of an undisturbed run"
    for path in earlier.files:
        assert path in found.files or path.endswith((".yml", ".json")), f"{path} is gone"
    mark = load_series(scenario.series).fingerprint
    for number in range(1, _PERIODS + 1):
        path = f"demo/new_records/dataset_{number}.csv"
        if read_fingerprint(data / "demo" / f"dataset_{number}.new.yml") == mark:
            assert found.files[path] == scenario.undisturbed.files[path]
    rows = found.tables.get("demo_reference", [])
    identifiers = [row[3] for row in rows]
    assert len(set(identifiers)) == len(identifiers), "an entity is there twice"
    known = {
        *scenario.undisturbed.tables["demo_reference"],
        *earlier.tables.get("demo_reference", []),
    }
    assert {*rows} <= known


def _assert_next_run_completes(scenario: Scenario, data: Path) -> None:
    """Generate the series again, and compare everything with an undisturbed run."""
    scenario.runs.generate(scenario.series, data)
    assert _paths(data) == scenario.paths
    assert DataFolder.read(data) == scenario.undisturbed


def _kill_and_complete(scenario: Scenario, data: Path, point: int) -> None:
    scenario.runs.generate(scenario.series, data, kill=point)
    _assert_undamaged(scenario, data, DataFolder({}, {}))
    _assert_next_run_completes(scenario, data)


@pytest.mark.parametrize("name", mostly_thorough(NAMED_POINTS, *_USUAL))
def test_a_run_killed_at_a_named_point(tmp_path: Path, scenario: Scenario, name: str) -> None:
    """Before, during and after each kind of write, rename, removal and commit."""
    places = [place for place, point in enumerate(scenario.points) if point == name]
    assert places, f"a run does not come by '{name}'"
    _kill_and_complete(scenario, tmp_path / "data", places[min(1, len(places) - 1)])


@pytest.mark.parametrize("draw", range(_DRAWN))
def test_a_run_killed_at_a_point_drawn_from_all(
    tmp_path: Path, scenario: Scenario, draw: int
) -> None:
    """The seed is fixed, so that the points are the same each time."""
    drawn = random.Random(20).sample(range(len(scenario.points)), _DRAWN)
    _kill_and_complete(scenario, tmp_path / "data", drawn[draw])


@pytest.mark.parametrize("draw", range(_DRAWN_REPLACING))
def test_a_run_killed_while_it_replaces_what_other_contents_made(
    tmp_path: Path, scenario: Scenario, draw: int
) -> None:
    """At points where delivered files change; each file is old or new."""
    delivered = [
        place
        for place, point in enumerate(scenario.replacement_points)
        if re.search(r" (unlink|replace|INSERT|COMMIT|DROP) (demo/|exhibit\.db)", point)
    ]
    drawn = random.Random(8).sample(delivered, _DRAWN_REPLACING)
    data = tmp_path / "data"
    shutil.copytree(scenario.changed_data, data)
    scenario.runs.generate(scenario.series, data, kill=drawn[draw])
    _assert_undamaged(scenario, data, scenario.changed_result)
    _assert_next_run_completes(scenario, data)


@pytest.mark.thorough
def test_a_run_killed_again_and_again(tmp_path: Path, scenario: Scenario) -> None:
    """Each run continues, cleans up after the one before, and is killed a bit later."""
    data = tmp_path / "data"
    for place in range(1, 6):
        scenario.runs.generate(scenario.series, data, kill=place * len(scenario.points) // 7)
        _assert_undamaged(scenario, data, DataFolder({}, {}))
        left = [path for path in (data / ".runs").iterdir() if path.is_dir()]
        assert len(left) <= 1
    _assert_next_run_completes(scenario, data)


def test_delivered_files_change_only_by_rename_or_commit(scenario: Scenario) -> None:
    """Nothing is written directly under its final name, so that it is always complete.

    Every kind of change to such a name is among the points at which runs are killed.
    """
    changes = {
        re.sub(r"\d+", "2", point).split(" ", 1)[1]
        for point in (*scenario.points, *scenario.replacement_points)
        if re.search(r" (demo/\S+|exhibit\.db)$", point)
    }
    assert changes == {
        *("mkdir demo/new_records", "unlink demo/dataset_2.new.yml"),
        "unlink demo/dataset_2.manifest.json",
        *("replace demo/new_records/dataset_2.csv", "replace demo/dataset_2.new.yml"),
        *("replace demo/dataset_2.csv", "replace demo/dataset_2.existing.yml"),
        *("mkdir demo/truth", "replace demo/truth/changes_2.csv", "replace demo/truth/cells_2.csv"),
        *("replace demo/truth/scd2_2.csv", "replace demo/dataset_2.manifest.json"),
        *("unlink demo/dataset_2.existing.yml", "link exhibit.db", "rows of exhibit.db"),
        *(f"{word} exhibit.db" for word in ("BEGIN", "COMMIT", "close")),
        *(f"{word} exhibit.db" for word in ("CREATE", "DROP", "INSERT", "DELETE")),
    }
    named = {point.split(" ", 1)[1].replace("of ", "") for point in NAMED_POINTS}
    renames = {change for change in changes if change.split()[0] in ("replace", "link", "COMMIT")}
    assert renames <= named

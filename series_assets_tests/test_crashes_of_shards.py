"""A run of a sharded series killed at any point damages nothing, and the next run completes it."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from series_assets.storage.loading import load_series
from series_assets.storage.provenance import read_fingerprint
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.killed_runs import DataFolder, KillableRuns
from series_assets_tests.thorough import thorough

_SCRATCH = ".runs/RUN/part_2_1"
NAMED_POINTS = [
    f"after mkdir {_SCRATCH}",
    f"half of write {_SCRATCH}/.entities_2_part-0001.parquet.PID.part",
    "before replace demo/reference/period_2/part-0001.parquet",
    "after replace demo/reference/period_2/part-0001.parquet",
    "before replace demo/dataset_2/part-0001.csv",
    "after replace demo/dataset_2/part-0001.csv",
    "after replace demo/dataset_2/specifications/part-0002.new.yml",
    "before replace demo/states/period_2/part-0001.parquet",
    "after replace demo/states/period_2/part-0002.parquet",
    "after replace demo/truth/changes_2/part-0001.csv",
    "before replace demo/dataset_2.manifest.json",
]
"""The changes that only runs of sharded series make."""


@dataclass(frozen=True)
class Scenario:
    """A series in two shards, a changed version of it, and their undisturbed results."""

    runs: KillableRuns
    series: Path
    changed_data: Path
    undisturbed: DataFolder
    changed_result: DataFolder
    points: list[str]
    replacement_points: list[str]
    paths: list[str]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Both versions, generated once; the changed one has three shards."""
    folder = tmp_path_factory.mktemp("scenario")
    inputs = a_user_input(num_datasets=3, manifest=True, shards=2, truth={"write": ["scd1"]})
    series = write_series(folder / "series", a_specification(number_of_rows=24), inputs)
    changed_series = write_series(
        folder / "changed_series",
        a_specification(number_of_rows=24, random_seed=7),
        inputs | {"shards": 3},
    )
    runs = KillableRuns(series)
    try:
        points = runs.generate(series, folder / "undisturbed")
        runs.generate(changed_series, folder / "made")
        shutil.copytree(folder / "made", folder / "over")
        replacement_points = runs.generate(series, folder / "over")
        yield Scenario(
            runs,
            series,
            folder / "made",
            DataFolder.read(folder / "undisturbed"),
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
    """Assert that each file is complete, old or new, and agrees with its fingerprint."""
    found = DataFolder.read(data).files
    for path, content in found.items():
        whole = [one.files.get(path) for one in (scenario.undisturbed, earlier)]
        assert content in whole, f"{path} is neither that of before nor that of an undisturbed run"
    mark = load_series(scenario.series).fingerprint
    for path in found:
        if path.endswith(".new.yml") and read_fingerprint(data / path) == mark:
            records = path.replace("demo/", "demo/new_records/").replace("specifications/", "")
            records = records.replace(".new.yml", ".csv")
            assert found[records] == scenario.undisturbed.files[records]
        if path.endswith(".manifest.json") and found[path] == scenario.undisturbed.files[path]:
            parts = path.replace(".manifest.json", "/part-")
            assert [name for name in found if name.startswith(parts)] == [
                f"{parts}0001.csv",
                f"{parts}0002.csv",
            ]


def _kill_and_complete(
    scenario: Scenario, data: Path, point: int, earlier: DataFolder | None = None
) -> None:
    scenario.runs.generate(scenario.series, data, kill=point)
    _assert_undamaged(scenario, data, earlier or DataFolder({}, {}))
    scenario.runs.generate(scenario.series, data)
    assert DataFolder.read(data).files == scenario.undisturbed.files
    assert _paths(data) == scenario.paths


@pytest.mark.parametrize(
    "name", [*NAMED_POINTS[:2], NAMED_POINTS[7], *thorough(*NAMED_POINTS[2:7], *NAMED_POINTS[8:])]
)
def test_a_run_killed_at_a_named_point(tmp_path: Path, scenario: Scenario, name: str) -> None:
    """Before and after the rename of each kind of file."""
    assert name in scenario.points, f"a run does not come by '{name}'"
    _kill_and_complete(scenario, tmp_path / "data", scenario.points.index(name))


@pytest.mark.parametrize("draw", [0, *thorough(*range(1, 60))])
def test_a_run_killed_at_a_point_drawn_from_all(
    tmp_path: Path, scenario: Scenario, draw: int
) -> None:
    """The seed is fixed, so that the points are the same each time."""
    drawn = random.Random(3).sample(range(len(scenario.points)), 60)
    _kill_and_complete(scenario, tmp_path / "data", drawn[draw])


@pytest.mark.parametrize("draw", [0, *thorough(*range(1, 20))])
def test_a_run_killed_while_it_replaces_another_number_of_shards(
    tmp_path: Path, scenario: Scenario, draw: int
) -> None:
    """Each part of the former version exists or not; none is left at the end."""
    delivered = [
        place
        for place, point in enumerate(scenario.replacement_points)
        if " demo/" in point and point.split()[1] in ("unlink", "replace", "rmdir")
    ]
    drawn = random.Random(5).sample(delivered, 20)
    data = tmp_path / "data"
    shutil.copytree(scenario.changed_data, data)
    _kill_and_complete(scenario, data, drawn[draw], scenario.changed_result)

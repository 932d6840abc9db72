"""A series whose files change while a run is in progress: no dataset mixes the two versions."""

from pathlib import Path
from typing import Any

import pytest

from series_assets.core.errors import GenerationError, RequestError
from series_assets.interface import generate
from series_assets.pipeline.progress import Progress
from series_assets.storage.loading import load_series
from series_assets.storage.provenance import read_fingerprint
from series_assets_tests.builders import files_in, write_series
from series_assets_tests.command_runner import CommandResult
from series_assets_tests.interference.runs import (
    GENERATE_ALL,
    KEYS,
    Runs,
    Snapshot,
    assert_succeeded,
    changed_specification,
    error_message,
    reference_rows,
)
from series_assets_tests.thorough import thorough


class ActionAtPhase(Progress):
    """Calls a function once, when a run reaches a phase of a period."""

    def __init__(self, key: str, phase: str, action: Any) -> None:
        self.place: tuple[str, str] | None = (key, phase)
        self.action = action

    def reached(self, key: str, phase: str) -> None:
        """Call the function if this is its phase."""
        if (key, phase) == self.place:
            self.place = None
            self.action()


PHASES = [
    *((KEYS[1], phase) for phase in ("new records", "reference table", "dataset")),
    (KEYS[3], "dataset"),
]


@pytest.mark.parametrize(
    "others",
    [GENERATE_ALL, *thorough(((*GENERATE_ALL, "--periods", f"{KEYS[0]}..{KEYS[1]}"),))],
)
@pytest.mark.parametrize(("key", "phase"), [PHASES[0], *thorough(*PHASES[1:])])
def test_a_run_of_other_contents_in_the_middle_of_one(
    tmp_path: Path,
    runs: Runs,
    series_folder: Path,
    undisturbed: Snapshot,
    changed_snapshot: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    phase: str,
    others: tuple[str, ...],
) -> None:
    """Each dataset and the files beside it are of one version, or the run fails with a message.

    The message says that it found new records or entities of the other version.
    """
    runs.series_dir = tmp_path / "series"
    changed = write_series(runs.series_dir, changed_specification())
    series = load_series(series_folder)
    progress = ActionAtPhase(key, phase, lambda: assert_succeeded(runs.run(*others)))
    refused = ""
    try:
        generate(series, runs.data, executor="none", progress=progress)
    except (GenerationError, RequestError) as error:
        refused = str(error)
        assert "generated from another version of the series' two files" in refused
        assert "unexpectedly" not in refused
    assert progress.place is None
    generated = {
        series.fingerprint: undisturbed,
        load_series(changed).fingerprint: changed_snapshot,
    }
    assert_unmixed(runs.data, generated, unless=bool(refused))
    assert_succeeded(runs.run())
    assert Snapshot.read(runs.data) == changed_snapshot


@pytest.fixture(scope="module")
def changed_snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The series with changed files, as one undisturbed run generates it."""
    folder = tmp_path_factory.mktemp("others")
    generate(load_series(write_series(folder, changed_specification())), folder / "data")
    return Snapshot.read(folder / "data")


def assert_unmixed(data: Path, made: dict[str, Snapshot], *, unless: bool) -> None:
    """Assert that each file belongs to one version, the one that its fingerprint names.

    ``unless`` is true if a run reported a conflict: then the files of a dataset may differ.
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
    recorded = reference_rows(data / "exhibit.db")
    for period, _, _, mark, _ in recorded.get("demo_reference_periods", []):
        bounds = range(period << 32, (period + 1) << 32)
        in_period = [row for row in recorded["demo_reference"] if row[0] in bounds]
        whole = [row for row in made[mark].rows["demo_reference"] if row[0] in bounds]
        assert in_period == whole


CONFLICT_MESSAGES = (
    "generated from another version of the series' two files",
    # Between the renames of the two files:
    "no specification beside them that says what they were generated from",
)


@pytest.mark.thorough
def test_runs_of_two_contents_side_by_side(
    tmp_path: Path,
    runs: Runs,
    series_folder: Path,
    undisturbed: Snapshot,
    changed_snapshot: Snapshot,
) -> None:
    """Wherever they overlap, each dataset is of one version, or a run has reported the conflict."""
    other = tmp_path / "series"
    changed = write_series(other, changed_specification())
    generated = {
        load_series(series_folder).fingerprint: undisturbed,
        load_series(changed).fingerprint: changed_snapshot,
    }
    for _ in range(2):
        results = run_both(runs, other)
        for one in results:
            if one.exit_code:
                message = error_message(one, one.exit_code)
                assert any(reason in message for reason in CONFLICT_MESSAGES), message
        assert_unmixed(runs.data, generated, unless=any(one.exit_code for one in results))
    runs.series_dir = other
    assert_succeeded(runs.run())
    assert Snapshot.read(runs.data) == changed_snapshot


def run_both(runs: Runs, other: Path) -> list[CommandResult]:
    """Run the series and its changed version at the same time."""
    return runs.run_concurrently(
        [GENERATE_ALL, (f"SERIES_ASSETS_SERIES_DIR={other}", *GENERATE_ALL)]
    )

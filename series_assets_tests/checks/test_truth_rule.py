"""The rule ``truth`` holds for generated files, and finds changed ones."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from series_assets.checks.rules import TRUTH, Finding, rules_of
from series_assets.core.plan.series import Series
from series_assets.interface import check, generate
from series_assets_tests.builders import a_series, a_specification, a_user_input

KEY = "2024-02-01"
TWICE = ["frequency | probability_vector", "1 | 0.5", "2 | 0.5"]


def history_series(**truth: Any) -> Series:
    """Return a series of two periods with a history, whose entities have up to two rows."""
    specification = a_specification()
    specification["columns"]["id"]["frequency_distribution"] = TWICE
    own = a_user_input(
        truth={"order_by": "date", "write": ["scd2"]} | truth, manifest=True, num_datasets=2
    )
    return a_series(specification, own)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The series, generated once. Tests only read it."""
    folder = tmp_path_factory.mktemp("generated")
    generate(history_series(), folder)
    return folder


@pytest.fixture
def data(generated: Path, tmp_path: Path) -> Path:
    """A copy of the series to change."""
    shutil.copytree(generated, tmp_path / "data")
    return tmp_path / "data"


def found_in(data: Path) -> Finding:
    """Return the finding on the second period."""
    [result] = check(history_series(), data, KEY)
    [finding] = [one for one in result.findings if one.rule == TRUTH]
    return finding


def change_log(data: Path) -> tuple[Path, list[str]]:
    """Return the file of the second period's change log, and its lines."""
    path = data / "demo" / "truth" / "changes_2.csv"
    return path, path.read_text("utf-8").splitlines(keepends=True)


def test_it_holds_for_what_was_generated(generated: Path) -> None:
    """In the first period and in later ones, with several rows per entity."""
    for result in check(history_series(), generated):
        assert result.holds, result.complaints()
    facts = found_in(generated).facts
    assert facts["superseded rows"]
    assert sum(int(count) for count in facts.values()) == 60


def test_it_holds_for_every_row_and_event_time(tmp_path: Path) -> None:
    """The last state of a period is that of the last day."""
    series = history_series(history="every_row", time="event")
    generate(series, tmp_path)
    for result in check(series, tmp_path):
        assert result.holds, result.complaints()


def test_a_series_without_the_block_does_not_have_it() -> None:
    """Nor does one with manifests alone."""
    assert TRUTH in rules_of(history_series())
    assert TRUTH not in rules_of(a_series())
    assert TRUTH not in rules_of(a_series(user_input=a_user_input(manifest=True)))


def _drop_a_line(data: Path) -> None:
    path, lines = change_log(data)
    path.write_text("".join(lines[:-1]), "utf-8")


def _swap_identifiers(data: Path) -> None:
    path, (header, first, second, *others) = change_log(data)
    one, other = first.split(",")[1], second.split(",")[1]
    lines = [header, first.replace(one, other), second.replace(other, one), *others]
    path.write_text("".join(lines), "utf-8")


def _raise_a_version(data: Path) -> None:
    path, lines = change_log(data)
    place = next(n for n, line in enumerate(lines) if ",insert,1," in line)
    lines[place] = lines[place].replace(",insert,1,", ",insert,7,")
    path.write_text("".join(lines), "utf-8")


def _rename_an_operation(data: Path) -> None:
    path, lines = change_log(data)
    path.write_text("".join(lines).replace(",insert,", ",update,", 1), "utf-8")


def _open_a_version(data: Path) -> None:
    path = data / "demo" / "truth" / "scd2_2.csv"
    path.write_text(path.read_text("utf-8").replace(",false,1,2,", ",true,1,2,"), "utf-8")


def _another_manifest(data: Path) -> None:
    path = data / "demo" / "dataset_2.manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["resources"][0]["bytes"] += 1
    path.write_text(json.dumps(manifest), "utf-8")


@pytest.mark.parametrize(
    ("tamper", "column"),
    [
        (_drop_a_line, "the number of lines for rows"),
        (_swap_identifiers, "the identifier in line 1"),
        (_raise_a_version, "the version in the change log"),
        (_rename_an_operation, "the number of insert in dataset_2.manifest.json"),
        (_open_a_version, "the number of open versions"),
        (_another_manifest, "bytes in dataset_2.manifest.json"),
    ],
)
def test_it_finds_what_was_changed(data: Path, tamper: Callable[[Path], None], column: str) -> None:
    """With an example of the place."""
    tamper(data)
    finding = found_in(data)
    assert not finding.holds
    assert column in {example.column for example in finding.examples}


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("truth/changes_2.csv", "regenerate truth of 2024-02-01"),
        ("truth/scd2_2.csv", "regenerate truth of 2024-02-01"),
        ("dataset_2.manifest.json", "generate manifest of 2024-02-01"),
    ],
)
def test_a_missing_file_is_named_with_what_to_do(data: Path, name: str, remedy: str) -> None:
    """The other rules are still evaluated."""
    (data / "demo" / name).unlink()
    [result] = check(history_series(), data, KEY)
    [complaint] = result.complaints()
    assert str(data / "demo" / name) in complaint
    assert complaint.endswith(remedy)


def test_a_dataset_that_was_changed_since_is_not_that_of_the_states(data: Path) -> None:
    """Whatever else is wrong with it."""
    path = data / "demo" / "dataset_2.csv"
    path.write_text(path.read_text("utf-8").replace("North", "South", 1), "utf-8")
    assert str(found_in(data)) == (
        "demo, period 2024-02-01: its states were computed from a dataset other than the one that "
        "is there "
        "now; generate 2024-02-01 again, with series-assets generate demo --periods 2024-02-01"
    )

"""Faults that ``generate`` refuses: loose files, outputs and periods."""

from pathlib import Path

import pytest
import yaml

from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.faulty_inputs.validation import messages_of


def _generate(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    specification: object = None,
    user_input: object = None,
    output: str = "out",
) -> list[str]:
    """Run ``generate`` on two loose files in ``folder``, given as relative paths."""
    monkeypatch.chdir(folder)
    for file, content in (
        ("spec.yml", specification or a_specification()),
        ("input.yml", user_input or a_user_input()),
    ):
        (folder / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    files = ("--specification", "spec.yml", "--user-input", "input.yml")
    return messages_of(folder, "generate", *files, "--output", output)


def test_loose_files_are_named_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages name the paths of loose files as the user typed them, and nothing is generated."""
    specification = a_specification(random_seed=-1)
    user_input = a_user_input(period="day")
    assert _generate(tmp_path, monkeypatch, specification, user_input) == [
        "spec.yml: metadata.random_seed -1 is too small; the smallest is 0",
        "input.yml: period 'day' is not known; use days, weeks, months or quarters; "
        "did you mean 'days'?",
    ]


def test_loose_files_that_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults between two loose files are refused before anything runs."""
    assert _generate(tmp_path, monkeypatch, None, a_user_input(date_columns=["sex"])) == [
        "input.yml: date_columns names 'sex', whose type is categorical; only date columns can move"
    ]


@pytest.mark.parametrize("absent", ["spec.yml", "input.yml"])
def test_a_loose_file_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    """A path that does not exist is named as the user typed it."""
    monkeypatch.chdir(tmp_path)
    for file, content in (("spec.yml", a_specification()), ("input.yml", a_user_input())):
        if file != absent:
            (tmp_path / file).write_text(yaml.safe_dump(content), encoding="utf-8")
    files = ("--specification", "spec.yml", "--user-input", "input.yml")
    assert messages_of(tmp_path, "generate", *files, "--output", "out") == [
        f"{absent}: there is no such file; correct the path"
    ]


@pytest.mark.parametrize("given", [None, ""])
def test_a_loose_specification_without_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    """``metadata.id`` is required, because a loose series gets its name from it."""
    assert _generate(tmp_path, monkeypatch, a_specification(id=given)) == [
        "spec.yml: metadata.id is missing; add it: the series is named after it"
    ]


def test_a_loose_specification_with_an_unfit_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id that is not a valid series name is refused with the rule for names."""
    assert _generate(tmp_path, monkeypatch, a_specification(id="My data")) == [
        "spec.yml: metadata.id 'My data' cannot name a series; use lower-case letters, digits and "
        "_, a letter first"
    ]


def test_an_output_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An output folder that cannot be created is refused before anything runs."""
    (tmp_path / "a_file").write_text("in the way", encoding="utf-8")
    assert _generate(tmp_path, monkeypatch, output="a_file/below/out") == [
        f"{tmp_path}/a_file/below/out: cannot be written: Not a directory; name another folder as "
        "--output, or as SERIES_ASSETS_DATA_DIR"
    ]


def test_an_output_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in place of the output folder is refused, and is left unchanged."""
    (tmp_path / "a_file").write_text("in the way", encoding="utf-8")
    assert _generate(tmp_path, monkeypatch, output="a_file") == [
        f"{tmp_path}/a_file: cannot be written: File exists; name another folder as --output, or "
        "as SERIES_ASSETS_DATA_DIR"
    ]
    assert (tmp_path / "a_file").read_text(encoding="utf-8") == "in the way"


def test_a_faulty_series_is_not_generated(tmp_path: Path) -> None:
    """``generate`` reports the faults of a series as ``validate`` does."""
    write_series(tmp_path / "series", None, a_user_input(num_datasets=0))
    assert messages_of(tmp_path, "generate", "demo") == [
        "demo/user_input.yml: num_datasets 0 is too small; use 1 or more"
    ]


@pytest.mark.parametrize(
    ("periods", "message"),
    [
        (
            "2024-02-02",
            "--periods 2024-02-02: '2024-02-02' is not the first day of a period of demo; did you "
            "mean '2024-02-01'?",
        ),
        (
            "2024-03-01..2024-02-01",
            "--periods 2024-03-01..2024-02-01 ends before it begins; write FIRST..LAST",
        ),
        (
            "2024-03-01",
            "demo, period 2024-03-01 samples from all periods before it, but nothing is recorded "
            "yet for 2024-01-01, 2024-02-01; first generate 2024-01-01..2024-02-01 (materialize "
            "new_records and reference_table of these partitions, or run series-assets generate "
            "with --periods 2024-01-01..2024-02-01)",
        ),
    ],
)
def test_periods_that_cannot_be_made(tmp_path: Path, periods: str, message: str) -> None:
    """Periods that do not exist, or lack their predecessors, are refused without side effects."""
    write_series(tmp_path / "series")
    assert messages_of(tmp_path, "generate", "demo", "--periods", periods) == [message]

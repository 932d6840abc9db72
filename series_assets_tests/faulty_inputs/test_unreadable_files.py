"""Files that cannot be read, keys that are not text, and folders that are not series."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.faulty_inputs.validation import messages_of, validate

FILE_FAULTS: list[tuple[str, Callable[[Path], object], str]] = [
    (
        "missing",
        lambda path: path.unlink(),
        "there is no such file; a series needs specification.yml and user_input.yml",
    ),
    ("a folder", lambda path: (path.unlink(), path.mkdir()), "is a folder, not a file"),
    (
        "no YAML",
        lambda path: path.write_text("period: months\nstatic_columns: [sex\nnum_datasets: 3\n"),
        "line 3, column 13: is not YAML: expected ',' or ']', but got ':'",
    ),
    (
        "a tab",
        lambda path: path.write_text("period:\n\tmonths\n"),
        "line 2, column 1: is not YAML: found character '\\t' that cannot start any token; "
        "indent with spaces instead of tabs",
    ),
    (
        "not UTF-8",
        lambda path: path.write_bytes(b"period: \xff\xfe"),
        "is not text in UTF-8; save it in UTF-8",
    ),
    (
        "a control character",
        lambda path: path.write_bytes(b"period: mon\x00ths"),
        "is not YAML: special characters are not allowed (position 11)",
    ),
    (
        "a key given twice",
        lambda path: path.write_text("period: months\nnum_datasets: 3\nperiod: weeks\n"),
        "line 3, column 1: the key 'period' is given twice; keep one of them",
    ),
    (
        "a key given twice in quotes",
        lambda path: path.write_text("period: months\n'period': months\n"),
        "line 2, column 1: the key 'period' is given twice; keep one of them",
    ),
    (
        "a key given twice below another",
        lambda path: path.write_text("columns:\n  sex:\n    uniques: 2\n  sex: {}\n"),
        "line 4, column 3: the key 'sex' is given twice; keep one of them",
    ),
    (
        "a day that no calendar has",
        lambda path: path.write_text("period: months\nstart_date: 2024-02-30\n"),
        "line 2, column 13: '2024-02-30' is not a date in the calendar",
    ),
    (
        "a time that no clock has",
        lambda path: path.write_text("columns:\n  - 2024-02-28 25:00:00\n"),
        "line 2, column 5: '2024-02-28 25:00:00' is not a date in the calendar",
    ),
]


@pytest.mark.parametrize("file", ["specification.yml", "user_input.yml"])
@pytest.mark.parametrize(
    ("change", "message"), [case[1:] for case in FILE_FAULTS], ids=[case[0] for case in FILE_FAULTS]
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, file: str, change: Callable[[Path], object], message: str
) -> None:
    """The message names a file that is missing, not a file, or not YAML, and the line."""
    change(write_series(tmp_path / "series") / file)
    assert messages_of(tmp_path, "validate", "demo") == [f"demo/{file}: {message}"]


def test_a_block_may_be_merged_into_others(tmp_path: Path) -> None:
    """A key of a merged YAML block may be repeated, which is how YAML overrides it."""
    place = write_series(tmp_path / "series")
    text = yaml.safe_dump(a_specification(), sort_keys=False)
    text = text.replace("  sex:\n", "  sex: &category\n")
    region = text.index("  region:\n"), text.index("  amount:\n")
    text = text[: region[0]] + "  region:\n    <<: *category\n    uniques: 0\n" + text[region[1] :]
    (place / "specification.yml").write_text(text, encoding="utf-8")
    assert messages_of(tmp_path, "validate", "demo") == [
        "demo/specification.yml: columns.region.uniques 0 is too small; the smallest is 1"
    ]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("", "the file has the key 7, which is not text; put it in quotes"),
        ("metadata", "metadata has the key 7, which is not text; put it in quotes"),
        ("columns", "columns.7 has a name that is not text; put it in quotes"),
        ("columns/sex", "columns.sex has the key 7, which is not text; put it in quotes"),
        ("derived_columns", "derived_columns has the key 7, which is not text; put it in quotes"),
    ],
)
def test_a_key_of_the_specification_that_is_not_text(
    tmp_path: Path, place: str, message: str
) -> None:
    """YAML reads a bare 7 as a number, which is no valid key of a specification."""
    specification = a_specification() | {"derived_columns": {}}
    inside = specification
    for part in filter(None, place.split("/")):
        inside = inside[part]
    inside[7] = "amount * 2"
    assert validate(tmp_path, specification, a_user_input()) == [
        f"demo/specification.yml: {message}"
    ]


def test_a_key_that_yaml_takes_for_true(tmp_path: Path) -> None:
    """YAML reads a bare ``on`` as true, and the message shows it as such."""
    place = write_series(tmp_path / "series")
    text = yaml.safe_dump(a_specification(), sort_keys=False)
    text = text.replace("metadata:\n", "metadata:\n  on: 3\n")
    (place / "specification.yml").write_text(text, encoding="utf-8")
    assert messages_of(tmp_path, "validate", "demo") == [
        "demo/specification.yml: metadata has the key true, which is not text; put it in quotes"
    ]


def test_a_key_of_the_user_input_that_is_not_text(tmp_path: Path) -> None:
    """A number is refused as a key of the user input, and the message lists the known keys."""
    user_input: dict[Any, Any] = a_user_input() | {7: "months"}
    assert validate(tmp_path, a_specification(), user_input) == [
        "demo/user_input.yml: unknown key '7'; known here: exhibit_db_path, date_columns, "
        "static_columns, period, length_of_period, num_datasets, fraction_of_new, linked_columns, "
        "release, start_date, shards, format, manifest, truth"
    ]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "- period\n- months\n", "months\n"])
def test_a_file_without_keys(tmp_path: Path, text: str) -> None:
    """An empty file, a list or plain text is neither a user input nor a specification."""
    place = write_series(tmp_path / "series")
    for file in ("specification.yml", "user_input.yml"):
        (place / file).write_text(text, encoding="utf-8")
    assert messages_of(tmp_path, "validate", "demo") == [
        "demo/specification.yml: the file does not hold an Exhibit specification",
        "demo/user_input.yml: the file has to hold keys and values, such as period: months",
    ]


def test_a_folder_name_that_names_no_series(tmp_path: Path) -> None:
    """The name of a series folder consists of lower-case letters, digits and underscores."""
    write_series(tmp_path / "series", name="Demo 1")
    assert messages_of(tmp_path, "validate") == [
        "Demo 1/specification.yml: the folder's name 'Demo 1' cannot name a series; use "
        "lower-case letters, digits and _, a letter first"
    ]


def test_a_name_that_exhibit_takes_for_something_else(tmp_path: Path) -> None:
    """A name that contains ``temp`` is refused, because Exhibit drops tables with such names."""
    write_series(tmp_path / "series", name="attempts")
    assert messages_of(tmp_path, "validate") == [
        "attempts/specification.yml: the folder's name 'attempts' cannot name a series; choose "
        "another: to Exhibit, 'temp' in a table's name has a special meaning"
    ]


def test_no_folder_of_series(tmp_path: Path) -> None:
    """A series folder that does not exist is named."""
    assert messages_of(tmp_path, "validate") == [
        f"{tmp_path}/series: there is no such series folder; correct SERIES_ASSETS_SERIES_DIR, "
        "or create a series with series-assets new"
    ]


def test_no_such_series(tmp_path: Path) -> None:
    """An unknown name is answered with the most similar name of a series."""
    write_series(tmp_path / "series")
    assert messages_of(tmp_path, "validate", "dem") == [
        f"there is no series 'dem' in {tmp_path / 'series'}; did you mean 'demo'?"
    ]

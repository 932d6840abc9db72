"""The table of Exhibit's supported features names existing tests."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "exhibit-support.md"
HEADER = ["feature", "new records", "existing records", "test"]


def rows() -> list[list[str]]:
    """Return the cells of every row of the document's tables, without their headers."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines
        if line.startswith("|")
    ]
    return [row for row in cells if row != HEADER and not set("".join(row)) <= set("-: ")]


@cache
def functions_in(path: Path) -> set[str]:
    """Return the names of the functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_says_all_of_it() -> None:
    """Feature, new records, existing records, test: no cell is empty, no feature is repeated."""
    found = rows()
    assert len(found) > 50
    assert [row for row in found if len(row) != len(HEADER) or not all(row)] == []
    features = [row[0] for row in found]
    assert len(features) == len(set(features))


@pytest.mark.parametrize("row", rows(), ids=[row[0] for row in rows()])
def test_the_tests_of_a_feature_exist(row: list[str]) -> None:
    """Each feature names at least one test, as file::test, and each exists."""
    named = re.findall(r"`([^`]+\.py)::([^`]+)`", row[-1])
    assert named
    assert re.sub(r"`[^`]+\.py::[^`]+`", "", row[-1]).strip(" ,") == ""
    for file, test in named:
        assert (HERE / file).is_file(), file
        assert test in functions_in(HERE / file), f"{file}::{test}"
        assert test.startswith("test_")


def test_every_test_of_a_feature_is_in_the_table() -> None:
    """No test in exhibit_features/ is missing from the table."""
    text = DOCUMENT.read_text(encoding="utf-8")
    named = set(re.findall(r"`exhibit_features/([^`]+\.py)::([^`]+)`", text))
    every = {
        (path.name, test)
        for path in (HERE / "exhibit_features").glob("test_*.py")
        for test in functions_in(path)
        if test.startswith("test_")
    }
    assert every - named == set()

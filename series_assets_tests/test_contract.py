"""The contract has what others refer to: cited sections, keys, settings, commands."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import series_assets
from series_assets import settings
from series_assets.checks.rules import RULES
from series_assets.cli import main
from series_assets.core.spec.user_input import UserInput

PACKAGE = Path(series_assets.__file__).parent
TESTS = Path(__file__).parent
CONTRACT = (TESTS.parent / "docs" / "contract.md").read_text(encoding="utf-8")

_NUMBER = r"\d+(?:\.\d+)?(?![\d.]*\d)"
_NUMBERS = rf"{_NUMBER}(?:(?:, and |, | and | to ){_NUMBER})*"
_CITATION = re.compile(
    rf"\b[Ss]ections?\s+({_NUMBERS})"  # section 4.3; sections 3 and 4.2
    rf"|\b[Cc]ontract,?\s+({_NUMBERS})"  # contract 8
    rf"|\((\d\.\d(?:, \d\.\d)*)\)"  # (5.6, 5.7)
)


def cited(text: str) -> list[str]:
    """Return the numbers of the sections that a text cites, in order."""
    found = (next(filter(None, match.groups())) for match in _CITATION.finditer(text))
    return [number for numbers in found for number in re.findall(_NUMBER, numbers)]


def _docstrings(path: Path) -> Iterator[str]:
    """Yield every docstring of a module, including those of attributes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            text = node.value.value
            if isinstance(text, str):
                yield text


def _citations(folder: Path) -> list[tuple[str, str]]:
    """Return pairs of a file and the number of a section that one of its docstrings cites."""
    return [
        (path.relative_to(folder).as_posix(), number)
        for path in sorted(folder.rglob("*.py"))
        for text in _docstrings(path)
        for number in cited(text)
    ]


def _headings(contract: str) -> list[str]:
    """Return the numbers of the headings: 4 of ``## 4. Title``, 4.3 of ``### 4.3 Title``."""
    heading = r"^(?:## (?=\d+\. )|### (?=\d+\.\d+ ))(\d+(?:\.\d+)?)"
    return re.findall(heading, contract, re.MULTILINE)


def _missing(citations: list[tuple[str, str]], contract: str) -> list[tuple[str, str]]:
    """Return those of the citations that have no heading in the contract."""
    known = set(_headings(contract))
    return [(file, number) for file, number in citations if number not in known]


def _rows(heading: str) -> dict[str, str]:
    """Return the rows of the first table below a heading, by the name in their first cell."""
    below = CONTRACT.split(f"\n{heading}\n")[1].split("\n#")[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", below, re.MULTILINE))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Periods as partitions (section 3).", ["3"]),
        ("All rows agree (contract, section 4.6).", ["4.6"]),
        ("Moved from the original (contract, sections 3 and 4.2).", ["3", "4.2"]),
        ("Ranks of entities (section 5.1, 5.2).", ["5.1", "5.2"]),
        ('"now" is the start of the period (``@sysdate``, contract 8).', ["8"]),
        ("What can still hold, made true (5.6, 5.7).", ["5.6", "5.7"]),
        ("Exhibit 0.9.9 draws (0, 1); see docs/contract.md, and Section\n10.2.", ["10.2"]),
        ("Exhibit (0.9.9) in 4.3 seconds, a contract of 7 years, (12), (1.5 s).", []),
    ],
)
def test_a_citation_is_recognised(text: str, numbers: list[str]) -> None:
    """Every notation in docstrings is recognized, and other numbers are not."""
    assert cited(text) == numbers


def test_every_section_that_the_package_cites_is_in_the_contract() -> None:
    """Docstrings cite existing sections of the contract."""
    citations = _citations(PACKAGE)
    assert len(citations) >= 20
    assert _missing(citations, CONTRACT) == []


def test_every_section_that_the_tests_cite_is_in_the_contract() -> None:
    """So do the docstrings of tests."""
    citations = _citations(TESTS)
    assert len(citations) >= 10
    assert _missing(citations, CONTRACT) == []


def test_a_section_that_is_cited_and_not_there_is_found() -> None:
    """The message has the file that cites it."""
    shortened = re.sub(r"^### 5\.7 .*\n", "", CONTRACT, flags=re.MULTILINE)
    assert shortened != CONTRACT
    missing = _missing(_citations(PACKAGE), shortened)
    assert missing
    assert {number for _, number in missing} == {"5.7"}


def test_sections_are_numbered_without_gaps() -> None:
    """Ten sections, each with its items in order."""
    places = [tuple(map(int, number.split("."))) for number in _headings(CONTRACT)]
    assert places == sorted(set(places))
    sections = [place[0] for place in places if len(place) == 1]
    assert sections == list(range(1, 12))
    for section in sections:
        items = [place[1] for place in places if len(place) == 2 and place[0] == section]
        assert items == list(range(1, len(items) + 1))


def test_every_key_of_the_user_input_is_described_with_its_default_and_values() -> None:
    """The table of the contract has the keys of the user input, and no others."""
    rows = _rows("### 1.3 The user input")
    assert list(rows) == list(UserInput.model_fields)
    for name, field in UserInput.model_fields.items():
        values, default, meaning = (cell.strip() for cell in rows[name].split(" | "))
        assert meaning
        if field.is_required():
            assert default == "required"
        elif isinstance(field.default, bool):
            assert default == f"`{str(field.default).lower()}`"
        elif field.default:
            assert default.strip("`") == str(field.default)
        else:
            assert default in ("empty", "earliest `from` among `date_columns`")
        for choice in filter(lambda one: isinstance(one, str), get_args(field.annotation)):
            assert f"`{choice}`" in values


def test_every_setting_is_described() -> None:
    """The table of the contract has the variables that the settings read, and Dagster's own."""
    read = set(re.findall(r"SERIES_ASSETS_[A-Z_]+", inspect.getsource(settings)))
    assert len(read) >= 5
    described = _rows("### 10.2 Settings")
    assert {name for name in described if name.startswith("SERIES_ASSETS_")} == read
    assert "DAGSTER_HOME" in described


def test_every_command_and_option_is_described() -> None:
    """The table of commands has each command with its options, and no others."""
    section = CONTRACT.split("\n### 10.1 Commands\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| `series-assets (\w+)[^`]*` \| (.*?) \|", section, re.MULTILINE)
    assert {name for name, _ in rows} == set(main.commands)
    for name, command in main.commands.items():
        options = {opt for one in command.params for opt in one.opts if opt.startswith("--")}
        described = " ".join(cell for row, cell in rows if row == name)
        assert set(re.findall(r"--[a-z-]+", described)) == options, name


def test_every_check_is_described() -> None:
    """The table of checks has each rule that datasets are checked against, in their order."""
    assert list(_rows("### 7.2 Checks")) == list(RULES)

"""Faults and errors have fields; nothing parses their text."""

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import series_assets
from series_assets.core.errors import (
    NO_MEMORY,
    SHORT_OF_MEMORY,
    Fault,
    GenerationError,
    InputError,
    InvalidValueError,
    RequestError,
    did_you_mean,
    fault_at,
    nearest,
    sentence,
    suggestion,
)
from series_assets.core.plan.build import build_series
from series_assets_tests.builders import a_specification, a_user_input

PACKAGE = Path(series_assets.__file__).parent


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("a.yml", "columns.age", "is missing", "add it"),
         "a.yml: columns.age is missing; add it"),
        (Fault("a.yml", "columns.age", "is missing"), "a.yml: columns.age is missing"),
        (Fault("a.yml", "", "is a folder", "name a file"), "a.yml: is a folder; name a file"),
        (Fault("a.yml", "top.key", "unknown key 'key' in top", place_first=False),
         "a.yml: unknown key 'key' in top"),
        (fault_at("columns.age", "is missing", "add it"), "columns.age is missing; add it"),
        (fault_at("columns.age", "is missing").in_file("b.yml"), "b.yml: columns.age is missing"),
    ],
)  # fmt: skip
def test_a_fault_reads_as_file_place_problem_and_remedy(fault: Fault, text: str) -> None:
    """In this order, without those that are missing."""
    assert str(fault) == text
    assert text.endswith(fault.message)


def test_a_fault_shows_control_characters_and_stays_one_fault() -> None:
    """A name in a file cannot look like a second fault, nor control the terminal."""
    fault = Fault("a.yml", "columns.\x1b[2J", "is odd\nb.yml: columns.x is missing")
    assert str(fault) == "a.yml: columns.\\x1b[2J is odd\n  b.yml: columns.x is missing"


def faults_of(**changes: object) -> dict[str, tuple[str, str, str]]:
    """Return place, problem and remedy of each fault of a series, by its place."""
    user_input = a_user_input() | changes
    with pytest.raises(InputError) as caught:
        build_series(
            "demo",
            a_specification(),
            {key: value for key, value in user_input.items() if value is not None},
            specification_file="demo/specification.yml",
            user_input_file="demo/user_input.yml",
        )
    assert {one.file for one in caught.value.faults} == {"demo/user_input.yml"}
    return {one.place: (one.place, one.problem, one.remedy) for one in caught.value.faults}


def test_each_fault_of_a_file_has_its_place_problem_and_remedy_apart() -> None:
    """For faults found by a library or by us: missing and unknown keys, values, references."""
    assert faults_of(period=None, num_dataset=3, length_of_period=0) == {
        "period": ("period", "is missing", "use days, weeks, months or quarters"),
        "num_dataset": (
            "num_dataset",
            "unknown key 'num_dataset'",
            "did you mean 'num_datasets'?",
        ),
        "length_of_period": ("length_of_period", "0 is too small", "use 1 or more"),
    }
    assert faults_of(static_columns=["sexx"]) == {
        "static_columns": (
            "static_columns",
            "names 'sexx', which the specification lacks",
            "did you mean 'sex'?",
        )
    }


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (GenerationError("a stone"), "a stone"),
        (GenerationError("a stone", "lift it"), "a stone; lift it"),
        (GenerationError("a stone", file=Path("x.db")), "x.db: a stone"),
        (RequestError("is missing", "make it", file="x.csv", colon=False),
         "x.csv is missing; make it"),
        (RequestError("a stone", series="demo"), "demo: a stone"),
        (GenerationError("a stone", series="demo", period="2024-01-01", part="new records"),
         "demo, period 2024-01-01 (new records): a stone"),
        (GenerationError("a stone", file="x.db", series="demo", period="2024-01-01"),
         "demo, period 2024-01-01: x.db: a stone"),
    ],
)  # fmt: skip
def test_an_error_reads_as_where_it_is_what_is_wrong_and_the_remedy(
    error: GenerationError | RequestError, text: str
) -> None:
    """Series, period and part come first, then the file."""
    assert str(error) == text


def test_an_error_becomes_one_of_a_period_once() -> None:
    """A period is added to an error unless it already has one."""
    cause = ValueError("x")
    bare = GenerationError("a stone", "lift it", file="x.db")
    bare.__cause__ = cause
    placed = bare.in_period("demo", "2024-01-01", "new records")
    assert str(placed) == "demo, period 2024-01-01 (new records): x.db: a stone; lift it"
    assert (placed.period, placed.part, placed.file) == ("2024-01-01", "new records", "x.db")
    assert placed.__cause__ is cause
    assert placed.in_period("demo", "2024-02-01") is placed
    missing = RequestError("is missing", file="x.csv", colon=False)
    assert str(missing.in_period("demo", "2024-01-01")) == (
        "demo, period 2024-01-01: x.csv is missing"
    )


def test_an_error_can_be_shown_among_the_faults_of_a_file() -> None:
    """As a fault of the file that it names, or of the file in which it is found."""
    error = GenerationError("is damaged", "mend it", file="x.db")
    assert error.fault() == Fault("x.db", "", "is damaged", "mend it")
    assert str(error.fault("a.yml")) == "a.yml: x.db: is damaged; mend it"
    missing = RequestError("is missing", file="x.csv", colon=False)
    assert str(missing.fault()) == "x.csv is missing"


@pytest.mark.parametrize(
    "error",
    [
        InputError(
            [Fault("a.yml", "columns.age", "is missing", "add it"), fault_at("x", "is odd")]
        ),
        GenerationError("a stone", "lift it", file="x.db", series="demo", period="k", part="p"),
        RequestError("is missing", "make it", file="x.csv", colon=False),
        InvalidValueError("is no number", "write one"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_reaches_another_process_whole(error: Exception) -> None:
    """Its text and its fields are the same after pickling."""
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


def test_an_unusable_value_completes_the_sentence_of_its_place() -> None:
    """The problem continues the place of the value, and the remedy follows."""
    error = InvalidValueError("is no number", "write one")
    assert isinstance(error, ValueError)
    assert (error.problem, error.remedy, str(error)) == (
        "is no number",
        "write one",
        "is no number; write one",
    )
    assert sentence("is no number") == str(InvalidValueError("is no number")) == "is no number"
    assert sentence(*SHORT_OF_MEMORY) == NO_MEMORY


def test_a_mistyped_word_is_answered_with_the_nearest_one_or_with_all() -> None:
    """As a remedy, or after a semicolon at the end of a sentence."""
    assert nearest("weks", ["days", "weeks"]) == "did you mean 'weeks'?"
    assert nearest("moons", ["days", "weeks"]) == ""
    assert suggestion("weks", ["days", "weeks"]) == "did you mean 'weeks'?"
    assert suggestion("moons", ["days", "weeks"]) == "known here: days, weeks"
    assert suggestion("moons", []) == suggestion("m" * 101, ["days"]) == ""
    assert did_you_mean("moons", ["days", "weeks"]) == "; known here: days, weeks"
    assert did_you_mean("moons", []) == ""


# Nothing parses a message.

READING = {
    "partition", "rpartition", "split", "rsplit", "startswith", "endswith", "removeprefix",
    "removesuffix", "find", "rfind", "index", "match", "search", "fullmatch", "findall",
}  # fmt: skip
FROM_OUTSIDE = {
    "storage/sql_guard.py": "SQLite gives several mistakes one code",
    "engine/exhibit_messages.py": "Exhibit raises a RuntimeError for several faults",
    "dagster/generating.py": "Dagster hands on an interrupt as text",
    "dagster/handles.py": "a failure of a step is told by its text",
    "core/verify/instants.py": "Arrow names the value that is not a time only in its text",
}
"""Modules that may parse messages of other programs, which have no fields, and why."""


def _is_message(node: ast.AST, messages: set[str]) -> bool:
    """Return whether an expression is the text of an error or a fault."""
    if isinstance(node, ast.Name):
        return node.id in messages
    if isinstance(node, ast.Attribute):
        return node.attr in ("message", "problem", "remedy")
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "str"
        and any(isinstance(one, ast.Name) and one.id in ("error", "fault") for one in node.args)
    )


def _parsed(node: ast.AST, messages: set[str]) -> bool:
    """Return whether a node searches, compares or splits a message."""
    if isinstance(node, ast.Compare):
        sides = (node.left, *node.comparators)
        kinds = ast.In | ast.NotIn | ast.Eq | ast.NotEq
        compared = any(isinstance(sign, kinds) for sign in node.ops)
        absent = any(isinstance(one, ast.Constant) and one.value == "" for one in sides)
        return compared and not absent and any(_is_message(one, messages) for one in sides)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    if (
        node.func.attr not in READING or not node.args
    ):  # split() without arguments only normalizes blanks
        return False
    return any(_is_message(one, messages) for one in (node.func.value, *node.args))


def readings(source: str) -> Iterator[int]:
    """Yield the lines of a module that parse a message."""
    tree = ast.parse(source)
    messages = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_message(node.value, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    yield from (node.lineno for node in ast.walk(tree) if _parsed(node, messages))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    [
        "file, _, fault = str(error).partition(': ')",
        "place, _, rest = fault.message.rpartition(' is ')",
        "told = str(error)\nif where in told: pass",
        "problem = str(error)\nif '; ' not in problem: pass",
        "found = re.search('no such (.+);', str(error))",
        "if error.problem.startswith('is missing'): pass",
        "if fault.problem == 'is missing': pass",
    ],
)
def test_the_search_below_finds_what_reads_a_message(line: str) -> None:
    """Each way in which a message has been, or could be, parsed."""
    assert list(readings(line))


@pytest.mark.parametrize("line", ["text = ' '.join(str(error).split())", "echo(str(error))"])
def test_the_search_below_leaves_alone_what_shows_a_message(line: str) -> None:
    """Normalizing its blanks is not parsing."""
    assert not list(readings(line))


def test_no_module_reads_a_message_of_ours_back() -> None:
    """An error has fields for its subject; its text may be reworded at any time."""
    found = {
        f"{place.relative_to(PACKAGE).as_posix()}:{line}"
        for place in PACKAGE.rglob("*.py")
        if place.relative_to(PACKAGE).as_posix() not in FROM_OUTSIDE
        for line in readings(place.read_text("utf-8"))
    }
    assert not found

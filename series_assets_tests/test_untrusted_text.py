"""Names and values that look like HTML, Markdown or terminal codes are always shown as text."""

import ast
import csv
import re
import warnings
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

import series_assets
from series_assets.cli import main
from series_assets.core.errors import Fault, InputError
from series_assets.dagster.build import build_definitions
from series_assets.dagster.failures import failure_of
from series_assets.definitions import load
from series_assets.pipeline.failures import period_error
from series_assets.pipeline.progress import Progress
from series_assets.pipeline.workspace import Workspace
from series_assets.reporting.dataset_plots import plot_dataset
from series_assets.reporting.history import History, PeriodHistory, RowsByOrigin
from series_assets.reporting.page import render_page
from series_assets.reporting.plotting import plain_style
from series_assets.settings import from_environment
from series_assets.storage.loading import find_series, load_series
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.cli.commands import use_own_folders
from series_assets_tests.columns import a_category, with_columns
from series_assets_tests.materialize import materialize

IMAGE = "<img src=x onerror=alert(1)>"
LINK = "[x](javascript:alert(1))"
CLEAR = "\x1b[2J\x1b]0;owned\x07"
NAMES = (IMAGE, LINK, f"a{CLEAR}b", "[red]x[/red]", ":smile:", "\u202egnp.exe")
"""Names of categorical columns whose values are just as hostile."""
VALUES = ("<script>alert(1)", "![p](javascript:p)", "=1+1", CLEAR, "*b*")
FIRST, SECOND = "2024-01-01", "2024-02-01"
_ACTS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


@pytest.fixture(autouse=True)
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders for one test."""
    use_own_folders(tmp_path, monkeypatch)


def a_hostile_series(folder: Path) -> Path:
    """Write a valid series with such names and values, and return its folder."""
    shares = dict.fromkeys(VALUES, 0.2)
    specification = with_columns(
        a_specification(number_of_rows=30), **{name: a_category(name, shares) for name in NAMES}
    )
    inputs = a_user_input(num_datasets=2, fraction_of_new="1/2", static_columns=["sex", *NAMES])
    return write_series(folder / "series", specification, inputs)


def a_broken_series(folder: Path, name: str = "demo") -> Path:
    """Write a series whose faults quote such names and values, and return its folder."""
    specification = a_specification(
        **{IMAGE: 1, f"{LINK} http://evil.example {CLEAR}\nother/user_input.yml: fine": 1}
    )
    inputs = a_user_input(period=f"{CLEAR}")
    return write_series(folder / "series", specification, inputs, name)


def call(*arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code and output, which must have no control characters."""
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert not _ACTS.search(result.output), result.output
    return result.exit_code, result.output


def elements(markdown: str) -> set[str]:
    """Return the kinds of elements that Markdown is rendered as."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)
    return {inner.type for token in tokens for inner in (token, *(token.children or ()))}


TEXT = {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
TEXT |= {"hardbreak", "softbreak", "code_inline"}


def texts(value: Any) -> Iterator[str]:
    """Yield every text in the metadata that people read, including tables."""
    if isinstance(value, dg.TableMetadataValue):
        yield from (str(cell) for record in value.records for cell in record.data.values())
    elif isinstance(value, dg.TextMetadataValue):
        yield value.text or ""


def test_a_series_of_such_names_and_values(tmp_path: Path) -> None:
    """Values are delivered unchanged; commands print no control characters."""
    a_hostile_series(tmp_path)
    for command in (["list"], ["validate", "demo"], ["generate", "demo"], ["check", "demo"]):
        assert call(*command)[0] == 0
    with (tmp_path / "data/demo/dataset_2.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert set(NAMES) <= set(rows[0])
    assert {row[IMAGE] for row in rows} <= {*VALUES, "Missing data"}
    assert "=1+1" in {row[name] for row in rows for name in NAMES}


@pytest.mark.thorough
def test_what_is_wrong_in_such_a_dataset(tmp_path: Path) -> None:
    """Values that ``check`` quotes from a file are escaped, on the line of their rule."""
    a_hostile_series(tmp_path)
    call("generate", "demo")
    path = tmp_path / "data/demo/dataset_2.csv"
    forged = f"{CLEAR}\nall rules hold"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^([^,\n]+),[FM],", f'\\1,"{forged}",', text), encoding="utf-8")
    status, printed = call("check", "demo")
    assert status == 1
    assert r"\x1b[2J" in printed
    assert not any(line == "all rules hold" for line in printed.splitlines())


def a_hostile_project(folder: Path) -> tuple[dg.Definitions, list[str]]:
    """Return the definitions of such a series, and the names of the assets of its data."""
    series = load_series(a_hostile_series(folder))
    definitions = build_definitions([series], {"workspace": Workspace(folder / "data")})
    return definitions, ["demo/new_records", "demo/reference_table", "demo/dataset"]


def test_dagster_shows_them_as_text(tmp_path: Path) -> None:
    """Metadata of partitions have no control characters, and only our own Markdown."""
    definitions, names = a_hostile_project(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(definitions, instance, *names, first=FIRST, last=SECOND).success
        found = [
            record.asset_materialization
            for name in names
            for record in instance.fetch_materializations(
                dg.AssetKey(name.split("/")), limit=9
            ).records
        ]
        assert materialize(definitions, instance, "demo/report").success
    assert len(found) == 6
    shown = set()
    for one in found:
        assert one
        for value in one.metadata.values():
            shown |= set(texts(value))
            if isinstance(value, dg.MarkdownMetadataValue):
                source = value.md_str or ""
                picture = source.startswith(
                    "![rows, and each column against period 1](data:image/png"
                )
                assert elements(source) <= ({*TEXT, "image"} if picture else {"fence"})
    assert not [text for text in shown if _ACTS.search(text)]
    assert {IMAGE, LINK, VALUES[0]} <= shown
    assert r"a\x1b[2J\x1b]0;owned\x07b" in shown


def test_checks_show_them_as_text(tmp_path: Path) -> None:
    """Results of checks quote values as text, and escape invisible characters."""
    series = load_series(a_hostile_series(tmp_path))
    workspace = Workspace(tmp_path / "data")
    definitions = build_definitions([series], {"workspace": workspace})
    with dg.DagsterInstance.ephemeral() as instance:
        names = ["demo/new_records", "demo/reference_table", "demo/dataset"]
        assert materialize(definitions, instance, *names, first=FIRST, last=SECOND).success
        path = tmp_path / "data/demo/dataset_2.csv"
        text = path.read_text(encoding="utf-8")
        wrong = f"{IMAGE} {LINK} http://evil.example {CLEAR}"
        path.write_text(re.sub(r"(?m)^([^,\n]+),[FM],", rf"\1,{wrong},", text), encoding="utf-8")
        job = definitions.resolve_implicit_global_asset_job_def()
        checks = list(job.asset_layer.asset_graph.asset_check_keys)
        result = job.execute_in_process(
            instance=instance,
            partition_key=SECOND,
            op_selection=["demo__dataset_checks"],
            raise_on_error=False,
        )
    assert checks
    found = [one for one in result.get_asset_check_evaluations() if not one.passed]
    assert "static_columns" in {one.check_name for one in found}
    for one in found:
        description = one.description or ""
        assert elements(description) <= TEXT
        assert not _ACTS.search(description)
        cells = set(texts(one.metadata["examples"]))
        assert not [cell for cell in cells if _ACTS.search(cell)]
    assert any(IMAGE in cell and r"\x1b[2J" in cell for cell in cells)


def test_a_broken_series_shows_its_faults_as_text(tmp_path: Path) -> None:
    """Its asset's description is text with one line per fault."""
    a_broken_series(tmp_path)
    [broken] = find_series(tmp_path / "series")
    assets = build_definitions([broken]).assets or []
    [spec] = [
        spec
        for asset in assets
        if isinstance(asset, dg.AssetsDefinition)
        for spec in asset.specs
        if spec.key.path[-1] == "broken"
    ]
    description = spec.description or ""
    assert elements(description) <= TEXT
    assert not _ACTS.search(description)
    rendered = "".join(
        "\n" if inner.type == "hardbreak" else inner.content
        for token in MarkdownIt("commonmark").parse(description)
        for inner in token.children or ()
    )
    assert IMAGE in rendered and LINK in rendered and r"\x1b[2J" in rendered
    faults = spec.metadata["faults"]
    assert isinstance(faults, dg.TextMetadataValue) and not _ACTS.search(faults.text or "")
    with dg.DagsterInstance.ephemeral() as instance:
        run = materialize(build_definitions([broken]), instance, "demo/broken")
    [event] = [one for one in run.all_events if one.is_step_failure]
    reported = event.step_failure_data.user_failure_data
    assert reported and reported.description == faults.text


@pytest.mark.parametrize(
    "command", [["list"], ["validate"], ["generate", "demo"], ["check", "demo"]]
)
def test_commands_tell_of_a_broken_series_in_text(tmp_path: Path, command: list[str]) -> None:
    """Its faults are escaped, and a line break in a name starts no new line."""
    a_broken_series(tmp_path)
    _, printed = call(*command)
    assert r"\x1b[2J" in printed
    assert not any(line.startswith("other/") for line in printed.splitlines())


@pytest.mark.parametrize("folder", ["[red]x", ":smile:", "a\x1b[2Jb", "a\nb", "a\u202eb"])
def test_the_name_of_a_folder_is_text_in_the_list(tmp_path: Path, folder: str) -> None:
    """It contains no markup and takes one line."""
    a_broken_series(tmp_path, folder)
    status, printed = call("list")
    assert status == 0
    shown = ascii(folder)[1:-1]
    assert any(line.split() == [shown, "broken,", "see", "below"] for line in printed.splitlines())


def test_a_name_that_is_not_unicode_is_listed(tmp_path: Path) -> None:
    """A folder's name that cannot be decoded is escaped."""
    a_broken_series(tmp_path, b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert r"caf\udce9" in call("list")[1]


def test_dagsters_log_shows_escapes(tmp_path: Path) -> None:
    """Warnings at load time, and errors of strict settings, are escaped."""
    a_broken_series(tmp_path, "a\x1b[2Jb")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load(from_environment())
    [warned] = [str(one.message) for one in caught if "is broken" in str(one.message)]
    assert r"\x1b[2J" in warned and not _ACTS.search(warned)
    fault = InputError([Fault("a.yml", "", f"columns.{CLEAR}\nb.yml: fine")])
    assert str(fault) == "a.yml: columns.\\x1b[2J\\x1b]0;owned\\x07\n  b.yml: fine"


def test_a_failed_step_shows_escapes() -> None:
    """Message and traceback of a failed period are escaped."""
    failed = period_error(ValueError(f"no column {CLEAR}"), "demo", "2024-01-01")
    failure = failure_of(failed, failed.trace)
    assert r"\x1b[2J" in str(failure.description)
    trace = failure.metadata["traceback"].value
    assert not _ACTS.search(f"{failure.description}{trace}")


class _Page(HTMLParser):
    """Collects the elements of a page, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def a_history(name: str, remark: str) -> History:
    """Return a history of one period whose texts are the given ones."""
    period = PeriodHistory(0, FIRST, 3, 0, RowsByOrigin(3, {}), 3, (remark,))
    return History(name, [period], (remark,))


@pytest.mark.parametrize("payload", [IMAGE, VALUES[0], '" onload="alert(1)', "'><b>", "&lt;", LINK])
def test_the_report_page_has_no_element_of_the_datas(payload: str) -> None:
    """Remarks and names add no elements to the page."""
    plain, hostile = (_Page(render_page(a_history(one, one), [])) for one in ("demo", payload))
    assert hostile.elements == plain.elements
    assert "".join(hostile.text).count(payload) == "".join(plain.text).count("demo")
    assert any(
        tag == "meta" and "default-src 'none'" in str(attrs) for tag, attrs in plain.elements
    )
    assert not [tag for tag, _ in plain.elements if tag in ("script", "iframe", "object", "a")]


def test_the_report_page_escapes_control_characters() -> None:
    """Direction overrides and control characters in a remark are escaped."""
    page = render_page(a_history("demo", f"{CLEAR} \u202egnp"), [])
    assert r"\x1b[2J" in page and r"\u202egnp" in page
    assert not _ACTS.search(page)


def test_a_remark_on_a_file_is_text_on_the_page(tmp_path: Path) -> None:
    """Errors about a damaged dataset are shown as text by ``report``."""
    definitions, names = a_hostile_project(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(definitions, instance, *names, first=FIRST, last=SECOND).success
        path = tmp_path / "data/demo/dataset_2.csv"
        path.write_text(f"id,{IMAGE}\n1,{CLEAR},{IMAGE}\n", encoding="utf-8")
        run = materialize(definitions, instance, "demo/report")
    assert run.success
    page = (tmp_path / "data/demo/report.html").read_text(encoding="utf-8")
    assert "cannot be read" in page and not _ACTS.search(page)
    assert [e for e in _Page(page).elements if e[0] == "img" and "onerror" in dict(e[1])] == []


def test_notes_of_a_run_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Exhibit's messages are printed beside the progress bar without markup, emoji or escapes."""
    from series_assets.terminal import progress_bar

    with progress_bar("demo", 1) as progress:
        assert isinstance(progress, Progress)
        progress.noted(f"[red]x[/red] :smile: {CLEAR}")
    printed = capsys.readouterr().err
    assert printed == "note: [red]x[/red] :smile: \\x1b[2J\\x1b]0;owned\\x07\n"


def test_pictures_draw_them_as_letters() -> None:
    """No name is drawn as a formula, and characters without a glyph are boxes."""
    import matplotlib

    from series_assets.reporting.plotting import cleaned

    with plain_style():
        assert matplotlib.rcParams["text.parse_math"] is False
        assert matplotlib.rcParams["text.usetex"] is False
    assert cleaned(f"{IMAGE} $x^2$ {CLEAR}\u202e").startswith(f"{IMAGE} $x^2$ □[2J□]0;owned□")
    assert callable(plot_dataset)


def test_all_that_is_printed_goes_through_one_place() -> None:
    """Only ``terminal`` prints, because names have to be escaped."""
    package = Path(series_assets.__file__).parent
    found = [
        f"{path.name}:{node.lineno}"
        for path in package.rglob("*.py")
        if path.name != "terminal.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.echo", "print")
    ]
    assert found == []


def test_the_page_on_security_names_tests_that_exist() -> None:
    """Each row of its table names existing test files."""
    root = Path(__file__).parent.parent
    page = (root / "docs/security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(series_assets_tests/[^`]+)`", page)
    assert "series_assets_tests/test_untrusted_text.py" in named
    assert [name for name in named if not (root / name).is_file()] == []

"""The report describes every period from its delivered files."""

import re
import sqlite3
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, nullcontext
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from series_assets.core.errors import GenerationError
from series_assets.core.plan.series import Series
from series_assets.dagster.build import build_definitions
from series_assets.interface import generate
from series_assets.pipeline.workspace import Workspace
from series_assets.reporting.history import History
from series_assets.reporting.page import render_page, write_report
from series_assets.reporting.read_history import read_history
from series_assets.reporting.report_plots import plot_report
from series_assets.storage import files
from series_assets.storage.layout import Layout
from series_assets_tests.builders import a_series, a_specification, a_user_input, files_in
from series_assets_tests.thorough import mostly_thorough

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
FREQUENCIES = [
    "frequency | probability_vector",
    "1         | 0.6",
    "3         | 0.4",
]


@pytest.fixture(autouse=True, scope="module")
def no_dagster_home() -> Iterator[None]:
    """Never record a run in the Dagster instance of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        yield


def a_busy_series(identifier: str = "id", **keys: Any) -> Series:
    """Return a series whose entities have one row or three, some without an identifier."""
    specification = a_specification(uuid_columns=[identifier])
    columns = specification["columns"]
    first = columns.pop("id") | {"frequency_distribution": FREQUENCIES, "miss_probability": 0.1}
    specification["columns"] = {identifier: first, **columns}
    return a_series(specification, a_user_input(**keys))


def generate_periods(
    folder: Path, series: Series | None = None, periods: str | None = None
) -> Layout:
    """Generate periods of a series and return their folder."""
    series = series or a_busy_series()
    generate(series, folder, periods=periods)
    return Workspace(folder).layout(series)


def report(folder: Path, series: Series | None = None) -> dg.ExecuteInProcessResult:
    """Materialize the report of a series."""
    series = series or a_busy_series()
    definitions = build_definitions([series], {"workspace": Workspace(folder)})
    with dg.DagsterInstance.ephemeral() as instance:
        return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey([series.name, "report"])],
            raise_on_error=False,
        )


def report_metadata(folder: Path, series: Series | None = None) -> dict[str, Any]:
    """Materialize the report and return its metadata."""
    result = report(folder, series)
    assert result.success
    [event] = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def refusal(folder: Path, series: Series | None = None) -> str:
    """Materialize a report that must fail and return the reason that the UI shows."""
    result = report(folder, series)
    assert not result.success
    [failed] = [event for event in result.all_events if event.is_step_failure]
    failure = failed.step_failure_data.user_failure_data
    assert failure is not None, failed.step_failure_data.error
    assert failure.description is not None
    return failure.description


class Page(HTMLParser):
    """A parsed page: its tables as text, its elements, and their links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.elements: Counter[str] = Counter()
        self.sources: list[str] = []
        self.text = ""
        self._rows: list[list[str]] = []
        self._inside = False
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the links of an element."""
        self.elements[tag] += 1
        if tag not in ("meta", "img", "link", "br"):
            self._open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "action", "poster"):
                self.sources.append(value or "")
            if tag == "table" and name == "id":
                self._rows = self.tables[value or ""] = []
        if tag == "tr":
            self._rows.append([])
        if tag in ("th", "td"):
            self._rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        """Check that elements are properly nested."""
        assert self._open.pop() == tag
        self._inside = self._inside and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        """Collect the text."""
        if self._inside:
            self._rows[-1][-1] += data.strip()
        if self._open and self._open[-1] != "style":
            self.text += data


def page_in(layout: Layout) -> Page:
    """Return the page, which needs no other file and no network."""
    text = layout.report.read_text(encoding="utf-8")
    page = Page(text)
    assert page.elements["script"] == page.elements["link"] == page.elements["iframe"] == 0
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert not re.search(r"https?://|url\(|@import|file:", text)
    return page


def plain_history(layout: Layout, series: Series) -> list[tuple[int, int, dict[int, int]]]:
    """Return for each period its rows, the new ones, and the others by period of origin.

    This is counted from the files of new records, without the reference table.
    """
    origin: dict[str, int] = {}
    found = []
    for k in range(series.calendar.count):
        for text in files.read_records(layout.new_records(k + 1))[series.first_identifier]:
            if text is not None:
                origin.setdefault(text, k)
        identifiers = files.read_records(layout.dataset(k + 1))[series.first_identifier].tolist()
        whose = Counter(k if text is None else origin[text] for text in identifiers)
        new = whose.pop(k, 0)
        found.append((len(identifiers), new, dict(sorted(whose.items()))))
    return found


def test_the_history_is_what_the_files_say(tmp_path: Path) -> None:
    """Rows, new ones, origins and entities; rows without an identifier have no known entity."""
    series = a_busy_series()
    layout = generate_periods(tmp_path)
    history = read_history(series, layout)
    read = [period.delivered for period in history.periods if period.delivered]
    assert [(one.rows, one.new, one.origins) for one in read] == plain_history(layout, series)
    assert len(read[-1].origins) == 3
    assert [period.requested for period in history.periods] == [60] * 4
    assert history.all_remarks == []
    with closing(sqlite3.connect(layout.database)) as connection:
        counts = connection.execute(
            "SELECT reference_period, COUNT(*) FROM demo_reference GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert [(period.key, period.entities) for period in history.periods] == counts
    assert history.entities_so_far[-1] == sum(count for _, count in counts)


def test_identifiers_that_are_numbers_are_found(tmp_path: Path) -> None:
    """The reference table has them as numbers, the files as text."""
    specification = a_specification()
    specification["columns"]["id"]["anonymising_set"] = "range"
    del specification["columns"]["id"]["uuid_seed"]
    series = a_series(specification)
    history = read_history(series, generate_periods(tmp_path, series))
    assert history.all_remarks == []
    assert [one.delivered.existing for one in history.delivered_periods if one.delivered] == [
        0,
        40,
        40,
        40,
    ]


def test_the_report_shows_pictures_and_numbers(tmp_path: Path) -> None:
    """In the asset's metadata: four PNGs as Markdown, and the counts."""
    layout = generate_periods(tmp_path)
    shown = report_metadata(tmp_path)
    counts = plain_history(layout, a_busy_series())
    new = sum(count for _, count, _ in counts)
    known = read_history(a_busy_series(), layout).entities_so_far[-1]
    assert {name: shown[name] for name in shown if not name.startswith("plot_")} == {
        "path": str(layout.report),
        "periods": 4,
        "periods_generated": 4,
        "rows_requested": 240,
        "rows_delivered": 240,
        "new_rows": new,
        "existing_rows": 240 - new,
        "entities": known,
    }
    pictures = [shown[name] for name in shown if name.startswith("plot_")]
    assert len(pictures) == 4
    for text in pictures:
        found = re.fullmatch(r"!\[[\w ]+\]\(data:image/png;base64,([A-Za-z0-9+/=]+)\)", text)
        assert found is not None
        assert b64decode(found[1]).startswith(b"\x89PNG\r\n")


def test_the_page_has_every_period_and_every_count(tmp_path: Path) -> None:
    """In tables, beside embedded images."""
    series, layout = a_busy_series(), generate_periods(tmp_path)
    report_metadata(tmp_path)
    page = page_in(layout)
    history = read_history(series, layout)
    assert page.elements["img"] == len(page.sources) == 4
    expected = []
    for period, so_far in zip(history.periods, history.entities_so_far, strict=True):
        it = period.delivered
        assert it is not None
        numbers = (period.k + 1, period.requested, it.rows, it.new, it.existing, 0)
        expected.append([period.key, *map(str, (*numbers, period.entities, so_far))])
    assert page.tables["periods"][1:] == expected
    assert page.tables["origins"] == [
        ["First day", *KEYS],
        *[
            [key, *(str(origins.get(k, "")) for k in range(4))]
            for key, (_, _, origins) in zip(KEYS, plain_history(layout, series), strict=True)
        ],
    ]
    assert "Problems" not in page.text


@pytest.mark.thorough
def test_the_report_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    """It has no time stamp and no path, and does not change the series' files."""
    layout = generate_periods(tmp_path / "one")
    before = files_in(tmp_path / "one")
    report_metadata(tmp_path / "one")
    once = layout.report.read_bytes()
    report_metadata(tmp_path / "one")
    assert layout.report.read_bytes() == once
    other = generate_periods(tmp_path / "two")
    report_metadata(tmp_path / "two")
    assert other.report.read_bytes() == once
    assert files_in(tmp_path / "one") == before | {"demo/report.html": once}


@pytest.mark.thorough
def test_periods_that_are_not_made_are_left_out_and_named(tmp_path: Path) -> None:
    """Whether they are still to come, or their dataset was removed."""
    layout = generate_periods(tmp_path, periods=f"{KEYS[0]}..{KEYS[2]}")
    layout.dataset(2).unlink()
    shown = report_metadata(tmp_path)
    assert shown["missing_periods"] == "2024-02-01, 2024-04-01"
    assert (shown["periods"], shown["periods_generated"], shown["rows_delivered"]) == (4, 2, 120)
    assert "faults" not in shown
    page = page_in(layout)
    assert "2 of 4 periods; missing: 2024-02-01, 2024-04-01." in page.text
    rows = page.tables["periods"][1:]
    assert [row[0] for row in rows] == list(KEYS)
    assert [row[3] == "missing" for row in rows] == [False, True, False, True]
    assert rows[3][-2:] == ["–", "–"]


def test_a_series_without_any_period_says_what_to_do(tmp_path: Path) -> None:
    """No page, no database, no traceback."""
    assert refusal(tmp_path / "data") == (
        "demo: none of its 4 periods has a dataset that can be read; first generate some "
        "(materialize all assets of some partitions, or run series-assets generate demo)"
    )
    assert not (tmp_path / "data").exists()


_BROKEN = {
    "nothing": (b"", "it is empty"),
    "another table": (b"a,b\n1,2\n", "it does not have exactly one column 'id'"),
    "twice the column": (b"id,id\n1,2\n", "it does not have exactly one column 'id'"),
    "bytes": (b"id,sex\n\xff\xfe,1\n", "it is not UTF-8"),
    "bytes in the header": (b"\xff\xfe\x00", "it is not UTF-8"),
    "lines of other lengths": (b"id,sex\n1,2\n1\n", None),
    "an open quote": (b'id,sex\n"1,2\n', None),
}


@pytest.mark.parametrize("what", mostly_thorough(_BROKEN, "bytes", "another table"))
def test_a_dataset_that_cannot_be_read_is_a_sentence(tmp_path: Path, what: str) -> None:
    """The others are still reported; if it is the only one, the report fails with it."""
    content, reason = _BROKEN[what]
    layout = generate_periods(tmp_path, periods=f"{KEYS[0]}..{KEYS[1]}")
    path = layout.dataset(2)
    path.write_bytes(content)
    faults = report_metadata(tmp_path)["faults"]
    assert faults.startswith(f"{path} cannot be read: {reason or ''}")
    assert faults.endswith("; regenerate its period")
    assert "\n" not in faults
    page = page_in(layout)
    assert faults in page.text
    assert page.tables["periods"][2][3] == "cannot be read"
    layout.dataset(1).unlink()
    assert refusal(tmp_path).endswith(f"generate demo)\n{faults}")


@pytest.mark.thorough
def test_a_dataset_that_is_a_folder_is_a_sentence(tmp_path: Path) -> None:
    """Like any other unreadable dataset."""
    layout = generate_periods(tmp_path, periods=f"{KEYS[0]}..{KEYS[1]}")
    layout.dataset(2).unlink()
    layout.dataset(2).mkdir()
    assert report_metadata(tmp_path)["faults"] == (
        f"{layout.dataset(2)} cannot be read: Is a directory; regenerate its period"
    )


def test_rows_of_unknown_entities_are_counted(tmp_path: Path) -> None:
    """Identifiers that the reference table does not know, or knows only of a later period."""
    layout = generate_periods(tmp_path)
    text = layout.dataset(2).read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    later = files.read_records(layout.new_records(4))["id"].dropna().iloc[0]
    for place, identifier in ((3, "stranger"), (7, later)):
        _, rest = lines[place].split(",", 1)
        lines[place] = f"{identifier},{rest}"
    layout.dataset(2).write_text("".join(lines), encoding="utf-8")
    assert report_metadata(tmp_path)["faults"] == (
        "Period 2024-02-01: 2 rows are about entities that are not in the reference table for "
        "this period or an earlier one; regenerate reference_table and dataset."
    )
    row = page_in(layout).tables["periods"][2]
    assert row[6] == "2"
    assert int(row[4]) + int(row[5]) == 58


@pytest.mark.thorough
def test_missing_rows_are_reported(tmp_path: Path) -> None:
    """The page compares requested and delivered rows."""
    layout = generate_periods(tmp_path)
    lines = layout.dataset(3).read_text(encoding="utf-8").splitlines(keepends=True)
    layout.dataset(3).write_text("".join(lines[:-5]), encoding="utf-8")
    shown = report_metadata(tmp_path)
    assert (shown["rows_requested"], shown["rows_delivered"]) == (240, 235)
    assert page_in(layout).tables["periods"][3][2:4] == ["60", "55"]
    assert 'class="differs">55<' in layout.report.read_text(encoding="utf-8")


def test_a_dataset_whose_period_is_not_recorded_yet_has_new_rows(tmp_path: Path) -> None:
    """``dataset`` does not wait for the reference table of its own period."""
    layout = generate_periods(tmp_path)
    with closing(sqlite3.connect(layout.database)) as connection, connection:
        connection.execute("DELETE FROM demo_reference WHERE reference_period = ?", (KEYS[3],))
        connection.execute("DELETE FROM demo_reference_periods WHERE starts = ?", (KEYS[3],))
    history = read_history(a_busy_series(), layout)
    assert history.all_remarks == []
    last = history.periods[-1]
    assert last.delivered is not None
    assert (last.delivered.unknown, last.entities) == (0, None)
    assert last.delivered.new == plain_history(layout, a_busy_series())[3][1]


@pytest.mark.thorough
def test_without_a_reference_table_origins_are_not_known(tmp_path: Path) -> None:
    """The rows are still reported, with what is missing."""
    layout = generate_periods(tmp_path)
    for path in tmp_path.glob("exhibit.db*"):
        path.unlink()
    shown = report_metadata(tmp_path)
    assert shown["faults"] == (
        f"{layout.database}: holds no reference table of demo, so its entities and their periods "
        "of origin are not known; regenerate reference_table"
    )
    nobody = sum(files.read_records(layout.dataset(n))["id"].isna().sum() for n in (2, 3, 4))
    assert (shown["rows_delivered"], shown["new_rows"]) == (240, 60 + nobody)
    assert (shown["existing_rows"], shown["entities"]) == (0, 0)
    assert not layout.database.exists()


def test_an_invalid_database_is_reported_in_a_sentence(tmp_path: Path) -> None:
    """Without a traceback, and without changing it."""
    layout = generate_periods(tmp_path)
    for path in tmp_path.glob("exhibit.db?*"):
        path.unlink()
    layout.database.write_bytes(b"not a database at all" * 100)
    message = (
        f"{layout.database}: SQLite reports: file is not a database; it is damaged or "
        "not a database"
    )
    assert refusal(tmp_path).startswith(message)
    assert not layout.report.exists()


def test_a_reference_table_without_the_identifier_is_a_sentence(tmp_path: Path) -> None:
    """As after a change of the database by hand."""
    layout = generate_periods(tmp_path)
    with closing(sqlite3.connect(layout.database)) as connection, connection:
        connection.execute("ALTER TABLE demo_reference RENAME COLUMN id TO other")
    assert refusal(tmp_path) == f"{layout.database}: SQLite reports: no such column: kept.id"


@pytest.mark.thorough
def test_stale_periods_are_reported(tmp_path: Path) -> None:
    """After an edit, the report describes the existing files and says that they are stale."""
    layout = generate_periods(tmp_path, periods=f"{KEYS[0]}..{KEYS[1]}")
    faults = report_metadata(tmp_path, a_busy_series(static_columns=["region"]))["faults"]
    assert faults.splitlines() == [
        f"Period {key} was generated from another version of the series' two files; regenerate it."
        for key in KEYS[:2]
    ]
    assert page_in(layout).tables["periods"][2][4:7] != ["–"] * 3


@pytest.mark.thorough
def test_names_with_signs_of_html_are_escaped(tmp_path: Path) -> None:
    """Names of columns and of folders, everywhere."""
    series = a_busy_series(identifier="<b>id</b>")
    folder = tmp_path / "<script>alert(1)<"
    layout = generate_periods(folder, series, f"{KEYS[0]}..{KEYS[1]}")
    layout.dataset(2).write_bytes(b"a\n1\n")
    report_metadata(folder, series)
    text = layout.report.read_text(encoding="utf-8")
    assert "<script" not in text and "<b>" not in text
    assert "&lt;script&gt;alert(1)" in text and "&lt;b&gt;id&lt;/b&gt;" in text
    assert "it does not have exactly one column '<b>id</b>'" in page_in(layout).text


def test_a_long_series_has_a_page_that_can_be_read(tmp_path: Path) -> None:
    """Periods of origin are grouped, so that tables do not grow quadratically."""
    from series_assets_tests.reporting.examples import a_history

    history: History = a_history(300, missing=range(120, 130))
    path = tmp_path / "report.html"
    path.write_text(render_page(history, plot_report(history)), encoding="utf-8")
    assert path.stat().st_size < 600_000
    page = page_in(Layout(tmp_path, tmp_path / "exhibit.db"))
    assert len(page.tables["periods"]) == 301
    assert page.tables["origins"][0][1] == "2001-01-01 … 2001-10-01"
    rows = page.tables["origins"][1:]
    assert (len(rows), {len(row) for row in rows}) == (290, {31})
    assert all(sum(int(cell or 0) for cell in row[1:]) == 160 for row in rows[1:])
    assert "290 of 300 periods; missing: 2011-01-01 to 2011-10-01." in page.text


def test_a_page_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """An earlier one stays."""
    layout = generate_periods(tmp_path)
    layout.report.mkdir()
    with pytest.raises(GenerationError) as caught:
        write_report(a_busy_series(), layout, lambda: nullcontext(tmp_path))
    assert str(caught.value) == (
        f"{layout.report}: cannot be written: Is a directory; move that folder away, then run it "
        "again"
    )
    assert [path.name for path in layout.folder.iterdir() if path.name.endswith(".part")] == []


def test_the_report_hangs_on_the_datasets_and_has_no_partitions() -> None:
    """It is in the group of its series, with a description."""
    graph = build_definitions([a_series()]).resolve_asset_graph()
    node = graph.get(dg.AssetKey(["demo", "report"]))
    assert node.partitions_def is None
    assert node.parent_keys == {dg.AssetKey(["demo", "dataset"])}
    assert node.group_name == "demo"
    assert node.kinds == {"matplotlib", "html"}
    assert node.description and "report.html" in node.description


def test_the_command_line_makes_no_report(tmp_path: Path) -> None:
    """Generating periods does not wait for plots."""
    layout = generate_periods(tmp_path)
    assert not layout.report.exists()
    assert layout.dataset(4).exists()

"""Plots are PNGs of bounded size and reproducible bytes, with readable labels."""

import io
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from itertools import combinations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from series_assets.reporting.dataset_plots import dataset_sheet, plot_dataset
from series_assets.reporting.history import History
from series_assets.reporting.plotting import (
    EXISTING,
    NEW,
    Label,
    Sheet,
    cleaned,
    plain_style,
    shortened,
    width_of,
)
from series_assets.reporting.profiles import Profile, profile_records
from series_assets.reporting.report_plots import (
    delivered_figure,
    entities_figure,
    origins_figure,
    plot_report,
    rows_figure,
)
from series_assets_tests.reporting.examples import a_history, two_periods
from series_assets_tests.thorough import mostly_thorough, thorough


def opened(png: bytes) -> Image.Image:
    """Return a picture as another library reads it."""
    picture = Image.open(io.BytesIO(png))
    picture.load()
    assert picture.format == "PNG"
    return picture


def has_colour(picture: Image.Image, colour: str) -> bool:
    """Return whether some of a picture has a colour, or an indistinguishable one."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    return bool((np.abs(pixels - wanted).max(axis=2) <= 6).sum() > 50)


def overlapping(labels: Sequence[Label]) -> list[tuple[str, str]]:
    """Return the pairs of labels that overlap."""
    return [
        (one.text, other.text)
        for one, other in combinations(labels, 2)
        if one.left < other.right - 0.5
        and other.left < one.right - 0.5
        and one.top < other.bottom - 0.5
        and other.top < one.bottom - 0.5
    ]


def outside(labels: Sequence[Label], width: float, height: float) -> list[str]:
    """Return the labels that are cut off at an edge."""
    return [
        label.text
        for label in labels
        if label.left < 0 or label.top < 0 or label.right > width or label.bottom > height
    ]


def labels_of(figure: Figure) -> list[Label]:
    """Return all texts in a figure, with their positions."""
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    height = figure.bbox.height
    hidden = set()  # matplotlib creates ticks beyond the ends, but does not draw them
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]
            hidden |= {text for tick in ticks for text in (tick.label1, tick.label2)}
    found = []
    for text in figure.findobj(Text):
        if not text.get_text() or not text.get_visible() or text in hidden:
            continue
        box = text.get_window_extent(canvas.get_renderer())
        if box.width and box.height:
            found.append(Label(text.get_text(), box.x0, height - box.y1, box.x1, height - box.y0))
    return found


@pytest.mark.parametrize(
    ("columns", "tallest"), [(1, 320), (3, 320), (12, 700), *thorough((60, 2950))]
)
def test_the_picture_of_a_dataset_grows_with_its_columns(columns: int, tallest: int) -> None:
    """It is a valid PNG of bounded size, with different colours for new and existing rows."""
    first, later = two_periods(columns)
    png = plot_dataset("demo, period 2024-02-01", later, first)
    picture = opened(png)
    assert picture.width == 1200
    assert picture.height <= tallest
    assert len(png) < 30_000 + 2_000 * columns
    assert has_colour(picture, NEW)
    assert has_colour(picture, EXISTING)


@pytest.mark.parametrize("columns", [1, 3, 12, *thorough(60)])
def test_no_label_of_a_dataset_lies_over_another(columns: int) -> None:
    """Nor beyond the edge of the picture."""
    with plain_style():
        first, later = two_periods(columns)
        sheet = dataset_sheet("demo, period 2024-02-01", later, first)
    assert len(sheet.labels) > 3 * columns
    assert overlapping(sheet.labels) == []
    assert outside(sheet.labels, sheet.width, sheet.height) == []


_NAMES = st.text(min_size=1, max_size=60)


@settings(max_examples=25 if settings.get_current_profile_name() == "long" else 10)
@given(st.data())
def test_whatever_names_and_values_are_labels_keep_apart(data: st.DataObject) -> None:
    """Of any length, in any script, with dollar signs, line breaks or nothing to be seen."""
    names = data.draw(st.lists(_NAMES, min_size=1, max_size=6, unique=True))
    values = st.lists(st.none() | _NAMES, min_size=12, max_size=12)
    columns = {name: data.draw(values) for name in names}
    first = profile_records(pd.DataFrame(columns, dtype=object), None, {})
    later = profile_records(None, pd.DataFrame(columns, dtype=object)[::-1], {}, like=first)
    title = data.draw(_NAMES)
    with plain_style(), warnings.catch_warnings():
        warnings.simplefilter("error")
        sheet = dataset_sheet(title, later, first)
        opened(sheet.png())
    assert overlapping(sheet.labels) == []
    assert outside(sheet.labels, sheet.width, sheet.height) == []


def test_the_picture_of_a_dataset_is_the_same_bytes_each_time() -> None:
    """In this process, and in another with other plot settings."""
    first, later = two_periods(6)
    png = plot_dataset("demo", later, first)
    with matplotlib.rc_context({"font.size": 30, "text.color": "red", "savefig.dpi": 20}):
        assert plot_dataset("demo", later, first) == png
    program = (
        "import hashlib\n"
        "from series_assets.reporting.dataset_plots import plot_dataset\n"
        "from series_assets_tests.reporting.examples import *\n"
        "first, later = two_periods(6)\n"
        "png = plot_dataset('demo', later, first)\n"
        "print(hashlib.sha256(png).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    from hashlib import sha256

    assert done.stdout.strip() == sha256(png).hexdigest()


@pytest.mark.thorough
def test_drawing_leaves_a_users_settings_alone() -> None:
    """It does not import pyplot, which would keep every figure."""
    before = dict(matplotlib.rcParams)
    first, later = two_periods(3)
    plot_dataset("demo", later, first)
    plot_report(a_history(3))
    assert dict(matplotlib.rcParams) == before
    program = (
        "import sys\n"
        "from series_assets.reporting.dataset_plots import plot_dataset\n"
        "from series_assets.reporting.report_plots import plot_report\n"
        "from series_assets_tests.reporting.examples import *\n"
        "plot_dataset('demo', *two_periods(3))\n"
        "plot_report(a_history(3))\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def texts_of(this: Profile, first: Profile | None = None) -> list[str]:
    """Return the texts in the picture of a period."""
    with plain_style():
        return [label.text for label in dataset_sheet("demo", this, first).labels]


def of(kind: str, *values: str | None, like: Profile | None = None) -> Profile:
    """Return the profile of one column of new records."""
    return profile_records(
        pd.DataFrame({"x": list(values)}, dtype=object), None, {"x": kind}, like=like
    )


def test_what_is_new_against_period_1_is_written_out() -> None:
    """New categories, values that are not numbers, and numbers out of range."""
    reported = texts_of(of("text", "a", "z", like=of("text", "a", "b")), of("text", "a", "b"))
    assert "not in period 1" in reported
    assert "not in period 1" not in texts_of(of("text", "a", "b"), of("text", "a", "b"))
    first = of("integer", "1", "5")
    reported = texts_of(of("integer", "1", "9", "x", like=first), first)
    assert "1 are not numbers, number" in reported
    assert {"1", "> 5"} <= set(reported)
    first = of("integer", None)
    assert "1 values; period 1 had none" in texts_of(of("integer", "1", like=first), first)


def test_columns_that_came_or_went_are_written_out() -> None:
    """A changed file may have different columns from period 1."""
    first = of("text", "a")
    other = profile_records(pd.DataFrame({"y": ["a"]}, dtype=object), None, {}, like=first)
    reported = texts_of(other, first)
    assert "not in period 1, category, 1 value" in reported
    assert "this period lacks this column of period 1" in reported


def test_period_1_is_not_compared() -> None:
    """It has no line of period 1, and no 'was'."""
    first, later = two_periods(3)
    assert not any("period 1" in text or "was" in text for text in texts_of(first))
    assert any("was" in text for text in texts_of(later, first))


def test_a_period_without_rows_can_be_drawn() -> None:
    """There is no division by zero."""
    empty = of("text")
    opened(plot_dataset("demo", empty, empty))
    opened(plot_dataset("demo", of("text", like=of("text", "a")), of("text", "a")))


def test_shortened_text_fits_and_keeps_both_ends() -> None:
    """Names often differ only in their last characters."""
    name = "cost_of_treatment_per_day_of_waiting_" + "x" * 40 + "_2"
    with plain_style():
        short = shortened(name, 120, 8)
        assert width_of(short, 8) <= 120
        assert short.startswith("cost") and short.endswith("_2") and "…" in short
        assert shortened("cost", 120, 8) == "cost"
        assert shortened("anything", 1, 8) == "…"


def test_characters_without_a_picture_become_boxes() -> None:
    """The font has no Chinese; line breaks and tabs become blanks."""
    assert cleaned("東京\n$x_2$\t\x00é") == "□□ $x_2$ □é"


def test_the_width_of_a_text_is_the_one_drawn() -> None:
    """Measured in the pixels of a finished picture."""
    for text, bold in (("waiting_days", False), ("Number of rows", True), ("iiiWWW", False)):
        with plain_style():
            sheet = Sheet(400, 60)
            label = sheet.text(20, 40, text, size=12, bold=bold)
            pixels = np.asarray(opened(sheet.png()).convert("L"))
        columns = np.flatnonzero((pixels < 200).any(axis=0))
        rows = np.flatnonzero((pixels < 200).any(axis=1))
        assert label.left - 3 <= columns[0] and columns[-1] <= label.right + 3
        assert columns[-1] - columns[0] > 0.85 * (label.right - label.left)
        assert label.top - 1 <= rows[0] and rows[-1] <= label.bottom + 1


_HISTORIES = {
    "one": (a_history(1), 1),
    "three": (a_history(3), 3),
    "gaps": (a_history(12, missing=(5, 6), lacking=(8,)), 12),
    "three hundred": (a_history(300, missing=(40, 41, 42, 200), lacking=(100,)), 300),
    "hardly any": (a_history(300, missing=range(2, 300)), 300),
    "without period 1": (a_history(4, missing=(0, 1)), 4),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", mostly_thorough(_HISTORIES, "one", "three hundred"))
def test_the_pictures_of_a_report_have_a_sensible_size(name: str) -> None:
    """For one period and for 300, with reproducible bytes."""
    history, _ = _HISTORIES[name]
    drawn = plot_report(history)
    assert [picture.name for picture in drawn] == ["rows", "entities", "origins", "delivered"]
    for picture in drawn:
        size = opened(picture.png).size
        assert size[0] == 1100 and 300 <= size[1] <= 500
        assert len(picture.png) < 40_000
    assert [picture.png for picture in plot_report(history)] == [p.png for p in drawn]


_FIGURES = (rows_figure, entities_figure, origins_figure, delivered_figure)


@pytest.mark.each_value
@pytest.mark.parametrize("figure", _FIGURES)
@pytest.mark.parametrize(("history", "count"), _HISTORIES.values(), ids=_HISTORIES.keys())
def test_no_label_of_a_report_lies_over_another(
    history: History, count: int, figure: Callable[[History, str], Figure]
) -> None:
    """Nor beyond the edge of its picture."""
    with plain_style():
        drawn = figure(history, "demo: what is seen here")
        labels = labels_of(drawn)
    keys = {period.key for period in history.periods}
    named = [label.text for label in labels if label.text in keys]
    assert min(count, 3) <= len(set(named)) <= 40
    assert overlapping(labels) == []
    assert outside(labels, drawn.bbox.width, drawn.bbox.height) == []


def written(figure: Callable[[History, str], Figure], history: History) -> set[str]:
    """Return the texts in a picture of the report."""
    with plain_style():
        return {label.text for label in labels_of(figure(history, "demo"))}


def test_the_heat_map_shows_its_numbers_where_they_fit() -> None:
    """All existing rows of the second period come from the first."""
    assert "160" in written(origins_figure, a_history(3))
    assert "160" not in written(origins_figure, a_history(40))
    assert "no existing rows" in written(origins_figure, a_history(1))


def test_periods_that_are_not_there_are_marked() -> None:
    """Otherwise they would look empty."""
    for figure in (rows_figure, delivered_figure):
        assert "missing or unreadable" in written(figure, a_history(5, missing=(2,)))
        assert "missing or unreadable" not in written(figure, a_history(5))


def test_missing_rows_are_distinguished_from_none_missing() -> None:
    """The difference is plotted, or stated to be zero."""
    none = "none: every dataset has as many rows as requested"
    assert none in written(delivered_figure, a_history(5))
    assert none not in written(delivered_figure, a_history(5, lacking=(2,)))


def test_the_entities_after_the_last_period_are_written_out() -> None:
    """Sixty of each period."""
    assert "18,000" in written(entities_figure, a_history(300))

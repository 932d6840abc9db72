"""The plot that compares a table of data with the first dataset of its series."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from series_assets.reporting.data_comparison import ColumnComparison
from series_assets.reporting.plotting import (
    DPI,
    EXISTING,
    NEW,
    SOFT,
    WARNING,
    plain_style,
    png_of,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ACROSS, _WIDTH, _PANEL = 3, 12.0, 1.9
_MAX_COLUMNS = 30
"""A plot of more columns would be too long to look at."""
_MAX_CATEGORIES, _BINS = 8, 24


def plot_data_comparison(
    title: str,
    columns: Sequence[ColumnComparison],
    data: Mapping[str, "pd.Series[Any]"],
    dataset: pd.DataFrame,
) -> bytes:
    """Return a PNG with a panel for each column: shares of rows in the data and in the dataset.

    ``data`` has the values of the table, ``dataset`` is text.
    """
    from matplotlib.figure import Figure

    shown = [one for one in columns if one.kind != "identifier"][:_MAX_COLUMNS]
    down = max(1, -(-len(shown) // _ACROSS))
    with plain_style():
        height = 0.8 + _PANEL * down
        figure = Figure(figsize=(_WIDTH, height), dpi=DPI, layout="constrained")
        rect = (0, 0, 1, 1 - 0.7 / height)
        figure.get_layout_engine().set(rect=rect, w_pad=0.15, h_pad=0.1)  # type: ignore[union-attr,call-arg]
        room = _WIDTH * DPI - 40
        top = 1 - 0.22 / height
        figure.text(0.015, top, shortened(title, room, 13, True), size=13, weight="bold", va="top")
        legend = 1 - 0.5 / height
        figure.text(0.015, legend, "the data", size=9, color=EXISTING, va="top", weight="bold")
        figure.text(0.08, legend, "the first dataset", size=9, color=NEW, va="top", weight="bold")
        figure.text(0.2, legend, "share of the rows", size=9, color=SOFT, va="top")
        panels = figure.subplots(down, _ACROSS, squeeze=False).ravel()
        for axes, one in zip(panels, shown, strict=False):
            _draw(axes, one, data[one.name], dataset[one.name])
        for axes in panels[len(shown) :]:
            axes.set_axis_off()
        return png_of(figure)


def _draw(
    axes: "Axes", one: ColumnComparison, data: "pd.Series[Any]", dataset: "pd.Series[Any]"
) -> None:
    color = "black" if one.is_similar else WARNING
    axes.set_title(
        shortened(one.name, 340, 9, True), size=9, weight="bold", loc="left", color=color
    )
    axes.tick_params(labelsize=7)
    if not data.notna().any():
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no values", ha="center", color=SOFT, transform=axes.transAxes)
    elif one.kind == "category":
        _draw_categories(axes, data, dataset)
    else:
        _draw_values(axes, one.kind, data, dataset)


def _draw_categories(axes: "Axes", data: "pd.Series[Any]", dataset: "pd.Series[Any]") -> None:
    before = data.value_counts(normalize=True)
    names = sorted(before.index, key=lambda name: (-before[name], name))[:_MAX_CATEGORIES]
    after = dataset.value_counts(normalize=True).reindex(names, fill_value=0)
    places = np.arange(len(names))
    axes.barh(places - 0.2, before[names], 0.4, color=EXISTING)
    axes.barh(places + 0.2, after, 0.4, color=NEW)
    axes.set_yticks(places, [shortened(str(name), 110, 7) for name in names])
    axes.invert_yaxis()


def _draw_values(
    axes: "Axes", kind: str, data: "pd.Series[Any]", dataset: "pd.Series[Any]"
) -> None:
    if kind == "date":
        values = [_days(pd.to_datetime(side)) for side in (data, dataset)]
    else:
        values = [pd.to_numeric(side.dropna()).to_numpy(dtype=float) for side in (data, dataset)]
    low, high = (float(end(values[0])) for end in (np.min, np.max))
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    if all(
        (part == np.floor(part)).all() for part in values
    ):  # the same number of integers in each bin
        width = max(1.0, np.ceil((high - low + 1) / _BINS))
        edges = np.arange(low - 0.5, high + width, width)
    for part, color in zip(values, (EXISTING, NEW), strict=True):
        counts, _ = np.histogram(np.clip(part, edges[0], edges[-1]), edges)
        axes.stairs(counts / max(len(part), 1), edges, color=color, linewidth=1.4)
    if kind == "date":
        ends = [str(np.datetime64(int(place), "D")) for place in (low, high)]
        axes.set_xticks([edges[0], edges[-1]], ends)
    axes.set_ylim(bottom=0)


def _days(moments: "pd.Series[Any]") -> Any:
    return moments.dropna().to_numpy().astype("datetime64[D]").astype(float)

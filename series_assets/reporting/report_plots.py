"""The plots of a series: its rows, its entities, and where its existing rows come from.

They show a ``History``. The plot of a single dataset is in ``dataset_plots``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from series_assets.reporting.history import History, RowsByOrigin, consecutive_runs
from series_assets.reporting.plotting import (
    DPI,
    EXISTING,
    FAINT,
    INK,
    NEW,
    SOFT,
    WARNING,
    plain_style,
    png_of,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT, _TALL = 1100, 340, 460
_LEFT, _BOTTOM, _RIGHT = 0.085, 50, 0.985
"""The margins of a plot: fractions of the width, and pixels."""
_HEAD = 58
"""Pixels for the title."""
_DATE_LABELS = 10
"""Dates that fit below a plot."""
_SEPARATE_BARS = 60
"""Up to so many periods are drawn as separate bars."""
_HEAT_MAP_NUMBERS = 12
"""Up to so many periods the heat map shows its numbers."""


@dataclass(frozen=True)
class Plot:
    """A plot of the report."""

    name: str
    title: str
    caption: str
    png: bytes


def plot_report(history: History) -> list[Plot]:
    """Return the plots of a series that has at least one delivered period."""
    drawn: list[tuple[str, str, str, Callable[[History, str], Figure]]] = [
        (
            "rows",
            "New and existing rows of each period",
            "The rows of each dataset that are about new entities, and those about entities of "
            "earlier periods.",
            rows_figure,
        ),
        (
            "entities",
            "Entities known after each period",
            "The entities in the reference table, from which later periods are sampled.",
            entities_figure,
        ),
        (
            "origins",
            "Origin of the existing rows",
            "Each column is a period. Colours show the share of its existing rows about entities "
            "that were new in an earlier period.",
            origins_figure,
        ),
        (
            "delivered",
            "Rows requested and rows delivered",
            "The line shows the rows that the series' files request, the dots the rows in the "
            "datasets. The lower plot shows the difference.",
            delivered_figure,
        ),
    ]
    if any(period.operations is not None for period in history.periods):
        drawn.append(
            (
                "operations",
                "What the rows of each period did",
                "The rows of each dataset by what they did to the history of their entity: a "
                "superseded row is not the last one of its entity in the period.",
                operations_figure,
            )
        )
    with plain_style():
        return [
            Plot(
                name,
                title,
                caption,
                png_of(figure(history, f"{history.series}: {title[0].lower()}{title[1:]}")),
            )
            for name, title, caption, figure in drawn
        ]


def rows_figure(history: History, title: str) -> "Figure":
    """Return stacked bars of the rows of each period."""
    rows = [period.delivered or RowsByOrigin(0, {}) for period in history.periods]
    stacks = [([one.new for one in rows], NEW, "new")]
    stacks.append(([one.existing for one in rows], EXISTING, "existing"))
    if any(one.unknown for one in rows):
        stacks.append(([one.unknown for one in rows], WARNING, "without a known entity"))
    return _stacked(history, title, stacks)


def _stacked(
    history: History, title: str, stacks: Iterable[tuple[list[int], str, str]]
) -> "Figure":
    """Return bars, one above the other, of numbers of rows with their colors and labels."""
    figure, axes = _plot(_HEIGHT, title)
    below = [0] * len(history.periods)
    for counts, color, label in stacks:
        _bars(axes, below, counts, color, label)
        below = [low + count for low, count in zip(below, counts, strict=True)]
    _shade_missing_periods(axes, history)
    _finish(axes, history, "rows")
    return figure


_OPERATIONS = {
    "insert": NEW,
    "update": EXISTING,
    "unchanged": "#f3cf96",
    "reactivate": "#3c8d5a",
    "delete": "#7a3b00",
    "superseded": "#b8c2cc",
    "unkeyed": WARNING,
}
"""The operations of a change log in the order in which bars show them, with their colors."""


def operations_figure(history: History, title: str) -> "Figure":
    """Return stacked bars of what the rows of each period did to the history."""
    periods = [period.operations or {} for period in history.periods]
    found = (
        ([one.get(name, 0) for one in periods], color, name) for name, color in _OPERATIONS.items()
    )
    return _stacked(history, title, [stack for stack in found if any(stack[0])])


def entities_figure(history: History, title: str) -> "Figure":
    """Return the number of entities after each period, as an area."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _plot(_HEIGHT, title)
    known = [(k, count) for k, count in enumerate(history.entities_so_far) if count is not None]
    places, counts = [k for k, _ in known], [count for _, count in known]
    axes.fill_between(places, counts, color="#dfe8f3", linewidth=0)
    few = len(history.periods) <= _SEPARATE_BARS
    axes.plot(places, counts, color=NEW, linewidth=2, marker="o" if few else None, markersize=4)
    if known:
        place, count = known[-1]
        near_right = place > 0.9 * len(history.periods)
        axes.annotate(
            f"{count:,}",
            (place, count),
            xytext=(-6 if near_right else 0, 6),
            textcoords="offset points",
            ha="right" if near_right else "center",
            color=INK,
        )
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(axes, history, "entities", legend=False)
    return figure


def origins_figure(history: History, title: str) -> "Figure":
    """Return a heat map: for each period, the shares of its existing rows by their origin."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    figure, axes = _plot(_TALL, title, left=0.13, right=0.9)
    blocks = history.blocks
    shares = np.full((len(blocks), len(history.periods)), np.nan)
    for period in history.delivered_periods:
        counts = np.array(history.by_block(period), dtype=float)
        if counts.sum():
            shares[:, period.k] = np.where(counts, counts / counts.sum(), np.nan)
    shades = LinearSegmentedColormap.from_list("origins", ["#fdf3e1", EXISTING, "#7a3b00"])
    base, top = _BOTTOM / _TALL, 1 - _HEAD / _TALL
    image = axes.imshow(
        np.ma.masked_invalid(shares),
        cmap=shades,
        norm=PowerNorm(0.5, 0, 1),
        aspect="auto",
        interpolation="nearest",
        origin="lower",
    )
    bar = figure.colorbar(image, cax=figure.add_axes((0.915, base, 0.018, top - base)))
    bar.set_ticks([0, 0.05, 0.2, 0.5, 1], labels=["0 %", "5 %", "20 %", "50 %", "100 %"])
    bar.set_label("share of the period's existing rows")
    bar.outline.set_visible(False)
    if len(history.periods) <= _HEAT_MAP_NUMBERS:
        for period in history.delivered_periods:
            for row, count in enumerate(history.by_block(period)):
                if count:
                    dark = shares[row, period.k] > 0.55
                    color = "#ffffff" if dark else INK
                    text = f"{count:,}"
                    axes.text(period.k, row, text, ha="center", va="center", color=color, size=8)
    step = max(1, -(-len(blocks) // 12))
    ticks = list(range(0, len(blocks), step))
    axes.set_yticks(ticks, [blocks[place][0] for place in ticks])
    size = history.block_size
    axes.set_ylabel(f"new in the {size} periods from" if size > 1 else "new in the period from")
    if not np.isfinite(shares).any():
        axes.text(0.5, 0.5, "no existing rows", transform=axes.transAxes, ha="center", color=SOFT)
    axes.set_facecolor("#f4f6f8")
    axes.grid(False)
    _shade_missing_periods(axes, history)
    _date_axis(axes, history)
    return figure


def delivered_figure(history: History, title: str) -> "Figure":
    """Return rows requested as a line, rows delivered as dots, and their difference below."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _plot(_TALL, title, bottom=_BOTTOM + 0.26 * _TALL)
    below = _add_axes(figure, (_LEFT, _BOTTOM / _TALL, _RIGHT - _LEFT, 0.2), sharex=axes)
    rows = {one.k: one.delivered.rows for one in history.periods if one.delivered}
    requested = [period.requested for period in history.periods]
    count = len(requested)
    axes.plot(
        range(count), requested, color=SOFT, linewidth=2, label="requested", drawstyle="steps-mid"
    )
    size = 5 if count <= _SEPARATE_BARS else 2.5
    axes.plot(list(rows), list(rows.values()), "o", color=NEW, markersize=size, label="delivered")
    _shade_missing_periods(axes, history)
    axes.set_ylim(0, 1.15 * max([*requested, *rows.values(), 1]))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylabel("rows")
    axes.tick_params(labelbottom=False)
    _legend(axes)
    differences = [rows.get(k, requested[k]) - requested[k] for k in range(count)]
    _bars(below, [0] * count, differences, WARNING, "")
    largest = max(map(abs, differences))
    below.axhline(0, color=SOFT, linewidth=1)
    below.set_ylim(-1.3 * (largest or 1), 1.3 * (largest or 1))
    below.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    below.set_ylabel("difference")
    if not largest:
        text = "none: every dataset has as many rows as requested"
        below.text(0.5, 0.62, text, transform=below.transAxes, ha="center", color=SOFT)
    _date_axis(below, history)
    return figure


def _plot(
    height: int,
    title: str,
    left: float = _LEFT,
    right: float = _RIGHT,
    bottom: float = _BOTTOM,
) -> "tuple[Figure, Axes]":
    """Return a figure with a title and one plot. ``height`` and ``bottom`` are in pixels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH / DPI, height / DPI), dpi=DPI)
    text = shortened(title, _WIDTH - 40, 12, bold=True)
    figure.text(20 / _WIDTH, 1 - 24 / height, text, size=12, weight="bold")
    rows = height - _HEAD - bottom
    return figure, _add_axes(figure, (left, bottom / height, right - left, rows / height))


def _add_axes(
    figure: "Figure", box: tuple[float, float, float, float], sharex: "Axes | None" = None
) -> "Axes":
    axes = figure.add_axes(box, sharex=sharex)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    return axes


def _bars(axes: "Axes", below: list[int], counts: list[int], color: str, label: str) -> None:
    """Draw a bar for each period, or a single shape if there are too many periods."""
    if len(counts) <= _SEPARATE_BARS:
        axes.bar(
            range(len(counts)), counts, 0.82, bottom=below, color=color, label=label, linewidth=0
        )
        return
    tops = [low + count for low, count in zip(below, counts, strict=True)]
    edges = [place - 0.5 for place in range(len(counts) + 1)]
    axes.stairs(
        tops,
        edges,
        baseline=below,
        fill=True,
        color=color,
        label=label,
        linewidth=0,
        antialiased=False,
    )


def _shade_missing_periods(axes: "Axes", history: History) -> None:
    """Shade the periods without a dataset, so that they do not look like empty ones."""
    label: str | None = "missing or unreadable"
    for first, last in consecutive_runs(history.missing_periods):
        axes.axvspan(first.k - 0.5, last.k + 0.5, color="#e4e8ec", linewidth=0, label=label)
        label = None


def _finish(axes: "Axes", history: History, unit: str, legend: bool = True) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.autoscale(axis="y")
    axes.set_ylim(0, 1.12 * max(axes.dataLim.y1, 1))
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_ylabel(unit)
    if legend:
        _legend(axes)
    _date_axis(axes, history)


def _legend(axes: "Axes") -> None:
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1.0),
        ncols=4,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        borderaxespad=0.2,
    )


def _date_axis(axes: "Axes", history: History) -> None:
    """Label the first days of periods below a plot, only as many as fit."""
    from matplotlib.ticker import FuncFormatter

    count = len(history.periods)
    step = next(
        times * 10**power
        for power in range(9)
        for times in (1, 2, 5)
        if -(-count // (times * 10**power)) <= _DATE_LABELS
    )
    ticks = list(range(0, count, step))
    axes.set_xticks(ticks, [history.periods[k].key for k in ticks])
    axes.set_xlim(-0.6, count - 0.4)
    axes.set_xlabel("first day of the period")
    if not axes.images:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))

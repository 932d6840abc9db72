"""The pictures of a whole series: its rows, its entities, and where existing rows come from.

They draw a ``History``, see ``history``; the picture of one dataset is in ``dataset_plots``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from series_assets.reporting.history import History, consecutive_runs
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
_DATES = 10
"""Days that fit below a picture."""
_APART = 60
"""Up to so many periods are drawn one by one."""
_NUMBERED = 12
"""Up to so many periods the heat map shows its numbers."""


@dataclass(frozen=True)
class Plot:
    """A picture of the report."""

    name: str
    title: str
    caption: str
    png: bytes


def plot_report(history: History) -> list[Plot]:
    """Return the pictures of a series of which at least one period was read."""
    drawn: list[tuple[str, str, str, Callable[[History, str], Figure]]] = [
        (
            "rows",
            "New and existing rows of each period",
            "What each dataset holds: rows about entities never seen before, and rows about "
            "entities of earlier periods.",
            rows_figure,
        ),
        (
            "entities",
            "Entities known after each period",
            "The entities that the reference table holds, from which later periods draw.",
            entities_figure,
        ),
        (
            "origins",
            "From which period the existing rows come",
            "Each column is a period; its colours say which share of its existing rows is about "
            "entities that an earlier period introduced.",
            origins_figure,
        ),
        (
            "delivered",
            "Rows asked for and rows delivered",
            "The line is what the two files of the series ask for, the dots are the rows in the "
            "datasets. Below, the difference.",
            delivered_figure,
        ),
    ]
    with plain_style():
        return [
            Plot(
                name, title, caption, png_of(figure(history, f"{history.series}: {_lower(title)}"))
            )
            for name, title, caption, figure in drawn
        ]


def _lower(title: str) -> str:
    return title[0].lower() + title[1:]


def rows_figure(history: History, title: str) -> "Figure":
    """Return stacked bars of the rows of each period."""
    figure, axes = _plot(_HEIGHT, title)
    new, existing, unknown = ([0] * len(history.periods) for _ in range(3))
    for period in history.delivered_periods:
        assert period.delivered
        new[period.k] = period.delivered.new
        existing[period.k] = period.delivered.existing
        unknown[period.k] = period.delivered.unknown
    below = [0] * len(new)
    for counts, color, label in (
        (new, NEW, "new"),
        (existing, EXISTING, "existing"),
        (unknown, WARNING, "of nobody known"),
    ):
        if label != "of nobody known" or any(counts):
            _bars(axes, below, counts, color, label)
            below = [low + count for low, count in zip(below, counts, strict=True)]
    _mark_left_out(axes, history)
    _finish(axes, history, "rows")
    return figure


def entities_figure(history: History, title: str) -> "Figure":
    """Return the entities so far as an area that rises."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _plot(_HEIGHT, title)
    known = [(k, count) for k, count in enumerate(history.entities_so_far) if count is not None]
    places, counts = [k for k, _ in known], [count for _, count in known]
    axes.fill_between(places, counts, color="#dfe8f3", linewidth=0)
    few = len(history.periods) <= _APART
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
    base, top = 50 / _TALL, 1 - 58 / _TALL
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
    if len(history.periods) <= _NUMBERED:
        for period in history.delivered_periods:
            for row, count in enumerate(history.by_block(period)):
                if count:
                    dark = shares[row, period.k] > 0.55
                    color = "#ffffff" if dark else INK
                    text = f"{count:,}"
                    axes.text(period.k, row, text, ha="center", va="center", color=color, size=8)
    step = max(1, -(-len(blocks) // 12))
    ticks = list(range(0, len(blocks), step))
    axes.set_yticks(ticks, [blocks[place].label[:10] for place in ticks])
    if blocks[0].last:
        axes.set_ylabel(f"introduced in {blocks[0].last + 1} periods from")
    else:
        axes.set_ylabel("introduced in the period of")
    if not np.isfinite(shares).any():
        axes.text(0.5, 0.5, "no existing rows", transform=axes.transAxes, ha="center", color=SOFT)
    axes.set_facecolor("#f4f6f8")
    axes.grid(False)
    _mark_left_out(axes, history)
    _date_axis(axes, history)
    return figure


def delivered_figure(history: History, title: str) -> "Figure":
    """Return rows asked for as a line, those delivered as dots, and their difference below."""
    from matplotlib.ticker import MaxNLocator

    figure, (axes, below) = _plots(_TALL, title)
    places = [period.k for period in history.delivered_periods]
    delivered = [period.delivered.rows for period in history.delivered_periods if period.delivered]
    asked = [period.requested for period in history.periods]
    everywhere = list(range(len(asked)))
    axes.plot(everywhere, asked, color=SOFT, linewidth=2, label="asked for", drawstyle="steps-mid")
    size = 5 if len(asked) <= _APART else 2.5
    axes.plot(places, delivered, "o", color=NEW, markersize=size, label="delivered")
    _mark_left_out(axes, history)
    axes.set_ylim(0, 1.15 * max([*asked, *delivered, 1]))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylabel("rows")
    axes.tick_params(labelbottom=False)
    _legend(axes)
    differences = [count - asked[k] for k, count in zip(places, delivered, strict=True)]
    shown = [0] * len(asked)
    for k, difference in zip(places, differences, strict=True):
        shown[k] = difference
    _bars(below, [0] * len(shown), shown, WARNING, "")
    far = max((abs(difference) for difference in differences), default=0)
    below.axhline(0, color=SOFT, linewidth=1)
    below.set_ylim(-1.3 * (far or 1), 1.3 * (far or 1))
    below.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    below.set_ylabel("difference")
    if not far:
        text = "none: every dataset has as many rows as were asked for"
        below.text(0.5, 0.62, text, transform=below.transAxes, ha="center", color=SOFT)
    _date_axis(below, history)
    return figure


def _plot(
    height: int, title: str, left: float = 0.085, right: float = 0.985
) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH / DPI, height / DPI), dpi=DPI)
    _head(figure, title)
    top = 1 - 58 / height
    axes = figure.add_axes((left, 50 / height, right - left, top - 50 / height))
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    return figure, axes


def _plots(height: int, title: str) -> "tuple[Figure, tuple[Axes, Axes]]":
    """Return a figure with a large plot and a small one below it, which share their periods."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH / DPI, height / DPI), dpi=DPI)
    _head(figure, title)
    below = figure.add_axes((0.085, 50 / height, 0.9, 0.2))
    base = 50 / height + 0.26
    axes = figure.add_axes((0.085, base, 0.9, 1 - 58 / height - base), sharex=below)
    for each in (axes, below):
        each.set_axisbelow(True)
        each.grid(axis="y", color=FAINT, linewidth=0.8)
    return figure, (axes, below)


def _head(figure: "Figure", title: str) -> None:
    text = shortened(title, _WIDTH - 40, 12, bold=True)
    height = figure.get_figheight() * DPI
    figure.text(20 / _WIDTH, 1 - 24 / height, text, size=12, weight="bold")


def _bars(axes: "Axes", below: list[int], counts: list[int], color: str, label: str) -> None:
    """Draw a bar for each period, or one shape where they are too many to be told apart."""
    if len(counts) <= _APART:
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


def _mark_left_out(axes: "Axes", history: History) -> None:
    """Shade the periods that are not there, so that they do not look like empty ones."""
    label: str | None = "not made, or not readable"
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
    """Write the first days of periods below a plot, so many that they do not touch."""
    from matplotlib.ticker import FuncFormatter

    count = len(history.periods)
    step = next(
        times * 10**power
        for power in range(9)
        for times in (1, 2, 5)
        if -(-count // (times * 10**power)) <= _DATES
    )
    ticks = list(range(0, count, step))
    axes.set_xticks(ticks, [history.periods[k].key for k in ticks])
    axes.set_xlim(-0.6, count - 0.4)
    axes.set_xlabel("first day of the period")
    if not axes.images:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))

"""The report of a series: a self-contained HTML page.

``read_history`` collects what it shows, ``report_plots`` draws the plots.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from series_assets.core.errors import RequestError
from series_assets.core.plain_text import escape_invisible
from series_assets.core.plan.series import Series
from series_assets.reporting.history import History, describe_periods
from series_assets.reporting.plotting import data_uri
from series_assets.reporting.read_history import read_history
from series_assets.reporting.report_plots import Plot, plot_report
from series_assets.storage import files
from series_assets.storage.layout import Layout


def write_report(
    series: Series, layout: Layout, scratch: Callable[[], AbstractContextManager[Path]]
) -> tuple[History, list[Plot]]:
    """Write the page on all periods so far; return the history that it shows, and its plots.

    It is written to the folder that ``scratch`` opens, then moved. Raises RequestError if no
    dataset is readable, GenerationError if the database is unreadable or the page cannot be
    written.
    """
    history = read_history(series, layout)
    if not history.delivered_periods:
        reasons = "".join(f"\n{remark}" for remark in history.all_remarks)
        raise RequestError(
            f"none of its {len(history.periods)} periods has a dataset that can be read",
            "first generate some (materialize all assets of some partitions, or run series-assets "
            f"generate {series.name}){reasons}",
            series=series.name,
        )
    plots = plot_report(history)
    with scratch() as folder:
        page = folder / layout.report.name
        files.write_text(page, render_page(history, plots))
        files.replace(page, layout.report)
    return history, plots


def render_page(history: History, plots: list[Plot]) -> str:
    """Return the HTML of the page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("series_assets", "templates")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: escape_invisible(value) if type(value) is str else value,
    )
    environment.filters["number"] = lambda value: "–" if value is None else f"{value:,}"
    return environment.get_template("report.html").render(
        history=history,
        plots=[(plot, data_uri(plot.png)) for plot in plots],
        missing=describe_periods(history.missing_periods),
    )

"""The report of a series as a page: one HTML file that needs no other.

What it reports is read in ``read_history`` and plotted in ``report_plots``.
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
from series_assets.storage.files import Layout


def write_report(
    series: Series, layout: Layout, scratch: Callable[[], AbstractContextManager[Path]]
) -> tuple[History, list[Plot]]:
    """Write the page on all periods made so far; return what it tells, and its pictures.

    It is written in the folder that ``scratch`` opens and put in its place as a whole.
    Raises RequestError where no period can be told of, GenerationError where the database cannot
    be read or the page cannot be written.
    """
    history = read_history(series, layout)
    if not history.delivered_periods:
        why = "\n".join(history.all_remarks)
        raise RequestError(
            f"none of its {len(history.periods)} periods is there to report on",
            "first make some (materialise all assets of some partitions, or run series-assets "
            f"generate {series.name})" + (f"\n{why}" if why else ""),
            series=series.name,
        )
    drawn = plot_report(history)
    with scratch() as folder:
        page = folder / layout.report.name
        files.write_text(page, render_page(history, drawn))
        files.replace(page, layout.report)
    return history, drawn


def render_page(history: History, drawn: list[Plot]) -> str:
    """Return the page: one HTML file that needs no other."""
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
        pictures=[(picture, data_uri(picture.png)) for picture in drawn],
        left_out=describe_periods(history.missing_periods),
    )

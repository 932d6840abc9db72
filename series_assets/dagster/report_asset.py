"""The report of a series: an asset beside its periods that tells what became of all of them.

It reads what was delivered, and is made when somebody asks for it. What it tells is read in
``reporting.read_history`` and drawn in ``report_pictures``.
"""

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from series_assets.core.errors import RequestError, SeriesError
from series_assets.core.plain_text import markdown, visible
from series_assets.core.plan.series import Series
from series_assets.dagster.resources import Workspace
from series_assets.reporting.history import History, spans
from series_assets.reporting.plotting import data_address
from series_assets.storage import files
from series_assets.storage.files import Layout

if TYPE_CHECKING:
    from series_assets.reporting.report_plots import Picture

_DESCRIPTION = (
    "All periods made so far: rows asked for and delivered, new and existing ones, entities, and "
    "from which period existing rows come. Materialise it whenever you want to see how the series "
    "stands; it is no part of making periods. Also written as a page, `report.html`."
)


def report_asset(series: Series, workspace: Workspace) -> dg.AssetsDefinition:
    """Return the asset ``report`` of a series, which has no partitions."""

    def report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        graph = f"{series.name}__report"
        try:
            scratch = partial(workspace.scratch, context.run.run_id, graph)
            history, drawn = write_report(series, workspace.layout(series), scratch)
        except SeriesError as error:
            raise dg.Failure(visible(str(error)), allow_retries=False) from None
        finally:
            workspace.discard_scratch(context.run.run_id, graph)
        return dg.MaterializeResult(metadata=_metadata(history, drawn, workspace.layout(series)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of the policy as a parameter
        return dg.asset(
            key=dg.AssetKey([series.name, "report"]),
            deps=[dg.AssetKey([series.name, "dataset"])],
            group_name=series.name,
            description=_DESCRIPTION,
            kinds={"matplotlib", "html"},
            # Without partitions it says nothing, but Dagster's command asks all of a group for it.
            backfill_policy=dg.BackfillPolicy.single_run(),
            code_version=series.fingerprint,
        )(report)


def write_report(
    series: Series, layout: Layout, scratch: Callable[[], Path]
) -> "tuple[History, list[Picture]]":
    """Write the page on all periods made so far; return what it tells, and its pictures.

    It is written in the folder that ``scratch`` makes and put in its place as a whole.
    Raises RequestError where no period can be told of, GenerationError where the database cannot
    be read or the page cannot be written.
    """
    from series_assets.reporting.read_history import read_history
    from series_assets.reporting.report_plots import report_pictures

    history = read_history(series, layout)
    if not history.made:
        why = "\n".join(history.every_remark)
        raise RequestError(
            f"none of its {len(history.periods)} periods is there to report on",
            "first make some (materialise all assets of some partitions, or run series-assets "
            f"generate {series.name})" + (f"\n{why}" if why else ""),
            series=series.name,
        )
    drawn = report_pictures(history)
    page = scratch() / layout.report.name
    files.write_text(page, page_of(history, drawn))
    files.replace(page, layout.report)
    return history, drawn


def page_of(history: History, drawn: "list[Picture]") -> str:
    """Return the page: one HTML file that needs no other."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("series_assets", "templates")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    environment.filters["number"] = lambda value: "–" if value is None else f"{value:,}"
    return environment.get_template("report.html").render(
        history=history,
        pictures=[(picture, data_address(picture.png)) for picture in drawn],
        left_out=spans(history.left_out),
    )


def _metadata(history: History, drawn: "list[Picture]", layout: Layout) -> dict[str, Any]:
    delivered = [period.delivered for period in history.made if period.delivered]
    known = [count for count in history.entities_so_far if count is not None]
    facts: dict[str, Any] = {
        "path": dg.MetadataValue.path(layout.report),
        "periods": len(history.periods),
        "periods_made": len(history.made),
        "rows_asked": sum(period.asked for period in history.made),
        "rows_delivered": sum(one.rows for one in delivered),
        "new_rows": sum(one.new for one in delivered),
        "existing_rows": sum(one.existing for one in delivered),
        "entities": known[-1] if known else 0,
    }
    if history.left_out:
        facts["periods_left_out"] = ", ".join(spans(history.left_out))
    if history.every_remark:
        facts["faults"] = dg.MetadataValue.text(visible("\n".join(history.every_remark)))
    for picture in drawn:
        text = f"![{markdown(picture.title)}]({data_address(picture.png)})"
        facts[f"picture_{picture.name}"] = dg.MetadataValue.md(text)
    return facts

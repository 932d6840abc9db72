"""The report of a series: an asset beside its periods that tells what became of all of them.

It reads what was delivered, and runs when somebody asks for it. The page is in
``reporting.page``.
"""

import warnings
from typing import TYPE_CHECKING, Any

import dagster as dg

from series_assets.core.errors import SeriesError
from series_assets.core.plain_text import escape_invisible, escape_markdown
from series_assets.core.plan.series import Series
from series_assets.dagster.failures import failure_of
from series_assets.dagster.options import NO_OPTIONS, AssetOptions
from series_assets.pipeline.workspace import Workspace
from series_assets.reporting.history import History, describe_periods
from series_assets.reporting.plotting import data_uri
from series_assets.storage.layout import Layout

if TYPE_CHECKING:
    from series_assets.reporting.report_plots import Plot

_DESCRIPTION = (
    "All periods generated so far: rows requested and delivered, new and existing rows, entities, "
    "and the periods that existing rows come from. Materialize it whenever you want to see the "
    "state of the series; generating periods does not need it. Also a page, `report.html`."
)


def report_asset(
    series: Series, workspace: Workspace, options: AssetOptions = NO_OPTIONS
) -> dg.AssetsDefinition:
    """Return the asset ``report`` of a series, which has no partitions."""

    def report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from series_assets.reporting.page import write_report

        try:
            layout = workspace.layout(series)
            history, plots = write_report(series, layout, workspace.scratch)
        except SeriesError as error:
            raise failure_of(error) from None
        return dg.MaterializeResult(metadata=_metadata(history, plots, workspace.layout(series)))

    read = ("dataset", "truth") if series.truth else ("dataset",)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of the policy as a parameter
        asset = dg.asset(
            key=options.key_of(series.name, "report"),
            deps=[options.key_of(series.name, name) for name in read],
            group_name=series.name,
            description=_DESCRIPTION,
            kinds={"matplotlib", "html"},
            # Without partitions it says nothing, but Dagster's command asks all of a group for it.
            backfill_policy=dg.BackfillPolicy.single_run(),
            code_version=series.fingerprint,
            pool=options.pool,
            retry_policy=options.retry_policy,
        )(report)
    [asset] = options.attach([asset])
    return asset


def _metadata(history: History, plots: "list[Plot]", layout: Layout) -> dict[str, Any]:
    delivered = [period.delivered for period in history.delivered_periods if period.delivered]
    known = [count for count in history.entities_so_far if count is not None]
    facts: dict[str, Any] = {
        "path": dg.MetadataValue.path(str(layout.report)),
        "periods": len(history.periods),
        "periods_generated": len(history.delivered_periods),
        "rows_requested": sum(period.requested for period in history.delivered_periods),
        "rows_delivered": sum(one.rows for one in delivered),
        "new_rows": sum(one.new for one in delivered),
        "existing_rows": sum(one.existing for one in delivered),
        "entities": known[-1] if known else 0,
    }
    if history.missing_periods:
        facts["missing_periods"] = ", ".join(describe_periods(history.missing_periods))
    if history.all_remarks:
        facts["faults"] = dg.MetadataValue.text(escape_invisible("\n".join(history.all_remarks)))
    for plot in plots:
        text = f"![{escape_markdown(plot.title)}]({data_uri(plot.png)})"
        facts[f"plot_{plot.name}"] = dg.MetadataValue.md(text)
    return facts

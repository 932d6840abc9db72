"""The ops of the assets that a series has on request: ``state``, ``truth`` and ``manifest``.

Each covers all periods of its run in their order, because each period builds on the one before.
"""

from typing import Any

import dagster as dg

from series_assets.core.plan.series import Series
from series_assets.dagster.ops import Tools, period_op, period_stream
from series_assets.dagster.run_periods import periods_of_run
from series_assets.dagster.scoping import io_manager_key, kept_by


def state_graph(series: Series, tools: Tools) -> dg.GraphDefinition:
    """Return the graph that finds what each period does to its entities.

    The IO manager records the states that it leaves.
    """
    name = f"{series.name}__state"

    @period_op(
        series,
        tools,
        name,
        "Compare each entity's last row with its state before the period.",
        ins=["dataset", "previous"],
    )
    def fold_rows(context: dg.OpExecutionContext, dataset: Any, previous: Any) -> Any:
        plans = [series.plan(period.k) for period in periods_of_run(series, context)]
        return period_stream(series, tools, context, plans, "states_of")

    @dg.graph(name=name, out=dg.GraphOut())
    def state(dataset: Any, previous: Any) -> Any:
        return fold_rows(dataset, previous)

    return kept_by(state, io_manager_key(series.name))


def truth_graph(series: Series, tools: Tools) -> dg.GraphDefinition:
    """Return the graph that writes the files of the expected history."""
    name = f"{series.name}__truth"

    @period_op(
        series,
        tools,
        name,
        "Write the change log, the changed values, and the dimensions that `write` lists.",
        ins=["dataset", "state"],
    )
    def write_history(context: dg.OpExecutionContext, dataset: Any, state: Any) -> Any:
        plans = [series.plan(period.k) for period in periods_of_run(series, context)]
        return period_stream(series, tools, context, plans, "truth_of")

    @dg.graph(name=name, out=dg.GraphOut())
    def truth(dataset: Any, state: Any) -> Any:
        return write_history(dataset, state)

    return kept_by(truth, io_manager_key(series.name))


def manifest_graph(series: Series, tools: Tools) -> dg.GraphDefinition:
    """Return the graph that writes manifests, each with the digest of the one before."""
    name = f"{series.name}__manifest"
    ins = ["dataset", "truth"] if series.truth else ["dataset"]

    def write(context: dg.OpExecutionContext) -> Any:
        plans = [series.plan(period.k) for period in periods_of_run(series, context)]
        return period_stream(series, tools, context, plans, "manifests_of")

    decorate = period_op(series, tools, name, "Describe the files that are in place.", ins=ins)
    if series.truth:

        @decorate
        def write_manifest(context: dg.OpExecutionContext, dataset: Any, truth: Any) -> Any:
            return write(context)

        @dg.graph(name=name, out=dg.GraphOut())
        def manifest(dataset: Any, truth: Any) -> Any:
            return write_manifest(dataset, truth)

    else:

        @decorate
        def write_manifest(context: dg.OpExecutionContext, dataset: Any) -> Any:
            return write(context)

        @dg.graph(name=name, out=dg.GraphOut())
        def manifest(dataset: Any) -> Any:
            return write_manifest(dataset)

    return kept_by(manifest, io_manager_key(series.name))

"""The graphs of the assets that a series has on request: ``state``, ``truth`` and ``manifest``.

Each has one op, which covers all periods of its run in their order, because each period builds on
the one before.
"""

import dagster as dg

from series_assets.core.plan.series import Series
from series_assets.dagster.ops import Tools, single_op_graph


def state_graph(series: Series, tools: Tools) -> dg.GraphDefinition:
    """Return the graph that finds what each period does to its entities.

    The IO manager records the states that it leaves.
    """
    return single_op_graph(
        series,
        tools,
        "state",
        "fold_rows",
        "Compare each entity's last row with its state before the period.",
        ins=["dataset", "previous"],
        phase="states_of",
    )


def truth_graph(series: Series, tools: Tools) -> dg.GraphDefinition:
    """Return the graph that writes the files of the expected history."""
    return single_op_graph(
        series,
        tools,
        "truth",
        "write_history",
        "Write the change log, the changed values, and the dimensions that `write` lists.",
        ins=["dataset", "state"],
        phase="truth_of",
    )


def manifest_graph(series: Series, tools: Tools) -> dg.GraphDefinition:
    """Return the graph that writes manifests, each with the digest of the one before."""
    return single_op_graph(
        series,
        tools,
        "manifest",
        "write_manifest",
        "Describe the files that are in place.",
        ins=["dataset", "truth"] if series.truth else ["dataset"],
        phase="manifests_of",
    )

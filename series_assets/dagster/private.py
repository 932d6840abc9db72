"""Every use of a name that Dagster does not document, each with the reason for it."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.execution.plan.execute_step import _get_output_asset_events


def record_partitions(context: dg.OutputContext, keys: Sequence[str]) -> None:
    """Record partitions as materialised in a step that is going to fail.

    Dagster records nothing of a step that fails. The events are those that it would have written,
    with the versions by which it tells what is stale, which it has no public name for. They belong
    to no run: one with an event of the run would count as done when it is re-executed from the
    asset that failed.
    """
    if not keys:
        return
    step = context.step_context
    asset = step.job_def.asset_layer.get_assets_def_for_node(step.node_handle)
    assert asset is not None
    events = _get_output_asset_events(
        context.asset_key,
        keys,
        dg.Output(None, context.name),
        step.op_def.output_def_named(context.name),
        {},
        step,
        asset.execution_type,
    )
    for event in events:
        assert isinstance(event, dg.AssetMaterialization)
        step.instance.report_runless_asset_event(event)

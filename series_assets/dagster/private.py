"""Every use of a part of Dagster that it does not publish: one function each, with its reason.

Dagster may change these in any release. No other module of the package imports from a
``dagster._…`` module, so that an upgrade is checked here. A part for which Dagster publishes an
equivalent does not belong here: use the equivalent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg


def check_target(record: dg.EventLogRecord) -> Any:
    """Return the reference to a materialization that the evaluation of an asset check takes.

    ``record`` is the record of that materialization. Dagster fills the reference in only for an
    ``AssetCheckResult``, which in a run over a range belongs to no partition. An
    ``AssetCheckEvaluation`` without it appears in the UI as the result of an older
    materialization.
    """
    from dagster._core.definitions.asset_checks.asset_check_evaluation import (
        AssetCheckEvaluationTargetMaterializationData,
    )

    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
    )


def set_data_version(context: dg.OutputContext, version: dg.DataVersion) -> None:
    """Set the version of what an IO manager puts, which otherwise the op would have to know.

    An op yields a version with its output, before any of its periods is there.
    """
    context.step_context.set_data_version(context.asset_key, version)


def add_partition_metadata(
    context: dg.OutputContext, partition_key: str, metadata: Mapping[str, Any]
) -> None:
    """Add the metadata of one partition of a range.

    The public ``add_output_metadata`` of an IO manager puts the same on all of them.
    """
    context.step_context.add_asset_metadata(
        metadata, asset_key=context.asset_key, partition_key=partition_key
    )


def record_partitions(context: dg.OutputContext, keys: Sequence[str]) -> None:
    """Record partitions as materialised in a step that is going to fail.

    Dagster records nothing of a step that fails. The events are those that it would have written,
    with the versions by which it tells what is stale, which it has no public name for. They belong
    to no run: one with an event of the run would count as done when it is re-executed from the
    asset that failed.
    """
    from dagster._core.execution.plan.execute_step import _get_output_asset_events

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

"""Every use of a part of Dagster that it does not publish: one function each, with its reason.

Dagster may change these in any release. No other module of the package imports from a
``dagster._…`` module, so that an upgrade is checked here. A part for which Dagster publishes an
equivalent does not belong here: use the equivalent.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

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


def capture_no_output(instance: dg.DagsterInstance) -> None:
    """Let runs of this process print to its terminal only.

    For each step, Dagster starts four processes that copy its output into files. They get the
    Ctrl-C of a terminal too, and print tracebacks. It can be configured for an instance, but not
    for a single process.
    """
    from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

    manager: Any = NoOpComputeLogManager()
    manager.register_instance(instance)
    instance._compute_log_manager = manager


def add_partition_metadata(
    context: dg.OutputContext, partition_key: str, metadata: Mapping[str, Any]
) -> None:
    """Add the metadata of one partition of a range.

    The public ``add_output_metadata`` of an IO manager puts the same on all of them.
    """
    context.step_context.add_asset_metadata(
        metadata, asset_key=context.asset_key, partition_key=partition_key
    )


def record_partition(
    context: dg.OutputContext, partition_key: str, metadata: Mapping[str, Any]
) -> None:
    """Record one partition of a range as materialized while its step goes on.

    The event is the one that Dagster would write when the step ends, with the versions by which
    it decides what is stale; it has no public name for these.
    """
    from dagster._core.definitions.metadata import normalize_metadata
    from dagster._core.execution.plan.execute_step import _get_output_asset_events

    step = context.step_context
    asset = step.job_def.asset_layer.get_assets_def_for_node(step.node_handle)
    assert asset is not None
    events = _get_output_asset_events(
        context.asset_key,
        [partition_key],
        dg.Output(None, context.name),
        step.op_def.output_def_named(context.name),
        normalize_metadata(metadata),
        step,
        asset.execution_type,
    )
    for event in events:
        assert isinstance(event, dg.AssetMaterialization)
        context.log_event(event)


def limit_partitions(context: dg.OutputContext, keys: Sequence[str]) -> None:
    """Let Dagster record only these partitions when the step ends; the others are recorded.

    ``keys`` must not be empty: a step that covers no partition materializes the asset as such.
    """
    subset = context.asset_partitions_def.subset_with_partition_keys(keys)
    context._asset_partitions_subset = subset


def record_incomplete(context: dg.OutputContext, check: str, description: str) -> None:
    """Record that a step ends before all of its partitions are materialized.

    *Re-execute from asset failure* leaves out each asset that has any materialization in the run,
    unless a blocking check of the asset failed there. The check is part of no definition: it
    appears in the log of the run only.
    """
    evaluation = dg.AssetCheckEvaluation(
        asset_key=context.asset_key,
        check_name=check,
        passed=False,
        metadata={},
        severity=dg.AssetCheckSeverity.ERROR,
        description=description,
        blocking=True,
    )
    dg.DagsterEvent.asset_check_evaluation(context.step_context, evaluation)


def is_asset_backfill(context: dg.OutputContext) -> bool:
    """Tell whether the run was launched by a backfill of assets, and not of a job."""
    run = context.step_context.dagster_run
    return "dagster/backfill" in run.tags and bool(run.asset_selection)


_NAMES: WeakKeyDictionary[Any, dict[str, Path]] = WeakKeyDictionary()


def claimed_names(context: dg.ComponentLoadContext) -> dict[str, Path]:
    """Return the names of series that components of one loading of a project have taken.

    Each is mapped to the folder of its component. Dagster publishes no object that lasts as long
    as the loading of a project does.
    """
    return _NAMES.setdefault(context.component_tree.state_tracker, {})

"""Every use of a part of Dagster that it does not publish: one function each, with its reason.

Dagster may change these in any release. No other module of the package imports from a
``dagster._…`` module, so that an upgrade is checked here. A part for which Dagster publishes an
equivalent does not belong here: use the equivalent.
"""

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

"""The asset checks of a series: one for each rule that a consumer of its datasets relies on.

They sit on ``dataset`` and on ``truth``. Those of an asset run in one op, so that each file is read
once for all of them. What a rule means, and what is read for it, is in ``checks``.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from series_assets.checks.rules import RULES, TRUTH, Finding, rules_of
from series_assets.checks.run import CheckResult, check_periods, delivered_keys
from series_assets.core.plain_text import escape_markdown
from series_assets.core.plan.series import Series
from series_assets.dagster.metadata import table_of
from series_assets.dagster.options import NO_OPTIONS, AssetOptions
from series_assets.dagster.partitions import partitions_of
from series_assets.dagster.private import check_target
from series_assets.pipeline.workspace import Workspace


def checks_of(
    series: Series, workspace: Workspace, options: AssetOptions = NO_OPTIONS
) -> list[dg.AssetChecksDefinition]:
    """Return the checks on ``dataset`` of a series, and on ``truth`` where it has that asset.

    They run after the asset, in the same run. They do not block what comes after: the dataset is
    delivered by the time they run, and in a run over a range one wrong period would keep all
    others from whoever uses them.
    """
    names = rules_of(series)
    of_dataset = [name for name in names if name != TRUTH]
    found = [_checks_on("dataset", of_dataset, series, workspace, options)]
    if TRUTH in names:
        found.append(_checks_on("truth", [TRUTH], series, workspace, options))
    return found


def _checks_on(
    asset: str,
    rules: Sequence[str],
    series: Series,
    workspace: Workspace,
    options: AssetOptions,
) -> dg.AssetChecksDefinition:
    key = options.key_of(series.name, asset)
    specs = {spec.name: spec for spec in _specs(series, rules, key, options)}

    @dg.multi_asset_check(
        name=f"{series.name}__{asset}_checks",
        specs=list(specs.values()),
        can_subset=True,
        pool=options.pool,
        description="Check each dataset against the rules that its consumers rely on.",
    )
    def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[Any]:
        chosen = {key.name for key in context.selected_asset_check_keys}
        names = [name for name in specs if name in chosen]
        table = workspace.reference_table(series)
        op = context.op_execution_context
        partitioned = op.has_partition_key or op.has_partition_key_range
        keys = op.partition_keys if partitioned else delivered_keys(table)
        wrong: dict[str, list[str]] = {name: [] for name in names}
        for checked in check_periods(table, keys, names):
            target = _materialization(context.instance, key, checked.key)
            for finding in checked.findings:
                if not finding.holds:
                    wrong[finding.rule].append(checked.key)
                yield _evaluation(key, checked, finding, target)
        for name in names:
            if not partitioned:
                yield _overall(key, name, keys, wrong[name])
            yield dg.Output(None, specs[name].get_python_identifier())

    return evaluate


def _specs(
    series: Series, rules: Sequence[str], asset: dg.AssetKey, options: AssetOptions
) -> list[dg.AssetCheckSpec]:
    # The manifest is written last, so it is looked at after that.
    late = asset.path[-1] == "truth" and series.user_input.manifest
    after = [options.key_of(series.name, "manifest")] if late else None
    with warnings.catch_warnings():
        # That checks know partitions is a preview in Dagster 1.13; without it there would be one
        # result for all periods.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name,
                asset=asset,
                additional_deps=after,
                description=RULES[name],
                partitions_def=partitions_of(series),
            )
            for name in rules
        ]


def _materialization(instance: dg.DagsterInstance, asset: dg.AssetKey, key: str) -> Any:
    """Return the latest materialization of a partition for a check; None if none is recorded."""
    wanted = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[key])
    records = instance.fetch_materializations(wanted, limit=1).records
    return check_target(records[0]) if records else None


def _evaluation(
    dataset: dg.AssetKey, checked: CheckResult, finding: Finding, target: Any
) -> dg.AssetCheckEvaluation:
    """Return the result for one period.

    An ``AssetCheckResult`` would do for a run of a single partition, but in a run over a range
    Dagster would make it one result that belongs to none of them.
    """
    metadata: dict[str, Any] = {"period": checked.key}
    if finding.problem is None:
        metadata[f"{finding.unit}_checked"] = finding.examined
        metadata[f"{finding.unit}_failed"] = finding.wrong
    metadata |= {_label(name): fact for name, fact in finding.facts.items()}
    if finding.examples:
        metadata["examples"] = _table(finding)
    return dg.AssetCheckEvaluation(
        asset_key=dataset,
        check_name=finding.rule,
        passed=finding.holds,
        metadata=metadata,
        target_materialization_data=target,
        severity=dg.AssetCheckSeverity.ERROR,
        description=escape_markdown(str(finding)),
        blocking=False,
        partition=checked.key,
    )


def _label(name: str) -> str:
    """Return the label of a fact; one that quotes a constraint stays as it is."""
    return name if "'" in name else name.replace(" ", "_")


def _table(finding: Finding) -> dg.TableMetadataValue:
    columns = dict.fromkeys(("identifier", "column", "found", "expected"), "string")
    rows = [
        (one.identifier or "", one.column, one.found or "", one.expected)
        for one in finding.examples
    ]
    return table_of(columns, rows)


def _overall(
    dataset: dg.AssetKey, name: str, keys: Sequence[str], wrong: Sequence[str]
) -> dg.AssetCheckEvaluation:
    """Return the result of a run without partitions, which is about all datasets there are."""
    if not keys:
        description = "there is no dataset yet; materialize a period first"
    elif wrong:
        description = f"does not hold in {len(wrong)} of {len(keys)} periods: {', '.join(wrong)}"
    else:
        description = f"holds in all periods with a dataset ({len(keys)})"
    return dg.AssetCheckEvaluation(
        asset_key=dataset,
        check_name=name,
        passed=bool(keys) and not wrong,
        metadata={"periods_checked": len(keys), "periods_failed": len(wrong)},
        severity=dg.AssetCheckSeverity.ERROR,
        description=description,
        blocking=False,
    )

"""An asset check for the table of a user's own pipeline: is it the history that it should be?"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from series_assets.core.errors import SeriesError
from series_assets.core.plain_text import escape_invisible, escape_markdown
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.verify.options import VerifyOptions
from series_assets.core.verify.report import Example, VerificationReport
from series_assets.dagster.metadata import table_of
from series_assets.pipeline.verify import verify_table
from series_assets.pipeline.workspace import Workspace
from series_assets.settings import from_environment
from series_assets.storage.foreign_tables import any_table
from series_assets.storage.loading import load_series
from series_assets.storage.remote import resolved


def scd2_check(
    asset: Any,
    series: Series | str | Path,
    *,
    table: str | Path | Callable[[], Any] | None = None,
    data_dir: str | Path | None = None,
    flat: bool = False,
    name: str | None = None,
    blocking: bool = False,
    additional_deps: Sequence[Any] = (),
    **options: Any,
) -> dg.AssetChecksDefinition:
    """Return a check that an asset holds the history that a correct pipeline has.

    ``asset`` is the user's: its definition or its key. ``series`` is a series, the path of its
    folder, or its name in SERIES_ASSETS_SERIES_DIR. ``table`` says where the contents are: the path
    or address that ``series-assets verify --table`` takes, or a function without parameters that
    returns one of these or a data frame; None: the asset's own value, as its IO manager loads it.
    ``data_dir`` is SERIES_ASSETS_DATA_DIR by default. ``options`` are the fields of
    ``VerifyOptions``, such as ``profile``, ``time`` and ``as_``.

    In a run of one partition whose key is the first day of a period, the table is compared as of
    that period, else as of the last one. What cannot be compared fails the check, with the reason
    as its description. Raises InputError or RequestError for a series or an option that is wrong.
    """
    settings = from_environment()
    if not isinstance(series, Series):
        inside = settings.series_dir / series
        series = load_series(inside if inside.is_dir() else Path(series))
    asked = VerifyOptions(**options)
    asked.check()
    workspace = settings.workspace(resolved(data_dir or settings.data_dir), flat=flat)
    check = _Check(series, workspace, asked)
    given: dict[str, Any] = {
        "asset": asset,
        "name": name or f"{asked.as_}_of_{series.name}",
        "description": f"Compare the table with the expected history of {series.name}.",
        "blocking": blocking,
        "additional_deps": additional_deps,
    }
    if table is not None:

        @dg.asset_check(**given)
        def of_table(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
            return check.result(context, table() if callable(table) else table)

        return of_table

    @dg.asset_check(**given)
    def of_value(context: dg.AssetCheckExecutionContext, value: Any) -> dg.AssetCheckResult:
        return check.result(context, value)

    return of_value


class _Check:
    def __init__(self, series: Series, workspace: Workspace, options: VerifyOptions) -> None:
        self.series, self.workspace, self.options = series, workspace, options

    def result(self, context: dg.AssetCheckExecutionContext, table: Any) -> dg.AssetCheckResult:
        """Compare a table, given itself or by its address."""
        try:
            found, name = any_table(table)
            report = verify_table(
                self.series, self.workspace, found, self.options, self._period(context), name
            )
        except SeriesError as error:
            return dg.AssetCheckResult(
                passed=False, description=escape_markdown(escape_invisible(str(error)))
            )
        return dg.AssetCheckResult(
            passed=report.holds,
            description=escape_markdown(_description(report)),
            metadata=_metadata(report),
        )

    def _period(self, context: dg.AssetCheckExecutionContext) -> Period | None:
        op, calendar = context.op_execution_context, self.series.calendar
        if op.has_partition_key and op.partition_key in calendar.keys:
            return calendar.period_for_key(op.partition_key)
        return None


def _description(report: VerificationReport) -> str:
    causes = [f"likely cause: {cause}" for cause in report.causes]
    findings = [f"{one.kind}: {one}" for one in report.findings]
    return "\n\n".join([report.summary, *causes, *findings])


def _metadata(report: VerificationReport) -> dict[str, Any]:
    found: dict[str, Any] = {
        "period": report.at,
        "expected": report.expected,
        "correct": report.correct,
        "rows": report.rows,
        **report.counts,
    }
    if report.accepted_ties:
        found["accepted ties"] = report.accepted_ties
    if report.ignored_columns:
        found["columns not compared"] = ", ".join(report.ignored_columns)
    if report.notes:
        found["notes"] = dg.MetadataValue.md("\n\n".join(map(escape_markdown, report.notes)))
    examples = [(one.kind, example) for one in report.findings for example in one.examples]
    if examples:
        found["examples"] = _table(examples)
    return found


def _table(examples: Sequence[tuple[str, Example]]) -> dg.TableMetadataValue:
    names = ("finding", "key", "version", "column", "found", "expected")
    rows = [
        (kind, one.key, str(one.version or ""), one.column, one.found, one.expected)
        for kind, one in examples
    ]
    return table_of(dict.fromkeys(names, "string"), rows)

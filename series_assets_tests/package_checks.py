"""The failures that the package's own checks find in a series."""

from pathlib import Path

from series_assets.checks.run import check_periods
from series_assets.core.plan.series import Series
from series_assets.pipeline.workspace import Workspace


def failed_findings(series: Series, data: Path) -> list[str]:
    """Return the rules that the datasets of a series violate, one text each."""
    table = Workspace(data).reference_table(series)
    checked = list(check_periods(table, series.calendar.keys))
    assert [one.key for one in checked] == list(series.calendar.keys)
    return [
        f"{one.key} {finding.rule}: {finding}"
        for one in checked
        for finding in one.findings
        if not finding.holds
    ]

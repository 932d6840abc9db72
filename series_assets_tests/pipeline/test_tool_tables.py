"""Tables that real tools built from the series that ship get the right verdicts."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from series_assets.core.plan.series import Series
from series_assets.core.verify.report import VerificationReport
from series_assets.interface import generate, verify
from series_assets_tests import tool_tables
from series_assets_tests.tool_tables.series import TRACKED, with_truth

TABLES = Path(tool_tables.__file__).parent
PROFILES = {"merge": "plain"}
"""The profiles of tools that have another name."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, Series]]:
    """The data folder, and the series by name."""
    folder = tmp_path_factory.mktemp("tools")
    series = {name: with_truth(folder / "series", name) for name in TRACKED}
    for one in series.values():
        generate(one, folder / "data")
    return folder / "data", series


def _report(
    made: tuple[Path, Mapping[str, Series]], name: str, time: str = "exact"
) -> VerificationReport:
    tool, source, *_ = name.split("_")
    data, series = made
    table = TABLES / f"{name}.parquet"
    profile = PROFILES.get(tool, tool)
    return verify(table, series[source], data, profile=profile, time=time)


@pytest.mark.each_value
@pytest.mark.parametrize("time", ["exact", "rank", "order"])
@pytest.mark.parametrize("name", ["dbt_school", "dbt_clinic", "merge_school", "merge_clinic"])
def test_tools_that_keep_a_history_pass(
    made: tuple[Path, Mapping[str, Series]], name: str, time: str
) -> None:
    """Version for version."""
    report = _report(made, name, time)
    assert report.findings == ()
    expected = {"school": 993, "clinic": 1729}[name.split("_")[1]]
    assert report.correct == report.expected == report.rows == expected


def test_other_rows_of_ties_are_accepted(made: tuple[Path, Mapping[str, Series]]) -> None:
    """And counted; clinic has 18 ties."""
    for time in ("exact", "rank", "order"):
        report = _report(made, "merge_clinic_other_ties", time)
        assert (report.findings, report.accepted_ties) == ((), 18)


def test_a_delta_read_as_a_snapshot_loses_current_rows(
    made: tuple[Path, Mapping[str, Series]],
) -> None:
    """dbt closes each pupil that a period does not deliver; two return with their old values."""
    report = _report(made, "dbt_school_as_snapshot")
    assert report.counts == {"extra_version": 2, "no_current": 400, "wrong_valid_to": 546}
    assert report.correct == 993 - 546

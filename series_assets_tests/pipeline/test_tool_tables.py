"""Tables that real tools built from the shipped series get the right verdicts."""

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
"""The profiles of tools whose names differ."""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, Series]]:
    """The data folder, and the series by name."""
    folder = tmp_path_factory.mktemp("tools")
    series = {name: with_truth(folder / "series", name) for name in TRACKED}
    for one in series.values():
        generate(one, folder / "data")
    return folder / "data", series


def _report(
    shipped: tuple[Path, Mapping[str, Series]], name: str, time: str = "exact"
) -> VerificationReport:
    tool, source, *_ = name.split("_")
    data, series = shipped
    table = TABLES / f"{name}.parquet"
    profile = PROFILES.get(tool, tool)
    return verify(table, series[source], data, profile=profile, time=time)


_CORRECT = ["dbt_school", "dbt_clinic", "dlt_school", "dlt_clinic"]
_CORRECT += ["merge_school", "merge_clinic", "sqlmesh_school"]


@pytest.mark.each_value
@pytest.mark.parametrize("time", ["exact", "rank", "order"])
@pytest.mark.parametrize("name", _CORRECT)
def test_tools_that_keep_a_history_pass(
    shipped: tuple[Path, Mapping[str, Series]], name: str, time: str
) -> None:
    """Version by version."""
    report = _report(shipped, name, time)
    assert report.findings == ()
    expected = {"school": 993, "clinic": 1729}[name.split("_")[1]]
    assert report.correct == report.expected == report.rows == expected


def test_other_rows_of_ties_are_accepted(shipped: tuple[Path, Mapping[str, Series]]) -> None:
    """And counted; clinic has 18 ties."""
    for time in ("exact", "rank", "order"):
        report = _report(shipped, "merge_clinic_other_ties", time)
        assert (report.findings, report.accepted_ties) == ((), 18)


def test_a_delta_read_as_a_snapshot_loses_current_rows(
    shipped: tuple[Path, Mapping[str, Series]],
) -> None:
    """dbt closes each pupil that a period does not deliver; two return with old values."""
    report = _report(shipped, "dbt_school_as_snapshot")
    assert report.counts == {"extra_version": 2, "no_current": 400, "wrong_valid_to": 546}
    assert report.correct == 993 - 546


def test_a_delta_read_as_a_snapshot_marks_pupils_as_deleted(
    shipped: tuple[Path, Mapping[str, Series]],
) -> None:
    """If dbt adds a row for each deletion."""
    report = _report(shipped, "dbt_school_new_record")
    assert report.counts == {"extra_version": 2, "wrong_valid_to": 546, "wrongly_deleted": 400}
    [cause] = report.causes
    assert cause.startswith("546 versions end on the day of a delivery that does not contain")


def test_closed_versions_that_are_rewritten_are_found(
    shipped: tuple[Path, Mapping[str, Series]],
) -> None:
    """SQLMesh fills a missing value of a closed version with the next one."""
    report = _report(shipped, "sqlmesh_clinic")
    assert report.counts == {"wrong_value": 14}
    assert {example.column for example in report.findings[0].examples} == {"treatment_cost"}
    assert report.causes == (
        "closed versions have the treatment_cost of the version after them: the pipeline "
        "overwrites it in rows that it has closed",
    )


_SEVERAL = {"extra_version": 671, "two_current": 217, "overlap": 671}


@pytest.mark.parametrize(
    ("name", "rows", "counts"),
    [
        ("dbt_clinic_raw", 3746, _SEVERAL | {"duplicate_version": 1346}),
        ("dlt_clinic_raw", 2400, _SEVERAL),
        ("sqlmesh_clinic_raw", 1729, {"wrong_value": 899}),
    ],
)
def test_several_rows_of_a_key_in_a_load_are_named_as_the_cause(
    shipped: tuple[Path, Mapping[str, Series]], name: str, rows: int, counts: dict[str, int]
) -> None:
    """No tool refuses them; dbt and dlt keep all of them, SQLMesh any one."""
    report = _report(shipped, name)
    assert report.rows == rows and report.counts == counts
    assert any("a later row of the key supersedes" in cause for cause in report.causes)

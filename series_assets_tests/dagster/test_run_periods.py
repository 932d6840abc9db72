"""Runs of periods that are no longer part of the series, such as after a lower num_datasets."""

from pathlib import Path

import dagster as dg
import pytest

from series_assets.dagster.build import build_definitions
from series_assets.dagster.ops import ChangedSpecifications
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, a_user_input

FIRST, LAST = "2024-01-01", "2024-04-01"
GONE = (
    "demo, period 2024-04-01 is not part of the series, which now has 2024-01-01..2024-03-01; "
    "launch a new run for these periods, or change user_input.yml back"
)


def test_specifications_of_a_run_from_before_the_change_are_refused() -> None:
    """In a re-execution from failure, with the period and the remaining ones."""
    before, now = a_series(), a_series(user_input=a_user_input(num_datasets=3))
    changed = ChangedSpecifications(before.fingerprint, {FIRST: None, LAST: None})
    assert [plan.period.key for plan in changed.plans(before, "new")] == [FIRST, LAST]
    with pytest.raises(dg.Failure) as refused:
        changed.plans(now, "new")
    assert refused.value.description == GONE
    assert refused.value.allow_retries is False


@pytest.mark.slow
def test_a_run_of_a_range_from_before_the_change_is_refused(tmp_path: Path) -> None:
    """With the same message, in the first step; nothing is generated."""
    now = a_series(user_input=a_user_input(num_datasets=3))
    definitions = build_definitions([now], {"workspace": Workspace(tmp_path / "data")})
    tags = {
        "dagster/asset_partition_range_start": FIRST,
        "dagster/asset_partition_range_end": LAST,
    }
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("demo").execute_in_process(
            instance=instance, tags=tags, raise_on_error=False
        )
    failures = [event for event in result.all_events if event.is_step_failure]
    described = {event.step_failure_data.user_failure_data.description for event in failures}
    assert described == {GONE}
    assert not list((tmp_path / "data").rglob("dataset_*"))

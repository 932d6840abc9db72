"""Partitions are recorded once, as soon as they are stored, and the log shows the progress."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from series_assets.core.plan.series import Series
from series_assets.dagster.assets import NAMES, keys_of
from series_assets.dagster.build import build_definitions
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, a_specification, a_user_input

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
RANGE = {
    "dagster/asset_partition_range_start": KEYS[0],
    "dagster/asset_partition_range_end": KEYS[-1],
}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance for one test."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(folder: Path, instance: dg.DagsterInstance, series: Series, **tags: str) -> Any:
    """Generate all periods in one run, and return its result."""
    definitions = build_definitions([series], {"workspace": Workspace(folder)}, checks=False)
    return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=keys_of(series.name),
        tags={**RANGE, **tags},
        raise_on_error=False,
    )


def materializations(instance: dg.DagsterInstance, asset: str) -> list[tuple[str | None, str]]:
    """Return partition and run of each materialization of an asset, the oldest first."""
    records = instance.fetch_materializations(dg.AssetKey(["demo", asset]), 100).records
    return [(one.partition_key, one.run_id) for one in reversed(records)]


def log_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Return the log of a run: recorded partitions, ends of steps, and our own lines."""
    lines = []
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event is None:
            lines.append(re.sub(r"\d+\.\d s$", "N s", entry.user_message))
        elif event.is_step_materialization and event.asset_key:
            lines.append(f"recorded {event.asset_key.path[-1]} {event.partition}")
        elif event.is_step_success:
            lines.append(f"end of {event.step_key}")
    return [line for line in lines if not line.startswith(("Writing", "Loading"))]


def test_each_partition_of_a_range_is_recorded_before_the_next_is_generated(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """Once, in its run, with a line for each phase and period: number, rows and time."""
    result = run(tmp_path, instance, a_series())
    assert result.success
    for asset in NAMES:
        assert materializations(instance, asset) == [(key, result.run_id) for key in KEYS]
    log = log_of(instance, result.run_id)
    begun = log.index(f"recorded dataset {KEYS[0]}")
    assert log[begun:] == [
        "recorded dataset 2024-01-01",
        "dataset 1 of 4: 2024-01-01, 60 new and 0 existing rows, N s",
        "recorded dataset 2024-02-01",
        "dataset 2 of 4: 2024-02-01, 20 new and 40 existing rows, N s",
        "recorded dataset 2024-03-01",
        "dataset 3 of 4: 2024-03-01, 20 new and 40 existing rows, N s",
        # Dagster records the last partition itself.
        "dataset 4 of 4: 2024-04-01, 20 new and 40 existing rows, N s",
        "recorded dataset 2024-04-01",
        "end of demo__dataset.demo__dataset__run_exhibit",
    ]
    assert "new records 3 of 4: 2024-03-01, 20 rows, N s" in log
    assert "reference table 1 of 4: 2024-01-01, 60 new entities, N s" in log


@pytest.mark.thorough
def test_partitions_before_a_failure_are_recorded_in_their_run(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """A failed check in the run's log keeps Dagster from counting the asset as complete."""
    (tmp_path / "demo" / "dataset_3.csv").mkdir(parents=True)
    result = run(tmp_path, instance, a_series())
    assert not result.success
    assert materializations(instance, "dataset") == [(key, result.run_id) for key in KEYS[:2]]
    [check] = [
        entry.dagster_event
        for entry in instance.all_logs(result.run_id)
        if entry.dagster_event and entry.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"
    ]
    evaluation = check.asset_check_evaluation_data
    assert (evaluation.asset_key, evaluation.passed, evaluation.blocking) == (
        dg.AssetKey(["demo", "dataset"]),
        False,
        True,
    )
    assert evaluation.description == "2 of 4 periods are stored"


def test_a_failure_in_the_first_period_records_nothing(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """No partition and no check: Dagster runs the asset again anyway."""
    (tmp_path / "demo" / "dataset_1.csv").mkdir(parents=True)
    result = run(tmp_path, instance, a_series())
    assert materializations(instance, "dataset") == []
    events = [entry.dagster_event for entry in instance.all_logs(result.run_id)]
    assert "ASSET_CHECK_EVALUATION" not in {event.event_type_value for event in events if event}


def test_a_run_of_an_asset_backfill_records_its_partitions_when_a_step_ends(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """Otherwise the daemon would launch the next assets for a part of the range."""
    result = run(tmp_path, instance, a_series(), **{"dagster/backfill": "abc"})
    log = log_of(instance, result.run_id)
    assert log[-9:] == [
        *(line for line in log if line.startswith("dataset ")),
        *(f"recorded dataset {key}" for key in KEYS),
        "end of demo__dataset.demo__dataset__run_exhibit",
    ]
    assert materializations(instance, "dataset") == [(key, result.run_id) for key in KEYS]


def test_the_log_of_a_run_has_what_follows_from_the_two_files(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """With the notes of the command line."""
    series = a_series(user_input=a_user_input(fraction_of_new="1/100"))
    text = "\n".join(log_of(instance, run(tmp_path, instance, series).run_id))
    assert "demo/user_input.yml: fraction_of_new 1/100 of 60 rows is less than one record" in text


@pytest.mark.thorough
def test_the_log_of_a_run_has_what_exhibit_dropped(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """With the number of dropped rows."""
    specification = a_specification()
    specification["constraints"]["allow_duplicates"] = False
    specification["columns"]["id"]["miss_probability"] = 1.0
    series = a_series(specification, a_user_input(fraction_of_new=1))
    text = "\n".join(log_of(instance, run(tmp_path, instance, series).run_id))
    assert re.search(r"Exhibit dropped \d+ of 60 new records as duplicates", text)

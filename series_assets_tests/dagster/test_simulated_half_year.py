"""Half a year with a simulated clock: every period runs once, on time, with its downstream table.

Runs are real, in this process, on one instance. The loop replaces Dagster's daemon: it launches
each requested run, and each run key once.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import freeze_time
from dagster._utils.schedules import schedule_execution_time_iterator

from series_assets.core.plan.series import Series
from series_assets.dagster.assets import keys_of
from series_assets.dagster.build import build_definitions
from series_assets.dagster.partitions import partitions_of
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.thorough import thorough

DATASET = dg.AssetKey(["demo", "dataset"])
TABLE = dg.AssetKey("table")
STEP = timedelta(days=4)
Requests = Callable[[datetime, datetime], list[dg.RunRequest]]
"""Returns the requests between two times."""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Return a Dagster instance for one test."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def project_of(series: Series, folder: Path) -> dg.Definitions:
    """Return a project of a series, a schedule of its job, and a downstream table."""

    @dg.asset(
        deps=[DATASET],
        partitions_def=partitions_of(series),
        automation_condition=dg.AutomationCondition.eager(),
    )
    def table() -> None:
        """Hold what has been delivered."""

    built = build_definitions([series], {"workspace": Workspace(folder)}, checks=False)
    job = dg.define_asset_job(
        "delivery",
        dg.AssetSelection.assets(*keys_of("demo")),
        executor_def=dg.in_process_executor,
    )
    schedule = dg.build_schedule_from_partitioned_job(job)
    own = dg.Definitions(assets=[table], jobs=[job], schedules=[schedule])
    return dg.Definitions.merge(built, own)


def by_sensor(project: dg.Definitions, instance: dg.DagsterInstance) -> Requests:
    """Evaluate the sensor of the series once at each time."""
    sensor = project.resolve_sensor_def("demo_next_period")

    def requests(before: datetime, now: datetime) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(instance=instance, definitions=project)
        return list(sensor.evaluate_tick(context).run_requests or [])

    return requests


def by_schedule(project: dg.Definitions, instance: dg.DagsterInstance) -> Requests:
    """Evaluate the schedule of the job at each of its ticks since the last time."""
    schedule = project.resolve_schedule_def("delivery_schedule")
    repository = project.get_repository_def()

    def requests(before: datetime, now: datetime) -> list[dg.RunRequest]:
        found: list[dg.RunRequest] = []
        cron = str(schedule.cron_schedule)
        for tick in schedule_execution_time_iterator(before.timestamp() + 1, cron, "UTC"):
            if tick > now:
                return found
            context = dg.build_schedule_context(
                instance=instance, scheduled_execution_time=tick, repository_def=repository
            )
            found += schedule.evaluate_tick(context).run_requests or []
        return found

    return requests


def run(project: dg.Definitions, instance: dg.DagsterInstance, job: str, key: str) -> None:
    """Run a job for a partition."""
    done = project.resolve_job_def(job).execute_in_process(instance=instance, partition_key=key)
    assert done.success


def run_table(project: dg.Definitions, instance: dg.DagsterInstance, key: str) -> None:
    """Materialize a partition of the table."""
    job = project.resolve_implicit_global_asset_job_def().get_subset(asset_selection={TABLE})
    assert job.execute_in_process(instance=instance, partition_key=key).success


@pytest.mark.parametrize(
    ("driver", "job", "cadence"),
    [
        (by_sensor, "demo", ("months", 1)),
        *thorough((by_schedule, "delivery", ("weeks", 4))),
    ],
    ids=["sensor, monthly", "schedule, four-weekly"],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster's, about its own calls
def test_six_months_have_no_gap_and_no_double(
    instance: dg.DagsterInstance,
    tmp_path: Path,
    driver: Callable[[dg.Definitions, dg.DagsterInstance], Requests],
    job: str,
    cadence: tuple[str, int],
) -> None:
    """The definitions are loaded before the series starts, and stay loaded.

    Each period is materialized at the first evaluation after its first day, together with its
    table.
    """
    unit, length = cadence
    own = a_user_input(
        period=unit,
        length_of_period=length,
        num_datasets=9,
        start_date="2026-02-02",
        release="calendar",
    )
    series = a_series(a_specification(number_of_rows=10), own)
    begin = datetime(2026, 1, 30, 7, tzinfo=UTC)
    with freeze_time(begin):
        project = project_of(series, tmp_path / "data")
        requests = driver(project, instance)
    launched: set[str | None] = set()
    seen: dict[str, datetime] = {}
    cursor: Any = None
    looks = [begin + step * STEP for step in range(46)]
    for before, now in zip([begin - STEP, *looks], looks, strict=False):
        with freeze_time(now):
            for request in requests(before, now):
                if request.run_key not in launched:
                    launched.add(request.run_key)
                    run(project, instance, job, str(request.partition_key))
                    seen[str(request.partition_key)] = now
            result = dg.evaluate_automation_conditions(
                project,
                instance,
                asset_selection=dg.AssetSelection.assets(TABLE),
                evaluation_time=now,
                cursor=cursor,
            )
            cursor = result.cursor
            for key in result.get_requested_partitions(TABLE):
                run_table(project, instance, str(key))

    due = [key for key in series.calendar.keys if key <= looks[-1].date().isoformat()]
    assert len(due) == {"months": 6, "weeks": 7}[unit]
    for asset in (*keys_of("demo"), TABLE):
        records = instance.fetch_materializations(asset, limit=1000).records
        assert Counter(record.partition_key for record in records) == dict.fromkeys(due, 1)
    for key in due:
        first = datetime.fromisoformat(f"{key}T00:00+00:00")
        assert seen[key] == next(look for look in looks if look >= first)

"""The sensor of a series requests one period after the other, each once, and stops on failures."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.execution.backfill import (
    BULK_ACTION_TERMINAL_STATUSES,
    BulkActionStatus,
    PartitionBackfill,
)

from series_assets.core.spec.period_units import UNITS
from series_assets.dagster.build import build_definitions
from series_assets.dagster.sensors import SensorPaused, next_request
from series_assets_tests.builders import a_series, a_user_input

KEYS = [dg.AssetKey(["demo", name]) for name in ("new_records", "reference_table", "dataset")]
LATER = datetime(2030, 1, 1, tzinfo=UTC)
PAUSED = (
    "Paused: 2024-01-01 failed 3 times in a row. Fix the error in its latest run and materialize "
    "it by hand; the sensor then continues."
)
CALENDAR = a_series(user_input=a_user_input(release="calendar"))


def morning(day: str) -> datetime:
    """Return one minute past midnight, when the partition of a period that starts exists."""
    return datetime.fromisoformat(f"{day}T00:01+00:00")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Return a Dagster instance for one test."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def record_periods(instance: dg.DagsterInstance, *periods: str) -> None:
    """Record all assets of the periods as materialized."""
    for period in periods:
        for key in KEYS:
            instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=period))


def record_run(
    instance: dg.DagsterInstance, request: dg.RunRequest, status: dg.DagsterRunStatus
) -> None:
    """Record a run for a request of the sensor, with a status."""
    tags = {**request.tags, "dagster/partition": str(request.partition_key)}
    job = build_definitions([a_series()]).resolve_implicit_global_asset_job_def()
    # As the daemon does: a sensor's runs select no assets and materialize all of its target.
    instance.create_run_for_job(job, tags=tags, status=status)


def test_the_first_period_not_made_is_asked_for(instance: dg.DagsterInstance) -> None:
    """Periods are requested in order, whichever later ones were materialized by hand."""
    record_periods(instance, "2024-01-01", "2024-03-01")

    request = next_request(a_series(), KEYS, instance, LATER)

    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2024-02-01"


def test_a_period_of_which_one_asset_is_missing_is_asked_for(instance: dg.DagsterInstance) -> None:
    """A period is complete when all three of its assets are."""
    instance.report_runless_asset_event(dg.AssetMaterialization(KEYS[0], partition="2024-01-01"))

    request = next_request(a_series(), KEYS, instance, LATER)

    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2024-01-01"


def test_calendar_waits_for_the_first_day_of_the_period(instance: dg.DagsterInstance) -> None:
    """With ``release: calendar``, a period is requested on its first day, not before."""
    record_periods(instance, "2024-01-01")

    early = next_request(CALENDAR, KEYS, instance, datetime(2024, 1, 31, 23, 59, tzinfo=UTC))
    due = next_request(CALENDAR, KEYS, instance, morning("2024-02-01"))

    assert isinstance(early, dg.SkipReason)
    assert early.skip_message == "period 2024-02-01 has not begun yet"
    assert isinstance(due, dg.RunRequest)


@pytest.mark.each_value
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("length", [1, 2])
def test_calendar_waits_for_the_first_day_in_any_unit(
    instance: dg.DagsterInstance, unit: str, length: int
) -> None:
    """The second period is requested on the day of its key, for each unit."""
    own = a_user_input(period=unit, length_of_period=length, release="calendar")
    series = a_series(user_input=own)
    first, second, *_ = series.calendar.keys
    record_periods(instance, first)
    due = morning(second)

    early = next_request(series, KEYS, instance, due - timedelta(minutes=2))
    request = next_request(series, KEYS, instance, due)

    assert isinstance(early, dg.SkipReason)
    assert early.skip_message == f"period {second} has not begun yet"
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == second


def test_immediate_waits_for_no_day(instance: dg.DagsterInstance) -> None:
    """With ``release: immediate``, the next period is requested as soon as the last is done."""
    series = a_series(user_input=a_user_input(release="immediate"))
    record_periods(instance, "2024-01-01")

    request = next_request(series, KEYS, instance, morning("2024-01-02"))

    assert isinstance(request, dg.RunRequest)


def test_nothing_is_asked_for_while_a_run_is_under_way(instance: dg.DagsterInstance) -> None:
    """No period is requested twice."""
    request = next_request(a_series(), KEYS, instance, LATER)
    assert isinstance(request, dg.RunRequest)
    record_run(instance, request, dg.DagsterRunStatus.STARTED)

    again = next_request(a_series(), KEYS, instance, LATER)

    assert isinstance(again, dg.SkipReason)
    assert (again.skip_message or "").startswith("a run of demo is under way: ")


def test_nothing_is_asked_for_while_the_job_of_the_series_runs(
    instance: dg.DagsterInstance,
) -> None:
    """A run of the job named after the series counts, although it selects no assets."""
    job = build_definitions([a_series()]).resolve_job_def("demo")
    instance.create_run_for_job(job, tags=job.run_tags, status=dg.DagsterRunStatus.STARTED)

    now = next_request(a_series(), KEYS, instance, LATER)

    assert isinstance(now, dg.SkipReason)
    assert (now.skip_message or "").startswith("a run of demo is under way: ")


@pytest.mark.parametrize("selected", [KEYS, KEYS[1:2]], ids=["all", "one asset"])
def test_nothing_is_requested_while_a_user_materializes_a_period(
    instance: dg.DagsterInstance, selected: list[dg.AssetKey]
) -> None:
    """A run from the UI is recognized by its assets, even by a single one."""
    job = build_definitions([a_series()]).resolve_implicit_global_asset_job_def()
    status = dg.DagsterRunStatus.STARTED
    instance.create_run_for_job(job, status=status, asset_selection=frozenset(selected))

    now = next_request(a_series(), KEYS, instance, LATER)

    assert isinstance(now, dg.SkipReason)


def test_a_run_that_ends_while_the_sensor_looks_is_not_asked_for_again(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Active runs are read before materializations."""
    request = next_request(a_series(), KEYS, instance, LATER)
    assert isinstance(request, dg.RunRequest)
    record_run(instance, request, dg.DagsterRunStatus.STARTED)
    [run] = instance.get_runs()
    look = instance.get_materialized_partitions

    def ends_meanwhile(key: dg.AssetKey) -> set[str]:
        found = look(key)
        instance.report_run_canceled(run) if key == KEYS[-1] else None
        return found

    monkeypatch.setattr(instance, "get_materialized_partitions", ends_meanwhile)

    assert isinstance(next_request(a_series(), KEYS, instance, LATER), dg.SkipReason)


@pytest.mark.parametrize(
    ("name", "status", "waits"),
    [
        *(
            ("demo", status, status not in BULK_ACTION_TERMINAL_STATUSES)
            for status in BulkActionStatus
        ),
        ("other", BulkActionStatus.REQUESTED, False),
    ],
)
def test_nothing_is_asked_for_while_a_backfill_is_between_two_runs(
    instance: dg.DagsterInstance, name: str, status: BulkActionStatus, waits: bool
) -> None:
    """A backfill covers its partitions, whether one of its runs is active or not."""
    keys = [dg.AssetKey([name, key.path[-1]]) for key in KEYS]
    graph = build_definitions([a_series(name=name)]).resolve_asset_graph()
    backfill = PartitionBackfill.from_asset_partitions(
        "one", graph, None, keys, time.time(), {}, instance, True, None, None, None
    )
    instance.add_backfill(backfill.with_status(status))

    now = next_request(a_series(), KEYS, instance, LATER)

    assert isinstance(now, dg.SkipReason if waits else dg.RunRequest)


def test_three_failures_in_a_row_end_it(instance: dg.DagsterInstance) -> None:
    """A failed period is tried again under another run key; then the tick fails with the reason."""
    run_keys = []
    for _ in range(3):
        request = next_request(a_series(), KEYS, instance, LATER)
        assert isinstance(request, dg.RunRequest)
        run_keys.append(request.run_key)
        record_run(instance, request, dg.DagsterRunStatus.FAILURE)

    with pytest.raises(SensorPaused) as paused:
        next_request(a_series(), KEYS, instance, LATER)

    assert len(set(run_keys)) == 3
    assert str(paused.value) == PAUSED


def test_the_sensor_continues_once_a_user_materialized_the_failing_period(
    instance: dg.DagsterInstance,
) -> None:
    """Materializing the period by hand is enough."""
    for _ in range(3):
        request = next_request(a_series(), KEYS, instance, LATER)
        assert isinstance(request, dg.RunRequest)
        record_run(instance, request, dg.DagsterRunStatus.FAILURE)
    record_periods(instance, "2024-01-01")

    request = next_request(a_series(), KEYS, instance, LATER)

    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2024-02-01"


def test_no_run_key_is_used_twice(instance: dg.DagsterInstance) -> None:
    """Dagster would skip it for ever: neither after an edit nor after a run was deleted."""
    edited = a_series(user_input=a_user_input(fraction_of_new="1/4"))
    run_keys = []
    for series in (a_series(), edited, a_series(), a_series()):
        request = next_request(series, KEYS, instance, LATER)
        assert isinstance(request, dg.RunRequest)
        run_keys.append(request.run_key)
        record_run(instance, request, dg.DagsterRunStatus.CANCELED)
        if len(run_keys) == 3:
            oldest = instance.get_run_records(ascending=True)[0]
            instance.delete_run(oldest.dagster_run.run_id)
    assert len(set(run_keys)) == 4


def test_only_failures_in_a_row_end_it(instance: dg.DagsterInstance) -> None:
    """Those before a run that succeeded do not count, if its assets were wiped since."""
    failure, success = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS
    for status in (failure, failure, success, failure, failure):
        request = next_request(a_series(), KEYS, instance, LATER)
        assert isinstance(request, dg.RunRequest)
        record_run(instance, request, status)
    assert isinstance(next_request(a_series(), KEYS, instance, LATER), dg.RunRequest)


def test_a_complete_series_is_left_alone(instance: dg.DagsterInstance) -> None:
    """If every period is materialized, nothing is requested."""
    record_periods(instance, *a_series().calendar.keys)

    done = next_request(a_series(), KEYS, instance, LATER)

    assert isinstance(done, dg.SkipReason)
    assert done.skip_message == "all 4 periods are materialized"


def test_the_sensor_is_off_by_default() -> None:
    """Nothing runs before a user turns the sensor on."""
    [sensor] = build_definitions([a_series()]).sensors or []
    assert isinstance(sensor, dg.SensorDefinition)
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED


def test_the_sensor_requests_runs_of_the_job_of_the_series() -> None:
    """In a project with its own executor, the run still has the executor of that job."""
    host = dg.Definitions.merge(
        build_definitions([a_series()], executor=None),
        dg.Definitions(executor=dg.multiprocess_executor),
    )
    sensor = host.resolve_sensor_def("demo_next_period")
    assert [target.job_name for target in sensor.targets] == ["demo"]
    assert host.resolve_job_def("demo").executor_def.name == "in_process"
    assert host.resolve_implicit_global_asset_job_def().executor_def.name == "multiprocess"

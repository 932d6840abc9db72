"""Dagster's automation of a series that continues into the future, at three times.

Conditions, schedules and freshness are evaluated on an instance, as Dagster's daemon does.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import freeze_time
from dagster._utils.schedules import schedule_execution_time_iterator

from series_assets.core.plan.series import Series
from series_assets.dagster.assets import keys_of
from series_assets.dagster.build import build_definitions
from series_assets.dagster.partitions import partitions_of
from series_assets_tests.builders import a_series, a_user_input

CADENCES = {
    "monthly": ("months", 1, "2025-09-01"),
    "two-weekly": ("weeks", 2, "2025-12-01"),
    "every 45 days": ("days", 45, "2025-07-14"),
}
CLOCKS = {
    "a morning of a first day": 0,
    "within a period": 5,
    "the evening before a first day": -1,
}
"""Days from the first day of the fourth of five periods."""
DATASET = dg.AssetKey(["demo", "dataset"])


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Return a Dagster instance for one test."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def a_calendar_series(cadence: str) -> Series:
    """Return a series of five periods, whose partitions appear as they start."""
    unit, length, start = CADENCES[cadence]
    own = a_user_input(
        period=unit,
        length_of_period=length,
        start_date=start,
        num_datasets=5,
        release="calendar",
    )
    return a_series(user_input=own)


def clock_of(series: Series, days: int) -> datetime:
    """Return a time that many days from the first day of the fourth period."""
    day = series.calendar.start_of(3) + timedelta(days=days)
    return datetime(day.year, day.month, day.day, 7, 30, tzinfo=UTC)


def latest(series: Series, now: datetime) -> str:
    """Return the key of the period that started last."""
    return [key for key in series.calendar.keys if key <= now.date().isoformat()][-1]


def deliver(instance: dg.DagsterInstance, *keys: str) -> None:
    """Record all assets of periods as materialized."""
    for key in keys:
        for asset in keys_of("demo"):
            instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))


def ticks_of(cron: str, first: date, until: datetime) -> Iterator[datetime]:
    """Yield the times at which Dagster evaluates a schedule, from a day on."""
    since = datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()
    for tick in schedule_execution_time_iterator(since, cron, "UTC"):
        if tick > until:
            return
        yield tick


def downstream(series: Series, condition: dg.AutomationCondition[Any]) -> dg.AssetsDefinition:
    """Return a table fed by each dataset, with a condition."""

    @dg.asset(deps=[DATASET], partitions_def=partitions_of(series), automation_condition=condition)
    def table() -> None:
        """Hold what has been delivered."""

    return table


def requested(
    series: Series,
    condition: dg.AutomationCondition[Any],
    instance: dg.DagsterInstance,
    *clocks: tuple[datetime, str],
) -> list[set[str | None]]:
    """Return the partitions that a condition requests at each time after a delivery."""
    asked, cursor = [], None
    for now, delivered in clocks:
        with freeze_time(now):
            definitions = dg.Definitions.merge(
                build_definitions([series]),
                dg.Definitions(assets=[downstream(series, condition)]),
            )
            if delivered:
                deliver(instance, delivered)
            result = dg.evaluate_automation_conditions(
                definitions,
                instance,
                asset_selection=dg.AssetSelection.assets("table"),
                evaluation_time=now,
                cursor=cursor,
            )
        cursor = result.cursor
        asked.append(set(result.get_requested_partitions(dg.AssetKey("table"))))
    return asked


@pytest.mark.each_value
@pytest.mark.parametrize("cadence", CADENCES)
@pytest.mark.parametrize("clock", CLOCKS)
def test_eager_requests_the_period_that_was_delivered(
    instance: dg.DagsterInstance, cadence: str, clock: str
) -> None:
    """Once, and nothing before it is delivered."""
    series = a_calendar_series(cadence)
    now = clock_of(series, CLOCKS[clock])
    later = now + timedelta(minutes=1)
    eager = dg.AutomationCondition.eager()

    asked = requested(series, eager, instance, (now, ""), (later, latest(series, now)))

    assert asked == [set(), {latest(series, now)}]


@pytest.mark.each_value
@pytest.mark.parametrize("cadence", CADENCES)
@pytest.mark.parametrize("clock", CLOCKS)
def test_on_cron_requests_the_period_that_was_delivered(
    instance: dg.DagsterInstance, cadence: str, clock: str
) -> None:
    """After the tick of its schedule, and once the dataset of the period exists."""
    series = a_calendar_series(cadence)
    now = clock_of(series, CLOCKS[clock])
    ticked, waited = now + timedelta(hours=1), now + timedelta(hours=2)
    on_cron = dg.AutomationCondition.on_cron("0 8 * * *")

    asked = requested(
        series, on_cron, instance, (now, ""), (ticked, ""), (waited, latest(series, now))
    )

    assert asked == [set(), set(), {latest(series, now)}]


@pytest.mark.each_value
@pytest.mark.parametrize("cadence", CADENCES)
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("resolved", [False, True], ids=["by assets", "by partitions"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster's, about its own calls
def test_a_partition_schedule_requests_the_period_that_has_begun(
    instance: dg.DagsterInstance, cadence: str, clock: str, resolved: bool
) -> None:
    """Whether the job has partitions itself or gets them from its assets."""
    series = a_calendar_series(cadence)
    now = clock_of(series, CLOCKS[clock])
    asked: list[str | None] = []
    with freeze_time(now):
        job = dg.define_asset_job(
            "deliver",
            dg.AssetSelection.assets(*keys_of("demo")),
            partitions_def=partitions_of(series) if resolved else None,
        )
        schedule = dg.build_schedule_from_partitioned_job(job)
        definitions = dg.Definitions.merge(
            build_definitions([series]), dg.Definitions(schedules=[schedule])
        )
        found = definitions.resolve_schedule_def("deliver_schedule")
        for tick in ticks_of(str(found.cron_schedule), series.calendar.start_of(2), now):
            context = dg.build_schedule_context(
                instance=instance,
                scheduled_execution_time=tick,
                repository_def=definitions.get_repository_def(),
            )
            asked += [one.run_key for one in found.evaluate_tick(context).run_requests or []]
    # Dagster launches a run key of a schedule once.
    launched = [key for key in dict.fromkeys(asked) if key >= series.calendar.keys[2]]
    begun = [key for key in series.calendar.keys[2:] if key <= now.date().isoformat()]
    # A tick at midnight sees the period before, because its partition appears a minute later.
    assert launched in (begun, begun[1:])
    assert asked[-1] == latest(series, now)


@pytest.mark.each_value
@pytest.mark.parametrize("cadence", CADENCES)
@pytest.mark.parametrize("clock", CLOCKS)
def test_freshness_expects_the_period_that_has_begun(
    instance: dg.DagsterInstance, cadence: str, clock: str
) -> None:
    """A freshness check fails until the latest period exists, and names it."""
    series = a_calendar_series(cadence)
    now = clock_of(series, CLOCKS[clock])
    due = latest(series, now)
    earlier = series.calendar.keys[: series.calendar.keys.index(due)]
    with freeze_time(now):
        assets = build_definitions([series])
        checks = dg.build_time_partition_freshness_checks(
            assets=[DATASET], deadline_cron="0 7 * * *"
        )
        definitions = dg.Definitions.merge(assets, dg.Definitions(asset_checks=checks))
        job = definitions.resolve_implicit_global_asset_job_def()
        [check] = [key for one in checks for key in one.check_keys]

        def passed() -> tuple[bool, str]:
            result = job.get_subset(
                asset_selection=set(), asset_check_selection={check}
            ).execute_in_process(instance=instance)
            [evaluation] = result.get_asset_check_evaluations()
            return evaluation.passed, evaluation.description or ""

        deliver(instance, *earlier)
        late = passed()
        deliver(instance, due)
        in_time = passed()
    assert not late[0]
    assert f"We expected partition {due} to have arrived" in late[1]
    assert in_time[0]

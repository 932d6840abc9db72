"""The recipes of ``docs/automation.md`` do in a project what the page describes."""

import importlib.util
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from series_assets.dagster.assets import keys_of
from series_assets_tests.builders import a_specification, a_user_input, write_series

TEXT = (Path(__file__).parents[2] / "docs" / "automation.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"^`defs/(\w+\.py)`:\n\n```python\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)
TABLE, EVERY_PERIOD, PUNCTUAL, CURRENT, SCHEDULE, REPORT = RECIPES
THIS_MONTH = datetime.now(UTC).replace(day=1)
LATEST = THIS_MONTH.date().isoformat()
START = f"{THIS_MONTH.year - 1}-{THIS_MONTH.month:02}-01"
"""A year ago, so that the thirteenth of 24 periods has just started."""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Return a Dagster instance for one test."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


class Project:
    """A project with the series ``orders`` and recipes, on an instance."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self.definitions = definitions
        self.instance = instance
        self._cursor: Any = None

    def deliver(self, *periods: str) -> None:
        """Record all assets of periods as materialized."""
        for key in periods:
            for asset in keys_of("orders"):
                generated = dg.AssetMaterialization(asset, partition=key)
                self.instance.report_runless_asset_event(generated)

    def requested(self, asset: str) -> set[str | None]:
        """Return the partitions of an asset that its condition requests now."""
        key = dg.AssetKey(asset.split("/"))
        result = dg.evaluate_automation_conditions(
            self.definitions,
            self.instance,
            asset_selection=dg.AssetSelection.assets(key),
            cursor=self._cursor,
        )
        self._cursor = result.cursor
        return set(result.get_requested_partitions(key))


@pytest.fixture
def project(request: pytest.FixtureRequest, instance: dg.DagsterInstance) -> Iterator[Project]:
    """A project with the release and the recipe that the test names."""
    release, (file, recipe) = request.param
    own = a_user_input(release=release, start_date=START, num_datasets=24)
    with create_defs_folder_sandbox() as sandbox:
        defs = sandbox.defs_folder_path
        place = write_series(defs, a_specification(number_of_rows=30), own, name="orders")
        (place / "defs.yaml").write_text("type: series_assets.SeriesComponent\n")
        (defs / file).write_text(recipe)
        with sandbox.build_all_defs() as definitions:
            if file == "report.py":
                definitions = loaded(defs / file).with_report(definitions)
            dg.Definitions.validate_loadable(definitions)
            yield Project(definitions, instance)


def loaded(file: Path) -> Any:
    """Return a module from its file."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def with_recipe(release: str, recipe: tuple[str, str]) -> pytest.MarkDecorator:
    """Give a test a project with a release and a recipe."""
    return pytest.mark.parametrize("project", [(release, recipe)], indirect=True, ids=[release])


@with_recipe("calendar", TABLE)
def test_a_table_follows_each_dataset(project: Project) -> None:
    """It is requested for the delivered period."""
    assert project.requested("table") == set()
    project.deliver(LATEST)
    assert project.requested("table") == {LATEST}


@with_recipe("immediate", EVERY_PERIOD)
def test_a_table_follows_every_period_of_an_immediate_series(project: Project) -> None:
    """Although none of them is the latest partition."""
    assert project.requested("table") == set()
    project.deliver(START)
    assert project.requested("table") == {START}


@with_recipe("calendar", PUNCTUAL)
def test_a_table_has_a_check_that_it_is_not_late(project: Project) -> None:
    """The check exists, and the sensor that runs it."""
    checks = project.definitions.resolve_asset_graph().asset_check_keys
    assert dg.AssetKey("punctual_table") in {check.asset_key for check in checks}
    assert project.definitions.resolve_sensor_def("freshness_checks_sensor")
    assert project.requested("punctual_table") == set()


@with_recipe("calendar", CURRENT)
def test_a_table_without_partitions_has_a_freshness_policy(project: Project) -> None:
    """It is requested once all started periods exist."""
    node = project.definitions.resolve_asset_graph().get(dg.AssetKey("current_table"))
    assert isinstance(node.freshness_policy, dg.FreshnessPolicy)
    assert project.requested("current_table") == set()
    begun = project.definitions.resolve_asset_graph().get(keys_of("orders")[-1]).partitions_def
    assert begun is not None
    project.deliver(*begun.get_partition_keys())
    assert project.requested("current_table") == {None}


@with_recipe("calendar", SCHEDULE)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster's, about its own calls
def test_a_schedule_requests_the_period_that_has_begun(project: Project) -> None:
    """On its first day."""
    schedule = project.definitions.resolve_schedule_def("orders_delivery_schedule")
    context = dg.build_schedule_context(
        instance=project.instance,
        scheduled_execution_time=THIS_MONTH.replace(hour=0, minute=0, second=0, microsecond=0),
        repository_def=project.definitions.get_repository_def(),
    )
    [request] = schedule.evaluate_tick(context).run_requests or []
    assert request.partition_key == LATEST


@with_recipe("immediate", REPORT)
def test_the_report_follows_each_dataset_of_an_incomplete_series(project: Project) -> None:
    """After the first period of many."""
    assert project.requested("orders/report") == set()
    project.deliver(START)
    assert project.requested("orders/report") == {None}
    assert project.requested("orders/report") == set()


def test_the_pause_is_worded_as_in_the_document() -> None:
    """With the date that the document shows."""
    shown = (
        "Paused: 2024-03-01 failed 3 times in a row. Fix the error in its latest run and "
        "materialize it by hand; the sensor then continues."
    )
    assert f"```text\n{shown}\n```" in TEXT

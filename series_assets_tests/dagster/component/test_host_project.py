"""Series beside a project's own assets, resources and jobs."""

import dagster as dg
import pytest

from series_assets_tests.builders import write_series
from series_assets_tests.dagster.component.host_project import (
    KEYS,
    HostProject,
    asset_keys_of,
    files_of,
    keys_of,
)
from series_assets_tests.materialize import materialize


def test_two_series_live_beside_a_hosts_own_assets_and_resources(
    project: HostProject, instance: dg.DagsterInstance, expected: dict[str, bytes]
) -> None:
    """Each series has its own data folder; the project's assets keep the project's IO manager."""
    project.write_series("one")
    project.write_series("two", data_dir="other")
    with project.load() as definitions:
        assert keys_of(definitions) == set(asset_keys_of("one", "two"))
        assert set(definitions.resources or {}) == {"io_manager", "workspace", "progress"}
        sensors = {sensor.name for sensor in definitions.sensors or []}
        assert sensors == {"one_next_period", "two_next_period"}
        assert materialize(
            definitions, instance, *asset_keys_of("one", "two"), first=KEYS[0]
        ).success
        assert materialize(definitions, instance, "own", "next_to_own").success
        [kept] = [definitions.resources["io_manager"]] if definitions.resources else []
        assert kept.seen == [("own", 7), ("next_to_own", 8)]
    names = (
        {path.split("/")[0] for path in project.files()},
        {path.split("/")[0] for path in project.files("other")},
    )
    assert names == ({"one"}, {"two"})
    dataset = expected["dataset_1.csv"]
    assert (
        project.files()["one/dataset_1.csv"]
        == project.files("other")["two/dataset_1.csv"]
        == dataset
    )
    for folder in ("data", "other"):
        assert not (project.root / folder / ".runs").exists()


@pytest.mark.thorough
def test_single_assets_of_single_partitions_can_be_made_in_a_host(
    project: HostProject, instance: dg.DagsterInstance, expected: dict[str, bytes]
) -> None:
    """One asset per run, as by clicking through the UI; then a range of one asset."""
    project.write_series("demo")
    project.write_series("other")
    with project.load() as definitions:
        for key in KEYS[:2]:
            for asset in asset_keys_of("demo"):
                assert materialize(definitions, instance, asset, first=key).success
        for asset in asset_keys_of("demo"):
            assert materialize(definitions, instance, asset, first=KEYS[2], last=KEYS[3]).success
    assert project.files() == files_of("demo", expected)


@pytest.mark.thorough
def test_each_series_has_a_job_of_its_own_if_the_host_wants_one(
    project: HostProject, instance: dg.DagsterInstance, expected: dict[str, bytes]
) -> None:
    """Jobs on one asset and on all assets resolve with the resources of the series."""
    project.write_series("demo")
    (project.defs_folder / "jobs.py").write_text(
        "import dagster as dg\n"
        "one = dg.define_asset_job('one', dg.AssetSelection.assets(['demo', 'new_records']))\n"
        "every = dg.define_asset_job('every', dg.AssetSelection.groups('demo'))\n"
    )
    with project.load() as definitions:
        for name in ("one", "every"):
            job = definitions.resolve_job_def(name)
            assert job.execute_in_process(instance=instance, partition_key=KEYS[0]).success
    assert project.files() == files_of("demo", expected, 1)


def test_the_component_can_be_made_in_python(project: HostProject) -> None:
    """In a ``component.py``, with the attributes as arguments."""
    place = write_series(project.defs_folder)
    (place / "component.py").write_text(
        "import dagster as dg\n"
        "from series_assets import SeriesComponent\n\n"
        "@dg.component_instance\n"
        "def load(context: dg.ComponentLoadContext) -> SeriesComponent:\n"
        "    return SeriesComponent(name='called')\n"
    )
    with project.load() as definitions:
        assert keys_of(definitions) == set(asset_keys_of("called"))

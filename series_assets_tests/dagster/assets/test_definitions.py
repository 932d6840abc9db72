"""Names, groups, code versions, partitions and dependencies of the assets."""

import dagster as dg
import pytest

from series_assets.core.plan.series import Series
from series_assets.core.spec.period_units import UNITS
from series_assets.dagster.assets import job_of
from series_assets.dagster.build import build_definitions
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.dagster.assets.bench import ALL, FIRST, FOURTH, SECOND, THIRD


def code_version(series: Series, asset: str) -> str | None:
    """Return the code version of an asset in Dagster."""
    graph = build_definitions([series]).resolve_asset_graph()
    return graph.get(dg.AssetKey([series.name, asset])).code_version


@pytest.mark.parametrize("asset", ALL)
def test_the_code_version_follows_the_content_of_the_two_files(asset: str) -> None:
    """Changed files make partitions stale; a higher num_datasets does not."""
    version = code_version(a_series(), asset)
    assert version
    assert code_version(a_series(), asset) == version
    assert code_version(a_series(a_specification(number_of_rows=61)), asset) != version
    for edited in (a_user_input(fraction_of_new="1/2"), a_user_input(static_columns=["region"])):
        assert code_version(a_series(user_input=edited), asset) != version
    longer = a_user_input(num_datasets=9, release="immediate")
    assert code_version(a_series(user_input=longer), asset) == version


def test_assets_are_grouped_and_named_after_their_series() -> None:
    """Key prefix and group are the name of the series, and each asset has a description."""
    graph = build_definitions([a_series(), a_series(name="other")]).resolve_asset_graph()
    nodes = {key: graph.get(key) for key in graph.materializable_asset_keys}
    assert {key.to_user_string() for key in nodes} == {
        f"{name}/{asset}" for name in ("demo", "other") for asset in (*ALL, "report")
    }
    assert all(node.group_name == key.path[0] for key, node in nodes.items())
    assert all(node.description for node in nodes.values())


def test_assets_have_the_periods_as_partitions_and_are_backfilled_in_one_run() -> None:
    """The keys are the first days of periods; a backfill is a single run."""
    graph = build_definitions([a_series()]).resolve_asset_graph()
    for asset in ALL:
        node = graph.get(dg.AssetKey(["demo", asset]))
        assert node.partitions_def is not None
        assert node.partitions_def.get_partition_keys() == [FIRST, SECOND, THIRD, FOURTH]
        assert node.backfill_policy == dg.BackfillPolicy.single_run()


def test_assets_depend_on_each_other_as_the_data_goes() -> None:
    """The reference table also depends on itself, one period earlier."""
    graph = build_definitions([a_series()]).resolve_asset_graph()
    parents = {
        asset: {key.path[-1] for key in graph.get(dg.AssetKey(["demo", asset])).parent_keys}
        for asset in ALL
    }
    assert parents == {
        "new_records": set(),
        "reference_table": {"new_records", "reference_table"},
        "dataset": {"new_records", "reference_table"},
    }


@pytest.mark.parametrize("unit", UNITS)
def test_the_description_says_how_often_a_period_begins(unit: str) -> None:
    """In words, and in the singular for a length of one."""
    for length, words in ((1, UNITS[unit].singular), (2, f"2 {unit}")):
        series = a_series(user_input=a_user_input(period=unit, length_of_period=length))
        description = job_of(series).description
        assert description is not None
        assert f": 4 periods, one every {words} from 2024-01-01, of 60 rows each" in description

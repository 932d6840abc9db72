"""Attributes of the assets of a series, set in its ``defs.yaml``."""

from textwrap import dedent
from traceback import format_exception
from typing import Any

import dagster as dg
import pytest

from series_assets_tests.builders import write_series
from series_assets_tests.dagster.component.host_project import (
    KEYS,
    HostProject,
    asset_keys_of,
    keys_of,
)
from series_assets_tests.materialize import materialize


@pytest.mark.thorough
def test_attributes_of_the_assets_can_be_set_in_the_defs_yaml(project: HostProject) -> None:
    """Dagster's ``post_processing`` applies to the assets, and they can still run."""
    project.write_series("demo")
    file = project.defs_folder / "demo" / "defs.yaml"
    file.write_text(
        file.read_text()
        + dedent("""
        post_processing:
          assets:
          - target: "*"
            attributes:
              group_name: fed
              owners: [team:data]
        """)
    )
    with project.load() as definitions, dg.DagsterInstance.ephemeral() as instance:
        node = definitions.resolve_asset_graph().get(dg.AssetKey(["demo", "dataset"]))
        assert (node.group_name, node.owners) == ("fed", ["team:data"])
        assert materialize(definitions, instance, *asset_keys_of("demo"), first=KEYS[0]).success


ATTRIBUTES = """
type: series_assets.SeriesComponent
attributes:
  key_prefix: [lake, raw]
  group_name: fed
  owners: [team:data, somebody@example.com]
  tags: {tier: test, level: 2}
  pool: exhibit
  retry_policy: {max_retries: 3, delay: 0.5, backoff: exponential}
  freshness_policy: "{{ dg.FreshnessPolicy.time_window(fail_window=datetime.timedelta(days=35)) }}"
  automation_condition: "{{ dg.AutomationCondition.eager() }}"
"""


def test_attributes_reach_every_asset_of_the_series(
    project: HostProject, instance: dg.DagsterInstance
) -> None:
    """Policies apply to partitioned assets; checks, job and sensor use the new keys."""
    project.write_component("demo", ATTRIBUTES)
    write_series(project.defs_folder)
    generated = [f"lake/raw/{key}" for key in asset_keys_of("demo")]
    with project.load() as definitions:
        assert keys_of(definitions) == set(generated)
        graph = definitions.resolve_asset_graph()
        for name in generated:
            node = graph.get(dg.AssetKey(name.split("/")))
            assert (node.group_name, node.owners, node.pools) == (
                "fed",
                ["team:data", "somebody@example.com"],
                {"exhibit"},
            )
            assert node.tags.items() >= {"tier": "test", "level": "2"}.items()
            with_policies = node.partitions_def is not None
            assert (node.freshness_policy is not None) == with_policies
            assert (node.automation_condition is not None) == with_policies
            for op in node.assets_def.node_def.iterate_op_defs():
                assert op.retry_policy == dg.RetryPolicy(3, 0.5, dg.Backoff.EXPONENTIAL)
        checked = {key.asset_key.to_user_string() for key in graph.asset_check_keys}
        assert checked == {"lake/raw/demo/dataset"}
        job = definitions.resolve_job_def("demo")
        assert job.execute_in_process(instance=instance, partition_key=KEYS[0]).success
        assert materialize(definitions, instance, *generated, first=KEYS[0], last=KEYS[1]).success
        [sensor] = definitions.sensors or []
        with dg.build_sensor_context(instance=instance, definitions=definitions) as context:
            evaluated = sensor.evaluate_tick(context)
        [request] = evaluated.run_requests or []
        assert request.partition_key == KEYS[2]
    assert "demo/dataset_2.csv" in project.files()


@pytest.mark.parametrize(
    ("attributes", "expected_message"),
    [
        ({"owners": ["Data Team"]}, "Invalid owner 'Data Team'"),
        ({"group_name": "a group"}, "is not a valid asset group name"),
        ({"tags": {"a b": "c"}}, "Found invalid tag keys"),
    ],
)
def test_an_attribute_that_dagster_refuses_does_not_affect_others(
    project: HostProject, attributes: dict[str, Any], expected_message: str
) -> None:
    """The series is shown as broken, with Dagster's message."""
    project.write_series("bad", **attributes)
    project.write_series("good")
    with pytest.warns(UserWarning, match="is broken") as caught, project.load() as definitions:
        assert keys_of(definitions) == {*asset_keys_of("good"), "bad/broken"}
    [message] = [str(one.message) for one in caught if "is broken" in str(one.message)]
    assert expected_message in message
    assert message.endswith("; correct this option of the assets")


def test_an_attribute_of_another_kind_is_refused_with_an_example(project: HostProject) -> None:
    """As Dagster refuses unknown attributes."""
    project.write_series("demo", automation_condition="eager")
    with pytest.raises(Exception) as caught, project.load():
        pass
    text = "".join(format_exception(caught.value))
    assert "'eager' is not of type AutomationCondition; use a template that returns one" in text

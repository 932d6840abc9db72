"""Scaffolding a component with Dagster's ``dg``."""

import click
import dagster as dg
import pytest

from series_assets import SeriesComponent
from series_assets.storage.loading import load_series
from series_assets_tests.dagster.component.host_project import HostProject, asset_keys_of, keys_of
from series_assets_tests.materialize import materialize


def test_scaffolding_writes_a_series_that_works(
    project: HostProject, instance: dg.DagsterInstance
) -> None:
    """The commented templates of both files are written beside the ``defs.yaml``."""
    project._sandbox.scaffold_component(component_cls=SeriesComponent, defs_path="fresh")
    place = project.defs_folder / "fresh"
    assert {path.name for path in place.iterdir()} == {
        ".schemas",
        "defs.yaml",
        "specification.yml",
        "user_input.yml",
    }
    with project.load() as definitions:
        assert keys_of(definitions) == set(asset_keys_of("fresh"))
        key = load_series(place).calendar.keys[0]
        assert materialize(definitions, instance, *asset_keys_of("fresh"), first=key).success


def test_scaffolding_refuses_a_name_that_no_series_can_have(project: HostProject) -> None:
    """With a message, without a traceback, and without files left behind."""
    with pytest.raises(click.ClickException, match="'No-Name' cannot name a series"):
        project._sandbox.scaffold_component(component_cls=SeriesComponent, defs_path="No-Name")
    assert not (project.defs_folder / "No-Name").exists()

"""Dagster's ``dg`` knows the component, here and in a project with series."""

import json
import shutil
from pathlib import Path

import pytest

from series_assets_tests.projects import ROOT, Project, copy_of_the_example


@pytest.fixture
def example(tmp_path: Path) -> Project:
    """A copy of the example project."""
    return Project(copy_of_the_example(tmp_path / "warehouse"), tmp_path / "home")


@pytest.fixture
def this(tmp_path: Path) -> Project:
    """This project itself."""
    return Project(ROOT, tmp_path / "home")


@pytest.mark.thorough
def test_the_component_is_listed(example: Project) -> None:
    """In any project in whose environment the package is installed."""
    reported = example.output_of("dg", "list", "components", "--json")
    [found] = [
        one
        for one in json.loads(reported)["items"]
        if one["key"] == "series_assets.SeriesComponent"
    ]
    assert found["summary"].startswith("A series of periodic datasets")


def test_dg_works_on_this_project(this: Project) -> None:
    """It finds the shipped series."""
    keys = {asset["asset_key"] for asset in this.definitions()["assets"]}
    assert {"school/dataset", "clinic/dataset"} <= keys


@pytest.mark.thorough
def test_dg_works_on_a_project_that_holds_a_series(example: Project) -> None:
    """It lists the assets and the sensor of the series beside the project's own.

    A scaffolded series is listed too, and loads without changes.
    """
    example.output_of("dg", "scaffold", "defs", "series_assets.SeriesComponent", "fresh")
    found = example.definitions()
    assert {asset["asset_key"] for asset in found["assets"]} >= {
        "customer_dimension",
        "customers/new_records",
        "customers/reference_table",
        "customers/dataset",
        "fresh/dataset",
    }
    assert "customers_next_period" in json.dumps(found["sensors"])
    assert "customers_io_manager" not in json.dumps(found.get("resources"))
    example.output_of("dg", "check", "defs")


@pytest.mark.thorough
def test_dg_check_tells_an_attribute_that_there_is_none_of(example: Project) -> None:
    """With its place in the ``defs.yaml``."""
    file = example.root / "src/warehouse/defs/customers/defs.yaml"
    file.write_text(file.read_text().replace("folder: .", "foldr: ."))
    ended = example.run("dg", "check", "yaml")
    assert ended.returncode != 0
    assert "foldr" in ended.stdout + ended.stderr
    assert "defs.yaml:4" in ended.stdout + ended.stderr


@pytest.mark.thorough
def test_dg_lists_a_project_with_a_broken_series(example: Project) -> None:
    """It loads and shows the fault as an asset, and passes Dagster's validation.

    An asset downstream of the broken series loads as well, and another series has the attributes of
    its ``defs.yaml``.
    """
    folder = example.root / "src/warehouse/defs"
    shutil.copytree(folder / "customers", folder / "clients")
    (folder / "clients" / "defs.yaml").write_text(
        "type: series_assets.SeriesComponent\n"
        "attributes: {key_prefix: raw, group_name: fed, owners: [team:data], pool: exhibit}\n"
    )
    (folder / "customers" / "specification.yml").write_text("metadata: [\n")
    shown = {asset["asset_key"]: asset for asset in example.definitions()["assets"]}
    assert "customers/specification.yml: " in shown["customers/broken"]["description"]
    assert "customer_dimension" in shown
    assert shown["raw/clients/dataset"]["group_name"] == "fed"
    assert "data" in json.dumps(shown["raw/clients/dataset"]["owners"])
    ended = example.run("dagster", "definitions", "validate", "-m", "warehouse.definitions")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "All code locations passed validation" in ended.stdout + ended.stderr


@pytest.mark.thorough
def test_dg_refuses_to_scaffold_a_name_that_no_series_can_have(example: Project) -> None:
    """With one message, without a traceback and without files left behind."""
    ended = example.run("dg", "scaffold", "defs", "series_assets.SeriesComponent", "bad name")
    reported = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert "the folder's name 'bad name' cannot name a series; use lower-case letters" in reported
    assert "Traceback" not in reported
    assert not (example.root / "src/warehouse/defs/bad name").exists()

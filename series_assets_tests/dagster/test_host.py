"""Series in the Python code of a host project: definitions and partitions from folders."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from series_assets import AssetOptions, load_series, series_definitions, series_partitions
from series_assets.core.errors import InputError
from series_assets.dagster.build import build_definitions
from series_assets_tests.builders import write_series
from series_assets_tests.projects import ROOT

_FAULT = "there is no such file; a series needs specification.yml and user_input.yml"


def keys_of(definitions: dg.Definitions) -> set[str]:
    """Return the keys of all assets that can be materialized."""
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    return {key.to_user_string() for key in graph.materializable_asset_keys}


def an_asset_fed_by(folder: Path) -> dg.AssetsDefinition:
    """Return a user's asset that reads the datasets of a series."""

    @dg.asset(
        partitions_def=series_partitions(folder),
        ins={"dataset": dg.AssetIn(key=[folder.name, "dataset"])},
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def fed(dataset: dict[str, Path]) -> None: ...

    return fed


def test_definitions_merge_with_those_of_a_project_that_has_an_executor(tmp_path: Path) -> None:
    """They have no executor, and options apply to the assets."""
    folders = [write_series(tmp_path, name=name) for name in ("one", "two")]
    options = AssetOptions(key_prefix="raw", owners=["team:data"])
    definitions = dg.Definitions.merge(
        series_definitions(*folders, data_dir=tmp_path / "data", options=options),
        dg.Definitions(executor=dg.multiprocess_executor),
    )
    assert {"raw/one/dataset", "raw/two/report"} <= keys_of(definitions)
    node = definitions.resolve_asset_graph().get(dg.AssetKey(["raw", "two", "dataset"]))
    assert node.owners == ["team:data"]


def test_a_broken_series_affects_neither_others_nor_downstream_assets(tmp_path: Path) -> None:
    """Its downstream asset loads without partitions."""
    good = write_series(tmp_path, name="good")
    bad = tmp_path / "bad"
    bad.mkdir()
    with pytest.warns(UserWarning, match="series bad is broken"):
        definitions = dg.Definitions.merge(
            series_definitions(good, bad, data_dir=tmp_path / "data"),
            dg.Definitions(assets=[an_asset_fed_by(bad)]),
        )
    assert {"good/dataset", "bad/broken", "fed"} <= keys_of(definitions)
    with pytest.raises(dg.Failure, match=_FAULT):
        definitions.load_asset_value(dg.AssetKey(["bad", "dataset"]))
    with pytest.raises(InputError, match=_FAULT):
        series_definitions(good, bad, data_dir=tmp_path / "data", strict=True)


def test_an_asset_has_the_partitions_of_its_series(tmp_path: Path) -> None:
    """Even if the user's code does not load the series."""
    folder = write_series(tmp_path)
    keys = list(load_series(folder).calendar.keys)
    assert series_partitions(folder).get_partition_keys() == keys


@pytest.mark.parametrize("build", [build_definitions, None])
def test_two_series_of_one_name_are_told_apart(
    tmp_path: Path, build: Callable[..., dg.Definitions] | None
) -> None:
    """The first one loads, the second shows the remedy; neither is dropped silently."""
    places = [tmp_path / "eu", tmp_path / "us"]
    folders = [write_series(place, name="orders") for place in places]
    if build:
        definitions = build([load_series(folder) for folder in folders])
    else:
        definitions = series_definitions(*folders, data_dir=tmp_path / "data")
    assert {"orders/dataset", "orders/broken"} <= keys_of(definitions)
    node = definitions.resolve_asset_graph().get(dg.AssetKey(["orders", "broken"]))
    assert "the name 'orders' is taken by another series" in (node.description or "")


@pytest.mark.parametrize("page", ["downstream", "operating"])
def test_the_code_for_host_projects_in_the_documents_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    """Each block that builds definitions, in a folder with the series that it names."""
    write_series(tmp_path / "series", name="orders")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"\n\n```python\n(.*?)```", text, re.DOTALL)
    [block] = [block for block in blocks if block.splitlines()[-1].startswith(("defs = ", ")"))]
    found: dict[str, dg.Definitions] = {}
    exec(block, found)
    keys = keys_of(found["defs"])
    assert keys == set() if page == "operating" else keys >= {"order_files", "raw/orders/dataset"}


def test_the_modules_to_preload_are_there() -> None:
    """All can be imported in a new process, with what Dagster opens an instance by.

    No thread is left: the process is copied for each step.
    """
    program = """
import sys, threading
import series_assets.dagster.preload as preload
assert {*preload.MODULES, "sqlalchemy", "alembic"} <= {*sys.modules}
assert threading.active_count() == 1
"""
    subprocess.run([sys.executable, "-c", program], check=True)

"""The bytes of a period depend only on the files of its series."""

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from series_assets.core.plan.series import Series
from series_assets.dagster.build import build_definitions
from series_assets.interface import generate
from series_assets.pipeline.workspace import Workspace
from series_assets.storage.loading import load_series
from series_assets_tests.builders import (
    a_specification,
    a_user_input,
    files_in,
    write_series,
)
from series_assets_tests.checker import Finished, check
from series_assets_tests.thorough import thorough

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01")


def of_all_that_varies() -> dict[str, Any]:
    """Return a specification of everything that stock Exhibit does not seed."""
    specification = a_specification(number_of_rows=50)
    metadata, columns = specification["metadata"], specification["columns"]
    often = ["frequency | probability_vector", "1 | 0.6", "2 | 0.4"]
    columns["id"]["frequency_distribution"] = often
    for name, kind in (("chi", "pseudo_chi"), ("number", "range")):
        metadata["uuid_columns"].append(name)
        columns[name] = {**columns["id"], "anonymising_set": kind, "miss_probability": 0.1}
    metadata["categorical_columns"] += ["consultant", "ward"]
    columns["consultant"] = {
        **columns["region"],
        "uniques": 6,
        "original_values": "regex",
        "anonymising_set": "C[0-9]{3}",
    }
    columns["ward"] = {**columns["region"], "miss_probability": 0.2}
    columns["ward"]["original_values"] = [
        row.replace("region", "ward  ") for row in columns["region"]["original_values"]
    ]
    metadata["numerical_columns"] += ["cost", "visits"]
    columns["cost"] = {**columns["amount"], "miss_probability": 0.1}
    columns["visits"] = {**columns["amount"], "precision": "integer", "distribution": "normal"}
    specification["constraints"]["custom_constraints"] = {
        "one": {"partition": "id", "targets": {"region": "make_almost_same"}}
    }
    specification["derived_columns"] = {
        "cost_of_a_visit": "(cost / visits)",
        "made_on": "@sysdate",
        "luck": "(visits * 0 + @randint(1, 7))",
    }
    return specification


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a series in which much could vary."""
    inputs = a_user_input(
        num_datasets=5, fraction_of_new="1/2", static_columns=["sex", "ward", "cost", "consultant"]
    )
    return write_series(tmp_path_factory.mktemp("series"), of_all_that_varies(), inputs)


@pytest.fixture(scope="session")
def data(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of that series, generated once, in one run."""
    folder = tmp_path_factory.mktemp("data")
    generate(load_series(place), folder)
    check(Finished.of(place, folder))
    return folder


def entities(data: Path, name: str = "demo") -> list[tuple[Any, ...]]:
    """Return the rows of the reference table, in order, as stored."""
    connection = sqlite3.connect(data / "exhibit.db")
    rows = connection.execute(f"SELECT * FROM {name}_reference ORDER BY reference_key").fetchall()
    connection.close()
    return rows


def assert_same(data: Path, other: Path) -> None:
    """Assert that files are equal byte by byte, and so are the reference tables."""
    one, two = files_in(data), files_in(other)
    assert [*one] == [*two]
    assert [file for file in one if one[file] != two[file]] == []
    assert entities(data) == entities(other)


def materialize(series: Series, data: Path, steps: Iterable[tuple[str, str]]) -> None:
    """Materialize one partition of one asset after the other, each in its own run."""
    definitions = build_definitions([series], {"workspace": Workspace(data)})
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        for asset, key in steps:
            result = job.execute_in_process(
                instance=instance,
                partition_key=key,
                asset_selection=[dg.AssetKey([series.name, asset])],
            )
            assert result.success


def test_made_twice(place: Path, data: Path, tmp_path: Path) -> None:
    """A series that is generated twice has the same bytes."""
    generate(load_series(place), tmp_path)
    assert_same(data, tmp_path)


@pytest.mark.thorough
def test_made_in_other_processes(place: Path, data: Path, tmp_path: Path) -> None:
    """Neither the process nor its hash seed affects the files."""
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from series_assets.cli import main; main()",
                "generate",
                "demo",
            ],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "SERIES_ASSETS_SERIES_DIR": str(place.parent),
                "SERIES_ASSETS_DATA_DIR": str(tmp_path / seed),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    for process, seed in zip(processes, ("1", "2"), strict=True):
        _, reported = process.communicate()
        assert process.returncode == 0, reported
        assert_same(data, tmp_path / seed)


@pytest.mark.thorough
def test_made_in_two_runs(place: Path, data: Path, tmp_path: Path) -> None:
    """One run or several runs give the same bytes."""
    for periods in (f"{KEYS[0]}..{KEYS[1]}", KEYS[2], f"{KEYS[3]}..{KEYS[4]}"):
        generate(load_series(place), tmp_path, periods=periods)
    assert_same(data, tmp_path)


@pytest.mark.parametrize(
    "steps",
    [
        *thorough(
            [
                *(("new_records", key) for key in reversed(KEYS)),
                *(("reference_table", key) for key in KEYS),
                *(("dataset", key) for key in reversed(KEYS)),
            ]
        ),
        [
            *((asset, KEYS[0]) for asset in ("new_records", "dataset", "reference_table")),
            ("new_records", KEYS[1]),
            ("new_records", KEYS[2]),
            ("reference_table", KEYS[1]),
            ("reference_table", KEYS[2]),
            ("dataset", KEYS[2]),
            ("new_records", KEYS[4]),
            ("new_records", KEYS[3]),
            ("reference_table", KEYS[3]),
            ("dataset", KEYS[4]),
            ("dataset", KEYS[1]),
            ("reference_table", KEYS[4]),
            ("dataset", KEYS[3]),
        ],
    ],
    ids=["asset by asset", "as it comes"],
)
def test_made_in_any_order(
    place: Path, data: Path, tmp_path: Path, steps: list[tuple[str, str]]
) -> None:
    """Any order of periods that satisfies their dependencies gives the same bytes."""
    materialize(load_series(place), tmp_path, steps)
    assert_same(data, tmp_path)


@pytest.mark.thorough
def test_more_datasets(place: Path, data: Path, tmp_path: Path) -> None:
    """With a higher num_datasets, earlier files are unchanged and later ones match them."""
    inputs = Finished.of(place, data).user_input
    shorter = write_series(tmp_path / "series", of_all_that_varies(), {**inputs, "num_datasets": 3})
    generate(load_series(shorter), tmp_path / "data")
    folder = tmp_path / "data" / "demo"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")}
    write_series(tmp_path / "series", of_all_that_varies(), {**inputs, "num_datasets": 5})
    generate(load_series(shorter), tmp_path / "data", periods=f"{KEYS[3]}..{KEYS[4]}")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert_same(data, tmp_path / "data")


@pytest.mark.thorough
def test_a_middle_period_made_again(place: Path, tmp_path: Path, data: Path) -> None:
    """Regenerating a period changes neither its files nor its rows in the table."""
    generate(load_series(place), tmp_path)
    generate(load_series(place), tmp_path, periods=KEYS[2])
    assert_same(data, tmp_path)
    generate(load_series(place), tmp_path, periods=f"{KEYS[0]}..{KEYS[1]}")
    assert_same(data, tmp_path)


@pytest.mark.thorough
def test_two_series_in_turns(place: Path, data: Path, tmp_path: Path) -> None:
    """Other series in the same process or database have no effect."""
    other = write_series(tmp_path / "series", a_specification(random_seed=8), name="other")
    alone, together = tmp_path / "alone", tmp_path / "together"
    generate(load_series(other), alone)
    for key in KEYS[:4]:
        generate(load_series(other), together, periods=key)
        generate(load_series(place), together, periods=key)
    generate(load_series(place), together, periods=KEYS[4])
    generated = files_in(together)
    assert generated == {**files_in(alone), **files_in(data)}
    assert entities(together) == entities(data)
    assert entities(together, "other") == entities(alone, "other")


@pytest.mark.thorough
def test_what_a_process_drew_before(place: Path, data: Path, tmp_path: Path) -> None:
    """The random state of the process has no effect, and is not changed."""
    random.seed(20)
    np.random.seed(20)
    seed, python, numpy = random.seed, random.getstate(), np.random.get_state()
    generate(load_series(place), tmp_path)
    assert random.seed == seed
    assert random.getstate() == python
    for one, two in zip(np.random.get_state(), numpy, strict=True):
        assert np.array_equal(one, two)
    assert_same(data, tmp_path)


@pytest.mark.parametrize("address", [None, "sqlite:////nowhere/at/all.db"])
def test_the_environment_of_a_process(
    place: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    address: str | None,
) -> None:
    """A database named in the environment is neither used nor forgotten."""
    if address is None:
        monkeypatch.delenv("EXHIBIT_DB_URL", raising=False)
    else:
        monkeypatch.setenv("EXHIBIT_DB_URL", address)
    generate(load_series(place), tmp_path, periods=f"{KEYS[0]}..{KEYS[1]}")
    assert os.environ.get("EXHIBIT_DB_URL") == address
    generated = files_in(tmp_path)
    assert generated == {
        file: content for file, content in files_in(data).items() if file in generated
    }
    assert len(generated) == 7


def test_another_seed_gives_other_files(data: Path, place: Path, tmp_path: Path) -> None:
    """Files are the same for the same seed only."""
    inputs = Finished.of(place, data).user_input
    specification = of_all_that_varies()
    specification["metadata"]["random_seed"] += 1000
    specification["columns"]["id"]["uuid_seed"] += 1000
    other = write_series(tmp_path / "series", specification, dict(inputs))
    generate(load_series(other), tmp_path / "data")
    one, two = files_in(data), files_in(tmp_path / "data")
    assert [*one] == [*two]
    assert [file for file in one if one[file] == two[file]] == []

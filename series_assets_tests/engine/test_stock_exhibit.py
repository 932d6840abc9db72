"""Comparison with stock Exhibit: both generate the same from the same specification."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from exhibit.core import exhibit as stock
from exhibit.core.formatters import format_df_for_export
from exhibit.core.generate import categorical, missing, weights
from exhibit.core.generate.uuids import generate_uuid_column

from series_assets import interface
from series_assets.core.plan.derived_columns import whole_columns
from series_assets.core.plan.identifiers import IdentifierPlan, generate
from series_assets.core.spec.frequency_distribution import parse_distribution
from series_assets.engine import constant_seeds
from series_assets.engine.missing_data import SeededMissingData
from series_assets.storage.loading import InstalledDatabaseWarning, load_series
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.engine.specifications import (
    OFTEN,
    ONCE,
    SHIPPED,
    cross_joined,
    vaccinations,
    with_gaps,
    with_two_numbers_and_a_custom_constraint,
)
from series_assets_tests.thorough import mostly_thorough, thorough

INSTALLED = Path(str(files("exhibit") / "db" / "exhibit.db"))

_ACCEPT = """
import sys
from exhibit.command.bootstrap import main
for path in sys.argv[1:]:
    sys.argv = ["exhibit", "fromspec", path, "--output", path + ".csv"]
    main()
"""


class InOrder(set[Any]):
    """A set that iterates in the order of its members' texts."""

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(set.__iter__(self), key=str))

    def __sub__(self, other: Any) -> "InOrder":
        return InOrder(set.difference(self, other))

    def __and__(self, other: Any) -> "InOrder":
        return InOrder(set.intersection(self, other))

    def __or__(self, other: Any) -> "InOrder":
        return InOrder(set.union(self, other))


OTHERS: dict[str, tuple[Callable[[], dict[str, Any]], dict[str, Any]]] = {
    "vaccinations": (vaccinations, {"date_columns": ["vacc_date"]}),
    "with_gaps": (with_gaps, {"static_columns": []}),
    "with_two_numbers": (with_two_numbers_and_a_custom_constraint, {"static_columns": ["region"]}),
    "cross_joined": (cross_joined, {"static_columns": ["region"], "fraction_of_new": "1/2"}),
}


def generated_folder(folder: Path, name: str) -> Path:
    """Generate one of the other series and return the folder of its files."""
    specification, keys = OTHERS[name]
    place = write_series(folder / "series", specification(), a_user_input(**keys), name)
    interface.generate(load_series(place), folder / "data")
    return folder / "data" / name


def stock_csv(
    specification: dict[str, Any], database: Path, patch: pytest.MonkeyPatch, first: bool
) -> list[str]:
    """Return the lines of the CSV that stock Exhibit generates, with its sets sorted.

    In all but the ``first`` period, its constant seeds are replaced by those of the run.
    """
    patch.setenv("EXHIBIT_DB_URL", f"sqlite:///{database}")
    for module in (stock, missing, categorical, weights):
        patch.setattr(module, "set", InOrder, raising=False)
    patch.setattr(stock, "MissingDataGenerator", SeededMissingData)
    run = stock.Exhibit(command="fromspec", source=specification, output="dataframe")
    with constant_seeds.replaced_by(None if first else specification["metadata"]["random_seed"]):
        table = format_df_for_export(run.generate())
    for name in whole_columns(specification):  # Exhibit writes them with a point beside gaps
        table[name] = table[name].astype("Int64")
    return str(table.to_csv(index=False)).splitlines()


@pytest.mark.parametrize("name", mostly_thorough(OTHERS, "vaccinations"))
def test_new_records_are_those_of_stock_exhibit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Stock Exhibit generates the same new records from the saved specification.

    Except values that it seeds with a constant, which differ from period to period, and how it
    writes whole numbers beside missing ones.
    """
    folder = generated_folder(tmp_path, name)
    database = Path(shutil.copyfile(INSTALLED, tmp_path / "stock.db"))
    for number in (1, 2, 4):
        text = (folder / f"dataset_{number}.new.yml").read_text(encoding="utf-8")
        lines = stock_csv(yaml.safe_load(text), database, monkeypatch, number == 1)
        own = (folder / "new_records" / f"dataset_{number}.csv").read_text(encoding="utf-8")
        assert own.splitlines() == lines


def accept(folder: Path, database: Path) -> None:
    """Run Exhibit on every saved specification of a folder; each must give all its rows."""
    saved = sorted(folder.glob("*.yml"))
    assert any(path.name.endswith(".existing.yml") for path in saved)
    run = subprocess.run(
        [sys.executable, "-c", _ACCEPT, *map(str, saved)],
        env={**os.environ, "EXHIBIT_DB_URL": f"sqlite:///{database}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "VALIDATION FAIL" not in run.stdout
    for path in saved:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))["metadata"]["number_of_rows"]
        assert len(pd.read_csv(f"{path}.csv")) == rows, path.name


@pytest.mark.parametrize("name", thorough("school", "clinic"))
def test_exhibit_accepts_every_specification_of_the_series_that_ship(
    tmp_path: Path, name: str
) -> None:
    """``exhibit fromspec`` runs them, for new and for existing records."""
    interface.generate(load_series(SHIPPED / name), tmp_path)
    accept(tmp_path / name, tmp_path / "exhibit.db")


@pytest.mark.thorough
@pytest.mark.parametrize("name", mostly_thorough(OTHERS, "with_gaps"))
def test_exhibit_accepts_every_specification_of_other_series(tmp_path: Path, name: str) -> None:
    """``exhibit fromspec`` runs them, for new and for existing records."""
    accept(generated_folder(tmp_path, name), tmp_path / "data" / "exhibit.db")


@pytest.mark.thorough
def test_the_console_script_of_exhibit_accepts_a_saved_specification(tmp_path: Path) -> None:
    """``exhibit fromspec`` generates existing records from the saved file."""
    interface.generate(load_series(SHIPPED / "school"), tmp_path)
    run = subprocess.run(
        [
            Path(sys.executable).with_name("exhibit"),
            "fromspec",
            tmp_path / "school" / "dataset_2.existing.yml",
            "--output",
            tmp_path / "again.csv",
        ],
        env={**os.environ, "EXHIBIT_DB_URL": f"sqlite:///{tmp_path / 'exhibit.db'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    known = pd.read_csv(tmp_path / "school" / "new_records" / "dataset_1.csv", dtype=str)
    again = pd.read_csv(tmp_path / "again.csv", dtype=str)
    assert len(again) == 100
    # The table now has entities of later periods as well.
    assert set(again["sex"]) == set(known["sex"])


@pytest.mark.each_value
@pytest.mark.parametrize("kind", ["uuid", "range"])
@pytest.mark.parametrize("distribution", [ONCE, OFTEN, ["frequency | probability_vector", "7 | 3"]])
def test_identifiers_are_those_of_exhibit(kind: str, distribution: list[str]) -> None:
    """In the first period, a uuid column has Exhibit's values, row by row."""
    for seed, rows, miss in itertools.product((0, 1, 2**31), (1, 2, 50, 333), (0.0, 0.3, 1.0)):
        plan = IdentifierPlan(
            column="id",
            kind=kind,
            seed=seed,
            order_seed=seed,
            series_seed=99,
            distribution=parse_distribution(distribution),
            miss_probability=miss,
            issued=0,
        )
        theirs = generate_uuid_column("id", rows, miss, distribution, seed, kind)
        # With missing values, pandas writes stock Exhibit's integers as floats.
        wanted = [None if pd.isna(value) else value for value in theirs]
        assert generate(plan, rows).tolist() == wanted


def test_the_database_that_ships_is_never_written(tmp_path: Path) -> None:
    """Exhibit's database is unchanged, even if a user input names it."""
    before = INSTALLED.read_bytes()
    interface.generate(load_series(SHIPPED / "school"), tmp_path)
    inputs = a_user_input(exhibit_db_path=str(INSTALLED))
    place = write_series(tmp_path, a_specification(), inputs)
    with pytest.warns(InstalledDatabaseWarning):
        series = load_series(place)
    interface.generate(series, tmp_path)
    assert INSTALLED.read_bytes() == before
    assert not list(INSTALLED.parent.glob("exhibit.db-*"))
    assert (tmp_path / "exhibit.db").exists()

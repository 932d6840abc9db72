"""Models in Exhibit's folder change the records; other models are refused."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dill
import numpy as np
import pandas as pd
import pytest

from series_assets_tests.builders import a_specification
from series_assets_tests.columns import a_number, with_columns
from series_assets_tests.exhibit_features.checked_series import (
    INSTALLED,
    existing_records,
    generate_series,
    new_records,
    run_command,
)

FOLDER = INSTALLED.parents[1] / "models"


class Doubled:
    """A model that multiplies amounts and tries to change static columns."""

    def apply_model(self, records: pd.DataFrame, factor: float = 2) -> pd.DataFrame:
        """Return the records with amounts multiplied."""
        records["amount"] = records["amount"] * factor
        return records


class Meddling:
    """A model that changes the sex of every record."""

    def apply_model(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records with F for M, and M for F."""
        records["sex"] = records["sex"].astype(object).map({"F": "M", "M": "F"})
        return records


class Sorting:
    """A model that puts the records in another order."""

    def apply_model(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records sorted by amount."""
        return records.sort_values("amount").reset_index(drop=True)


class Selecting:
    """A model that leaves out records."""

    def apply_model(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records with large amounts."""
        return records[records["amount"] > 50]


class Dividing:
    """A model by which the rows of an entity differ in a static column."""

    def apply_model(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records with F and M in turns."""
        return records.assign(sex=np.where(np.arange(len(records)) % 2, "F", "M"))


class Renaming:
    """A model that changes identifiers."""

    def apply_model(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the records with other identifiers."""
        return records.assign(id="x" + records["id"].astype(str))


@pytest.fixture
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[type, str]]:
    """The names of the models above, installed in Exhibit's folder during the test.

    Only one test at a time may do so, because the last one removes the folder.
    """
    with (tmp_path_factory.getbasetemp().parent / "models.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = FOLDER.exists()
        FOLDER.mkdir(exist_ok=True)
        names = {model: f"test_{model.__name__}_{os.getpid()}" for model in MODELS}
        try:
            for model, name in names.items():
                (FOLDER / f"{name}.pickle").write_bytes(dill.dumps(model()))
            yield names
        finally:
            for name in names.values():
                (FOLDER / f"{name}.pickle").unlink(missing_ok=True)
            if not there:
                FOLDER.rmdir()


MODELS = (Doubled, Meddling, Sorting, Selecting, Dividing, Renaming)


def with_model(name: str, **settings: Any) -> dict[str, Any]:
    """Return a specification that applies a model to its records."""
    return a_specification() | {"models": {name: settings}}


def test_a_model_changes_new_and_existing_records(tmp_path: Path, models: dict[type, str]) -> None:
    """A model is applied to both parts, with the settings of the specification."""
    finished = generate_series(tmp_path, with_model(models[Doubled], factor=1000))
    for records in (
        new_records(finished, 1),
        new_records(finished, 2),
        existing_records(finished, 2),
    ):
        assert records["amount"].astype(float).between(1000, 100_000).all()


def test_a_model_is_applied_last(tmp_path: Path, models: dict[type, str]) -> None:
    """After constraints and calculations, in both parts: also those with what is kept or moves."""
    specification = with_columns(with_model(models[Doubled], factor=1000), limit=a_number())
    specification["constraints"]["basic_constraints"] = ["amount <= limit"]
    specification["constraints"]["custom_constraints"] = {
        "one": {"filter": "sex == 'F'", "targets": {"amount": "assign_value$7"}}
    }
    specification["derived_columns"] = {
        "plain": "amount * 10",
        "kept": "amount + limit * 0",
        "moved": "amount + date.dt.day * 0",
    }
    finished = generate_series(
        tmp_path, specification, num_datasets=2, static_columns=["sex", "limit"]
    )
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        amounts = records["amount"].astype(float)
        assert set(amounts[records["sex"] == "F"]) == {7000}
        assert amounts[records["sex"] == "M"].gt(7000).any()
        for name, factor in (("plain", 10), ("kept", 1), ("moved", 1)):
            assert np.allclose(records[name].astype(float), amounts / 1000 * factor)


def test_constraints_are_checked_after_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: dict[type, str]
) -> None:
    """Nothing is enforced on what a model computes, but rows that break a constraint count."""
    specification = with_model(models[Doubled], factor=1000)
    specification["constraints"]["basic_constraints"] = ["amount <= 100"]
    ended, message = run_command(monkeypatch, tmp_path, "generate", specification)
    assert ended == 0
    for part in ("new records", "existing records"):
        assert f" {part} do not meet 'amount <= 100'" in message


def test_a_model_without_settings(tmp_path: Path, models: dict[type, str]) -> None:
    """A model without settings uses its defaults."""
    finished = generate_series(tmp_path, with_model(models[Doubled]))
    assert existing_records(finished, 2)["amount"].astype(float).max() == 200


def test_settings_left_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: dict[type, str]
) -> None:
    """Exhibit fails on a model without any settings, so it is refused."""
    name = models[Doubled]
    specification = a_specification() | {"models": {name: None}}
    ended, message = run_command(monkeypatch, tmp_path, "validate", specification)
    assert ended == 2
    assert message.startswith(f"models.{name} ")


def test_a_model_does_not_change_what_an_entity_keeps(
    tmp_path: Path, models: dict[type, str]
) -> None:
    """Recorded values of an entity stay, whatever a model does to them."""
    generate_series(tmp_path, with_model(models[Meddling]))


def test_a_model_may_put_records_in_another_order(tmp_path: Path, models: dict[type, str]) -> None:
    """Recorded values stay with the rest of their row."""
    specification = with_model(models[Sorting])
    specification["derived_columns"] = {"is_female": "sex == 'F'"}
    finished = generate_series(tmp_path, specification, num_datasets=2)
    for records in (new_records(finished, 2), existing_records(finished, 2)):
        assert set(records["sex"]) == {"F", "M"}
        assert (records["is_female"] == (records["sex"] == "F").map(str)).all()


def test_a_model_that_leaves_out_records_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: dict[type, str]
) -> None:
    """A part has as many rows as were asked for."""
    ended, message = run_command(monkeypatch, tmp_path, "generate", with_model(models[Selecting]))
    assert ended == 1
    assert " of 60 rows; a model may not add or remove rows" in message


def test_a_model_that_changes_identifiers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: dict[type, str]
) -> None:
    """What is recorded of an entity could not be found again."""
    ended, message = run_command(monkeypatch, tmp_path, "generate", with_model(models[Renaming]))
    assert ended == 1
    assert "the models changed 'id'; a model may not change identifiers" in message


def test_the_rows_of_an_entity_agree_after_a_model(tmp_path: Path, models: dict[type, str]) -> None:
    """In static columns, whatever the model makes of each row."""
    specification = with_model(models[Dividing])
    specification["columns"]["id"]["frequency_distribution"] = [
        "frequency | probability_vector",
        "1 | 0.2",
        "3 | 0.8",
    ]
    finished = generate_series(tmp_path, specification, num_datasets=2)
    sexes = new_records(finished, 1).groupby("id")["sex"]
    assert sexes.nunique().max() == 1 < sexes.size().max()


@pytest.mark.parametrize("command", ["validate", "generate"])
def test_a_model_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The message says where the model must be."""
    assert run_command(monkeypatch, tmp_path, command, with_model("ghost")) == (
        2,
        f"models.ghost is not among Exhibit's models; put ghost.pickle into {FOLDER}, or leave "
        "models empty",
    )


@pytest.mark.parametrize("name", ["/tmp/ghost", "../ghost", "ghost.pickle"])
def test_a_model_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A path is refused: only models in Exhibit's folder are loaded."""
    assert run_command(monkeypatch, tmp_path, "validate", with_model(name)) == (
        2,
        f"models.{name} is not the plain name of a model; put the model into Exhibit's folder "
        "models and give its name without folder and ending",
    )

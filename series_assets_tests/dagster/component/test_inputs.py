"""The ways to name the two files of a series in a ``defs.yaml``, its data folder and database."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from series_assets.storage import sqlite
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.dagster.component.host_project import (
    KEYS,
    HostProject,
    asset_keys_of,
    files_of,
    keys_of,
)
from series_assets_tests.materialize import materialize
from series_assets_tests.thorough import thorough


def test_without_attributes_the_files_beside_it_make_the_series(
    project: HostProject, instance: dg.DagsterInstance, expected: dict[str, bytes]
) -> None:
    """The series is named after its folder, and its data is in ``data`` in the project's root."""
    project.write_series("demo")
    with project.load() as definitions:
        assert materialize(
            definitions, instance, *asset_keys_of("demo"), first=KEYS[0], last=KEYS[-1]
        ).success
    assert project.files() == files_of("demo", expected)


def inline(project: HostProject) -> dict[str, Any]:
    """Both files are written into the ``defs.yaml``."""
    return {"specification": a_specification(), "user_input": a_user_input()}


def two_paths(project: HostProject) -> dict[str, Any]:
    """Two files in another folder, one of them with an absolute path."""
    place = write_series(project.root, name="elsewhere")
    return {
        "specification": str(place / "specification.yml"),
        "user_input": "../../../../elsewhere/user_input.yml",
    }


def another_folder(project: HostProject) -> dict[str, Any]:
    """A folder other than that of the ``defs.yaml``, with another name than the series."""
    write_series(project.root, name="elsewhere")
    return {"folder": "../../../../elsewhere"}


def mixed(project: HostProject) -> dict[str, Any]:
    """The specification is in the folder, the user input in the ``defs.yaml``."""
    place = write_series(project.defs_folder)
    (place / "user_input.yml").unlink()
    return {"user_input": a_user_input()}


@pytest.mark.parametrize("given", [mixed, *thorough(two_paths, inline, another_folder)])
def test_however_its_parts_are_given_the_same_bytes_come_out(
    project: HostProject,
    instance: dg.DagsterInstance,
    expected: dict[str, bytes],
    given: Callable[[HostProject], dict[str, Any]],
) -> None:
    """The same files are written, however the series is described."""
    project.write_component("demo", {**given(project), "name": "demo"})
    with project.load() as definitions:
        assert materialize(
            definitions, instance, *asset_keys_of("demo"), first=KEYS[0], last=KEYS[1]
        ).success
    assert project.files() == files_of("demo", expected, 1) | files_of("demo", expected, 2)


def test_what_is_written_out_is_taken_as_it_stands(project: HostProject) -> None:
    """No templates are rendered in it and no types converted; dates need no quotes."""
    specification = a_specification()
    rows = specification["columns"]["region"]["original_values"]
    rows[1] = rows[1].replace("North", "{{ no_such }}")
    project.write_component(
        "demo",
        {"specification": specification, "user_input": a_user_input(start_date="2024-01-10")},
    )
    file = project.defs_folder / "demo" / "defs.yaml"
    text = file.read_text()
    assert "start_date: '2024-01-10'" in text
    file.write_text(text.replace("'2024-01-10'", "2024-01-10"))
    with project.load() as definitions, dg.DagsterInstance.ephemeral() as instance:
        assert keys_of(definitions) == set(asset_keys_of("demo"))
        assert materialize(definitions, instance, "demo/new_records", first="2024-01-10").success
    assert b"{{ no_such }}" in project.files()["demo/new_records/dataset_1.csv"]


@pytest.mark.parametrize("absolute", [False, True])
def test_the_data_folder_is_relative_to_the_root_of_the_project(
    project: HostProject, instance: dg.DagsterInstance, tmp_path: Path, absolute: bool
) -> None:
    """Not to the code, which may be read-only; an absolute path is used as it is."""
    folder = tmp_path / "whole" if absolute else project.root / "made" / "here"
    project.write_series("demo", data_dir=str(folder) if absolute else "made/here")
    with project.load() as definitions:
        assert materialize(definitions, instance, "demo/new_records", first=KEYS[0]).success
    assert (folder / "demo" / "new_records" / "dataset_1.csv").exists()
    assert (folder / "exhibit.db").exists()


def test_the_data_folder_can_come_from_the_environment(
    project: HostProject,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With Dagster's templates."""
    monkeypatch.setenv("DATA_OF_THE_HOST", str(tmp_path / "data"))
    project.write_series("demo", data_dir="{{ env.DATA_OF_THE_HOST }}")
    with project.load() as definitions:
        assert materialize(definitions, instance, "demo/new_records", first=KEYS[0]).success
    assert (tmp_path / "data" / "demo" / "new_records" / "dataset_1.csv").exists()


@pytest.mark.thorough
def test_a_database_named_in_a_written_out_user_input_is_relative_to_the_defs_yaml(
    project: HostProject, instance: dg.DagsterInstance
) -> None:
    """Just as it is relative to a ``user_input.yml``."""
    place = project.write_component(
        "demo",
        {
            "specification": a_specification(),
            "user_input": a_user_input(exhibit_db_path="own.db"),
        },
    )
    sqlite.create_if_missing(place / "own.db")
    with project.load() as definitions:
        assert materialize(definitions, instance, *asset_keys_of("demo"), first=KEYS[0]).success
    with closing(sqlite3.connect(place / "own.db")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert ("demo_reference",) in tables
    assert not (project.root / "data" / "exhibit.db").exists()

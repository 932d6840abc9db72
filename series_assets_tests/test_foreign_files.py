"""Links, files and folders of others in the place of a series' files are left unchanged."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from series_assets.core.errors import GenerationError, InputError
from series_assets.interface import generate
from series_assets.scaffolding.new_series import create_series
from series_assets.storage.files import write_text
from series_assets.storage.loading import load_series
from series_assets.storage.scratch import exclusive_access
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.exhibit_features.checked_series import database_with_tables, run_command

ENDLESS = (
    "CREATE VIEW endless AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    "SELECT x AS region FROM n"
)


def a_place(folder: Path) -> Path:
    """Write a series of two periods and return its folder."""
    return write_series(folder / "series", a_specification(), a_user_input(num_datasets=2))


@pytest.mark.parametrize("name", ["demo", "demo/new_records"])
def test_a_linked_folder_is_not_written_into(tmp_path: Path, name: str) -> None:
    """The target of the link is unchanged, and the message names the link."""
    own, link = tmp_path / "documents", tmp_path / "data" / name
    own.mkdir()
    (own / "dataset_1.csv").write_text("mine")
    link.parent.mkdir(parents=True)
    link.symlink_to(own)
    with pytest.raises(GenerationError, match="is a link, which is not followed to write") as error:
        generate(load_series(a_place(tmp_path)), tmp_path / "data")
    assert str(link) in str(error.value)
    assert {path.name: path.read_text() for path in own.iterdir()} == {"dataset_1.csv": "mine"}


def test_a_link_under_the_name_of_a_dataset_stays(tmp_path: Path) -> None:
    """Neither the link nor its target is replaced."""
    own, folder = tmp_path / "own.csv", tmp_path / "data" / "demo"
    own.write_text("mine")
    folder.mkdir(parents=True)
    (folder / "dataset_1.csv").symlink_to(own)
    with pytest.raises(GenerationError, match=r"dataset_1\.csv: is a link"):
        generate(load_series(a_place(tmp_path)), tmp_path / "data")
    assert own.read_text() == "mine" and (folder / "dataset_1.csv").is_symlink()


def test_a_text_is_not_written_through_a_link(tmp_path: Path) -> None:
    """Such as the report."""
    own = tmp_path / "own.html"
    own.write_text("mine")
    (tmp_path / "report.html").symlink_to(own)
    with pytest.raises(GenerationError, match="is a link"):
        write_text(tmp_path / "report.html", "ours")
    assert own.read_text() == "mine"


def test_new_leaves_a_folder_alone_that_stands_in_its_way(tmp_path: Path) -> None:
    """A folder in the place of its temporary files stays, and a message names it."""
    foreign = tmp_path / f".demo.{os.getpid()}.part"
    foreign.mkdir()
    (foreign / "mine").touch()
    with pytest.raises(InputError, match="cannot be written"):
        create_series(tmp_path, "demo")
    assert (foreign / "mine").exists()


def test_a_file_in_place_of_the_lock_stays(tmp_path: Path) -> None:
    """Locks are empty files; any other file is named in a message and left unchanged."""
    runs = tmp_path / ".runs"
    runs.mkdir()
    (runs / ".lock").write_text("mine")
    with (
        pytest.raises(GenerationError, match="is not a lock file of series_assets"),
        exclusive_access(runs),
    ):
        pass
    assert (runs / ".lock").read_text() == "mine"


@pytest.mark.parametrize("command", ["validate", "generate"])
def test_a_database_with_a_table_of_exhibits_name_is_still_another_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Its columns differ from Exhibit's; the message names the key."""
    own = tmp_path / "own.db"
    with closing(sqlite3.connect(own)) as connection, connection:
        connection.execute("CREATE TABLE patients (id, name)")
    before = own.read_bytes()
    ended, message = run_command(
        monkeypatch, tmp_path, command, a_specification(), exhibit_db_path=str(own)
    )
    assert ended == 2
    assert message.startswith(
        f"demo/user_input.yml: the database {own} has none of Exhibit's tables"
    )
    assert own.read_bytes() == before


@pytest.mark.each_value
@pytest.mark.parametrize("command", ["validate", "generate"])
@pytest.mark.parametrize(
    ("view", "why"),
    [
        (ENDLESS, "takes longer than 1 seconds"),
        ("CREATE VIEW endless AS SELECT random() AS region", "calls random()"),
    ],
)
def test_a_view_has_the_bounds_of_a_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, view: str, why: str
) -> None:
    """An endless or non-deterministic view is refused."""
    monkeypatch.setattr("series_assets.storage.sql_guard.MAX_SECONDS", 1)
    own = database_with_tables(tmp_path / "own.db")
    with closing(sqlite3.connect(own)) as connection, connection:
        connection.execute(view)
    specification = a_specification()
    specification["columns"]["region"]["anonymising_set"] = "endless.region"
    ended, message = run_command(
        monkeypatch, tmp_path, command, specification, exhibit_db_path=str(own)
    )
    assert ended == 2 and why in message
    assert "columns.region.anonymising_set" in message

"""``series-assets new``: the template, and series inferred from data."""

from pathlib import Path

import pytest
import yaml

from series_assets.core.plan.shared_identifiers import shared_identifiers
from series_assets.settings import SHIPPED
from series_assets.storage.loading import load_series
from series_assets_tests.builders import files_in, write_series
from series_assets_tests.cli.commands import call, datasets, refuse, succeed


def test_new_writes_a_series_that_is_in_order_and_can_be_made_as_it_is(tmp_path: Path) -> None:
    """The template is a valid example."""
    folder = tmp_path / "series" / "mine"
    printed = succeed("new", "mine")
    assert printed == f"{folder / 'specification.yml'}\n{folder / 'user_input.yml'}\n"
    assert succeed("validate", "mine") == "mine: valid\n"
    assert succeed("generate", "mine") == datasets(tmp_path / "data" / "mine", 1, 2, 3)


def test_the_template_explains_every_key_of_a_user_input(tmp_path: Path) -> None:
    """It can be completed without the documentation."""
    from series_assets.core.spec.user_input import UserInput

    succeed("new", "mine")
    text = (tmp_path / "series" / "mine" / "user_input.yml").read_text(encoding="utf-8")
    assert set(yaml.safe_load(text)) == set(UserInput.model_fields)
    lines = text.splitlines()
    for name in UserInput.model_fields:
        [place] = [i for i, line in enumerate(lines) if line.startswith(f"{name}:")]
        while lines[place].strip() and not lines[place].startswith("#"):
            place -= 1
        assert lines[place].startswith("#"), name


def test_new_refuses_a_folder_that_is_there(tmp_path: Path) -> None:
    """Nothing in it is touched."""
    place = write_series(tmp_path / "series")
    before = files_in(place)
    assert refuse("new", "demo") == f"{place}: this folder already exists; choose another name"
    assert files_in(place) == before


@pytest.mark.parametrize("name", ["My-Series", "2024", "", "../outside", "a/b"])
def test_new_refuses_a_name_that_cannot_be_one(tmp_path: Path, name: str) -> None:
    """Before a folder is created."""
    message = refuse("new", name)
    assert (
        f"the name '{name}' cannot name a series; use lower-case letters, digits and _, a letter "
        in message
    )
    assert list((tmp_path / "series").iterdir()) == []


LIKE = ["claims", "clinic", "iot", "orders", "school", "telecom"]


@pytest.mark.parametrize("like", LIKE)
def test_new_starts_from_a_series_that_ships(tmp_path: Path, like: str) -> None:
    """A copy with its comments, another name and its own identifiers."""
    succeed("new", "mine", "--like", like)
    series, original = load_series(tmp_path / "series" / "mine"), load_series(SHIPPED / like)
    assert series.user_input == original.user_input
    assert series.specification["metadata"]["id"] == "mine"
    assert list(series.specification["columns"]) == list(original.specification["columns"])
    assert list(shared_identifiers([original, series])) == []
    text = (SHIPPED / like / "specification.yml").read_text("utf-8")
    copied = (tmp_path / "series" / "mine" / "specification.yml").read_text("utf-8")
    assert copied.splitlines()[1:3] == text.splitlines()[:2]


def test_new_starts_from_data_or_from_a_series(tmp_path: Path) -> None:
    """Both at once are refused, and so is an unknown series, with the list of known ones."""
    data = ("--from-data", "real.csv", "--id", "patient")
    assert refuse("new", "mine", "--like", "claims", *data).endswith(
        "Error: --like and --from-data cannot be used together"
    )
    refused = refuse("new", "mine", "--like", "clams")
    assert all(f"'{name}'" in refused for name in LIKE)
    assert list((tmp_path / "series").iterdir()) == []


@pytest.fixture
def real_data(tmp_path: Path) -> Path:
    """A CSV as a user might have it."""
    rows = [
        f"p{i % 40},{'F' if i % 3 else 'M'},2024-01-{i % 28 + 1:02},{i * 7 % 50 + 0.5}"
        for i in range(200)
    ]
    path = tmp_path / "real.csv"
    path.write_text("\n".join(["patient,sex,seen,cost", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("identifier", ["patient", "an_added_one"])
def test_new_from_data_writes_a_series_that_can_be_made(
    tmp_path: Path, real_data: Path, identifier: str
) -> None:
    """It is valid unchanged, with the data's columns and the requested identifier."""
    succeed("new", "mine", "--from-data", real_data, "--id", identifier)
    assert succeed("validate", "mine") == "mine: valid\n"
    succeed("generate", "mine")
    header = (tmp_path / "data" / "mine" / "dataset_1.csv").read_text(encoding="utf-8")
    columns = set(header.splitlines()[0].split(","))
    assert columns == {identifier, "patient", "sex", "seen", "cost"}


def test_new_from_data_that_are_not_there_leaves_no_folder(tmp_path: Path) -> None:
    """The file is named, and the name is still available."""
    message = refuse("new", "mine", "--from-data", tmp_path / "ghost.csv", "--id", "patient")
    assert "ghost.csv" in message
    assert list((tmp_path / "series").iterdir()) == []


@pytest.mark.parametrize("option", [("--from-data", "real.csv"), ("--id", "patient")])
def test_new_asks_for_data_and_identifier_together(option: tuple[str, str]) -> None:
    """One without the other is not enough."""
    assert refuse("new", "mine", *option).endswith(
        "Error: --from-data and --id have to be given together"
    )


def test_new_does_not_write_into_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a series dir of the user's, it creates one and says how to use it."""
    monkeypatch.delenv("SERIES_ASSETS_SERIES_DIR")
    result = call("new", "mine")
    assert result.exit_code == 0
    folder = tmp_path / "series"
    assert result.stdout.splitlines()[0] == str(folder / "mine" / "specification.yml")
    assert result.stderr == f"To use it: export SERIES_ASSETS_SERIES_DIR={folder}\n"
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(folder))
    assert succeed("validate", "mine") == "mine: valid\n"

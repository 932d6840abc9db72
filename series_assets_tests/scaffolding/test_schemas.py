"""The schemas of a new series, and the comments in which its files name them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from series_assets.core.spec.json_schema import json_schema
from series_assets.scaffolding.new_series import create_series, write_template
from series_assets.storage.loading import load_series


@pytest.fixture
def created(tmp_path: Path) -> Path:
    """Return the folder of a new series."""
    create_series(tmp_path, "mine")
    return tmp_path / "mine"


@pytest.mark.parametrize("name", ["specification", "user_input"])
def test_a_new_file_names_a_schema_that_is_there(created: Path, name: str) -> None:
    """In its first line, as a relative path, so it works on any machine."""
    first = (created / f"{name}.yml").read_text("utf-8").splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named
    assert not Path(named[1]).is_absolute()
    assert json.loads((created / named[1]).read_text("utf-8")) == json_schema(name)


def test_files_are_completed_without_changing_those_that_exist(tmp_path: Path) -> None:
    """As in the folder of a component, only missing files are written."""
    place = tmp_path / "mine"
    place.mkdir()
    (place / "specification.yml").write_text("mine")
    write_template(place, "mine")
    assert (place / "specification.yml").read_text() == "mine"
    assert "$schema=.schemas/user_input.json" in (place / "user_input.yml").read_text("utf-8")


def test_the_comment_changes_nothing_about_the_series(created: Path) -> None:
    """The fingerprint depends on the content alone."""
    before = load_series(created).fingerprint
    for path in created.glob("*.yml"):
        path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[1:]))
    assert load_series(created).fingerprint == before


def test_the_schemas_of_a_series_can_be_written_again(created: Path) -> None:
    """As documented, after an upgrade of the package."""
    stale = created / ".schemas" / "user_input.json"
    stale.write_text("{}")
    module = "series_assets.scaffolding.schemas"
    subprocess.run([sys.executable, "-m", module, ".schemas"], cwd=created, check=True)
    assert json.loads(stale.read_text("utf-8")) == json_schema("user_input")

"""``docs/ground-truth.md`` is correct: its tables are complete, its commands run."""

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from series_assets import truth
from series_assets.cli import main
from series_assets.core.plan.truth import SCD1_COLUMNS, SCD2_COLUMNS
from series_assets.core.spec.truth_settings import PROFILES as NAMES
from series_assets.core.spec.truth_settings import TruthSettings
from series_assets.core.truth.fold import OPERATIONS
from series_assets.core.truth.profiles import PROFILES
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_user_input, write_series

TEXT = (Path(__file__).parents[1] / "docs" / "ground-truth.md").read_text(encoding="utf-8")


def _rows(heading: str) -> dict[str, str]:
    """Return the rows of the tables below a heading, by the name in their first cell."""
    below = re.split(r"\n##+ ", TEXT.split(f"# {heading}\n")[1])[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", below, re.MULTILINE))


def test_every_setting_is_described_with_its_default() -> None:
    """And no others."""
    rows = _rows("Settings")
    assert list(rows) == list(TruthSettings.model_fields)
    for name, field in TruthSettings.model_fields.items():
        default = rows[name].split(" | ")[0].strip("`")
        assert default == (str(field.default).lower() if field.default else "empty")
        assert field.description


def test_every_operation_profile_and_column_is_described() -> None:
    """With the names in the files."""
    assert set(OPERATIONS) <= set(_rows("`changes_<n>.csv`"))
    rows = _rows("SCD1 and SCD2 as of any period")
    assert tuple(PROFILES) == NAMES == tuple(name for name in rows if name in NAMES)
    for name, profile in PROFILES.items():
        reported = {profile.valid_from, profile.valid_to, profile.current, *(profile.more or ())}
        assert {f"`{one}`" for one in reported if one} <= set(re.findall(r"`[^`]+`", rows[name]))
    assert all(f"`{name}`" in rows["scd2"] for name in SCD2_COLUMNS)
    assert all(f"`{name}`" in rows["scd1"] for name in SCD1_COLUMNS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A series called telecom with a history, in a user's folder."""
    write_series(tmp_path / "series", None, a_user_input(truth={}), name="telecom")
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path / "series"))
    monkeypatch.chdir(tmp_path)
    _run("generate", "telecom")
    return tmp_path


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_commands_and_the_example_run(folder: Path) -> None:
    """Exactly as shown."""
    (block,) = re.findall(r"```sh\n(series-assets .*?)```", TEXT, re.DOTALL)
    printed = [_run(*line.split()[1:]) for line in block.splitlines()]
    assert printed[-1] == f"{folder / 'expected.csv'}\n"
    example, verified, checked, _ = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    series = load_series(folder / "series" / "telecom")
    found: dict[str, Any] = {"series": series}
    exec(example, found)
    assert (folder / "expected.csv").read_text().count("\n") == len(found["frame"]) + 1
    found["frame"] = truth(series, folder / "data", profile="dbt")
    exec(verified, found)
    exec(checked, found)
    assert [key.asset_key.to_user_string() for key in found["check"].check_keys] == ["my_dim"]


def test_the_function_gives_a_typed_frame(folder: Path) -> None:
    """Numbers are numbers and times are times."""
    series = load_series(folder / "series" / "telecom")
    frame = truth(series, folder / "data", at="2024-02-01")
    types = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert types["amount"] == "float64" and types["version"] == "Int64"
    assert types["valid_from"].startswith("datetime64") and types["is_current"] == "bool"
    assert frame["opened_in"].max() == 2

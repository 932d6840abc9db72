"""``series-assets truth``: what it writes and prints, and what it refuses."""

from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from click.testing import CliRunner

from series_assets.cli import main
from series_assets_tests.builders import a_user_input, write_series


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A series called clinic with a history, in a folder of the user's."""
    write_series(tmp_path / "series", None, a_user_input(truth={}), name="clinic")
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path / "series"))
    monkeypatch.chdir(tmp_path)
    _run("generate", "clinic")
    return tmp_path


def _run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == code, done.output
    return done.output


def test_a_history_is_printed_or_written_as_parquet(folder: Path) -> None:
    """With types, and the columns of the tool."""
    printed = _run("truth", "clinic", "--as", "scd1")
    assert printed.splitlines()[0] == "id,sex,region,amount,version,since,is_deleted"
    assert _run("truth", "clinic", "--as", "changes").startswith("dataset,row,id,op,version")
    _run("truth", "clinic", "--profile", "dlt", "--output", "dlt.parquet")
    schema = parquet.read_schema(folder / "dlt.parquet")
    assert str(schema.field("_dlt_valid_from").type) == "timestamp[us, tz=UTC]"
    assert str(schema.field("amount").type) == "double"
    assert "4 of 4, 4 with truth" in " ".join(_run("list").split())


def test_what_cannot_be_given_is_refused(folder: Path) -> None:
    """With what to do instead, and exit code 2."""
    assert _run("truth", "clinic", "--at", "2024-02-02", code=2) == (
        "--at 2024-02-02 is not the first day of a period of clinic; did you mean '2024-02-01'?\n"
    )
    assert _run("truth", "clinic", "--output", "a.xlsx", code=2) == (
        f"{folder / 'a.xlsx'}: is neither CSV nor Parquet; name it .csv or .parquet\n"
    )
    assert _run("truth", "clinic", "--as", "changes", "--profile", "dbt", code=2) == (
        "clinic: no tool keeps a change log in columns of its own; leave out the profile\n"
    )
    _run("clean", "clinic", "--yes")
    assert not (folder / "data" / "clinic").exists()
    assert _run("truth", "clinic", code=2) == (
        "clinic: nothing is recorded of its history yet; first run series-assets generate clinic\n"
    )
    write_series(folder / "series", name="clinic")
    assert _run("truth", "clinic", code=2) == (
        "clinic: its user input has no truth block, so nothing is known about its history; add "
        "truth: {} to clinic/user_input.yml, then generate its periods again\n"
    )

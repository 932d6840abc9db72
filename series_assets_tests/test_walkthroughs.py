"""The pages that lead from nothing to a result, followed step by step."""

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from series_assets.cli import main
from series_assets_tests.documents import ROOT, blocks_of, run, text_of
from series_assets_tests.end_to_end.dev_server import dg_dev
from series_assets_tests.walkthrough import follow

DBT = Path(os.environ.get("SERIES_ASSETS_TEST_DBT", ROOT / ".venv-dbt"))


def test_the_first_page_ends_in_a_series_of_ones_own(tmp_path: Path) -> None:
    """Every command runs with the output that the page shows, and three columns are changed."""
    follow(blocks_of("docs/start.md"), tmp_path)
    header, *rows = (tmp_path / "data/subscribers/dataset_4.csv").read_text().splitlines()
    assert header == "id,category,date,amount"
    assert {row.split(",")[1] for row in rows} == {"Basic", "Plus", "Family"}
    assert all("2025-03-24" <= row.split(",")[2] <= "2025-03-30" for row in rows)
    assert {"", "5"} <= {row.split(",")[3] for row in rows}
    shutil.rmtree(tmp_path / "data")
    _shows_the_message_of_a_mistake(tmp_path)


def _shows_the_message_of_a_mistake(folder: Path) -> None:
    file = folder / "series/subscribers/user_input.yml"
    file.write_text(file.read_text().replace("- category", "- categroy"))
    environment = {"SERIES_ASSETS_SERIES_DIR": str(folder / "series")}
    done = CliRunner().invoke(main, ["validate", "subscribers"], env=environment)
    assert f"```text\n{done.stderr}```" in text_of("docs/start.md")


def test_a_csv_becomes_a_valid_series(tmp_path: Path) -> None:
    """Without dbt and without generating it, which takes longer."""
    blocks = blocks_of("docs/real-data.md")
    last = next(n for n, block in enumerate(blocks) if "generate" in block.text)
    follow(blocks[: last + 1], tmp_path, lambda line: "generate " in line or "check " in line)
    assert "truth:\n  track: [fee, result]" in (
        tmp_path / "series/inspections/user_input.yml"
    ).read_text(encoding="utf-8")


@pytest.mark.thorough
@pytest.mark.skipif(not DBT.exists(), reason="needs an environment with dbt: make dbt")
def test_a_csv_becomes_a_verified_pipeline(tmp_path: Path) -> None:
    """From the table to a history that dbt keeps and ``verify`` accepts."""
    (tmp_path / "dbt-env").symlink_to(DBT)
    follow(blocks_of("docs/real-data.md"), tmp_path)


@pytest.mark.thorough
def test_the_first_page_in_an_environment_of_its_own(tmp_path: Path) -> None:
    """Its install commands suffice in a copy of the project."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "series_assets", copy / "series_assets")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    commands = [block.text for block in blocks_of("docs/start.md", "sh")]
    script = "unset PYTHONPATH\n" + "".join(commands).replace("dg dev", "dg list defs")
    done = run(script.replace("grep ", "true "), copy)  # shows a column that the page changes
    assert done.returncode == 0, done.stderr
    assert "subscribers/dataset" in done.stdout


@pytest.mark.thorough
def test_dg_dev_runs_in_a_copy_of_the_repository(tmp_path: Path) -> None:
    """It shows the shipped series."""
    with dg_dev(ROOT, tmp_path, []) as server:
        assert {"clinic/dataset", "school/dataset"} <= server.assets().keys()

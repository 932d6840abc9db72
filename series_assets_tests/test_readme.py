"""The README is correct: its commands run, and the rows that it shows are real."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from series_assets.cli import main
from series_assets_tests.documents import blocks_of, run, text_of

README = text_of("README.md")


def test_the_commands_of_the_readme_run_one_after_the_other(tmp_path: Path) -> None:
    """In their order, none of them fails.

    Nor do those of three short pages: how it works, editors, and the shipped series.
    """
    script = "\n".join(block.text for block in blocks_of("README.md", "sh"))
    # Installation is already done when this test runs; a server is tested elsewhere.
    script = re.sub(r"^(pip install .* && pytest|dg dev)\n", "", script, flags=re.MULTILINE)
    script = re.sub(r"^pip install .* && ", "", script, flags=re.MULTILINE)
    assert "pip" not in script and "series-assets generate clinic" in script
    pages = ("docs/how-it-works.md", "docs/editors.md", "docs/ready-series.md")
    [exhibit, schemas, like] = [block.text for page in pages for block in blocks_of(page, "sh")]
    shorter = script.replace("generate clinic", "generate clinic --periods 2024-01-01..2024-02-01")

    done = run("\n".join([shorter, exhibit, schemas, like]), tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data/clinic/dataset_2.csv").exists()
    assert (tmp_path / "data/my_series/dataset_3.csv").exists()
    assert (tmp_path / "series/my_claims/specification.yml").exists()
    [line] = blocks_of("docs/editors.md", "yaml")
    assert (tmp_path / "series/my_series/user_input.yml").read_text().startswith(line.text)


def test_the_rows_shown_first_are_those_that_come_out(clinic_data: Path) -> None:
    """The first table of the README has rows of the series as it is generated."""
    shown = re.findall(r"^\| `(dataset_\d\.csv)` \| (\S+)… \| (.*) \|$", README, re.MULTILINE)
    assert len(shown) == 5
    for file, patient, rest in shown:
        header, *rows = (clinic_data / "clinic" / file).read_text(encoding="utf-8").splitlines()
        names = header.split(",")
        wanted = ["sex", "blood_group", "urgency", "attendance_date", "waiting_days"]
        found = [
            [row.split(",")[names.index(name)] for name in wanted]
            for row in rows
            if row.startswith(patient)
        ]
        assert rest.split(" | ") in found


@pytest.fixture(scope="module")
def clinic_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with the first three datasets of ``clinic``."""
    folder = tmp_path_factory.mktemp("data")
    arguments = ["generate", "clinic", "--periods", "2024-01-01..2024-03-01"]
    done = CliRunner().invoke(main, arguments, env={"SERIES_ASSETS_DATA_DIR": str(folder)})
    assert done.exit_code == 0, done.output
    return folder

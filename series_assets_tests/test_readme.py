"""What the README and the documents say is so: their commands run, their tables are complete."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from series_assets import SeriesComponent
from series_assets.cli import main
from series_assets.core.spec.user_input import UserInput

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def _environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SERIES_ASSETS", "DAGSTER"))}
    programs = Path(sys.executable).parent
    return kept | {"PATH": f"{programs}{os.pathsep}{kept['PATH']}", "PWD": str(folder)}


def test_the_commands_of_the_readme_run_one_after_the_other(tmp_path: Path) -> None:
    """Whoever types the README's commands in their order sees none of them fail."""
    script = "\n".join(_blocks())
    # What sets up has been done already by whoever runs this test.
    script = re.sub(r"^pip install .* && pytest\n", "", script, flags=re.MULTILINE)
    script = re.sub(r"^pip install .* && ", "", script, flags=re.MULTILINE)
    assert "pip" not in script and "series-assets generate clinic" in script

    done = subprocess.run(
        ["sh", "-e"],
        input=script,
        cwd=tmp_path,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data/clinic/dataset_10.csv").exists()
    assert (tmp_path / "data/my_series/dataset_3.csv").exists()
    assert (tmp_path / "out/dataset_3.csv").exists()


def test_the_rows_shown_first_are_those_that_come_out(clinic_data: Path) -> None:
    """The table that opens the README shows rows of the series as it is made."""
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
    """Return a data folder that holds the first three datasets of ``clinic``."""
    folder = tmp_path_factory.mktemp("data")
    arguments = ["generate", "clinic", "--periods", "2024-01-01..2024-03-01"]
    done = CliRunner().invoke(main, arguments, env={"SERIES_ASSETS_DATA_DIR": str(folder)})
    assert done.exit_code == 0, done.output
    return folder


def test_every_key_of_the_user_input_is_in_the_readme_with_its_default() -> None:
    """A key that a user may write is explained, and none is that they may not."""
    section = README.split("## The user input")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))

    assert list(told) == list(UserInput.model_fields)
    for name, field in UserInput.model_fields.items():
        if field.is_required():
            assert told[name] == "required"
        elif isinstance(field.default, bool):
            assert told[name] == f"`{str(field.default).lower()}`"
        elif field.default:
            assert told[name].strip("`") == str(field.default)


def test_every_attribute_of_the_component_is_in_the_readme() -> None:
    """And the table has none that does not exist."""
    section = README.split("## In a Dagster project of your own")[1].split("\n## ")[0]
    told = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert told == list(SeriesComponent.model_fields)


def test_every_command_and_option_is_in_the_readme() -> None:
    """A command or an option that nobody documented fails here."""
    for name, command in main.commands.items():
        assert f"`series-assets {name}" in README
        for option in (opt for parameter in command.params for opt in parameter.opts):
            assert not option.startswith("--") or option in README


def test_the_links_between_the_documents_lead_somewhere() -> None:
    """No document links to a file that is not there."""
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"

"""The dbt example: dbt keeps the history of a series, and the checks verify it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "dbt_snapshots"
PAGE = (ROOT / "docs" / "test-your-pipeline.md").read_text(encoding="utf-8")
ENVIRONMENT = Path(os.environ.get("SERIES_ASSETS_TEST_DBT", ROOT / ".venv-dbt"))
INSTALL, LAUNCH = (
    re.search(r"```sh\n(.*?)```", (EXAMPLE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    .group(1)  # type: ignore[union-attr]
    .splitlines()
)


@pytest.mark.skipif(
    not ENVIRONMENT.exists() and "SERIES_ASSETS_TEST_DBT" not in os.environ,
    reason="needs an environment with dbt: make dbt",
)
@pytest.mark.thorough
def test_the_checks_tell_a_correct_snapshot_from_a_wrong_one(tmp_path: Path) -> None:
    """The README's command feeds dbt; one check passes, the other fails as described.

    Two periods are enough to see it, and each takes a run of dbt.
    """
    launch = re.sub(r"(2024-01-08)\.\.\.\S+", r"\1...2024-01-22", LAUNCH)
    assert launch != LAUNCH
    left = shutil.ignore_patterns("data", "target", "logs", "*.duckdb*", "*.egg-info", ".user.yml")
    project = Path(shutil.copytree(EXAMPLE, tmp_path / "project", ignore=left))
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
    foreign = ("SERIES_ASSETS", "DAGSTER", "VIRTUAL_ENV", "PYTHONHOME")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}

    done = subprocess.run(
        ["sh", "-ec", launch],
        cwd=project,
        env=kept
        | {
            "PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{kept['PATH']}",
            "PYTHONPATH": f"{project / 'src'}{os.pathsep}{ROOT}",
            "DAGSTER_HOME": str(home),
            "HOME": str(home),
            "DO_NOT_TRACK": "1",
        },
        capture_output=True,
        text=True,
        timeout=600,  # two runs of dbt, which take a minute each on a busy machine
        check=False,
    )

    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    checked = dict(
        re.findall(r"Asset check 'scd2_of_school' on '(\w+)' (passed|did not pass)", printed)
    )
    assert checked == {"pupil_history": "passed", "pupil_history_wrong": "did not pass"}
    shown = re.search(r"second fails and says:\n\n```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown
    findings = {line.split(":")[0] for line in shown.group(1).splitlines()}
    assert {"likely cause", "no_current", "wrong_valid_to"} <= findings
    for finding in ("likely cause", "no_current", "wrong_valid_to"):
        assert f"{finding}: " in printed.replace("\\", "")  # which escapes Markdown


def test_the_install_command_uses_the_lock_file_of_the_example() -> None:
    """So that later environments have the tested versions."""
    assert INSTALL == "pip install -e ../.. -e . -c requirements.lock"
    assert (EXAMPLE / "requirements.lock").exists()


def test_its_series_is_the_one_that_ships_with_a_truth() -> None:
    """The specification is that of ``school``; the user input has additional keys."""
    own = EXAMPLE / "src/dbt_snapshots/defs/school"
    shipped = ROOT / "series_assets/series/school"
    file = "specification.yml"
    assert (own / file).read_bytes() == (shipped / file).read_bytes()

    def read(folder: Path) -> dict:
        return yaml.safe_load((folder / "user_input.yml").read_text(encoding="utf-8"))

    assert {**read(shipped), "truth": read(own)["truth"]} == {
        "exhibit_db_path": None,
        "release": "calendar",
        **read(own),
    }


def test_the_page_shows_the_checks_of_the_example() -> None:
    """Word for word."""
    module = (EXAMPLE / "src/dbt_snapshots/defs/checks.py").read_text(encoding="utf-8")
    assert f"```python\n{module}```" in PAGE

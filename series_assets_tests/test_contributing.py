"""Files for contributors are consistent: commands, hooks, workflow and templates."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*_*.yml"))
PARTS_WITHOUT_ID = ("markdown",)


def text_of(path: str) -> str:
    """Return the text of a file of the project."""
    return (ROOT / path).read_text(encoding="utf-8")


def targets() -> dict[str, list[str]]:
    """Return the commands that each target of the Makefile runs."""
    found: dict[str, list[str]] = {}
    for line in text_of("Makefile").splitlines():
        if target := re.match(r"([a-z]+):  # ", line):
            found[target[1]] = commands = []
        elif line.startswith("\t"):
            commands.append(line.strip())
    return found


def local_hooks() -> dict[str, str]:
    """Return the command of each hook that runs a tool of the development environment."""
    repos = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    return {
        hook["id"]: hook["entry"]
        for one in repos
        if one["repo"] == "local"
        for hook in one["hooks"]
    }


def test_the_contributing_guide_names_every_make_target() -> None:
    """Its table has each command of the Makefile, and no other."""
    named = re.findall(r"^\| `make ([a-z]+)[^`]*` \|", text_of("CONTRIBUTING.md"), re.MULTILINE)
    assert sorted(named) == sorted(targets().keys() - {"help"})


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_alone_lists_the_commands() -> None:
    """``make`` shows each target with a description, and runs nothing."""
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == [*targets()]
    assert all(len(line.split()) > 2 for line in done.stdout.splitlines())


@pytest.mark.parametrize("target", ["test", "lint", "types", "docs"])
def test_ci_runs_what_a_contributor_runs(target: str) -> None:
    """CI runs the commands of these targets."""
    commands = targets()[target]
    assert commands
    assert set(commands) <= set(text_of(".ci/run").splitlines())


def test_ci_and_make_install_the_locked_versions() -> None:
    """Both install the project for development, constrained by the lock file."""
    install = r'pip install .*-e "\.\[dev\]" -c requirements-dev\.lock$'
    assert re.search(install, text_of(".ci/run"), re.MULTILINE)
    assert re.search(install, targets()["setup"][-1])


def test_hooks_run_the_tools_of_the_development_environment() -> None:
    """A commit is checked with CI's versions; other hooks are pinned."""
    assert {hook: entry.split()[0] for hook, entry in local_hooks().items()} == {
        "ruff-check": "ruff",
        "ruff-format": "ruff",
        "mypy": "mypy",
    }
    declared = tomllib.loads(text_of("pyproject.toml"))["project"]["optional-dependencies"]["dev"]
    installed = {re.split(r"[<>=]", one)[0] for one in declared}
    assert {entry.split()[0] for entry in local_hooks().values()} <= installed
    repos = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    revisions = [one["rev"] for one in repos if one["repo"] != "local"]
    assert revisions
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+", one) for one in revisions)


def test_the_workflow_runs_ci_with_every_supported_python() -> None:
    """It only calls ``.ci/run``, has read permission only, and cancels outdated runs."""
    workflow = yaml.safe_load(text_of(".github/workflows/ci.yml"))
    [job] = workflow["jobs"].values()
    classifiers = tomllib.loads(text_of("pyproject.toml"))["project"]["classifiers"]
    prefix = "Programming Language :: Python :: 3."
    supported = [one.split(" :: ")[-1] for one in classifiers if one.startswith(prefix)]
    assert job["strategy"]["matrix"]["python"] == supported
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    assert workflow["concurrency"]["cancel-in-progress"] is True


def test_the_workflow_looks_further_once_a_week() -> None:
    """A schedule runs what a usual run leaves out, and pushes do not cancel it."""
    workflow = yaml.safe_load(text_of(".github/workflows/ci.yml"))
    assert len(workflow[True]["schedule"]) == 1  # YAML reads "on" as true
    [job] = workflow["jobs"].values()
    profile = "${{ github.event_name == 'schedule' && 'long' || 'ci' }}"
    assert job["env"] == {"HYPOTHESIS_PROFILE": profile}
    assert "github.event_name" in workflow["concurrency"]["group"]


def test_there_are_forms_for_bugs_and_for_features() -> None:
    """Issues without a form are possible too."""
    assert [path.stem for path in FORMS] == ["bug_report", "feature_request"]
    config = yaml.safe_load(text_of(".github/ISSUE_TEMPLATE/config.yml"))
    assert config == {"blank_issues_enabled": True}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_is_one_that_github_shows(path: Path) -> None:
    """Each has a name, a description and parts with a label and an id of their own."""
    form: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    assert form.keys() <= {"name", "description", "title", "labels", "body"}
    parts = [part for part in form["body"] if part["type"] not in PARTS_WITHOUT_ID]
    assert {part["type"] for part in parts} <= {"textarea", "input", "dropdown", "checkboxes"}
    assert all(part["attributes"]["label"] for part in parts)
    ids = [part["id"] for part in parts]
    assert len(set(ids)) == len(ids)
    assert any(part.get("validations", {}).get("required") for part in parts)


def test_what_to_open_for_a_change_is_there() -> None:
    """Every module in the table exists, and each change names at most three."""
    table = text_of("CONTRIBUTING.md").split("| to change")[1].split("\n\n")[0]
    rows = [re.findall(r"`([\w/]+\.py)`", row) for row in table.splitlines()[2:]]
    assert len(rows) >= 10
    for modules in rows:
        assert 1 <= len(modules) <= 3
        for module in modules:
            assert (ROOT / "series_assets" / module).is_file(), module

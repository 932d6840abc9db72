"""Dockerfile and compose.yaml, as far as they can be tested without Docker."""

import re
import shlex
import tomllib
from pathlib import Path

import yaml

from series_assets.settings import from_environment

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")


def test_the_image_is_of_a_supported_python_and_copies_what_is_there() -> None:
    """The oldest supported version, and existing paths of this project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [python] = re.findall(r"^FROM python:([\d.]+)-slim$", DOCKERFILE, re.MULTILINE)
    assert project["requires-python"].startswith(f">={python},")
    copied = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY")]
    assert [path for paths in copied for path in paths if not (ROOT / path).exists()] == []
    assert '".[postgres]"' in DOCKERFILE and "postgres" in project["optional-dependencies"]


def test_services_name_services_volumes_and_variables_that_are_there() -> None:
    """Everything that a service refers to is defined."""
    services = COMPOSE["services"]
    assert set(services) == {"postgres", "code", "daemon", "webserver"}
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        named = {volume.split(":")[0] for volume in service["volumes"]}
        assert {name for name in named if not name.startswith(".")} <= set(COMPOSE["volumes"])
    files = [ROOT / "examples" / "production" / name for name in ("dagster.yaml", "workspace.yaml")]
    needed = {v for f in files for v in re.findall(r"env: (\w+)", f.read_text(encoding="utf-8"))}
    for name in ("code", "daemon", "webserver"):
        assert needed <= set(services[name]["environment"])
    settings = from_environment(services["code"]["environment"])
    assert (str(settings.series_dir), str(settings.data_dir)) == ("/series", "/data")


def test_the_page_has_the_commands_of_the_services() -> None:
    """The same, except for the address on which they listen."""
    commands = [
        shlex.split(service["command"].replace("0.0.0.0", "127.0.0.1"))
        for service in COMPOSE["services"].values()
        if "command" in service
    ]
    assert len(commands) == 3
    shown = [shlex.split(line) for line in PAGE.splitlines() if line.startswith("dagster")]
    assert [command for command in commands if command not in shown] == []

"""Copies of the example project, in which Dagster's commands are run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "warehouse"


class Project:
    """A folder in which Dagster's commands are run, with its own Dagster home."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        home.mkdir()
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
        foreign = ("SERIES_ASSETS", "DAGSTER")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        path = [str(root / "src"), str(ROOT), *kept.get("PYTHONPATH", "").split(os.pathsep)]
        self.environment = kept | {
            "DAGSTER_HOME": str(home),
            "HOME": str(home),  # where dg keeps its state
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "NO_COLOR": "1",
            "COLUMNS": "300",
        }

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run an installed command in the project."""
        program, *arguments = command
        return subprocess.run(
            [str(Path(sys.executable).with_name(program)), *arguments],
            env=self.environment,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def output_of(self, *command: str) -> str:
        """Run a command that must succeed, and return its output."""
        ended = self.run(*command)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def definitions(self) -> dict[str, Any]:
        """Return the output of ``dg list defs``."""
        reported = self.output_of("dg", "list", "defs", "--json")
        found: dict[str, Any] = json.loads(reported[reported.index("{") :])
        return found


def copy_of_the_example(folder: Path) -> Path:
    """Copy the example project without files generated in it."""
    left = shutil.ignore_patterns("data", "*.db", "__pycache__", "*.egg-info")
    return Path(shutil.copytree(EXAMPLE, folder, ignore=left))

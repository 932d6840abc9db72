"""The documents as tests read them: their blocks, and a shell for their commands."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNNABLE = ("python", "sh", "sql", "yaml")
"""The languages of blocks that a reader copies; the others are only shown."""
SHOWN = ("text",)


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    language: str
    text: str
    before: str
    """The paragraph before it."""


def documents() -> list[str]:
    """Return the paths of all documents with blocks that a reader may copy."""
    pages = sorted((ROOT / "docs").glob("**/*.md"))
    others = [ROOT / "README.md", *sorted((ROOT / "examples").glob("*/README.md"))]
    return [path.relative_to(ROOT).as_posix() for path in (*others, *pages)]


def text_of(document: str) -> str:
    """Return the text of a document, by its path in the project."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks_of(document: str, *languages: str) -> list[Block]:
    """Return the blocks of a document in their order, of all languages or of some."""
    text = text_of(document)
    found = [
        Block(match[1], match[2], text[: match.start()].rstrip().rpartition("\n\n")[2])
        for match in re.finditer(r"^```(\S*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]
    return [block for block in found if not languages or block.language in languages]


def environment() -> dict[str, str]:
    """Return the environment of a shell in which the package is installed, without settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SERIES_ASSETS", "DAGSTER"))}
    programs = Path(sys.executable).parent
    return kept | {
        "PATH": f"{programs}{os.pathsep}{kept['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")])),
    }


def run(script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a shell script in a folder."""
    return subprocess.run(
        ["sh", "-e"],
        input=script,
        cwd=folder,
        env=environment() | {"PWD": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )

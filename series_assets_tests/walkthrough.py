"""Following a document from its first block to its last, as a reader would.

Files are saved under the names in the paragraph before a block, YAML is inserted where that
paragraph says, and the output shown below a command must be part of its real output.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from series_assets_tests.documents import Block, run

_INSTALLING = ("python3 -m venv ", ". .venv/", "pip install ", "dbt-env/bin/pip install ")
_SERVING = ("dg dev", "dagster dev")


def follow(
    blocks: Iterable[Block], folder: Path, left_out: Callable[[str], bool] = lambda _: False
) -> None:
    """Follow blocks in a folder, except commands that install or serve something.

    Command lines for which ``left_out`` is true are skipped too.
    """
    exports, printed = "", ""
    for block in blocks:
        match block.language:
            case "sh":
                lines = _lines_to_run(block.text, left_out)
                done = run(exports + "\n".join(lines), folder)
                assert done.returncode == 0, block.text + done.stderr
                exports += "".join(f"{line}\n" for line in lines if line.startswith("export "))
                printed = done.stdout if lines else ""
            case "text":
                assert not printed or block.text in printed, printed
                printed = ""
            case "yaml" if column := re.search(r"Replace the column `(\w+)`", block.before):
                replace_column(_specification(folder), column[1], block.text)
            case "yaml" if not _file_of(block):
                set_keys(_specification(folder).with_name("user_input.yml"), block.text)
            case _:
                file = folder / _file_of(block)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")


def replace_column(file: Path, name: str, text: str) -> None:
    """Replace the definition of a column of a specification."""
    pattern = rf"^  {name}:\n(?:    .*\n)+"
    changed, count = re.subn(pattern, text.replace("\\", r"\\"), file.read_text(), flags=re.M)
    assert count == 1, name
    file.write_text(changed)


def set_keys(file: Path, text: str) -> None:
    """Set keys of a user input to the values of a block; missing ones are appended."""
    content = file.read_text()
    for key, lines in re.findall(r"^((\w+):.*\n(?: .*\n)*)", text, re.MULTILINE):
        content, count = re.subn(rf"^{lines}:.*\n", key, content, flags=re.MULTILINE)
        content += "" if count else f"\n{key}"
    file.write_text(content)


def _lines_to_run(text: str, left_out: Callable[[str], bool]) -> list[str]:
    skipped = (*_INSTALLING, *_SERVING)
    lines = text.splitlines()
    return [line for line in lines if not line.startswith(skipped) and not left_out(line)]


def _specification(folder: Path) -> Path:
    [found] = folder.glob("series/*/specification.yml")
    return found


def _file_of(block: Block) -> str:
    """Return the file name in the paragraph before a block, under which to save it."""
    found = re.search(r"(?:Save this as|^|\. )\s*`([\w./-]+\.\w+)`[.:]$", block.before)
    return found[1] if found else ""

"""``docs/test-your-pipeline.md``: its commands run and print what the page shows."""

import re
from pathlib import Path

from series_assets_tests.documents import ROOT, run

PAGE = (ROOT / "docs" / "test-your-pipeline.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_a_newcomer_sees_the_planted_bug_found(tmp_path: Path) -> None:
    """Every command runs, including the pipeline, with the output that the page shows.

    The first verification exits with 1, the one after the fix with 0.
    """
    walk = BLOCKS[: [block for _, block in BLOCKS].index(_first_of("With dbt, in Dagster"))]
    exports, codes = "", []
    for (kind, text), (following, output) in zip(walk, [*walk[1:], ("", "")], strict=True):
        if kind == "python" and "sqlite3" in text:
            (tmp_path / "pipeline.py").write_text(text)
        elif kind == "python":
            done = run(f"{exports}python - <<'END'\n{text}END\n", tmp_path)
            assert done.returncode == 0, done.stderr
        elif kind == "sh":
            done = run(exports + text, tmp_path)
            exports += "".join(line + "\n" for line in text.splitlines() if "export" in line)
            if "verify" in text:
                codes.append(done.returncode)
            else:
                assert done.returncode == 0, text + done.stderr
            if following == "text":
                assert done.stdout == output
    assert codes == [1, 0]


def test_the_commands_change_the_files_as_the_page_says(tmp_path: Path) -> None:
    """Edits by hand give the same files as the commands."""
    new, edit = [text for kind, text in BLOCKS if kind == "sh"][:2]
    [setting] = [text for kind, text in BLOCKS if kind == "yaml"]
    assert run(new + edit, tmp_path).returncode == 0
    folder = tmp_path / "series" / "customers"
    assert (folder / "user_input.yml").read_text().endswith(setting)
    amount = (folder / "specification.yml").read_text().partition("\n  amount:\n")[2]
    assert re.findall(r"miss_probability: (\S+)", amount)[0] == "0.1"


def _first_of(title: str) -> str:
    section = PAGE.partition(f"\n## {title}\n")[2]
    found = re.search(r"^```\w+\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert found
    return found.group(1)

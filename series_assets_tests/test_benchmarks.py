"""The benchmark runs with all kinds of jobs. Durations are not tested."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from series_assets_tests.thorough import thorough

ROOT = Path(__file__).parents[1]


def _benchmark(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("job", "labels"),
    [
        ("help", ["--help"]),
        *thorough(
            ("100x5", ["clinic 100x5", "clinic 100x5"]),
            ("memory", ["clinic memory"]),
            ("late", ["clinic late"]),
            ("truth", ["clinic truth"] * 2),
            ("inpatients_demo", ["inpatients_demo", "inpatients_demo"]),
            ("workers", ["clinic 60x3"]),
            ("shards", ["clinic shards"] * 3),
            ("object_storage", ["clinic object_storage"]),
            ("shards_memory", ["clinic shards_memory none", "clinic shards_memory processes 2"]),
            ("30_million", ["clinic 30_million"]),
        ),
    ],
)
def test_a_job_writes_its_rows_into_the_document(
    job: str, labels: list[str], tmp_path: Path
) -> None:
    """Between the markers, in place of earlier rows, with the command."""
    document = tmp_path / "performance.md"
    document.write_text("before\n<!-- measured -->earlier rows<!-- end of measured -->\nafter\n")
    done = _benchmark("--smoke", job, "--write-to", document)
    assert done.returncode == 0, done.stderr
    text = document.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- measured -->\n\n")
    assert text.endswith("\n\n<!-- end of measured -->\nafter\n")
    assert f"`python -m benchmarks --smoke {job}`" in text and "earlier" not in text
    rows = re.findall(r"^\| ([\w -]+) \| .*\d", text, re.MULTILINE)
    assert rows == labels


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["clinic", *thorough("school")])
def test_the_reference_makes_the_same_files_and_rows(tmp_path: Path, name: str) -> None:
    """The reference script does the same amount of work."""
    from benchmarks import inputs
    from benchmarks.children import Child, command, program

    source = inputs.write_series(tmp_path / "series", name, 100, 3)
    folders = {"SERIES_ASSETS_SERIES_DIR": str(tmp_path / "series")}
    folders["SERIES_ASSETS_DATA_DIR"] = str(tmp_path / "ours")
    Child(program("reference", source, tmp_path / "reference" / name), {}).run()
    Child(command("generate", name), folders).run()
    generated = {
        whose: {
            path.relative_to(tmp_path / whose / name).as_posix(): _lines_of(path)
            for path in (tmp_path / whose / name).rglob("*")
            if path.suffix in (".csv", ".yml")
        }
        for whose in ("ours", "reference")
    }
    assert generated["ours"] == generated["reference"]
    assert len(generated["ours"]) == 11


def _lines_of(path: Path) -> int | None:
    """Return the lines of a table; specifications may differ in length."""
    if path.suffix == ".yml":
        return None
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.thorough
@pytest.mark.parametrize("executor", ["in_process", "forkserver", "forkserver_project"])
def test_a_period_is_generated_in_a_host_project(executor: str, tmp_path: Path) -> None:
    """Under each executor that the documents recommend, with the modules to preload."""
    from benchmarks.executors import measure

    assert measure(executor, tmp_path) > 0
    assert (tmp_path / "data" / "clinic" / "dataset_2.csv").exists()

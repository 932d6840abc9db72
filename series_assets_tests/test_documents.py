"""The documents are correct: their tables are complete, and tests run every block."""

import re
from collections import Counter
from importlib.metadata import requires
from pathlib import Path

import dagster as dg
import pytest
import yaml
from packaging.requirements import Requirement

import series_assets
from series_assets import SeriesComponent
from series_assets.cli import main
from series_assets.core.plan.identifiers import PSEUDO_CHIS
from series_assets.core.spec import dates
from series_assets.core.spec.constraint_limits import ACTIONS
from series_assets.core.spec.truth_settings import TruthSettings
from series_assets.core.spec.user_input import UserInput
from series_assets.scaffolding.new_series import create_series
from series_assets.storage.loading import load_series
from series_assets.storage.yaml_reading import MAX_BYTES, MAX_DEPTH, MAX_VALUES
from series_assets_tests.documents import ROOT, RUNNABLE, SHOWN, blocks_of, documents, text_of
from series_assets_tests.walkthrough import replace_column, set_keys

TESTS = Path(__file__).parent
RUN_BY: dict[str, tuple[dict[str, int], list[str]]] = {
    "README.md": ({"sh": 4}, ["test_readme.py", "dagster/test_dg.py", "end_to_end"]),
    "docs/automation.md": ({"python": 6, "yaml": 1}, ["dagster/test_automation_docs.py"]),
    "docs/dagster.md": (
        {"sh": 4, "yaml": 1},
        ["dagster/test_dg.py", "end_to_end", "test_definitions.py"],
    ),
    "docs/downstream.md": (
        {"python": 4, "yaml": 2, "sh": 1},
        ["dagster/test_host.py", "dagster/test_input_loading.py", "end_to_end"],
    ),
    "docs/editors.md": ({"sh": 1, "yaml": 1}, ["test_readme.py"]),
    "docs/ground-truth.md": (
        {"python": 4, "sh": 1, "yaml": 1},
        ["test_ground_truth_docs.py", "dagster/test_history_assets.py"],
    ),
    "docs/how-it-works.md": ({"sh": 1}, ["test_readme.py"]),
    "docs/operating.md": ({"python": 1}, ["dagster/test_host.py"]),
    "docs/performance.md": ({"sh": 1}, ["test_benchmarks.py"]),
    "docs/production.md": ({"sh": 2}, ["test_production.py", "test_production_files.py"]),
    "docs/pytest.md": ({"python": 2}, ["test_pytest_plugin.py"]),
    "docs/python.md": ({"python": 3}, ["test_python_docs.py"]),
    "docs/ready-series.md": ({"sh": 1}, ["test_readme.py"]),
    "docs/real-data.md": ({"python": 1, "sh": 6, "sql": 1, "yaml": 5}, ["test_walkthroughs.py"]),
    "docs/scale.md": (
        {"python": 1, "sh": 2, "yaml": 1},
        ["test_documents.py", "pipeline/test_dask.py", "pipeline/test_object_storage.py"],
    ),
    "docs/specification.md": ({"yaml": 3}, ["test_documents.py"]),
    "docs/start.md": ({"sh": 9, "yaml": 4}, ["test_walkthroughs.py", "dagster/test_dg.py"]),
    "docs/test-your-pipeline.md": (
        {"python": 3, "sh": 8, "yaml": 1},
        ["test_pipeline_docs.py", "test_dbt_example.py"],
    ),
    "docs/user-input.md": ({"yaml": 1}, ["test_documents.py"]),
    "examples/cluster/README.md": ({"sh": 1}, ["test_cluster_example.py"]),
    "examples/dbt_snapshots/README.md": ({"sh": 1}, ["test_dbt_example.py"]),
}
"""The number of runnable blocks of each document, and the tests that run them."""
COMMANDS = re.compile(r"^(series-assets|dagster|dg|pip|python3?|make|exhibit|pytest|export) \S")


def test_every_block_of_the_documents_is_run_by_a_test() -> None:
    """A new block must be run by a test, and counted above."""
    found = {}
    for document in documents():
        counts = Counter(block.language for block in blocks_of(document, *RUNNABLE))
        if counts:
            found[document] = dict(counts)
    assert found == {document: counts for document, (counts, _) in RUN_BY.items()}
    named = {name for _, tests in RUN_BY.values() for name in tests}
    assert [name for name in sorted(named) if not (TESTS / name).exists()] == []


@pytest.mark.parametrize("document", documents())
def test_a_block_that_is_only_shown_is_marked_as_text(document: str) -> None:
    """It contains no command, except usage with options in brackets."""
    for block in blocks_of(document):
        assert block.language in (*RUNNABLE, *SHOWN), block.text
        first = block.text.partition("\n")[0]
        assert block.language != "text" or not COMMANDS.match(first) or "[" in first, first


def test_the_links_between_the_documents_lead_somewhere() -> None:
    """No document links to a missing file."""
    pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
    for document in {*documents(), *pages}:
        for target in re.findall(r"\]\(([^)#:]+)\)", text_of(document)):
            assert ((ROOT / document).parent / target).exists(), f"{document}: {target}"


def test_every_key_of_the_user_input_has_a_section() -> None:
    """Its heading names the key, so that a search leads there."""
    headings = re.findall(r"^### (.*)$", text_of("docs/user-input.md"), re.MULTILINE)
    named = re.findall(r"`(\w+)`", " ".join(headings))
    assert sorted(named) == sorted(UserInput.model_fields)


def test_every_attribute_of_the_component_is_documented() -> None:
    """And the table has no others."""
    page = text_of("docs/dagster.md")
    section = page.split("## In a Dagster project of your own")[1].split("\n## ")[0]
    reported = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert reported == list(SeriesComponent.model_fields)


def test_every_command_is_in_the_table_of_commands() -> None:
    """An undocumented command fails here; options are generated from the command."""
    page = text_of("docs/command-line.md")
    for name in main.commands:
        assert f"| `series-assets {name}" in page
    assert "<!-- commands -->" in page


def test_the_python_api_has_every_name_that_the_package_exports() -> None:
    """And no other."""
    named = re.findall(r"^::: series_assets\.(\w+)$", text_of("docs/python-api.md"), re.MULTILINE)
    assert sorted(named) == sorted(series_assets.__all__)


def test_the_limits_are_those_of_the_package(tmp_path: Path) -> None:
    """The versions that Exhibit pins, and the accepted sizes."""
    page = text_of("docs/limits.md")
    pins = {one.name: one for one in map(Requirement, requires("exhibit") or [])}
    for name in ("pandas", "numpy", "pyarrow", "scipy", "SQLAlchemy", "PyYAML"):
        [version] = pins[name.lower()].specifier
        assert f"| {name} | {version.version} | pinned by Exhibit |" in page
    sizes = f"{MAX_BYTES:,} bytes, {MAX_VALUES:,} keys and values, {MAX_DEPTH} levels"
    assert sizes in page
    assert f"{dates.FIRST} to {dates.LAST}" in page
    assert f"{PSEUDO_CHIS:,}" in page


def test_the_examples_of_both_files_are_accepted(tmp_path: Path) -> None:
    """In a series as ``new`` writes it."""
    create_series(tmp_path, "demo")
    specification, user_input = (
        tmp_path / "demo" / name for name in ("specification.yml", "user_input.yml")
    )
    for block in (
        *blocks_of("docs/user-input.md", "yaml"),
        *blocks_of("docs/scale.md", "yaml"),
    ):
        set_keys(user_input, block.text)
    content = yaml.safe_load(specification.read_text())
    for block in blocks_of("docs/specification.md", "yaml"):
        [(key, value)] = yaml.safe_load(block.text).items()
        if key == "constraints":
            changed = yaml.safe_load(specification.read_text()) | {key: value}
            specification.write_text(yaml.safe_dump(changed, sort_keys=False))
            continue
        column = "id" if key == "frequency_distribution" else "category"
        definition = content["columns"][column] | {key: value}
        text = yaml.safe_dump(definition, sort_keys=False, indent=2).replace("\n", "\n    ")
        replace_column(specification, column, f"  {column}:\n    {text.rstrip()}\n")
    series = load_series(tmp_path / "demo")
    assert (series.calendar.length, series.calendar.count) == (10, 36)
    assert series.user_input.shards == 25
    [block] = blocks_of("docs/scale.md", "python")
    found: dict[str, object] = {}
    exec(block.text, found)
    assert callable(found["rows_of"])


def test_every_action_of_custom_constraints_is_documented() -> None:
    """And the table has no others."""
    section = text_of("docs/specification.md").split("### custom_constraints")[1]
    rows = re.findall(r"^\| (`.*?) \|", section.split("\n## ")[0], re.MULTILINE)
    named = re.findall(r"`(\w+)", " ".join(rows))
    assert sorted(named) == sorted(ACTIONS)


def test_the_settings_of_the_history_are_accepted() -> None:
    """The block that shows all of them."""
    [block] = blocks_of("docs/ground-truth.md", "yaml")
    settings = TruthSettings.model_validate(yaml.safe_load(block.text)["truth"])
    assert settings.order_by == "attendance_date"


def test_the_retention_of_ticks_is_accepted_by_dagster(tmp_path: Path) -> None:
    """As a part of ``dagster.yaml``."""
    [block] = blocks_of("docs/automation.md", "yaml")
    (tmp_path / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\n{block.text}")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_settings("retention") == yaml.safe_load(block.text)["retention"]

"""The UI in a real browser: what a user sees of a series, and a materialization by clicking.

Skipped without a Chromium, unless ``SERIES_ASSETS_TEST_BROWSER`` is ``required``.
"""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from series_assets.dagster.assets import NAMES
from series_assets_tests.end_to_end.browser import HOW_TO_INSTALL, chromium, find_chromium
from series_assets_tests.end_to_end.client import Server
from series_assets_tests.end_to_end.delivered_files import rows_of
from series_assets_tests.end_to_end.served_series import KEYS

_PATIENCE = 90_000
"""Milliseconds after which anything has failed, even on a busy machine."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's browser."""
    path = find_chromium()
    if path is None:
        if os.environ.get("SERIES_ASSETS_TEST_BROWSER") == "required":
            pytest.fail(HOW_TO_INSTALL)
        pytest.skip(HOW_TO_INSTALL)
    with chromium(path) as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page for one test; addresses are relative to the server."""
    expect.set_options(timeout=_PATIENCE)
    context = browser.new_context(
        base_url=server.url, viewport={"width": 1600, "height": 1400}, reduced_motion="reduce"
    )
    context.set_default_timeout(_PATIENCE)
    try:
        yield context.new_page()
    finally:
        context.close()


def partition_page(page: Page, series: str, asset: str, key: str) -> None:
    """Open the page of a partition of an asset."""
    page.goto(f"/assets/{series}/{asset}?view=partitions&partition={key}")


def entry(page: Page, label: str) -> Locator:
    """Return the row of the partition's metadata with this label."""
    rows = page.get_by_role("row").filter(has=page.get_by_role("cell", name=label, exact=True))
    return rows.first


def asked(answer: Response) -> str:
    """Return the query that the page sent to get an answer."""
    return answer.request.post_data or ""


def show_markdown(page: Page, label: str) -> Locator:
    """Click to open a metadata entry, and return the dialog that shows it."""
    entry(page, label).get_by_text("[Show Markdown]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(label)
    return dialog


@pytest.mark.thorough
def test_the_graph_of_a_series_shows_its_assets(page: Page, ranged: str) -> None:
    """All of them, with their kinds and the number of their partitions."""
    page.goto(f"/locations/series_assets.definitions/asset-groups/{ranged}/lineage")
    for name in NAMES:
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    expect(page.get_by_text("100% filled")).to_have_count(len(NAMES))
    expect(page.get_by_text("SQLite", exact=True)).to_have_count(1)


@pytest.mark.thorough
def test_the_page_of_a_partition_shows_its_first_rows(
    page: Page, server: Server, ranged: str
) -> None:
    """As a table, with every value as in the file."""
    partition_page(page, ranged, "dataset", KEYS[1])
    rows = rows_of(server.data_dir / ranged / "dataset_2.csv")[:3]
    table = entry(page, "first_rows").get_by_role("table")
    for column in rows[0]:
        expect(table.get_by_role("columnheader", name=column, exact=True)).to_be_visible()
    for row in rows:
        shown = table.get_by_role("row").filter(has_text=row["id"])
        expect(shown).to_have_count(1)
        assert shown.get_by_role("cell").all_inner_texts() == list(row.values())


@pytest.mark.thorough
def test_the_page_of_a_partition_shows_what_specification_diff(page: Page, ranged: str) -> None:
    """As a diff with removed and added lines."""
    partition_page(page, ranged, "dataset", KEYS[1])
    dialog = show_markdown(page, "specification_diff")
    expect(dialog.locator(".hljs-deletion", has_text="number_of_rows: 30")).to_be_visible()
    expect(dialog.locator(".hljs-addition", has_text="number_of_rows: 20")).to_be_visible()


def test_the_page_of_a_partition_shows_its_picture(page: Page, ranged: str) -> None:
    """As an image that the browser can display."""
    partition_page(page, ranged, "dataset", KEYS[1])
    picture = show_markdown(page, "plot").locator("img[src^='data:image/png']")
    expect(picture).to_be_visible()
    size = picture.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert size > 300


@pytest.mark.thorough
def test_a_materialization_can_be_started_by_clicking(page: Page, server: Server) -> None:
    """It succeeds, and the partition turns green."""
    page.goto("/locations/series_assets.definitions/asset-groups/clicked/lineage")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_placeholder("ex:").fill(KEYS[0])
    dialog.get_by_placeholder("ex:").press("Enter")
    with page.expect_response(lambda answer: "LaunchPipelineExecution" in asked(answer)) as launch:
        dialog.get_by_role("button", name="Launch 1 run").click()
    run = launch.value.json()["data"]["launchPipelineExecution"]["run"]["id"]
    page.goto("about:blank")  # the page of a running run keeps a core busy
    server.wait_for_success(run)
    partition_page(page, "clicked", "dataset", KEYS[0])
    expect(page.get_by_text("Materialized (1)")).to_be_visible()
    expect(page.get_by_text("Materialized", exact=True)).to_be_visible()
    assert "dataset_1.csv" in server.files("clicked")

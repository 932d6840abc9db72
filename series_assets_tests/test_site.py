"""The documentation site builds without warnings, and its search leads to the right page."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from series_assets_tests.documents import ROOT
from series_assets_tests.end_to_end.browser import HOW_TO_INSTALL, chromium, find_chromium

pytestmark = pytest.mark.skipif(not find_spec("mkdocs"), reason="needs pip install -e '.[dev]'")

QUESTIONS = [
    ("How do I make a series of my own?", "first series", "start"),
    ("Can the data look like a table that I have?", "real csv", "real-data"),
    ("How does a customer keep the same date of birth?", "static columns", "user-input"),
    ("How many rows of a file are about new customers?", "fraction_of_new", "user-input"),
    ("Why are my partitions unsynced?", "unsynced", "troubleshooting"),
    ("How do I generate a period every night?", "schedule", "automation"),
    ("Is the history that my dbt snapshot keeps correct?", "dbt snapshot", "real-data"),
    ("Can the data be on a network drive?", "nfs", "limits"),
    ("Which version of pandas does it need?", "pandas version", "limits"),
    ("How do I use a series in my tests?", "pytest fixture", "pytest"),
]
"""A user's question, their search text, and the page that must be found first.

They were written down before the site was built.
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site; every warning of the build is an error."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Return the address of the site, which is served on this machine only."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_reference_has_what_is_generated(site: Path) -> None:
    """Keys from the models, options from the commands, functions from their docstrings."""
    for page, generated in {
        "user-input": ["fraction_of_new", "new records among the rows"],
        "specification": ["distribution_parameters", "cross_join_all_unique_values"],
        "command-line": ["--valid-from COLUMN", "The column with the start of each version."],
        "python-api": ["Generate periods of a series and return the paths"],
        "index": ["Your first series", "0e8bec948f6f"],
        "changelog": ["Unreleased"],
    }.items():
        text = (site / ("" if page == "index" else page) / "index.html").read_text()
        for one in generated:
            assert one in text, page
        assert "<!-- keys" not in text and "<!-- commands" not in text


def test_the_pages_load_nothing_from_elsewhere(site: Path) -> None:
    """No fonts and no scripts, so that readers are not tracked."""
    text = (site / "start" / "index.html").read_text(encoding="utf-8")
    assert 'src="http' not in text and '<link rel="stylesheet" href="http' not in text


def test_the_search_leads_to_the_page_with_the_answer(address: str) -> None:
    """In a browser, the first result of the site's search is the page with the answer."""
    path = find_chromium()
    if path is None:
        pytest.skip(HOW_TO_INSTALL)
    found = {}
    with chromium(path) as browser:
        page = browser.new_page()
        page.goto(address)
        box = page.get_by_role("textbox", name="Search")
        first = page.locator(".md-search-result__link").first
        box.click()
        for _, typed, _ in QUESTIONS:
            for text, state in (("", "detached"), (typed, "attached")):
                box.fill(text)
                box.press("End")  # the site searches when a key is released
                first.wait_for(state=state)
            found[typed] = (first.get_attribute("href") or "").removeprefix(address).split("/")[0]
    assert found == {typed: page for _, typed, page in QUESTIONS}

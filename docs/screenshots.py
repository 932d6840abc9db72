"""Take the pictures of the UI that the README shows, with the series ``clinic``.

``python docs/screenshots.py`` in a checkout that is installed for development, with Chromium
(``apt-get install chromium``) and Pillow, which matplotlib brings. Everything is made in a
temporary home; the pictures go to ``docs/images``.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from series_assets.settings import SHIPPED
from series_assets_tests.end_to_end.browser import HOW_TO_INSTALL, chromium, find_chromium
from series_assets_tests.end_to_end.client import Server
from series_assets_tests.end_to_end.dev_server import dagster_dev

SERIES = "clinic"
IMAGES = Path(__file__).parent / "images"
_BASE = Path(tempfile.gettempdir()) / "demo"
_COLOURS = 128
_SECOND = 1000


def main() -> None:
    """Make the series, look at it, and save what is seen."""
    path = find_chromium()
    if path is None:
        sys.exit(HOW_TO_INSTALL)
    IMAGES.mkdir(exist_ok=True)
    with _demo() as server, chromium(path) as browser:
        keys = server.assets()[f"{SERIES}/dataset"]["partitionKeys"]
        for key in keys:
            server.made(server.launch_job(SERIES, key))
        server.made(server.launch(SERIES, ["report"]))
        _save("graph", _graph(browser, server))
        page = _dataset_page(browser, server, keys[2])
        _save("dataset", _partition(page))
        _save("picture", _picture(page))
        _save("report", _report(browser, server))


@contextmanager
def _demo() -> Iterator[Server]:
    """Run a ``dagster dev`` with the series in a folder whose name tells nothing of this machine.

    The folder must not be there; it is removed at the end.
    """
    try:
        _BASE.mkdir()
    except FileExistsError:
        sys.exit(f"{_BASE} is there already; remove it first")
    try:
        shutil.copytree(SHIPPED / SERIES, _BASE / "series" / SERIES)
        with dagster_dev(_BASE) as server:
            yield server
    finally:
        shutil.rmtree(_BASE)


def _page(browser: Browser, width: int, height: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.set_default_timeout(120 * _SECOND)
    return page


def _graph(browser: Browser, server: Server) -> bytes:
    """Return a picture of the graph of the series' assets."""
    page = _page(browser, 1600, 700)
    page.goto(f"{server.url}/locations/series_assets.definitions/asset-groups/{SERIES}/lineage")
    page.get_by_text("100% filled").nth(2).wait_for()
    page.get_by_role("button", name="Hide navigation").click()
    page.wait_for_timeout(3 * _SECOND)  # the graph moves to its place
    return page.screenshot()


def _dataset_page(browser: Browser, server: Server, key: str) -> Page:
    """Return the page of one partition of the dataset."""
    page = _page(browser, 1700, 2400)
    page.goto(f"{server.url}/assets/{SERIES}/dataset?view=partitions&partition={key}")
    page.get_by_role("button", name="Hide navigation").click()
    _entry(page, "first_rows").get_by_role("table").wait_for()
    page.wait_for_timeout(3 * _SECOND)
    return page


def _entry(page: Page, label: str) -> Locator:
    """Return the row of a page's metadata with this label."""
    rows = page.get_by_role("row").filter(has=page.get_by_role("cell", name=label, exact=True))
    return rows.first


def _partition(page: Page) -> bytes:
    """Return a picture of the page of a partition, from its name down to its first rows."""
    last = _entry(page, "first_rows").bounding_box()
    assert last is not None
    return page.screenshot(
        clip={"x": 0, "y": 0, "width": 1700, "height": last["y"] + last["height"]}
    )


def _picture(page: Page) -> bytes:
    """Return what opens on a click: the picture of a dataset."""
    _entry(page, "plot").get_by_text("[Show Markdown]").click()
    picture = page.get_by_role("dialog").locator("img[src^='data:']")
    picture.evaluate("image => image.decode()")
    page.wait_for_timeout(_SECOND)
    return picture.screenshot()


def _report(browser: Browser, server: Server) -> bytes:
    """Return a picture of the report on the series."""
    page = _page(browser, 1100, 1300)
    page.goto((server.data_dir / SERIES / "report.html").as_uri())
    return page.screenshot()


def _save(name: str, shot: bytes) -> None:
    """Save a picture with few colours, which is all that a UI has."""
    path = IMAGES / f"{name}.png"
    few = Image.open(BytesIO(shot)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1000} kB")  # noqa: T201


if __name__ == "__main__":
    main()

"""A real browser: the system's Chromium, driven by Playwright.

The tests use it, and the script that takes the documentation's screenshots.
"""

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

HOW_TO_INSTALL = "no Chromium is found; on Debian or Ubuntu: apt-get install chromium"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",  # useless for our own pages, and does not start as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return the path of the system's Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextlib.contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """Run the Chromium at ``path`` without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()

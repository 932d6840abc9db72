"""A real browser: the Chromium that the system has, driven by Playwright.

What it looks at is in the tests, and in the script that takes the pictures for the documentation.
"""

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

HOW_TO_INSTALL = "no Chromium is found; on Debian or Ubuntu: apt-get install chromium"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",  # has no use for pages of our own, and does not start for root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return where the system has a Chromium; None where it has none."""
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

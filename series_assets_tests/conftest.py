"""How far tests go, which of them are fast, and how several processes share them.

Hypothesis tries the same examples in every run, or more and other ones when asked:
``HYPOTHESIS_PROFILE=long`` looks further than ``ci``, which is the default::

    HYPOTHESIS_PROFILE=long pytest series_assets_tests/core

The long profile also runs the cases that ``thorough`` leaves out otherwise.
"""

import os
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from series_assets_tests.slow_files import SECONDS, place_of
from series_assets_tests.thorough import left_out

# How long a busy machine takes to draw an example is no fault of a test.
_PATIENT = [HealthCheck.too_slow]
settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=_PATIENT
)
settings.register_profile("long", deadline=None, max_examples=500, suppress_health_check=_PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"

# Otherwise each of the many processes that tests start compiles whatever it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_configure(config: pytest.Config) -> None:
    """Let files begin in the order in which they are collected, not by how many tests they hold."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out thorough tests, put the files that take longest first, mark the fast tests."""
    if not _LONG and (spared := left_out(items)):
        items[0].config.hook.pytest_deselected(items=spared)
        items[:] = [item for item in items if item not in spared]
    for item in items:
        slow = place_of(item.path) in SECONDS or item.get_closest_marker("slow")
        if not slow:
            item.add_marker("fast")
    items.sort(key=lambda item: -SECONDS.get(place_of(item.path), 0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one process for each core, and one more for the end-to-end tests, which mostly wait.

    Each imports all tests, which fast ones take too little time for.
    """
    return (os.cpu_count() or 1) + (config.option.markexpr != "fast")


class _FileByFile(LoadScopeScheduling):
    """Gives each file to one process, and all end-to-end tests to one.

    So that what several tests look at is made once, and one server started. By their paths: the
    groups of xdist get lost with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "end_to_end" if "/end_to_end/" in nodeid else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _FileByFile:
    """Let tests of a file share what they look at, and the slowest files begin first."""
    return _FileByFile(config, log)

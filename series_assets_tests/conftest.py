"""The profiles of the tests, which tests are fast, and how processes share the tests.

Hypothesis tries the same examples in every run. The profile ``long`` tries more, and others, than
the default profile ``ci``::

    HYPOTHESIS_PROFILE=long pytest series_assets_tests/core

The long profile also runs the cases that are marked ``thorough``.
"""

import gc
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from series_assets_tests.slow_files import SECONDS, place_of
from series_assets_tests.thorough import left_out

# A busy machine may take long to generate an example.
_PATIENT = [HealthCheck.too_slow]
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=30,
    derandomize=True,
    print_blob=True,
    suppress_health_check=_PATIENT,
)
settings.register_profile("long", deadline=None, max_examples=500, suppress_health_check=_PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"

# Otherwise each of the many processes that tests start compiles everything that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Each process imports all tests, and next to nothing of what is imported ever becomes garbage:
# with Python's own thresholds, looking for it takes a fifth of the time of collecting tests.
gc.set_threshold(50_000, 10, 10)


def pytest_configure(config: pytest.Config) -> None:
    """Run files in the order in which they are collected, not by their number of tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import slow files for the fast tests."""
    is_slow = collection_path.suffix == ".py" and place_of(collection_path) in SECONDS
    return True if is_slow and config.option.markexpr == "fast" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out thorough tests, sort files by duration, the longest first, and mark fast tests."""
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
    """Return one process per core, and one more for the end-to-end tests, which mostly wait.

    Fast tests get no additional process: importing all tests would take it longer than it saves.
    """
    return (os.cpu_count() or 1) + (config.option.markexpr != "fast")


class _FileByFile(LoadScopeScheduling):
    """Gives each file, and each group of files in ``slow_files``, to one process.

    Shared fixtures are then computed once, and one server is started. This goes by the paths of
    tests because the groups of xdist get lost with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return place_of(Path(__file__).parents[1] / nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _FileByFile:
    """Return a scheduler that keeps the tests of a file in one process."""
    return _FileByFile(config, log)

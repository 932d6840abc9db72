"""How far Hypothesis goes, and which tests stay together when several processes share them.

Hypothesis tries the same examples in every run, or more and other ones when asked:
``HYPOTHESIS_PROFILE=long`` looks further than ``ci``, which is the default::

    HYPOTHESIS_PROFILE=long pytest series_assets_tests/core
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# How long a busy machine takes to draw an example is no fault of a test.
_PATIENT = [HealthCheck.too_slow]
settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=_PATIENT
)
settings.register_profile("long", deadline=None, max_examples=500, suppress_health_check=_PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


class _EndToEndTogether(LoadScopeScheduling):
    """Gives all end-to-end tests to one process, and every other test to whichever is free.

    By their folder: the groups of xdist get lost with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "end_to_end" if "/end_to_end/" in nodeid else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _EndToEndTogether:
    """Let the end-to-end tests share one server, which is begun once for each process."""
    return _EndToEndTogether(config, log)

"""How far Hypothesis goes: the same examples in every run, or more and other ones when asked.

``HYPOTHESIS_PROFILE=long`` looks further than ``ci``, which is the default::

    HYPOTHESIS_PROFILE=long pytest series_assets_tests/core
"""

import os

from hypothesis import settings

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("long", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

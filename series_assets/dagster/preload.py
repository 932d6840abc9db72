"""Imports what the steps of a series need; for ``preload_modules`` of Dagster's executor.

With the start method ``forkserver`` the process of each step begins as a copy of one that has
imported this module. Nothing else imports it.
"""

from importlib import import_module

import dagster as dg

MODULES = (
    "dagster.components",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "matplotlib.style",
    "pandas",
    "pyarrow.csv",
    "series_assets.checks.evaluate",
    "series_assets.checks.run",
    "series_assets.dagster.component",
    "series_assets.engine.run",
    "series_assets.pipeline.dataset",
    "series_assets.pipeline.phases",
    "series_assets.reporting.dataset_plots",
    "series_assets.storage.reference_table",
    "series_assets.storage.sqlite_values",
    "sklearn.utils",
)

for module in MODULES:
    import_module(module)

# A step opens the instance of its run, for which Dagster imports more than for its definitions.
with dg.DagsterInstance.ephemeral():
    pass

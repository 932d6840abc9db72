"""Imports what the steps of a series need; for ``preload_modules`` of Dagster's executor.

With the start method ``forkserver`` the process of each step begins as a copy of one that has
imported this module. Nothing else imports it.
"""

from importlib import import_module

MODULES = (
    "dagster.components",
    "matplotlib.backends.backend_agg",
    "pandas",
    "series_assets.checks.run",
    "series_assets.dagster.component",
    "series_assets.engine.run",
    "series_assets.pipeline.dataset",
    "series_assets.pipeline.phases",
    "series_assets.reporting.dataset_plots",
)

for module in MODULES:
    import_module(module)

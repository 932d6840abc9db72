"""The series that stands for the source system: a file of pupils every two weeks."""

import dagster as dg

from dbt_snapshots.places import DATA, SERIES
from series_assets import series_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """Return the assets of the series."""
    return series_definitions(SERIES, data_dir=DATA)

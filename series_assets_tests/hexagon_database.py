"""A database with hexagons, which specifications with geospatial columns need."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import h3

from series_assets_tests.exhibit_features.checked_series import database_with_tables
from series_assets_tests.strategies import DATABASE


@cache
def database_with_hexagons() -> bytes:
    """Return Exhibit's database with a table of hexagons and their population."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / DATABASE
        cells = sorted(h3.k_ring(h3.geo_to_h3(55.9, -3.2, 8), 2))
        rows = [{"h3": cell, "people": place + 1} for place, cell in enumerate(cells)]
        return database_with_tables(path, places=rows).read_bytes()

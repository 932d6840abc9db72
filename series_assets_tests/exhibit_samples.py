"""Exhibit's sample tables, and a command line that generates series from such data."""

from importlib.util import find_spec
from pathlib import Path

from click.testing import CliRunner, Result

from series_assets.cli import main

_EXHIBIT = find_spec("exhibit")
assert _EXHIBIT is not None and _EXHIBIT.submodule_search_locations
SAMPLES = Path(_EXHIBIT.submodule_search_locations[0]) / "sample" / "_data"


def run(folder: Path, *arguments: str) -> Result:
    """Run the command line with series and data below ``folder``."""
    environment = {
        "SERIES_ASSETS_SERIES_DIR": str(folder / "series"),
        "SERIES_ASSETS_DATA_DIR": str(folder / "data"),
    }
    return CliRunner().invoke(main, arguments, env=environment)

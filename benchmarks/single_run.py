"""Runs Exhibit once, for the first period of a series, and prints its seconds, as JSON.

    python single_run.py FOLDER_OF_THE_TWO_FILES FOLDER_FOR_THE_DATA ours|stock

``ours`` runs it as the series does (``SERIES_ASSETS_STOCK_EXHIBIT=1`` makes that stock functions
with our corrections), ``stock`` is Exhibit as it is installed. Both get the same specification and
a database of their own. Imports are not counted.
"""

import json
import os
import sys
import time
from contextlib import redirect_stdout
from copy import deepcopy
from pathlib import Path

import click
from exhibit.core.exhibit import Exhibit

from series_assets.engine.run import generate_new_records
from series_assets.settings import from_environment
from series_assets.storage import sqlite
from series_assets.storage.loading import load_series


def main(source: Path, target: Path, how: str) -> None:
    """Run Exhibit for the first period of the series whose files lie in ``source``."""
    plan = load_series(source).plan(0)
    assert plan.new is not None
    scratch = target / "exhibit.db"
    sqlite.create_if_missing(scratch)
    os.environ["EXHIBIT_DB_URL"] = f"sqlite:///{scratch}"
    specification = deepcopy(plan.new.specification)
    begun = time.perf_counter()
    if how == "stock":
        with redirect_stdout(sys.stderr):
            run = Exhibit(command="fromspec", source=specification, output="dataframe")
            records = run.generate()
    else:
        stock_exhibit = from_environment().stock_exhibit
        records = generate_new_records(plan, scratch, stock_exhibit=stock_exhibit).records
    lasted = time.perf_counter() - begun
    click.echo(json.dumps({"run": lasted, "rows": len(records)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])

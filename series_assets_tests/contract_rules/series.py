"""Series that are generated and checked against the contract."""

from pathlib import Path
from typing import Any

import pandas as pd

from series_assets.interface import generate
from series_assets.storage.loading import load_series
from series_assets_tests.builders import write_series
from series_assets_tests.checker import Finished, check


def generate_and_check(
    folder: Path,
    specification: dict[str, Any] | None = None,
    user_input: dict[str, Any] | None = None,
) -> Finished:
    """Generate the complete series as a user would, and check it against the contract."""
    place = write_series(folder / "series", specification, user_input)
    generate(load_series(place), folder / "data")
    finished = Finished.of(place, folder / "data")
    check(finished)
    return finished


def dataset(finished: Finished, number: int, part: str = "") -> pd.DataFrame:
    """Return a dataset as text, or only its ``new`` or ``existing`` rows."""
    path = finished.folder / f"dataset_{number}.csv"
    whole = pd.read_csv(path, dtype=str, keep_default_na=False)
    if not part:
        return whole
    identifier = finished.specification["metadata"]["uuid_columns"][0]
    generated = finished.folder / "new_records" / f"dataset_{number}.csv"
    new = pd.read_csv(generated, dtype=str, keep_default_na=False)
    is_new = whole[identifier].isin(new[identifier])
    return whole[is_new if part == "new" else ~is_new]


FREQUENCIES = ["frequency | probability_vector", "1 | 0.5", "2 | 0.3", "3 | 0.2"]

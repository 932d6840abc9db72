"""Applying Exhibit's models to records that its run did not finish."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from exhibit.core import exhibit as stock


def apply_models(records: pd.DataFrame, models: Mapping[str, Any]) -> pd.DataFrame:
    """Return the records after all models of a specification, as Exhibit applies them.

    ``models`` has the settings of each; they are in Exhibit's folder (see ``docs/security.md``).
    """
    for name, settings in models.items():
        with Path(stock.package_dir("models", f"{name}.pickle")).open("rb") as stream:
            records = stock.dill.load(stream).apply_model(records, **settings)
    return records

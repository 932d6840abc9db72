"""What the specification of existing records had to lose and can still hold, made true (5.7)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from series_assets.core.changes import Removed
from series_assets.core.seeds import derive
from series_assets.core.specification import Specification
from series_assets.engine.actions import Handler
from series_assets.engine.fast import replacing


def restore(
    records: pd.DataFrame,
    removed: Removed,
    whole: Specification,
    seed: int,
    derive_column: Callable[[pd.DataFrame, str], "pd.Series[Any]"],
) -> pd.DataFrame:
    """Return the existing records with the constraints applied and the derived columns computed.

    ``whole`` is the period's specification before anything was removed from it;
    ``derive_column`` computes a column from the records and its calculation.
    """
    if removed.restored_constraints:
        definition = {**whole, "_rng": np.random.default_rng(derive(seed, "constraints"))}
        handler = (replacing.FastHandler if replacing.wanted() else Handler)(definition, records)
        records = handler.process_basic_constraints(list(removed.restored_constraints))
    records = records.copy()
    for name, calculation in removed.restored_derived:
        records[name] = derive_column(records, calculation)
    return records

"""What the specification of existing records had to lose and can still hold, made true (5.7)."""

import numpy as np
import pandas as pd
from exhibit.core.constraints import ConstraintHandler
from exhibit.core.generate import derived as stock

from series_assets.core.changes import Removed
from series_assets.core.seeds import derive
from series_assets.core.specification import Specification


def restore(
    records: pd.DataFrame, removed: Removed, whole: Specification, seed: int
) -> pd.DataFrame:
    """Return the existing records with the constraints applied and the derived columns computed.

    ``whole`` is the period's specification before anything was removed from it.
    """
    if removed.restored_constraints:
        definition = {**whole, "_rng": np.random.default_rng(derive(seed, "constraints"))}
        handler = ConstraintHandler(definition, records)
        records = handler.process_basic_constraints(list(removed.restored_constraints))
    records = records.copy()
    for name, calculation in removed.restored_derived:
        records[name] = stock.generate_derived_column(records, calculation)
    return records

"""The vectorized replacements, and what they replace in Exhibit."""

import re
from typing import Any

import pandas as pd
from exhibit.core import constraints, utils
from exhibit.core import exhibit as stock
from exhibit.core.generate import categorical, derived, missing

from series_assets.engine.constraint_actions import CorrectedHandler
from series_assets.engine.patches import rows_that_match
from series_assets.engine.sandbox import Patches
from series_assets.engine.vectorized import categories
from series_assets.engine.vectorized.bounds import Bounds
from series_assets.engine.vectorized.coded import NotCovered
from series_assets.engine.vectorized.comparisons import comparison
from series_assets.engine.vectorized.gaps import MissingDataGenerator
from series_assets.engine.vectorized.groups import Groups, sorted_in_groups
from series_assets.engine.vectorized.numbers import generate_continuous_column
from series_assets.engine.vectorized.tables import parse_original_values


class FastHandler(CorrectedHandler, Bounds, Groups):
    """The corrected handler, with vectorized actions in place of Exhibit's."""

    def _sorted_in_groups(
        self, df: pd.DataFrame, target: str, groups: str, ascending: bool
    ) -> "pd.Series[Any]":
        try:
            return sorted_in_groups(df[target], self._groups(df, groups), ascending)
        except NotCovered:
            return super()._sorted_in_groups(df, target, groups, ascending)


def matching_rows(rows: pd.DataFrame, condition: str) -> Any:
    """Return which rows match a filter, using only the columns that it names."""
    compared = comparison(rows, condition)
    if compared is not None:
        return compared
    named = [name for name in rows.columns if str(name).replace(" ", "__") in condition]
    return rows_that_match(rows[named], condition)


def generate_derived_column(records: pd.DataFrame, calculation: str) -> Any:
    """Return a derived column, given only the columns that it names: Exhibit copies its input.

    A calculation by groups gets all columns, because it may use any of them in its result.
    """
    safe = re.sub(r"\b\s\b", "__", calculation)
    if "groupby" not in safe:
        names = [name for name in records.columns if str(name).replace(" ", "__") in safe]
        records = records[names]
    return _stock_derived_column(records, calculation)


_stock_derived_column = derived.generate_derived_column


def replacements() -> Patches:
    """Return the replacements, by module; they take precedence over the corrections."""
    return [
        (
            stock,
            {
                "ConstraintHandler": FastHandler,
                "MissingDataGenerator": MissingDataGenerator,
                "generate_continuous_column": generate_continuous_column,
                "parse_original_values": parse_original_values,
            },
        ),
        (
            categorical,
            {
                "CategoricalDataGenerator": categories.CategoricalDataGenerator,
                "get_attr_values": categories.attribute_values,
                "shuffle_data": categories.shuffled,
            },
        ),
        (derived, {"generate_derived_column": generate_derived_column}),
        (utils, {"get_attr_values": categories.attribute_values}),
        (missing, {"MissingDataGenerator": MissingDataGenerator}),
        *((module, {"get_constraint_mask": matching_rows}) for module in (constraints, missing)),
    ]

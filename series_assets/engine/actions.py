"""Constraints and custom actions of Exhibit where its own lose rows, missing values or types.

Where Exhibit's answer is right, it is Exhibit's answer that comes out, to the bit.
"""

from typing import Any

import numpy as np
import pandas as pd
from exhibit.core.constraints import ConstraintHandler


class Handler(ConstraintHandler):
    """Exhibit's handler of constraints, right where values are missing or numbers are whole."""

    def make_outlier(
        self,
        df: pd.DataFrame,
        filter_idx: pd.Index,
        target_str: str,
        partition_cols: str | None = None,
        rescale: bool = True,
    ) -> pd.DataFrame:
        """Return the filtered rows with outliers in the targets; what is missing stays so.

        Stock Exhibit hands back only rows with a number, and blanks the others as a whole.
        """
        made = df.loc[filter_idx].copy()
        for target in _names(target_str):
            changed = super().make_outlier(df, filter_idx, target, partition_cols, rescale)
            made[target] = changed[target].reindex(filter_idx)
        return made

    def shift_distribution(
        self,
        df: pd.DataFrame,
        filter_idx: pd.Index,
        target_str: str,
        partition_cols: str | None = None,
        right: bool = True,
    ) -> pd.DataFrame:
        """Return the filtered rows with the targets' values shifted; what is missing stays so.

        Stock Exhibit draws the text "nan" for one of the values.
        """
        names = _names(target_str)
        if not df.loc[filter_idx, names].isna().any(axis=None):
            return super().shift_distribution(df, filter_idx, target_str, partition_cols, right)
        made = df.loc[filter_idx].copy()
        for target in names:
            known = filter_idx[df.loc[filter_idx, target].notna().to_numpy()]
            if len(known):
                changed = super().shift_distribution(df, known, target, partition_cols, right)
                made.loc[known, target] = changed[target]
        return made

    def sort_and_skew(
        self,
        df: pd.DataFrame,
        filter_idx: pd.Index,
        target_str: str,
        partition_cols: str | None = None,
        direction: str | None = None,
    ) -> pd.DataFrame:
        """Return the filtered rows sorted and skewed, numbers as numbers.

        Stock Exhibit leaves a column of mixed objects that the next action stumbles over, and
        fails on a group of which no number is known: here they stay missing.
        """
        made = super().sort_and_skew(df, filter_idx, target_str, partition_cols, direction)
        skewed = _names(target_str)[-1]
        known = df.loc[filter_idx, skewed].notna()
        if partition_cols:
            groups = [df.loc[filter_idx, name] for name in _names(partition_cols)]
            known = known.groupby(groups, observed=True).transform("any").eq(True)
        else:
            known[:] = known.any()
        made[skewed] = made[skewed].astype(object).where(known, None)
        for target in _names(target_str):
            if self._type(target) == "continuous":
                made[target] = self._numbers(made[target], target)
        return made

    def assign_value(
        self,
        df: pd.DataFrame,
        filter_idx: pd.Index,
        target_str: str,
        partition_cols: str | None = None,
        spec_kwarg_0: Any = None,
    ) -> pd.DataFrame:
        """Return the filtered rows with the value assigned, as what the column holds.

        Stock Exhibit assigns text to every kind of column.
        """
        made = super().assign_value(df, filter_idx, target_str, partition_cols, spec_kwarg_0)
        for target in _names(target_str):
            if self._type(target) == "continuous":
                made[target] = self._numbers(made[target], target)
            elif self._type(target) == "date":
                made[target] = pd.to_datetime(made[target])
        return made

    def adjust_dataframe_to_fit_constraint(
        self, anon_df: pd.DataFrame, basic_constraint: str
    ) -> pd.DataFrame:
        """Return the records with one basic constraint applied, dates still dates.

        Stock Exhibit leaves a column of objects where a date is missing.
        """
        made = super().adjust_dataframe_to_fit_constraint(anon_df, basic_constraint)
        for name in made.columns:
            was_date = pd.api.types.is_datetime64_any_dtype(anon_df[name].dtype)
            if was_date and made[name].dtype == object:
                made[name] = pd.to_datetime(made[name])
        return made

    def generate_value_with_condition(self, x: Any, y: Any, op: Any) -> Any:
        """Return the value that meets the condition; a whole one in a column of whole numbers.

        Stock Exhibit puts the bound itself there, and fails where it is a fraction.
        """
        made = super().generate_value_with_condition(x, y, op)
        column = self.spec_dict["columns"][self.dependent_column.replace("__", " ")]
        if column.get("precision") != "integer" or pd.isna(made):
            return made
        if "greater" in op.__name__:
            return np.ceil(made)
        return np.floor(made) if "less" in op.__name__ else np.round(made)

    def _type(self, name: str) -> Any:
        return self.spec_dict["columns"][name]["type"]

    def _numbers(self, column: "pd.Series[Any]", name: str) -> "pd.Series[Any]":
        numbers = pd.to_numeric(column.astype(object).where(column.notna(), None)).astype(float)
        if self.spec_dict["columns"][name]["precision"] == "integer":
            return numbers.round().astype("Int64")
        return numbers


def _names(targets: str) -> list[str]:
    return [name.strip() for name in targets.split(",")]

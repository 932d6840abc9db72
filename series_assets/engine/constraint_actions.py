"""Constraints and custom actions of Exhibit where its own lose rows, missing values or types.

Where Exhibit's answer is right, it is Exhibit's answer that comes out, to the bit.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import pandas as pd

from series_assets.engine.constant_seeds import SeededShifts

Action = Callable[..., pd.DataFrame]


def _names(targets: str) -> list[str]:
    return [name.strip() for name in targets.split(",")]


def _of_known_group(df: pd.DataFrame, rows: pd.Index, partition_cols: str | None) -> pd.Index:
    if partition_cols is None:
        return rows
    return rows[df.loc[rows, _names(partition_cols)].notna().all(axis=1).to_numpy()]


def _in_known_groups(action: Action) -> Action:
    """Keep rows as they are of which it is not known what group they are in.

    Stock Exhibit blanks their targets, and fails where no row has a group.
    """

    @wraps(action)
    def in_known_groups(
        self: Any,
        df: pd.DataFrame,
        filter_idx: pd.Index,
        target_str: str,
        partition_cols: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> pd.DataFrame:
        rows = df.loc[_of_known_group(df, df.index, partition_cols)]
        if len(rows) == len(df):
            return action(self, df, filter_idx, target_str, partition_cols, *args, **kwargs)
        made = df.loc[filter_idx].copy()
        grouped = _of_known_group(df, filter_idx, partition_cols)
        if len(grouped):
            changed = action(self, rows, grouped, target_str, partition_cols, *args, **kwargs)
            made = made.astype(changed.dtypes)
            made.loc[grouped] = changed.loc[grouped]
        return made

    return in_known_groups


class CorrectedHandler(SeededShifts):
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
        grouped = _of_known_group(df, filter_idx, partition_cols)
        for target in _names(target_str):
            known = grouped[df.loc[grouped, target].notna().to_numpy()]
            if len(known):
                changed = super().make_outlier(df, known, target, partition_cols, rescale)
                made[target] = changed[target].reindex(filter_idx)
                made.loc[~made.index.isin(known), target] = df[target]
        return made

    @_in_known_groups
    def sort_values(
        self,
        df: pd.DataFrame,
        filter_idx: pd.Index,
        target_str: str,
        partition_cols: str | None = None,
        asc: bool = True,
    ) -> pd.DataFrame:
        """Return the filtered rows with the targets sorted, what is missing last in its group.

        Stock Exhibit does so over all rows; by groups it fails on missing values, or leaves an
        order that is none.
        """
        names = _names(target_str)
        if partition_cols is None or not df[names].isna().any(axis=None):
            return super().sort_values(df, filter_idx, target_str, partition_cols, asc)
        made = df.loc[filter_idx].copy()
        for target in names:
            made[target] = self._in_order(df, target, partition_cols, asc).loc[filter_idx]
        return made

    @_in_known_groups
    def make_distinct(
        self,
        df: pd.DataFrame,
        filter_idx: pd.Index,
        target_str: str,
        partition_cols: str | None = None,
    ) -> pd.DataFrame:
        """Return the filtered rows without repetitions; rows that are in no group stay."""
        return super().make_distinct(df, filter_idx, target_str, partition_cols)

    @_in_known_groups
    def make_same(
        self,
        df: pd.DataFrame,
        filter_idx: pd.Index,
        target_str: str,
        partition_cols: str | None = None,
        almost: bool = False,
        cascade: bool = True,
    ) -> pd.DataFrame:
        """Return the filtered rows with one value in each group; almost: what is missing stays so.

        Stock Exhibit fails on values of which almost all shall be the same and some are missing,
        and on text of which the first is.
        """
        names = _names(target_str)
        if not almost or not df[names].isna().any(axis=None):
            made = super().make_same(df, filter_idx, target_str, partition_cols, almost, cascade)
            # Where the one value is missing, stock Exhibit takes the text of others for numbers.
            return made.astype({name: object for name in names if df[name].dtype == object})
        made = df.loc[filter_idx].copy()
        for target in names:
            known = made.index[made[target].notna()]
            if len(known):
                rows = df.loc[df[target].notna()]
                changed = super().make_same(rows, known, target, partition_cols, almost, cascade)
                made = made.astype(changed.dtypes)
                made.loc[known] = changed
        return made

    @_in_known_groups
    def generate_as_sequence(
        self,
        df: pd.DataFrame,
        filter_idx: pd.Index,
        target_str: str,
        partition_cols: str | None = None,
        repeating: bool = False,
    ) -> pd.DataFrame:
        """Return the filtered rows with sequences in each group; rows that are in no group stay."""
        return super().generate_as_sequence(df, filter_idx, target_str, partition_cols, repeating)

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

    @_in_known_groups
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
        ordered, skewed = _names(target_str)
        known = df.loc[filter_idx, skewed].notna()
        if partition_cols is None:
            made = super().sort_and_skew(df, filter_idx, target_str, partition_cols, direction)
            known[:] = known.any()
        else:
            # Exhibit's sorting by groups fails on missing values; what it sorts does not matter to
            # what it skews.
            alike = df.assign(**{ordered: 0})
            made = super().sort_and_skew(alike, filter_idx, target_str, partition_cols, direction)
            rows, groups = df.loc[filter_idx], _names(partition_cols)
            made[ordered] = self._in_order(rows, ordered, partition_cols, True)
            known = known.groupby([rows[name] for name in groups], observed=True).transform("any")
            known = known.eq(True)
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

        Stock Exhibit puts the bound itself there, and fails where it is a fraction. It also takes
        no bound for negative: it fails, or gives 0, which is not below it.
        """
        column = self.spec_dict["columns"][self.dependent_column.replace("__", " ")]
        known = not (pd.isna(x) or pd.isna(y))
        if known and column["type"] == "continuous" and y <= 0:
            made = self._beside(y, op.__name__, column["distribution_parameters"])
        else:
            made = super().generate_value_with_condition(x, y, op)
        if column.get("precision") != "integer" or pd.isna(made):
            return made
        if "greater" in op.__name__:
            return np.ceil(made)
        return np.floor(made) if "less" in op.__name__ else np.round(made)

    def _beside(self, bound: Any, comparison: str, parameters: dict[str, Any]) -> Any:
        """Return a value on the right side of a bound, within the dispersion as Exhibit's are."""
        side = -1 if "less" in comparison else 1 if "greater" in comparison else 0
        reach = abs(bound) * (parameters.get("dispersion") or 0)
        if reach and side:
            # What is drawn lies in (0, reach]: never on the bound itself.
            return bound + side * (reach - self.rng.uniform(0, reach))
        return bound if comparison.endswith("equal") else bound + side

    def _in_order(
        self, df: pd.DataFrame, target: str, partition_cols: str, ascending: bool
    ) -> "pd.Series[Any]":
        """Return a column sorted within its groups, what is missing last in them."""
        groups = df.groupby(_names(partition_cols), observed=True)
        ordered: pd.Series[Any] = groups[target].transform(_sorted, ascending)
        return ordered

    def _type(self, name: str) -> Any:
        return self.spec_dict["columns"][name]["type"]

    def _numbers(self, column: "pd.Series[Any]", name: str) -> "pd.Series[Any]":
        numbers = pd.to_numeric(column.astype(object).where(column.notna(), None)).astype(float)
        if self.spec_dict["columns"][name]["precision"] == "integer":
            return numbers.round().astype("Int64")
        return numbers


def _sorted(group: "pd.Series[Any]", ascending: bool) -> "pd.Series[Any]":
    return pd.Series(group.sort_values(ascending=ascending).array, group.index)

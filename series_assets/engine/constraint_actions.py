"""Constraints and custom actions where Exhibit's own lose rows, missing values or types.

Where stock Exhibit's result is right, it is returned unchanged.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import pandas as pd

from series_assets.engine.constant_seeds import Frame, Labels, SeededShifts, split_names

Action = Callable[..., Frame]

_KEPT_TYPES = ("object", "Int64")


def _leave_ungrouped_rows(action: Action) -> Action:
    """Return an action that leaves rows unchanged where a column of the groups is missing.

    Stock Exhibit blanks their targets, and fails where no row has a group.
    """

    @wraps(action)
    def wrapped(
        self: Any, df: Frame, rows: Labels, targets: str, groups: str | None = None, **options: Any
    ) -> Frame:
        has_group = _has_group(df, groups)
        if has_group.all():
            return action(self, df, rows, targets, groups, **options)
        result = df.loc[rows].copy()
        grouped = rows[has_group.loc[rows].to_numpy()]
        if len(grouped):
            changed = action(self, df.loc[has_group], grouped, targets, groups, **options)
            result = result.astype(changed.dtypes)
            result.loc[grouped] = changed.loc[grouped]
        return result

    return wrapped


def _has_group(df: Frame, groups: str | None) -> "pd.Series[bool]":
    """Return for each row whether every column of the groups is known."""
    if groups is None:
        return pd.Series(True, index=df.index)
    return df[split_names(groups)].notna().all(axis=1)


class CorrectedHandler(SeededShifts):
    """Exhibit's constraint handler, corrected for missing values and whole numbers."""

    def make_outlier(
        self, df: Frame, rows: Labels, targets: str, groups: str | None = None, rescale: bool = True
    ) -> Frame:
        """Return the filtered rows with outliers in the targets; missing values stay missing.

        Stock Exhibit returns only rows with a number, and blanks the others completely.
        """
        result = df.loc[rows].copy()
        grouped = rows[_has_group(df, groups).loc[rows].to_numpy()]
        for target in split_names(targets):
            known = grouped[df.loc[grouped, target].notna().to_numpy()]
            if len(known):
                changed = super().make_outlier(df, known, target, groups, rescale)
                result[target] = changed[target].reindex(rows)
                result.loc[~result.index.isin(known), target] = df[target]
        return result

    @_leave_ungrouped_rows
    def sort_values(
        self, df: Frame, rows: Labels, targets: str, groups: str | None = None, asc: bool = True
    ) -> Frame:
        """Return the filtered rows with the targets sorted, missing values last in each group.

        Stock Exhibit does so without groups; with groups it fails on missing values, or leaves
        them unsorted.
        """
        names = split_names(targets)
        if groups is None or not df[names].isna().any(axis=None):
            return super().sort_values(df, rows, targets, groups, asc)
        result = df.loc[rows].copy()
        for target in names:
            result[target] = self._sorted_in_groups(df, target, groups, asc).loc[rows]
        return result

    @_leave_ungrouped_rows
    def make_distinct(self, *args: Any) -> Frame:
        """Return the filtered rows with repeated values missing within each group.

        Stock Exhibit uses the empty text, which is not a number and counts as a value.
        """
        df, _, targets = args[:3]
        names = split_names(targets)
        whole = {name: object for name in names if str(df[name].dtype) == "Int64"}
        result = super().make_distinct(df.astype(whole), *args[1:])
        for name in names:
            result[name] = result[name].mask(result[name].eq(""), None)
            if self._type(name) == "continuous":
                result[name] = self._as_numbers(result[name], name)
        return result

    @_leave_ungrouped_rows
    def make_same(
        self,
        df: Frame,
        rows: Labels,
        targets: str,
        groups: str | None = None,
        almost: bool = False,
        cascade: bool = True,
    ) -> Frame:
        """Return the filtered rows with one value in each group, or ``almost`` only one.

        With ``almost``, missing values stay missing: stock Exhibit fails on them. It also fails on
        text of which the first value is missing.
        """
        names = split_names(targets)
        if not almost or not df[names].isna().any(axis=None):
            result = super().make_same(df, rows, targets, groups, almost, cascade)
            # Where the one value is missing, stock Exhibit converts text to numbers; where it is
            # not, whole numbers lose the type that rows beside them need for missing ones.
            kept = {name: df[name].dtype for name in names if str(df[name].dtype) in _KEPT_TYPES}
            return result.astype(kept)
        result = df.loc[rows].copy()
        for target in names:
            known = result.index[result[target].notna()]
            if len(known):
                complete = df.loc[df[target].notna()]
                changed = super().make_same(complete, known, target, groups, almost, cascade)
                result = result.astype(changed.dtypes)
                result.loc[known] = changed
        return result

    @_leave_ungrouped_rows
    def generate_as_sequence(self, *args: Any, **options: Any) -> Frame:
        """Return the filtered rows with the values of each group in sequence, then missing ones."""
        result = super().generate_as_sequence(*args, **options)
        for name in split_names(args[2]):
            result[name] = result[name].mask(result[name].eq(""), None)
        return result

    def shift_distribution(
        self, df: Frame, rows: Labels, targets: str, groups: str | None = None, right: bool = True
    ) -> Frame:
        """Return the filtered rows with the targets shifted; missing values stay missing.

        Stock Exhibit uses the text "nan" as one of the values.
        """
        names = split_names(targets)
        numbers = [name for name in names if self._type(name) == "continuous"]
        # Stock Exhibit fails where the numbers do not differ: there is no distribution to shift.
        differ = all(df.loc[rows, name].nunique() > 1 for name in numbers)
        if differ and not df.loc[rows, names].isna().any(axis=None):
            return super().shift_distribution(df, rows, targets, groups, right)
        result = df.loc[rows].copy()
        for target in names:
            known = rows[df.loc[rows, target].notna().to_numpy()]
            least = 2 if target in numbers else 1
            if df.loc[known, target].nunique() >= least:
                changed = super().shift_distribution(df, known, target, groups, right)
                result.loc[known, target] = changed[target]
        return result

    @_leave_ungrouped_rows
    def sort_and_skew(
        self,
        df: Frame,
        rows: Labels,
        targets: str,
        groups: str | None = None,
        direction: str | None = None,
    ) -> Frame:
        """Return the filtered rows sorted and skewed, numbers as numbers.

        Stock Exhibit leaves a column of mixed objects on which the next action fails, and fails
        on a group without any known number: here its numbers stay missing.
        """
        ordered, skewed = split_names(targets)
        known = df.loc[rows, skewed].notna()
        if groups is None:
            result = super().sort_and_skew(df, rows, targets, groups, direction)
            known[:] = known.any()
        else:
            # Exhibit's sorting by groups fails on missing values; the column that it sorts does
            # not influence the one that it skews.
            constant = df.assign(**{ordered: 0})
            result = super().sort_and_skew(constant, rows, targets, groups, direction)
            selected = df.loc[rows]
            result[ordered] = self._sorted_in_groups(selected, ordered, groups, True)
            keys = [selected[name] for name in split_names(groups)]
            known = known.groupby(keys, observed=True).transform("any").eq(True)
        result[skewed] = result[skewed].astype(object).where(known, None)
        for target in (ordered, skewed):
            if self._type(target) == "continuous":
                result[target] = self._as_numbers(result[target], target)
        return result

    def assign_value(
        self,
        df: Frame,
        rows: Labels,
        targets: str,
        groups: str | None = None,
        spec_kwarg_0: Any = None,
    ) -> Frame:
        """Return the filtered rows with the value assigned, in the type of the column.

        Stock Exhibit assigns text to every type of column.
        """
        result = super().assign_value(df, rows, targets, groups, spec_kwarg_0)
        for target in split_names(targets):
            if self._type(target) == "continuous":
                result[target] = self._as_numbers(result[target], target)
            elif self._type(target) == "date":
                result[target] = pd.to_datetime(result[target])
        return result

    def adjust_dataframe_to_fit_constraint(self, anon_df: Frame, basic_constraint: str) -> Frame:
        """Return the records with one basic constraint applied, dates still dates.

        Stock Exhibit leaves a column of objects where a date is missing.
        """
        result = super().adjust_dataframe_to_fit_constraint(anon_df, basic_constraint)
        for name, dtype in anon_df.dtypes.items():
            if dtype.kind == "M" and result[name].dtype == object:
                result[name] = pd.to_datetime(result[name])
        return result

    def generate_value_with_condition(self, x: Any, y: Any, op: Any) -> Any:
        """Return a value that meets the condition; a whole number in an integer column.

        Stock Exhibit uses the bound itself, and fails where it is a fraction. It also fails on
        negative bounds, or returns 0, which is not below 0.
        """
        column = self.spec_dict["columns"][self.dependent_column.replace("__", " ")]
        known = not (pd.isna(x) or pd.isna(y))
        if known and column["type"] == "continuous" and y <= 0:
            value = self._value_beyond(y, op.__name__, column["distribution_parameters"])
        else:
            value = super().generate_value_with_condition(x, y, op)
        if column.get("precision") != "integer" or pd.isna(value):
            return value
        if "greater" in op.__name__:
            return np.ceil(value)
        return np.floor(value) if "less" in op.__name__ else np.round(value)

    def _value_beyond(self, bound: Any, comparison: str, parameters: dict[str, Any]) -> Any:
        """Return a value on the right side of a bound, within the column's dispersion."""
        side = -1 if "less" in comparison else 1 if "greater" in comparison else 0
        reach = abs(bound) * (parameters.get("dispersion") or 0)
        if reach and side:
            # The distance lies in (0, reach]: the value never equals the bound.
            return bound + side * (reach - self.rng.uniform(0, reach))
        return bound if comparison.endswith("equal") else bound + side

    def _sorted_in_groups(
        self, df: Frame, target: str, groups: str, ascending: bool
    ) -> "pd.Series[Any]":
        """Return a column sorted within its groups, missing values last in each."""

        def in_order(group: "pd.Series[Any]") -> "pd.Series[Any]":
            return pd.Series(group.sort_values(ascending=ascending).array, group.index)

        by_group = df.groupby(split_names(groups), observed=True)[target]
        return by_group.transform(in_order)

    def _type(self, name: str) -> Any:
        return self.spec_dict["columns"][name]["type"]

    def _as_numbers(self, column: "pd.Series[Any]", name: str) -> "pd.Series[Any]":
        numbers = pd.to_numeric(column.astype(object).where(column.notna(), None)).astype(float)
        if self.spec_dict["columns"][name]["precision"] == "integer":
            return numbers.round().astype("Int64")
        return numbers

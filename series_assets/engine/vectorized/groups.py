"""Custom constraints by groups on whole columns, where stock Exhibit calls Python for each group.

Rows of one group have one number; groups are numbered in the order in which pandas, and so stock
Exhibit, goes through them. What a group draws it draws in that order.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import constraints
from exhibit.core.constants import MISSING_DATA_STR
from numpy.typing import NDArray

from series_assets.engine.vectorized.coded import NotCovered, rank_of_codes

Numbers = NDArray[np.signedinteger[Any]]
Column = "pd.Series[Any]"
_WHOLE = ("Int64", "int64")


class Groups(constraints.ConstraintHandler):
    """Exhibit's handler of constraints, its actions by groups on whole columns."""

    def sort_values(
        self,
        df: pd.DataFrame,
        filter_idx: "pd.Index[Any]",
        target_str: str,
        partition_cols: str | None = None,
        asc: bool = True,
    ) -> pd.DataFrame:
        """Return the filtered rows with the targets sorted within their groups."""

        def change(column: "pd.Series[Any]", numbers: Numbers) -> "pd.Series[Any]":
            if column.isna().any():
                raise NotCovered
            made = sorted_in_groups(column, numbers, asc)
            return made.astype("int64") if column.dtype in _WHOLE else made

        try:
            return self._changed(df, filter_idx, target_str, partition_cols, change)
        except NotCovered:
            return super().sort_values(df, filter_idx, target_str, partition_cols, asc)

    def make_distinct(
        self,
        df: pd.DataFrame,
        filter_idx: "pd.Index[Any]",
        target_str: str,
        partition_cols: str | None = None,
    ) -> pd.DataFrame:
        """Return the filtered rows, an empty text for what a group has had already."""
        try:
            rows = _rows(df, filter_idx)
            return self._changed(rows, filter_idx, target_str, partition_cols, _distinct)
        except NotCovered:
            return super().make_distinct(df, filter_idx, target_str, partition_cols)

    def make_same(
        self,
        df: pd.DataFrame,
        filter_idx: "pd.Index[Any]",
        target_str: str,
        partition_cols: str | None = None,
        almost: bool = False,
        cascade: bool = True,
    ) -> pd.DataFrame:
        """Return the filtered rows with one value, or almost only one, in each group."""
        state = self.rng.bit_generator.state
        try:
            self._check_unlinked(target_str)
            change = self._almost_same if almost else _same
            return self._changed(df, filter_idx, target_str, partition_cols, change)
        except NotCovered:
            self.rng.bit_generator.state = state
            return super().make_same(df, filter_idx, target_str, partition_cols, almost, cascade)

    def generate_as_sequence(
        self,
        df: pd.DataFrame,
        filter_idx: "pd.Index[Any]",
        target_str: str,
        partition_cols: str | None = None,
        repeating: bool = False,
    ) -> pd.DataFrame:
        """Return the filtered rows with the listed values in their order in each group."""

        def change(column: "pd.Series[Any]", numbers: Numbers) -> "pd.Series[Any]":
            return self._sequence(column, numbers, repeating)

        state = self.rng.bit_generator.state
        try:
            made = self._changed(df, filter_idx, target_str, partition_cols, change)
            if len(filter_idx) < len(df):
                # Stock Exhibit has gaps in the rows beside the filter, and so floats.
                plain = [name for name in made.columns if made[name].dtype == np.int64]
                made = made.astype(dict.fromkeys(plain, float))
            return made
        except NotCovered:
            self.rng.bit_generator.state = state
            return super().generate_as_sequence(
                df, filter_idx, target_str, partition_cols, repeating
            )

    def make_outlier(
        self,
        df: pd.DataFrame,
        filter_idx: "pd.Index[Any]",
        target_str: str,
        partition_cols: str | None = None,
        rescale: bool = True,
    ) -> pd.DataFrame:
        """Return the rows with a number; the filtered ones are outliers of their groups."""
        try:
            return self._outliers(df, filter_idx, target_str, partition_cols, rescale)
        except NotCovered:
            return super().make_outlier(df, filter_idx, target_str, partition_cols, rescale)

    def _changed(
        self,
        df: pd.DataFrame,
        filter_idx: "pd.Index[Any]",
        target_str: str,
        partition_cols: str | None,
        change: Callable[["pd.Series[Any]", Numbers], "pd.Series[Any]"],
    ) -> pd.DataFrame:
        """Return the filtered rows; ``change`` makes a column new from its values and groups."""
        numbers = self._groups(df, partition_cols)
        if (numbers < 0).any():
            raise NotCovered
        made = _rows(df, filter_idx)
        for name in _names(target_str):
            made[name] = _rows(change(df[name], numbers), filter_idx)
        return made

    def _groups(self, df: pd.DataFrame, partition_cols: str | None) -> Numbers:
        """Return the number of each row's group, -1 where it is in none."""
        if partition_cols is None or not df.index.is_unique or df.empty:
            raise NotCovered
        names = [name for name in _names(partition_cols) if name]
        # Actions follow each other on the same groups, so the last ones are kept.
        arrays = [df[name].array for name in names]
        kept = getattr(self, "_kept_groups", None)
        if kept is None or not _same_arrays(kept[0], arrays):
            kept = self._kept_groups = arrays, group_numbers(df, names)
        numbers: Numbers = kept[1]
        return numbers

    def _check_unlinked(self, target_str: str) -> None:
        linked = self.spec_dict["linked_columns"]
        if linked and linked[0][0] == 0 and set(linked[0][1]) & set(_names(target_str)):
            raise NotCovered

    def _almost_same(self, column: "pd.Series[Any]", numbers: Numbers) -> "pd.Series[Any]":
        if column.isna().any():
            raise NotCovered
        ranks, values = _ranked(column)
        of_group, rank = np.divmod(np.unique(numbers * len(values) + ranks), len(values))
        starts = np.flatnonzero(np.diff(of_group, prepend=-1))
        kinds = np.diff(starts, append=len(rank)).tolist()
        chance, choice = self.rng.random, self.rng.integers
        chances, others = [], []
        for size, several in zip(np.bincount(numbers).tolist(), kinds, strict=True):
            chances.append(chance(size))
            others.append(1 + int(choice(0, several - 1)) if several > 1 else 0)
        first, other = rank[starts], rank[starts + np.array(others)]
        other_one = np.empty(len(column), dtype=bool)
        other_one[np.argsort(numbers, kind="stable")] = np.concatenate(chances) < 0.05
        made = np.where(other_one, other[numbers], first[numbers])
        return pd.Series(values.take(made), index=column.index, dtype=column.dtype)

    def _sequence(
        self, column: "pd.Series[Any]", numbers: Numbers, repeating: bool
    ) -> "pd.Series[Any]":
        table = self.spec_dict["columns"][column.name]["original_values"]
        if not isinstance(table, pd.DataFrame):
            raise NotCovered
        values, chances = table[column.name].tolist(), table["probability_vector"].tolist()
        if MISSING_DATA_STR in values:
            values, chances = values[:-1], chances[:-1]
        if not values or not all(isinstance(value, str) for value in values):
            raise NotCovered
        order = np.argsort(numbers, kind="stable")
        sizes = np.bincount(numbers)
        places = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        if repeating:
            places = places % len(values)
        elif len(set(chances)) == 1:
            places = np.minimum(places, len(values))
        else:
            drawn = np.array(_draw_sequences(sizes.tolist(), chances, self.rng))
            # Of values that are listed twice stock Exhibit sorts all as the first.
            drawn = np.array([values.index(value) for value in values])[drawn]
            places = drawn[np.lexsort((drawn, numbers[order]))]
        made = np.empty(len(order), dtype=object)
        made[order] = np.array([*values, ""], dtype=object)[places]
        return pd.Series(made, index=column.index)

    def _outliers(
        self,
        df: pd.DataFrame,
        filter_idx: "pd.Index[Any]",
        target_str: str,
        partition_cols: str | None,
        rescale: bool,
    ) -> pd.DataFrame:
        target = target_str.strip()
        if "," in target or not pd.api.types.is_numeric_dtype(df[target].dtype):
            raise NotCovered
        known = df[df[target].notna().to_numpy()]
        numbers = self._groups(known, partition_cols)
        series = known[target].astype(float)
        if not np.isfinite(series).all():
            raise NotCovered
        filter_idx = series.index.intersection(filter_idx)
        made = series.copy()
        made.loc[filter_idx] = _outlying(series, numbers).loc[filter_idx]
        if rescale:
            column = self.spec_dict["columns"][target]
            parameters = column["distribution_parameters"]
            made = constraints.scale_continuous_column(made, column["precision"], **parameters)
        others = df.loc[filter_idx, [name for name in df.columns if name != target]]
        return pd.concat([made, others], axis=1).reindex(columns=df.columns)


def group_numbers(df: pd.DataFrame, names: list[str]) -> Numbers:
    """Return for each row the number of its group, in the order of the groups; -1 for no group."""
    if len(names) > 1:
        numbers: Numbers = df.groupby(names, observed=True).ngroup().fillna(-1).to_numpy(np.int64)
        return numbers
    column = df[names[0]]
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.cat.categories
        numbers, _ = rank_of_codes(column.cat.codes.to_numpy(), len(categories))
        return numbers
    codes, _ = pd.factorize(column, sort=True)
    return codes


def sorted_in_groups(
    column: "pd.Series[Any]", numbers: Numbers, ascending: bool
) -> "pd.Series[Any]":
    """Return a column with the values of each group in order, what is missing last in it.

    Raises NotCovered where the order of equal values might show.
    """
    ranks, _ = _ranked(column)
    missing = ranks < 0
    keys = np.where(missing, len(ranks), ranks if ascending else -ranks)
    made = np.empty(len(column), dtype=np.intp)
    made[np.argsort(numbers, kind="stable")] = np.lexsort((keys, numbers))
    return pd.Series(column.array.take(made), index=column.index)


def _ranked(column: "pd.Series[Any]") -> tuple[Numbers, Any]:
    """Return for each row the rank of its value, -1 where missing, and the values by rank."""
    if column.dtype == object:
        if not _is_text(column):
            raise NotCovered
    elif column.dtype == np.float64:
        if (np.signbit(column) & (column == 0)).any():
            raise NotCovered
    elif column.dtype not in _WHOLE and column.dtype != "datetime64[ns]":
        raise NotCovered
    ranks, values = pd.factorize(column, sort=True)
    return ranks, values


def _same(column: "pd.Series[Any]", numbers: Numbers) -> "pd.Series[Any]":
    """Return the first value of each group for all of it."""
    _, firsts = np.unique(numbers, return_index=True)
    values = column.array.take(firsts)
    missing = pd.isna(values)
    if column.dtype == object:
        if not _is_text(values):
            raise NotCovered
    elif column.dtype in _WHOLE:
        if missing.any():
            raise NotCovered
        values = values.astype("int64")
    elif column.dtype not in (np.float64, "datetime64[ns]"):
        raise NotCovered
    return pd.Series(values.take(numbers), index=column.index)


def _distinct(column: "pd.Series[Any]", numbers: Numbers) -> "pd.Series[Any]":
    codes, _ = pd.factorize(column)
    again = pd.Series(numbers * (len(column) + 1) + codes).duplicated().to_numpy()
    if not again.any():
        return column
    if column.dtype != object or not _is_text(column):
        raise NotCovered
    return column.mask(again, "")


def _draw_sequences(sizes: list[int], chances: list[float], rng: np.random.Generator) -> list[int]:
    """Return the places of the drawn values, group after group, as stock Exhibit draws them."""
    drawn: list[int] = []
    chance = rng.random
    last = len(chances) - 1
    for size in sizes:
        place = 0
        while size:
            if place and not chance() < chances[place]:
                place = 0
                continue
            drawn.append(place)
            place = place + 1 if place < last else 0
            size -= 1
    return drawn


def _outlying(series: "pd.Series[Any]", numbers: Numbers) -> "pd.Series[Any]":
    """Return every number as an outlier of its group; missing for those in no group."""
    grouped = series[numbers >= 0]
    numbers = numbers[numbers >= 0]
    values = grouped.to_numpy()
    ordered = values[np.lexsort((values, numbers))]
    sizes = np.bincount(numbers)
    starts = np.cumsum(sizes) - sizes
    low, high = (_quantile(ordered, starts, sizes, share)[numbers] for share in (0.25, 0.75))
    spread = high - low
    even = values % 2 == 0
    flat = np.where(even, values * 1.3, values * 0.7)
    wide = np.where(even, (high + spread * 3) + values, (low - spread * 3) - values)
    made = np.where(spread == 0, flat, wide)
    return pd.Series(made, index=grouped.index).reindex(series.index)


def _quantile(
    ordered: NDArray[np.float64], starts: Numbers, sizes: Numbers, share: float
) -> NDArray[np.float64]:
    """Return a quantile of each group, computed as numpy's linear one is."""
    place = (sizes - 1) * share
    whole = np.floor(place)
    part = place - whole
    below = ordered[starts + whole.astype(np.intp)]
    above = ordered[starts + np.minimum(whole.astype(np.intp) + 1, sizes - 1)]
    difference = above - below
    return np.where(part >= 0.5, above - difference * (1 - part), below + difference * part)


def _is_text(values: Any) -> bool:
    """Tell whether there are objects known, and all that are known are text."""
    return pd.api.types.infer_dtype(np.asarray(values), skipna=True) == "string"


def _names(targets: str) -> list[str]:
    return [name.strip() for name in targets.split(",")]


def _rows(table: Any, index: "pd.Index[Any]") -> Any:
    """Return the rows of an index; all of them without a copy of their values."""
    if len(index) == len(table) and index.equals(table.index):
        return table.copy(deep=False)
    return table.loc[index]


def _same_arrays(some: list[Any], others: list[Any]) -> bool:
    return len(some) == len(others) and all(
        np.shares_memory(np.asarray(one), np.asarray(other)) and len(one) == len(other)
        for one, other in zip(some, others, strict=True)
    )

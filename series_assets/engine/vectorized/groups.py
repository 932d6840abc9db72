"""Custom constraints by groups on whole columns, where stock Exhibit calls Python for each group.

Groups are numbered in the order in which pandas, and so stock Exhibit, iterates over them. Random
values are generated for them in that order.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import constraints
from exhibit.core.constants import MISSING_DATA_STR
from numpy.typing import NDArray

from series_assets.engine.constant_seeds import Frame, Labels, split_names
from series_assets.engine.vectorized.coded import NotCovered, or_stock

Numbers = NDArray[np.signedinteger[Any]]
Change = Callable[["pd.Series[Any]", Numbers], "pd.Series[Any]"]
"""Computes a column from its values and the group number of each row."""
_WHOLE = ("Int64", "int64")


class Groups(constraints.ConstraintHandler):
    """Exhibit's constraint handler, with its actions by groups on whole columns."""

    @or_stock
    def sort_values(
        self, df: Frame, rows: Labels, targets: str, groups: str | None = None, asc: bool = True
    ) -> Frame:
        """Return the filtered rows with the targets sorted within their groups."""

        def change(column: "pd.Series[Any]", numbers: Numbers) -> "pd.Series[Any]":
            if column.isna().any():
                raise NotCovered
            ordered = sorted_in_groups(column, numbers, asc)
            return ordered.astype("int64") if column.dtype in _WHOLE else ordered

        return self._changed(df, rows, targets, groups, change)

    @or_stock
    def make_distinct(
        self, df: Frame, rows: Labels, targets: str, groups: str | None = None
    ) -> Frame:
        """Return the filtered rows, with an empty text for each repeated value in a group."""
        return self._changed(_take(df, rows), rows, targets, groups, _distinct)

    @or_stock
    def make_same(
        self,
        df: Frame,
        rows: Labels,
        targets: str,
        groups: str | None = None,
        almost: bool = False,
        cascade: bool = True,
    ) -> Frame:
        """Return the filtered rows with one value in each group, or ``almost`` only one."""
        linked = self.spec_dict["linked_columns"]
        if linked and linked[0][0] == 0 and set(linked[0][1]) & set(split_names(targets)):
            raise NotCovered
        change = self._almost_same if almost else _same
        return self._changed(df, rows, targets, groups, change)

    @or_stock
    def generate_as_sequence(
        self,
        df: Frame,
        rows: Labels,
        targets: str,
        groups: str | None = None,
        repeating: bool = False,
    ) -> Frame:
        """Return the filtered rows with the listed values in sequence in each group."""

        def change(column: "pd.Series[Any]", numbers: Numbers) -> "pd.Series[Any]":
            return self._sequence(column, numbers, repeating)

        result = self._changed(df, rows, targets, groups, change)
        if len(rows) < len(df):
            # In stock Exhibit the unfiltered rows are missing, which turns integers into floats.
            integers = [name for name in result.columns if result[name].dtype == np.int64]
            result = result.astype(dict.fromkeys(integers, float))
        return result

    @or_stock
    def make_outlier(
        self, df: Frame, rows: Labels, targets: str, groups: str | None = None, rescale: bool = True
    ) -> Frame:
        """Return the rows with a number, the filtered ones as outliers of their groups."""
        target = targets.strip()
        if "," in target or not pd.api.types.is_numeric_dtype(df[target].dtype):
            raise NotCovered
        known = df[df[target].notna().to_numpy()]
        numbers = self._groups(known, groups)
        series = known[target].astype(float)
        if not np.isfinite(series).all():
            raise NotCovered
        rows = series.index.intersection(rows)
        outliers = series.copy()
        outliers.loc[rows] = _outlying(series, numbers).loc[rows]
        if rescale:
            column = self.spec_dict["columns"][target]
            outliers = constraints.scale_continuous_column(
                outliers, column["precision"], **column["distribution_parameters"]
            )
        others = df.loc[rows, [name for name in df.columns if name != target]]
        return pd.concat([outliers, others], axis=1).reindex(columns=df.columns)

    def _changed(
        self, df: Frame, rows: Labels, targets: str, groups: str | None, change: Change
    ) -> Frame:
        """Return the filtered rows with each target replaced by what ``change`` computes."""
        numbers = self._groups(df, groups)
        if (numbers < 0).any():
            raise NotCovered
        result = _take(df, rows)
        for name in split_names(targets):
            result[name] = _take(change(df[name], numbers), rows)
        return result

    def _groups(self, df: Frame, groups: str | None) -> Numbers:
        """Return each row's group number, -1 where it belongs to none."""
        if groups is None or not df.index.is_unique or df.empty:
            raise NotCovered
        names = [name for name in split_names(groups) if name]
        return df.groupby(names, observed=True).ngroup().fillna(-1).to_numpy(np.int64)

    def _almost_same(self, column: "pd.Series[Any]", numbers: Numbers) -> "pd.Series[Any]":
        if column.isna().any():
            raise NotCovered
        ranks, values = _ranked(column)
        group, rank = np.divmod(np.unique(numbers * len(values) + ranks), len(values))
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        distinct_counts = np.diff(starts, append=len(rank)).tolist()
        random, integers = self.rng.random, self.rng.integers
        chances, offsets = [], []
        for size, distinct in zip(np.bincount(numbers).tolist(), distinct_counts, strict=True):
            chances.append(random(size))
            offsets.append(1 + int(integers(0, distinct - 1)) if distinct > 1 else 0)
        first, other = rank[starts], rank[starts + np.array(offsets)]
        is_other = np.empty(len(column), dtype=bool)
        is_other[np.argsort(numbers, kind="stable")] = np.concatenate(chances) < 0.05
        chosen = np.where(is_other, other[numbers], first[numbers])
        return pd.Series(values.take(chosen), index=column.index, dtype=column.dtype)

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
            sampled = np.array(_sample_sequences(sizes.tolist(), chances, self.rng))
            # Stock Exhibit sorts a value that is listed twice by its first place.
            sampled = np.array([values.index(value) for value in values])[sampled]
            places = sampled[np.lexsort((sampled, numbers[order]))]
        result = np.empty(len(order), dtype=object)
        result[order] = np.array([*values, ""], dtype=object)[places]
        return pd.Series(result, index=column.index)


def sorted_in_groups(
    column: "pd.Series[Any]", numbers: Numbers, ascending: bool
) -> "pd.Series[Any]":
    """Return a column sorted within its groups, missing values last in each.

    Raises NotCovered where the order of equal values might be visible.
    """
    ranks, _ = _ranked(column)
    missing = ranks < 0
    keys = np.where(missing, len(ranks), ranks if ascending else -ranks)
    source = np.empty(len(column), dtype=np.intp)
    source[np.argsort(numbers, kind="stable")] = np.lexsort((keys, numbers))
    return pd.Series(column.array.take(source), index=column.index)


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
    """Return the first value of each group in all of its rows."""
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
    repeated = pd.Series(numbers * (len(column) + 1) + codes).duplicated().to_numpy()
    if not repeated.any():
        return column
    if column.dtype != object or not _is_text(column):
        raise NotCovered
    return column.mask(repeated, "")


def _sample_sequences(
    sizes: list[int], chances: list[float], rng: np.random.Generator
) -> list[int]:
    """Return positions of values, group after group, sampled as stock Exhibit does."""
    sampled: list[int] = []
    random = rng.random
    last = len(chances) - 1
    for size in sizes:
        place = 0
        while size:
            if place and not random() < chances[place]:
                place = 0
                continue
            sampled.append(place)
            place = place + 1 if place < last else 0
            size -= 1
    return sampled


def _outlying(series: "pd.Series[Any]", numbers: Numbers) -> "pd.Series[Any]":
    """Return each number as an outlier of its group; missing where there is no group."""
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
    outliers = np.where(spread == 0, flat, wide)
    return pd.Series(outliers, index=grouped.index).reindex(series.index)


def _quantile(
    ordered: NDArray[np.float64], starts: Numbers, sizes: Numbers, share: float
) -> NDArray[np.float64]:
    """Return a quantile of each group, computed as numpy's linear quantile."""
    place = (sizes - 1) * share
    whole = np.floor(place)
    part = place - whole
    below = ordered[starts + whole.astype(np.intp)]
    above = ordered[starts + np.minimum(whole.astype(np.intp) + 1, sizes - 1)]
    difference = above - below
    return np.where(part >= 0.5, above - difference * (1 - part), below + difference * part)


def _is_text(values: Any) -> bool:
    """Return whether there are known values, and all of them are text."""
    return pd.api.types.infer_dtype(np.asarray(values), skipna=True) == "string"


def _take(table: Any, index: "pd.Index[Any]") -> Any:
    """Return the rows with the given labels; all rows without copying values."""
    if len(index) == len(table) and index.equals(table.index):
        return table.copy(deep=False)
    return table.loc[index]

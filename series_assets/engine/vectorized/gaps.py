"""Missing data put into whole columns, where stock Exhibit goes through every cell.

Stock Exhibit turns categories into objects, dates into Python's, and in the end takes each value
of the whole table into its hand. Here categories stay codes, and only what gets missing is
touched; the table that was given is not written to.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core.constants import MISSING_DATA_STR
from exhibit.core.generate import missing
from numpy.typing import NDArray

from series_assets.core.spec.column_types import outputs_of
from series_assets.engine import constant_seeds
from series_assets.engine.missing_data import SeededMissingData
from series_assets.engine.vectorized import numbers
from series_assets.engine.vectorized.coded import Coded, Codes, NotCovered

_EXACT = 2**53
"""Stock Exhibit takes whole numbers for floats for a while; up to here that changes nothing."""


class MissingDataGenerator(SeededMissingData):
    """Exhibit's step for missing data over whole columns."""

    nan_data: pd.DataFrame

    def add_missing_data(self) -> pd.DataFrame:
        """Return the records with gaps, numbers made again where a category is missing."""
        own = self.nan_data
        try:
            self._check()
            return self._with_gaps()
        except NotCovered:
            self.nan_data = own
            return super().add_missing_data()

    def _check(self) -> None:
        metadata, data = self.spec_dict["metadata"], self.data
        plain = data.columns.is_unique and data.index.equals(pd.RangeIndex(len(data)))
        named = set(metadata["categorical_columns"]) <= set(data.columns)
        chances = [c.get("miss_probability") for c in self.spec_dict["columns"].values()]
        if not (
            plain
            and named
            and len(data)
            and all(isinstance(chance, int | float) for chance in chances)
            and all(self._covers(str(name), column) for name, column in data.items())
        ):
            raise NotCovered

    def _covers(self, name: str, column: "pd.Series[Any]") -> bool:
        said, dtype = self.spec_dict["columns"].get(name, {}), column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            # Objects that are no text might come back from stock Exhibit as something else.
            text = pd.api.types.infer_dtype(dtype.categories) in ("string", "mixed-integer")
            return text or said.get("type") != "categorical"
        if name in self.spec_dict["metadata"]["categorical_columns"]:
            return False
        if dtype == "datetime64[ns]":
            return said.get("type", "date") == "date"
        if dtype == "Int64":
            exact = not column.isna().any() and column.abs().max() <= _EXACT
            return bool(exact and said.get("type") == "continuous")
        number = said.get("type") == "continuous" and said["precision"] != "integer"
        return bool(dtype == np.float64 and (not said or number))

    def _with_gaps(self) -> pd.DataFrame:
        self.nan_data = self.data.copy(deep=False)
        self._codes: dict[str, Codes] = {
            str(name): column.cat.codes.to_numpy()
            for name, column in self.data.items()
            if isinstance(column.dtype, pd.CategoricalDtype)
        }
        self._given = dict(self._codes)
        groups = self._find_columns_with_linked_missing_data()
        places = self._places()
        single = self._standing_alone(groups, places)
        for constant, name in enumerate(sorted(single)):
            stands_for_missing = self._are_missing(name)
            if stands_for_missing.any():
                self._blank([name], stands_for_missing)
            else:
                self._blank([name], self._drawn(name, constant, [name]))
        for names in groups:
            self._blank(names, self._drawn(next(iter(names)), 0, sorted(names)))
        for name in places:
            outputs = tuple(outputs_of("geospatial", name))
            self._blank(outputs, self._drawn(name, 0, outputs))
        self._apply_constraints(single)
        metadata = self.spec_dict["metadata"]
        derived = self.spec_dict.get("derived_columns", {})
        again = [name for name in metadata["numerical_columns"] if name not in derived]
        if metadata["categorical_columns"] and again:
            self._make_again(again)
            for name in self._codes:
                self._blank([name], self._are_missing(name))
        for name, codes in self._codes.items():
            self.nan_data[name] = self._category(name, codes)
        return self.static.apply_to(self.nan_data) if self.static else self.nan_data

    def _drawn(self, name: str, constant: int, names: Iterable[str]) -> NDArray[np.bool_]:
        """Return where ``names``, which share the gaps of the column ``name``, have none."""
        chance = self.spec_dict["columns"][name]["miss_probability"]
        if chance <= 0:
            return np.zeros(len(self.data), dtype=bool)
        generator = constant_seeds.generator(constant, "gaps", *names)
        gaps: NDArray[np.bool_] = generator.random(size=len(self.data)) < chance
        if self.static and self.static.columns.intersection(names):
            return gaps[self._first_rows()]
        return gaps

    def _code_of_missing(self, name: str) -> int | None:
        categories = self.data[name].cat.categories
        return categories.get_loc(MISSING_DATA_STR) if MISSING_DATA_STR in categories else None

    def _are_missing(self, name: str) -> NDArray[np.bool_]:
        """Return the rows whose category is Exhibit's word for a missing one."""
        code = self._code_of_missing(name) if name in self._codes else None
        if code is None:
            return np.zeros(len(self.data), dtype=bool)
        return self._codes[name] == code

    def _blank(self, names: Iterable[str], gaps: NDArray[np.bool_]) -> None:
        if not gaps.any():
            return
        for name in names:
            if name in self._codes:
                codes = self._codes[name]
                self._codes[name] = np.where(gaps, codes.dtype.type(-1), codes)
            else:
                self.nan_data[name] = self.nan_data[name].mask(gaps)

    def _apply_constraints(self, single: set[str]) -> None:
        """Blank and bring back what custom constraints say, and what a part of ours adds."""
        filtered = bool(self.spec_dict["constraints"]["custom_constraints"])
        self._show(single if filtered else ())
        for index, name in self._find_make_null_idx():
            if name in self._codes:
                self._codes[name] = self._codes[name].copy()
                self._codes[name][index.to_numpy()] = -1
            else:
                self._own(name)
                self.nan_data.loc[index, name] = np.nan
        self._show(single if filtered else ())
        for index, name in self._find_not_null_idx():
            if name in self._codes:
                self._codes[name] = self._codes[name].copy()
                self._codes[name][index.to_numpy()] = self._given[name][index.to_numpy()]
            else:
                self._own(name)
                self.nan_data.loc[index, name] = self.data.loc[index, name]
        self._keep_static()

    def _keep_static(self) -> None:
        """Let all rows of an entity have the static columns of its first row."""
        if self.static is None:
            return
        first = self._first_rows()
        for name in self.static.columns.intersection(self._codes):
            self._codes[name] = self._codes[name][first]
        self.nan_data = self.static.apply_to(self.nan_data)

    def _show(self, single: Iterable[str]) -> None:
        """Let filters see the categories as stock Exhibit has them by now: as objects."""
        for name in single:
            if name in self._codes:
                shown = self._category(name, self._codes[name]).astype(object)
                self.nan_data[name] = shown

    def _own(self, name: str) -> None:
        if name in self.nan_data:
            self.nan_data[name] = self.nan_data[name].copy()

    def _make_again(self, names: Iterable[str]) -> None:
        """Make numbers again where a category got missing, with the weight of the missing."""
        categories = self.spec_dict["metadata"]["categorical_columns"]
        gaps = np.zeros(len(self.data), dtype=bool)
        for category in categories:
            gaps |= self._codes[category] < 0
        for name in names:
            rows = gaps & self.nan_data[name].notna().to_numpy()
            if rows.any():
                self._make_rows_again(name, rows, categories)

    def _make_rows_again(
        self, name: str, rows: NDArray[np.bool_], categories: Iterable[str]
    ) -> None:
        manner = numbers.Manner.of(self.spec_dict, name)
        drawn = numbers.draw(
            [self._filled(category, rows) for category in categories],
            self.data.index[rows],
            self.wt,
            manner,
            constant_seeds.generator(0, "again", name),
        )
        parameters = dict(manner.parameters)
        if parameters.get("target_sum") is not None:
            parameters["target_sum"] -= self.nan_data.loc[~rows, name].sum()
        precision = self.spec_dict["columns"][name]["precision"]
        scaled = missing.scale_continuous_column(series=drawn, precision=precision, **parameters)
        if len(scaled):
            self._own(name)
            self.nan_data.loc[rows, name] = scaled.values

    def _filled(self, name: str, rows: NDArray[np.bool_]) -> Coded:
        codes, missing_code = self._codes[name][rows], self._code_of_missing(name)
        if missing_code is None:
            if (codes < 0).any():
                raise NotCovered
            missing_code = 0
        filled = np.where(codes < 0, codes.dtype.type(missing_code), codes)
        return Coded(name, self.data[name].cat.categories, filled)

    def _category(self, name: str, codes: Codes) -> "pd.Series[Any]":
        if codes is self._given[name]:
            return self.data[name]
        dtype = self.data[name].dtype
        made = pd.Categorical.from_codes(codes, dtype=dtype, validate=False)
        return pd.Series(made, index=self.data.index)

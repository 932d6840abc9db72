"""Missing data in whole columns, where stock Exhibit visits every cell.

Stock Exhibit converts categories and dates to objects, and visits each value of the table. Here
categories stay codes, and only columns with gaps are copied.
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
from series_assets.engine.vectorized.coded import CodedColumn, Codes, NotCovered

_EXACT = 2**53
"""Stock Exhibit converts integers to floats and back; up to here that loses nothing."""


class MissingDataGenerator(SeededMissingData):
    """Exhibit's step for missing data, on whole columns."""

    nan_data: pd.DataFrame

    def add_missing_data(self) -> pd.DataFrame:
        """Return the records with gaps, and numbers regenerated where a category is missing."""
        before = self.nan_data
        try:
            self._check()
            return self._with_gaps()
        except NotCovered:
            self.nan_data = before
            return super().add_missing_data()

    def _check(self) -> None:
        metadata, data = self.spec_dict["metadata"], self.data
        chances = [c.get("miss_probability") for c in self.spec_dict["columns"].values()]
        if not (
            len(data)
            and data.columns.is_unique
            and data.index.equals(pd.RangeIndex(len(data)))
            and set(metadata["categorical_columns"]) <= set(data.columns)
            and all(isinstance(chance, int | float) for chance in chances)
            and all(self._covers(str(name), column) for name, column in data.items())
        ):
            raise NotCovered

    def _covers(self, name: str, column: "pd.Series[Any]") -> bool:
        definition, dtype = self.spec_dict["columns"].get(name, {}), column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            # Stock Exhibit may change the type of objects that are not text.
            text = pd.api.types.infer_dtype(dtype.categories) in ("string", "mixed-integer")
            return text or definition.get("type") != "categorical"
        if name in self.spec_dict["metadata"]["categorical_columns"]:
            return False
        if dtype == "datetime64[ns]":
            return definition.get("type", "date") == "date"
        if dtype == "Int64":
            exact = not column.isna().any() and column.abs().max() <= _EXACT
            return bool(exact and definition.get("type") == "continuous")
        number = definition.get("type") == "continuous" and definition["precision"] != "integer"
        return bool(dtype == np.float64 and (not definition or number))

    def _with_gaps(self) -> pd.DataFrame:
        self.nan_data = self.data.copy(deep=False)
        self._codes: dict[str, Codes] = {
            str(name): column.cat.codes.to_numpy()
            for name, column in self.data.items()
            if isinstance(column.dtype, pd.CategoricalDtype)
        }
        self._original_codes = dict(self._codes)
        groups = self._find_columns_with_linked_missing_data()
        places = self._geospatial_columns()
        single = self._single_columns(groups, places)
        for constant, name in enumerate(sorted(single)):
            gaps = self._are_missing(name)
            if not gaps.any():
                gaps = self._random_gaps(name, constant, [name])
            self._blank([name], gaps)
        for names in groups:
            self._blank(names, self._random_gaps(next(iter(names)), 0, sorted(names)))
        for name in places:
            outputs = tuple(outputs_of("geospatial", name))
            self._blank(outputs, self._random_gaps(name, 0, outputs))
        self._apply_constraints(single)
        metadata = self.spec_dict["metadata"]
        derived = self.spec_dict.get("derived_columns", {})
        generated = [name for name in metadata["numerical_columns"] if name not in derived]
        if metadata["categorical_columns"] and generated:
            self._regenerate(generated)
            for name in self._codes:
                self._blank([name], self._are_missing(name))
        for name, codes in self._codes.items():
            self.nan_data[name] = self._category(name, codes)
        return self.static.apply_to(self.nan_data) if self.static else self.nan_data

    def _random_gaps(self, name: str, constant: int, names: Iterable[str]) -> NDArray[np.bool_]:
        """Return random gaps, shared by ``names``, with the miss probability of column ``name``."""
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
        """Return the rows with Exhibit's category for missing data."""
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
        """Blank and restore values as custom constraints, and existing records, demand."""
        filtered = single if self.spec_dict["constraints"]["custom_constraints"] else set()
        self._show_as_objects(filtered)
        for index, name in self._find_make_null_idx():
            if name in self._codes:
                self._codes[name] = self._codes[name].copy()
                self._codes[name][index.to_numpy()] = -1
            else:
                self._copy_column(name)
                self.nan_data.loc[index, name] = np.nan
        self._show_as_objects(filtered)
        for index, name in self._find_not_null_idx():
            if name in self._codes:
                self._codes[name] = self._codes[name].copy()
                self._codes[name][index.to_numpy()] = self._original_codes[name][index.to_numpy()]
            else:
                self._copy_column(name)
                self.nan_data.loc[index, name] = self.data.loc[index, name]
        if self.static:
            first = self._first_rows()
            for name in self.static.columns.intersection(self._codes):
                self._codes[name] = self._codes[name][first]
            self.nan_data = self.static.apply_to(self.nan_data)

    def _show_as_objects(self, names: Iterable[str]) -> None:
        """Let filters see the categories as in stock Exhibit at this point: as objects."""
        for name in names:
            if name in self._codes:
                self.nan_data[name] = self._category(name, self._codes[name]).astype(object)

    def _copy_column(self, name: str) -> None:
        if name in self.nan_data:
            self.nan_data[name] = self.nan_data[name].copy()

    def _regenerate(self, names: Iterable[str]) -> None:
        """Regenerate numbers where a category is missing, with the weight of missing data."""
        categories = self.spec_dict["metadata"]["categorical_columns"]
        gaps = np.zeros(len(self.data), dtype=bool)
        for category in categories:
            gaps |= self._codes[category] < 0
        for name in names:
            rows = gaps & self.nan_data[name].notna().to_numpy()
            if rows.any():
                self._regenerate_rows(name, rows, categories)

    def _regenerate_rows(
        self, name: str, rows: NDArray[np.bool_], categories: Iterable[str]
    ) -> None:
        column = numbers.NumberColumn.of(self.spec_dict, name)
        unscaled = numbers.unscaled(
            [self._filled(category, rows) for category in categories],
            self.data.index[rows],
            self.wt,
            column,
            constant_seeds.generator(0, "again", name),
        )
        parameters = dict(column.parameters)
        if parameters.get("target_sum") is not None:
            parameters["target_sum"] -= self.nan_data.loc[~rows, name].sum()
        precision = self.spec_dict["columns"][name]["precision"]
        scaled = missing.scale_continuous_column(series=unscaled, precision=precision, **parameters)
        if len(scaled):
            self._copy_column(name)
            self.nan_data.loc[rows, name] = scaled.values

    def _filled(self, name: str, rows: NDArray[np.bool_]) -> CodedColumn:
        codes, missing_code = self._codes[name][rows], self._code_of_missing(name)
        if missing_code is None:
            if (codes < 0).any():
                raise NotCovered
            missing_code = 0
        filled = np.where(codes < 0, codes.dtype.type(missing_code), codes)
        return CodedColumn(name, self.data[name].cat.categories, filled)

    def _category(self, name: str, codes: Codes) -> "pd.Series[Any]":
        if codes is self._original_codes[name]:
            return self.data[name]
        dtype = self.data[name].dtype
        category = pd.Categorical.from_codes(codes, dtype=dtype, validate=False)
        return pd.Series(category, index=self.data.index)

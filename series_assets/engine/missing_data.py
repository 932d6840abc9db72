"""Exhibit's step for missing data, seeded from the run, and equal in all rows of an entity.

Stock Exhibit 0.9.9 creates generators with constant seeds, one for each column, group of columns
and number, in a fixed order. Here each of these is replaced by a generator for its purpose.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core.generate import missing
from exhibit.core.utils import get_attr_values
from numpy.typing import NDArray

from series_assets.core.spec.column_types import outputs_of
from series_assets.engine import constant_seeds
from series_assets.engine.sandbox import patched
from series_assets.engine.static_columns import StaticValues

Purpose = tuple[str, ...]


class SeededMissingData(missing.MissingDataGenerator):
    """Exhibit's step for missing data, with the generators and static columns of the run."""

    nan_data: pd.DataFrame
    static: StaticValues | None = None
    """None where no column is static."""

    def add_missing_data(self) -> pd.DataFrame:
        """Return the records with gaps, and numbers regenerated where a category is missing."""
        purposes = self._purposes()

        def default_rng(seed: int) -> Any:
            purpose, *names = next(purposes)
            generator = constant_seeds.generator(seed, purpose, *names)
            if purpose == "gaps" and self.static and self.static.columns.intersection(names):
                return _OnePerEntity(generator, self._first_rows())
            return generator

        with patched([(missing, {"np": constant_seeds.NumpyWith(default_rng=default_rng)})]):
            records: pd.DataFrame = self._stock_step(self.static)
        return self.static.apply_to(records) if self.static else records

    def _stock_step(self, static: StaticValues | None) -> Any:
        if static is None:
            return super().add_missing_data()

        def restore_values() -> list[Any]:
            """Restore values here, so that stock Exhibit only has to regenerate numbers."""
            for index, name in type(self)._find_not_null_idx(self):
                self.nan_data.loc[index, name] = self.data.loc[index, name]
            self.nan_data = static.apply_to(self.nan_data)
            return []

        self.__dict__["_find_not_null_idx"] = restore_values
        try:
            return super().add_missing_data()
        finally:
            del self.__dict__["_find_not_null_idx"]  # a reference cycle

    def _find_make_null_idx(self) -> list[tuple[Any, str]]:
        return self._of_outputs(super()._find_make_null_idx())

    def _find_not_null_idx(self) -> list[tuple[Any, str]]:
        return self._of_outputs(super()._find_not_null_idx())

    def _of_outputs(self, found: list[tuple[Any, str]]) -> list[tuple[Any, str]]:
        """Return rows and columns with both columns of a place; stock Exhibit adds a third."""
        columns = self.spec_dict["columns"]
        return [
            (rows, output)
            for rows, name in found
            for output in (outputs_of(columns[name]["type"], name) if name in columns else [name])
        ]

    def _purposes(self) -> Iterator[Purpose]:
        """Yield the purpose of each generator, in the order in which stock Exhibit creates them."""
        groups = self._find_columns_with_linked_missing_data()
        places = self._geospatial_columns()
        yield from (("gaps", name) for name in sorted(self._single_columns(groups, places)))
        yield from (("gaps", *sorted(names)) for names in groups)
        yield from (("gaps", *outputs_of("geospatial", name)) for name in places)
        numbers = set(self.spec_dict["metadata"]["numerical_columns"])
        numbers -= set(self.spec_dict.get("derived_columns", {}))
        yield from (("again", name) for name in sorted(numbers, key=str))

    def _geospatial_columns(self) -> list[str]:
        types = get_attr_values(self.spec_dict, "type", col_names=True, types=["geospatial"])
        return [name for name, _ in types]

    def _single_columns(self, groups: list[set[str]], places: list[str]) -> set[str]:
        """Return the columns that have gaps of their own: in no group, and no identifiers."""
        return (
            set(self.spec_dict["columns"])
            - {name for names in groups for name in names}
            - set(self.spec_dict.get("derived_columns", {}))
            - set(self.spec_dict["metadata"].get("uuid_columns") or ())
            - set(places)
        )

    def _first_rows(self) -> NDArray[np.int64]:
        assert self.static is not None
        return self.static.first_rows(self.data[self.static.identifier])


class _OnePerEntity:
    """A generator of numbers that are equal in all rows of an entity."""

    def __init__(self, generator: np.random.Generator, first_rows: NDArray[np.int64]) -> None:
        self._generator, self._first_rows = generator, first_rows

    def random(self, size: int) -> NDArray[np.float64]:
        """Return a number for each row."""
        return self._generator.random(size=size)[self._first_rows]

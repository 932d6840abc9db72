"""Exhibit's step for missing data, seeded from the run, and the same for all rows of an entity.

Stock Exhibit 0.9.9 asks for a generator with a constant seed for each column, group of columns and
number, in a fixed order; each such request is answered with a generator for that very purpose.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core.generate import missing
from exhibit.core.utils import get_attr_values
from numpy.typing import NDArray

from series_assets.core.spec.column_types import outputs_of
from series_assets.core.spec.specification import Specification
from series_assets.engine import constant_seeds
from series_assets.engine.sandbox import patched
from series_assets.engine.static_columns import StaticValues

Purpose = tuple[str, ...]


class SeededMissingData(missing.MissingDataGenerator):
    """Exhibit's own step, with the generators and the static columns of the run."""

    nan_data: pd.DataFrame
    static: StaticValues | None = None
    """The columns that have one value for each entity; None where no entity has several rows."""

    def add_missing_data(self) -> pd.DataFrame:
        """Return the records with gaps, numbers made again where a category is missing."""
        purposes = self._purposes()

        def default_rng(seed: int) -> Any:
            what, *names = next(purposes)
            made = constant_seeds.generator(seed, what, *names)
            if what == "gaps" and self.static and self.static.columns.intersection(names):
                return _OnePerEntity(made, self._first_rows())
            return made

        with patched([(missing, {"np": constant_seeds.NumpyWith(default_rng=default_rng)})]):
            records: pd.DataFrame = self._stock_step(self.static)
        return self.static.apply_to(records) if self.static else records

    def _stock_step(self, static: StaticValues | None) -> Any:
        if static is None:
            return super().add_missing_data()

        def bring_back() -> list[Any]:
            """Bring values back and leave nothing to do but making numbers again."""
            for index, name in type(self)._find_not_null_idx(self):
                self.nan_data.loc[index, name] = self.data.loc[index, name]
            self.nan_data = static.apply_to(self.nan_data)
            return []

        self.__dict__["_find_not_null_idx"] = bring_back
        try:
            return super().add_missing_data()
        finally:
            del self.__dict__["_find_not_null_idx"]  # it refers to this very object

    def _purposes(self) -> Iterator[Purpose]:
        """Yield what each generator is for, in the order in which stock Exhibit asks for them."""
        groups = self._find_columns_with_linked_missing_data()
        places = self._places()
        yield from (("gaps", name) for name in sorted(self._standing_alone(groups, places)))
        yield from (("gaps", *sorted(names)) for names in groups)
        yield from (("gaps", *outputs_of("geospatial", name)) for name in places)
        numbers = set(self.spec_dict["metadata"]["numerical_columns"])
        numbers -= set(self.spec_dict.get("derived_columns", {}))
        yield from (("again", name) for name in sorted(numbers, key=str))

    def _places(self) -> list[str]:
        found = get_attr_values(self.spec_dict, "type", col_names=True, types=["geospatial"])
        return [name for name, _ in found]

    def _standing_alone(self, groups: list[set[str]], places: list[str]) -> set[str]:
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
    """A generator whose numbers are the same in all rows of an entity."""

    def __init__(self, generator: np.random.Generator, first: NDArray[np.int64]) -> None:
        self._generator, self._first = generator, first

    def random(self, size: int) -> NDArray[np.float64]:
        """Return a number for each row."""
        return self._generator.random(size=size)[self._first]


def of_run(base: type, static: StaticValues | None, specification: Specification, data: Any) -> Any:
    """Return the step ``base`` for the records of a run."""
    step = base(specification, data)
    step.static = static
    return step

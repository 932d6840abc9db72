"""Categories and dates: whole columns of listed values, and no table written out to look at it.

Stock Exhibit copies values out of their table row by row, works the same shuffle out for every
column, and turns tables of values into text to see whether they are one.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import utils
from exhibit.core.generate import categorical
from exhibit.core.sql import query_exhibit_database
from numpy.typing import NDArray

from series_assets.core.spec.specification import Specification, is_select

_stock_attributes = utils.get_attr_values
_stock_shuffle = utils.shuffle_data


class CategoricalDataGenerator(categorical.CategoricalDataGenerator):
    """Exhibit's generator of categories and dates; rows are taken from tables all at once."""

    def _generate_anon_series(self, col_name: str) -> Any:
        column = self.spec_dict["columns"][col_name]
        table = column.get("original_values")
        if (
            column["type"] != "categorical"
            or not isinstance(table, pd.DataFrame)
            or not isinstance(column["anonymising_set"], str)
            or is_select(column["anonymising_set"])
            or column["uniques"] > self.spec_dict["metadata"]["inline_limit"]
        ):
            return super()._generate_anon_series(col_name)
        if column["anonymising_set"] != "random":
            return self._ready_made(col_name, column)
        pairs = [f"paired_{name}" for name in column["paired_columns"] or ()]
        listed = table.iloc[:-1][[col_name, *pairs]]
        listed = listed.rename(columns=lambda name: name.replace("paired_", ""))
        once = listed.columns.is_unique and col_name in listed and listed[col_name].is_unique
        if not once or not _is_text(listed):
            return super()._generate_anon_series(col_name)
        rows = self._draw(table)[shuffle(self.num_rows)]
        made = listed.take(rows).reset_index(drop=True)
        return made if pairs else made[col_name]

    def _draw(self, table: pd.DataFrame) -> NDArray[np.int64]:
        """Return for each row the place of its value in the table; the last one is not drawn."""
        chances = np.array(table["probability_vector"].iloc[:-1]).astype(float)
        if chances.sum() != 1:
            chances /= chances.sum()
        drawn: NDArray[np.int64] = self.rng.choice(len(chances), size=self.num_rows, p=chances)
        return drawn

    def _ready_made(self, name: str, column: Specification) -> pd.DataFrame:
        """Return values of a set that comes ready made, put in the place of the listed ones."""
        values = self._generate_from_sql(name, column, complete=True)
        table = column["original_values"]
        aliases = dict(zip(table[name].values[:-1], values[name].unique(), strict=False))
        column["original_values"] = table.map(lambda value: aliases.get(value, value))
        chances = np.array(table["probability_vector"].iloc[:-1]).astype(float)
        if chances.sum() != 1:
            chances /= chances.sum()
        drawn = self.rng.choice(a=len(values), p=chances, size=self.num_rows)
        return shuffled(_taken(values, drawn))

    def _generate_from_sql(
        self,
        col_name: str,
        col_attrs: Specification,
        complete: bool = False,
        db_path: str | None = None,
    ) -> pd.DataFrame:
        if complete:
            return super()._generate_from_sql(col_name, col_attrs, complete, db_path)
        pairs = col_attrs["paired_columns"] or []
        values = self._values(col_name, col_attrs, db_path)
        if {col_name, *pairs} <= set(values.columns):
            values = values[[col_name, *pairs]]
        names = dict(zip(values.columns, [col_name, *pairs], strict=False))
        values = values.rename(columns=names)
        chances = None
        if "probability_vector" in values.columns:
            chances = values.pop("probability_vector").astype(float).to_numpy()
            chances = chances / chances.sum()
        drawn = self.rng.choice(len(values), self.num_rows, p=chances)
        made = _taken(values, drawn)
        # A set without a column for a pair gives it the same values.
        alike = set(pairs) - set(values.columns[1:])
        extra = pd.DataFrame(dict.fromkeys(sorted(alike, key=str), made[col_name]))
        return shuffled(pd.concat([made, extra], axis=1) if len(extra.columns) else made)

    def _values(self, name: str, column: Specification, db_path: str | None) -> pd.DataFrame:
        if column["anonymising_set"] != "random":
            table, *of_table = column["anonymising_set"].split(".")
            return query_exhibit_database(table, of_table, column["uniques"])
        table = f"temp_{self.spec_dict['metadata']['id']}_{name.replace(' ', '$')}"
        return query_exhibit_database(table, exclude_missing=True, db_path=db_path)


def _is_text(table: pd.DataFrame) -> bool:
    return all(
        column.dtype == object and pd.api.types.infer_dtype(column, skipna=False) == "string"
        for _, column in table.items()
    )


def _taken(values: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Return rows of a table, as a table that is made of one row after the other."""
    if values.columns.is_unique and _is_text(values):
        return values.take(rows).reset_index(drop=True)
    return pd.DataFrame(columns=values.columns, data=list(values.to_numpy()[rows]))


@lru_cache(maxsize=4)
def shuffle(rows: int) -> NDArray[np.int64]:
    """Return the order in which Exhibit shuffles so many rows; it is always the same one."""
    order: NDArray[np.int64] = _stock_shuffle(pd.Series(np.arange(rows))).to_numpy()
    order.setflags(write=False)
    return order


def shuffled(data: Any) -> Any:
    """Return a column or a table in Exhibit's order, with a fresh index."""
    return data.take(shuffle(len(data))).reset_index(drop=True)


def attribute_values(spec_dict: Specification, attr: str, *args: Any, **kwargs: Any) -> list[Any]:
    """Return what Exhibit's ``get_attr_values`` returns, but ``table`` for a table of values.

    Those who ask want to know whether a text is there, and write a whole table out for it.
    """
    found: list[Any] = _stock_attributes(spec_dict, attr, *args, **kwargs)
    if attr != "original_values" or not kwargs.get("col_names"):
        return found
    is_table = (isinstance(one.attr_value, pd.DataFrame) for one in found)
    return [
        one._replace(attr_value="table") if table else one
        for one, table in zip(found, is_table, strict=True)
    ]

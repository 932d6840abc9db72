"""Categories and dates on whole columns.

Stock Exhibit copies values from their table row by row, computes the same shuffle for every
column, and converts tables of values to text to check whether they are text.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import utils
from exhibit.core.generate import categorical
from numpy.typing import NDArray

from series_assets.core.spec.specification import Specification, is_select

_stock_attributes = utils.get_attr_values
_stock_shuffle = utils.shuffle_data


class CategoricalDataGenerator(categorical.CategoricalDataGenerator):
    """Exhibit's generator of categories and dates, taking all rows from a table at once."""

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
        unique = listed.columns.is_unique and col_name in listed and listed[col_name].is_unique
        if not unique or not _is_text(listed):
            return super()._generate_anon_series(col_name)
        rows = self._sample(table, len(listed))[shuffle(self.num_rows)]
        values = listed.take(rows).reset_index(drop=True)
        return values if pairs else values[col_name]

    def _sample(self, table: pd.DataFrame, size: int) -> NDArray[np.int64]:
        """Return positions among ``size`` values by the table's probabilities, one for each row."""
        chances = np.array(table["probability_vector"].iloc[:-1]).astype(float)
        if chances.sum() != 1:
            chances /= chances.sum()
        return self.rng.choice(size, size=self.num_rows, p=chances)

    def _ready_made(self, name: str, column: Specification) -> pd.DataFrame:
        """Return values of a ready-made set, which also replace the listed ones."""
        values = self._generate_from_sql(name, column, complete=True)
        table = column["original_values"]
        aliases = dict(zip(table[name].values[:-1], values[name].unique(), strict=False))
        column["original_values"] = table.map(lambda value: aliases.get(value, value))
        return shuffled(_take(values, self._sample(table, len(values))))

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
        sampled = _take(values, self.rng.choice(len(values), self.num_rows, p=chances))
        # A paired column that the set lacks gets the same values.
        lacking = set(pairs) - set(values.columns[1:])
        extra = pd.DataFrame(dict.fromkeys(sorted(lacking, key=str), sampled[col_name]))
        return shuffled(pd.concat([sampled, extra], axis=1) if len(extra.columns) else sampled)

    def _values(self, name: str, column: Specification, db_path: str | None) -> pd.DataFrame:
        if column["anonymising_set"] != "random":
            table, *field = column["anonymising_set"].split(".")
            return categorical.query_exhibit_database(table, field, column["uniques"])
        table = f"temp_{self.spec_dict['metadata']['id']}_{name.replace(' ', '$')}"
        return categorical.query_exhibit_database(table, exclude_missing=True, db_path=db_path)


def _is_text(table: pd.DataFrame) -> bool:
    return all(
        column.dtype == object and pd.api.types.infer_dtype(column, skipna=False) == "string"
        for _, column in table.items()
    )


def _take(values: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Return rows of a table, typed as a table that is built row by row."""
    if values.columns.is_unique and _is_text(values):
        return values.take(rows).reset_index(drop=True)
    return pd.DataFrame(columns=values.columns, data=list(values.to_numpy()[rows]))


@lru_cache(maxsize=4)
def shuffle(rows: int) -> NDArray[np.int64]:
    """Return the order in which Exhibit shuffles ``rows`` rows, which is always the same."""
    order: NDArray[np.int64] = _stock_shuffle(pd.Series(np.arange(rows))).to_numpy()
    order.setflags(write=False)
    return order


def shuffled(data: Any) -> Any:
    """Return a column or a table in Exhibit's order, with a new index."""
    return data.take(shuffle(len(data))).reset_index(drop=True)


def attribute_values(spec_dict: Specification, attr: str, *args: Any, **kwargs: Any) -> list[Any]:
    """Return what Exhibit's ``get_attr_values`` returns, with the text ``table`` for a table.

    Its callers only look for a certain text, and would convert complete tables for that.
    """
    attributes: list[Any] = _stock_attributes(spec_dict, attr, *args, **kwargs)
    if attr != "original_values" or not kwargs.get("col_names"):
        return attributes
    return [
        item._replace(attr_value="table") if isinstance(item.attr_value, pd.DataFrame) else item
        for item in attributes
    ]

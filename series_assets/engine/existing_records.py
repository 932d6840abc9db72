"""What differs from stock Exhibit when existing records are made (contract, section 5).

Exhibit would draw entities with replacement from the oldest rows of the table and forget the
weights of static columns. These stand-ins hand it the drawn entities, row by row, and the
weights of the original specification. The generator serves new records too, which draw nobody.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core.generate import categorical, missing, weights

from series_assets.core.plan.seeds import derive
from series_assets.core.spec.specification import REGEX, Specification, combinations, is_select
from series_assets.engine import regex_columns
from series_assets.engine.static_columns import StaticValues
from series_assets.engine.vectorized.tables import parse_original_values


@dataclass(frozen=True)
class Drawn:
    """The entities of existing records, one row for each row of the run."""

    entities: pd.DataFrame
    """The identifiers and the static columns, with what is missing in them."""
    filled: pd.DataFrame
    """``entities`` as objects, with a value where a category is missing: a missing one would
    count with weight 1 until Exhibit's own missing step, and distort the scale of a number."""
    original: Specification
    """The period's specification before its static columns were changed, tables parsed."""

    @property
    def categories(self) -> list[str]:
        """The drawn columns that are categorical in the original specification."""
        columns = self.original["columns"]
        names = self.entities.columns
        return [n for n in names if n in columns and columns[n]["type"] == "categorical"]


def prepare(entities: pd.DataFrame, whole: Specification, seed: int) -> Drawn:
    """Return the entities for a run, one row for each of its rows.

    ``whole`` is the period's specification before it was changed. Reads the database.
    """
    original = _parsed(whole)
    filled = entities.astype(object)
    for name in filled.columns:
        if name not in original["columns"]:
            continue
        column = original["columns"][name]
        if column["type"] == "categorical":
            _alias(original, name)
            _fill(filled, name, column["original_values"], derive(seed, name, "filled"))
    return Drawn(entities, filled, original)


def _fill(filled: pd.DataFrame, name: str, table: object, seed: int) -> None:
    gaps = filled[name].isna().to_numpy()
    if not gaps.any():
        return
    rng = np.random.default_rng(seed)
    if isinstance(table, pd.DataFrame):
        chances = table["probability_vector"].iloc[:-1].astype(float).to_numpy()
        values = rng.choice(table[name].iloc[:-1], size=gaps.sum(), p=chances / chances.sum())
        filled.loc[gaps, name] = values
    elif not gaps.all():  # values of the database all weigh the same
        filled.loc[gaps, name] = rng.choice(filled[name][~gaps], size=gaps.sum())


def generator(
    run: Drawn | None, seed: int, static: StaticValues | None = None
) -> Callable[..., Any]:
    """Return a generator of categories and dates for a run.

    It glues the drawn entities on by row, lets all rows of a new entity have its first row's
    ``static`` columns, and cuts a full crossing down to the rows of the specification.
    """
    return partial(_generator_on(categorical.CategoricalDataGenerator), run, seed, static)


def rows_to_cross(specification: Specification) -> int:
    """Return how many rows to cross with all combinations, so that they are at least enough.

    Stock Exhibit rounds down, and leaves rows without any category.
    """
    return ceil(specification["metadata"]["number_of_rows"] / combinations(specification))


@cache  # a class of each run's own would keep its records until the next collection of cycles
def _generator_on(base: type) -> type:
    class Generator(base):
        generated_dfs: list[Any]

        def __init__(
            self,
            run: Drawn | None,
            seed: int,
            static: StaticValues | None,
            spec_dict: Specification,
            core_rows: int,
            anon_df: pd.DataFrame | None = None,
        ) -> None:
            known = run.filled.copy() if run else anon_df
            super().__init__(spec_dict, core_rows, known)
            self._run, self._seed, self._static = run, seed, static
            # An empty start, so that a specification may have cross-joined columns only.
            self.generated_dfs.append(pd.DataFrame(index=range(core_rows)))
            if run:
                self.skipped_cols.extend(run.filled.columns)

        def generate(self) -> pd.DataFrame:
            made = self._cut(super().generate())
            if self._run:
                return pd.concat([self._run.filled, made], axis=1)
            return self._settled(made) if self._static else made

        def _cut(self, made: pd.DataFrame) -> pd.DataFrame:
            """Leave as many rows of a full crossing as the specification asks for."""
            rows = self.spec_dict["metadata"]["number_of_rows"]
            if len(made) <= rows:
                return made
            rng = np.random.default_rng(derive(self._seed, "crossing"))
            kept = np.sort(rng.choice(len(made), size=rows, replace=False))
            return made.take(kept).reset_index(drop=True)

        def _settled(self, made: Any) -> Any:
            """Let all rows of an entity have the static columns of its first row."""
            known = self.anon_df
            if self._static is None or known is None or len(made) != len(known):
                return made
            # A set that is joined comes in the order of what it is joined on.
            in_order = made.sort_index()
            return self._static.apply_to_made(in_order, known[self._static.identifier])

        def _generate_anon_series(self, col_name: str) -> Any:
            # What follows may be chosen by what is already there, so that has to be settled.
            self.generated_dfs = [self._settled(made) for made in self.generated_dfs]
            column = self.spec_dict["columns"][col_name]
            values = column.get("original_values")
            if isinstance(values, str) and values == REGEX:
                pattern, rows, uniques = column["anonymising_set"], self.num_rows, column["uniques"]
                return regex_columns.generate(pattern, col_name, rows, uniques, self._seed)
            made = super()._generate_anon_series(col_name)
            if isinstance(made, pd.DataFrame):
                # A ready-made set of several columns brings along those that nobody asked for.
                declared = self.spec_dict["columns"]
                made = made[[name for name in made.columns if name in declared]]
            return made

    return Generator


def missing_generator(run: Drawn) -> Callable[..., Any]:
    """Return a step for missing data that blanks what the drawn entities lack, and nothing else
    of theirs."""
    return partial(_missing_generator_on(missing.MissingDataGenerator), run)


@cache
def _missing_generator_on(base: type) -> type:
    class Generator(base):
        def __init__(self, run: Drawn, spec_dict: Specification, data: pd.DataFrame) -> None:
            metadata, columns = spec_dict["metadata"], spec_dict["columns"]
            names = set(run.entities.columns)
            own = [name for name in metadata["categorical_columns"] if name not in names]
            seen = {
                **spec_dict,
                # Identifiers, static dates and static numbers are categorical here only to be
                # drawn; where one is missing, no number has to be made again.
                "metadata": {**metadata, "categorical_columns": [*run.categories, *own]},
                "columns": {name: c for name, c in columns.items() if name not in names},
            }
            super().__init__(seen, data)
            self._run = run

        def _find_make_null_idx(self) -> list[tuple[Any, str]]:
            entities = self._run.entities
            blanks = [
                (self.nan_data.index[entities[name].isna().to_numpy()], name)
                for name in self._run.categories
            ]
            return [*super()._find_make_null_idx(), *blanks]

    return Generator


def weight_columns(run: Drawn) -> list[str]:
    """Return the columns that numbers depend on, in an order that the hash seed leaves alone."""
    return sorted(weights.target_columns_for_weights_table(run.original))


def weights_table(run: Drawn, spec_dict: Specification, columns: list[str]) -> Any:
    """Return Exhibit's table of weights, those of static columns as in the original (5.8)."""
    own = {n: c for n, c in spec_dict["columns"].items() if n not in run.entities.columns}
    mixed = {
        **spec_dict,
        "columns": {**run.original["columns"], **own},
        "linked_columns": run.original["linked_columns"],
    }
    return weights.generate_weights_table(mixed, columns)


def _parsed(specification: Specification) -> Specification:
    parsed = deepcopy(specification)
    for name in parsed["metadata"]["categorical_columns"]:
        column = parsed["columns"][name]
        column["original_values"] = parse_original_values(column["original_values"])
    return parsed


def _alias(specification: Specification, name: str) -> None:
    """Give a static column with a ready-made set the values that it had when it was new.

    Exhibit puts the set's values in place of the listed ones while it runs; the weights belong
    to the places in the list.
    """
    column = specification["columns"][name]
    values = column["original_values"]
    ready_made = column["anonymising_set"] != "random" and not is_select(column["anonymising_set"])
    if not ready_made or not isinstance(values, pd.DataFrame):
        return
    if column["uniques"] > specification["metadata"]["inline_limit"]:
        return
    stock = categorical.CategoricalDataGenerator({**specification, "_rng": None}, 0)
    table = stock._generate_from_sql(name, column, complete=True)
    aliases = dict(zip(values[name].tolist()[:-1], table[name].unique(), strict=False))
    column["original_values"] = values.map(lambda value: aliases.get(value, value))

"""Corrections of small parts of Exhibit that give wrong data or fail.

Each replaces the part during a run; its docstring says what stock Exhibit 0.9.9 does.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import constraints
from exhibit.core import exhibit as stock
from exhibit.core.generate import categorical, continuous, missing
from exhibit.core.linkage import hierarchical, matrix

from series_assets.core.errors import GenerationError
from series_assets.core.spec import expressions
from series_assets.core.spec.expressions.values import ANYTHING
from series_assets.core.spec.specification import Specification
from series_assets.engine.constant_seeds import NumpyWith, generator, seed_for
from series_assets.engine.missing_data import SeededMissingData
from series_assets.engine.sandbox import Patches, patched
from series_assets.engine.scaling import scale
from series_assets.storage import sql_guard


def sequential_pool(processes: int | None = None) -> AbstractContextManager[Any]:
    """Return a pool without processes, for the rows of user-linked columns.

    Stock Exhibit sends each chunk of rows to a process with a copy of the random generator, so
    that all chunks hold the same rows.
    """
    del processes
    return nullcontext(SimpleNamespace(map=lambda function, values: [*map(function, values)]))


def temporary_table(database: Path) -> Callable[..., bool]:
    """Return a function that writes the tables that SQL anonymising sets join with.

    Stock Exhibit binds all values of 32,000 rows in one statement, which with two columns is too
    many for SQLite.
    """

    def create_temp_table(table_name: str, col_names: Sequence[str], data: Any, **_: Any) -> bool:
        frame = pd.DataFrame(data)
        frame.columns = list(col_names)
        with closing(sqlite3.connect(database)) as connection:
            frame.apply(_as_exhibit_writes).to_sql(
                table_name, connection, index=False, if_exists="replace"
            )
        return True

    return create_temp_table


def guarded_sql(database: Path) -> Callable[..., list[Any]]:
    """Return a function that runs the SQL statements of anonymising sets.

    Stock Exhibit runs any statement, with write access and without a time limit.
    """

    def execute_sql(sql: str, **_: Any) -> list[Any]:
        try:
            return sql_guard.run(database, sql)
        except sql_guard.StatementError as error:
            text = " ".join(sql.split())
            short = text if len(text) <= 80 else f"{text[:80]}…"
            problem = f"the anonymising_set '{short}' {error.problem}"
            raise GenerationError(problem, error.remedy) from None

    return execute_sql


def _as_exhibit_writes(column: "pd.Series[Any]") -> "pd.Series[Any]":
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(float)
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime("%Y-%m-%d")
    return column.astype(str).str.strip()


def rows_that_match(rows: pd.DataFrame, condition: str) -> "pd.Series[bool]":
    """Return which rows match a filter of a constraint.

    Stock Exhibit evaluates any expression. With a filter by frequency it uses the same random
    values in every run, and fails where no value of the column is known.
    """
    expressions.check_constraint(condition, dict.fromkeys(rows, ANYTHING))
    column = condition.removesuffix("with_high_frequency").removesuffix("with_low_frequency")
    name = column.strip().replace("__", " ")
    if column != condition and rows[name].isna().all():
        return pd.Series(False, index=rows.index)
    if column == condition:
        return _stock_mask(rows, condition)
    seeded = NumpyWith(default_rng=lambda seed: generator(seed, "frequency", condition))
    with patched([(constraints, {"np": seeded})]):
        return _stock_mask(rows, condition)


def linked_group(spec_dict: Specification, linked_group: Any, num_rows: int) -> pd.DataFrame:
    """Return the columns of a linked group.

    Stock Exhibit shuffles their rows in the same way in every run.
    """
    seed = seed_for(0, "linked", *linked_group[1])
    seeded = NumpyWith(PCG64=lambda _: np.random.PCG64(seed))
    with patched([(hierarchical, {"np": seeded})]):
        return _stock_linked_group(spec_dict, linked_group, num_rows)


def regions_in_place(rows: pd.DataFrame, *arguments: Any, **more: Any) -> pd.DataFrame:
    """Return rows with places in a region for each group, in their order.

    Stock Exhibit sorts them by group, so existing records would get values of other entities.
    """
    number = "row number"
    while number in rows:
        number += "_"
    numbered = rows.assign(**{number: np.arange(len(rows))})
    changed = _stock_regions(numbered, *arguments, **more).sort_values(number)
    return changed.set_index(rows.index).drop(columns=number)


_stock_regions = constraints.geo_make_regions
_stock_linked_group = hierarchical.generate_linked_anon_df
_stock_mask = constraints.get_constraint_mask
_SCALING = (continuous, missing, constraints)


def corrections(database: Path) -> Patches:
    """Return the corrections, by module."""
    return [
        (matrix, {"Pool": sequential_pool}),
        *((module, {"MissingDataGenerator": SeededMissingData}) for module in (stock, missing)),
        *((module, {"scale_continuous_column": scale}) for module in _SCALING),
        *((module, {"get_constraint_mask": rows_that_match}) for module in (constraints, missing)),
        (categorical, {"generate_linked_anon_df": linked_group}),
        (categorical, {"create_temp_table": temporary_table(database)}),
        (categorical, {"execute_sql": guarded_sql(database)}),
    ]

"""Replacements in Exhibit for generating existing records (contract, section 5).

Exhibit would sample entities with replacement from the oldest rows of the table and ignore the
weights of static columns. Here it is given the sampled entities, row by row, and the weights of
the unmodified specification. The generator is used for new records too, without entities.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core.constants import MISSING_DATA_STR
from exhibit.core.generate import categorical, missing, weights

from series_assets.core.plan.seeds import derive
from series_assets.core.spec.specification import (
    REGEX,
    Specification,
    combinations,
    is_select,
    output_columns,
)
from series_assets.engine import regex_columns
from series_assets.engine.enforce_constraints import matching
from series_assets.engine.static_columns import StaticValues
from series_assets.engine.vectorized.tables import parse_original_values


@dataclass(frozen=True)
class SampledEntities:
    """The entities of existing records, one row for each row of the run."""

    entities: pd.DataFrame
    """The identifiers and the static columns, with missing values."""
    filled: pd.DataFrame
    """What Exhibit gets. Objects, with a value for each missing category: until Exhibit's step for
    missing data these would have weight 1, and distort the scale of numbers. A column that nothing
    in the run reads is constant, because Exhibit would sort all of its values."""
    unmodified: Specification
    """The period's specification before its static columns were changed, tables parsed."""

    @property
    def categories(self) -> list[str]:
        """The sampled columns that are categorical in the unmodified specification."""
        columns = self.unmodified["columns"]
        names = self.entities.columns
        return [n for n in names if n in columns and columns[n]["type"] == "categorical"]


def prepare(
    entities: pd.DataFrame,
    specification: Specification,
    unmodified: Specification,
    seed: int,
) -> SampledEntities:
    """Return the entities for a run of ``specification``. Reads the database."""
    original = deepcopy(unmodified)
    for name in original["metadata"]["categorical_columns"]:
        column = original["columns"][name]
        column["original_values"] = parse_original_values(column["original_values"])
    read = _columns_read(specification, entities.columns)
    filled = pd.DataFrame(index=entities.index)
    with_gaps = {
        name for group, names in original["linked_columns"] or () if not group for name in names
    }
    for name in entities.columns:
        column = original["columns"].get(name, {})
        is_category = column.get("type") == "categorical"
        if is_category or name in read:
            filled[name] = entities[name].astype(object)
        else:
            filled[name] = pd.Categorical.from_codes(np.zeros(len(entities), np.int8), ["unread"])
        if is_category:
            values = _use_ready_made_values(original, name)
            table, seed_of_column = column["original_values"], derive(seed, name, "filled")
            if name in with_gaps:  # such groups have their gaps from the start, with their weight
                filled[name] = filled[name].fillna(MISSING_DATA_STR)
            _fill_gaps(filled, name, table, values, seed_of_column)
    return SampledEntities(entities, filled, original)


def _columns_read(specification: Specification, sampled: "pd.Index[Any]") -> list[str]:
    """Return which sampled columns a run may read, apart from the weights of categories.

    Any part of the specification that contains a column's name counts, whatever it means there.
    """
    columns = specification["columns"]
    others = [column for name, column in columns.items() if name not in sampled]
    if any(is_select(column.get("anonymising_set")) for column in others):
        return list(sampled)
    parts = [
        specification.get(part) for part in ("constraints", "derived_columns", "linked_columns")
    ]
    parts += [(column.get("anonymising_set"), column.get("paired_columns")) for column in others]
    text = repr(parts)
    return [n for n in sampled if n in text or n.replace(" ", "__") in text]


def _fill_gaps(
    filled: pd.DataFrame, name: str, table: object, values: Sequence[object] | None, seed: int
) -> None:
    """Fill gaps as Exhibit fills the column; ``values`` replace those listed in the ``table``."""
    gaps = filled[name].isna().to_numpy()
    if not gaps.any():
        return
    rng = np.random.default_rng(seed)
    if isinstance(table, pd.DataFrame):
        chances = table["probability_vector"].iloc[:-1].astype(float).to_numpy()
        listed = table[name].iloc[:-1] if values is None else np.array(values, dtype=object)
        filled.loc[gaps, name] = rng.choice(listed, size=gaps.sum(), p=chances / chances.sum())
    elif not gaps.all():  # values in the database have equal weights
        filled.loc[gaps, name] = rng.choice(filled[name][~gaps], size=gaps.sum())


def generator(
    sampled: SampledEntities | None, seed: int, static: StaticValues | None = None
) -> Callable[..., Any]:
    """Return a generator of categories and dates for a run.

    It adds the sampled entities row by row, gives all rows of a new entity the ``static`` values of
    its first row, and reduces a full crossing to the rows of the specification.
    """
    return partial(_generator_class(categorical.CategoricalDataGenerator), sampled, seed, static)


def rows_to_cross(specification: Specification) -> int:
    """Return how many rows to cross with all combinations, rounded up.

    Stock Exhibit rounds down, and leaves rows without any category.
    """
    return ceil(specification["metadata"]["number_of_rows"] / combinations(specification))


@cache  # a class per run would keep the run's records until the next garbage collection
def _generator_class(base: type) -> type:
    class Generator(base):
        generated_dfs: list[Any]

        def __init__(
            self,
            sampled: SampledEntities | None,
            seed: int,
            static: StaticValues | None,
            spec_dict: Specification,
            core_rows: int,
            anon_df: pd.DataFrame | None = None,
        ) -> None:
            existing = sampled.filled.copy() if sampled else anon_df
            super().__init__(spec_dict, core_rows, existing)
            self._sampled, self._seed, self._static = sampled, seed, static
            self._static_until = 0  # how many of the generated frames have static values
            # Without an empty frame, a specification of cross-joined columns only would fail.
            self.generated_dfs.append(pd.DataFrame(index=range(core_rows)))
            if sampled:
                self.skipped_cols.extend(sampled.filled.columns)

        def generate(self) -> pd.DataFrame:
            generated = self._reduced(super().generate())
            if self._sampled:
                return pd.concat([self._sampled.filled, generated], axis=1)
            return self._with_static_values(generated) if self._static else generated

        def _reduced(self, crossing: pd.DataFrame) -> pd.DataFrame:
            """Return as many rows of a full crossing as the specification asks for."""
            rows = self.spec_dict["metadata"]["number_of_rows"]
            if len(crossing) <= rows:
                return crossing
            rng = np.random.default_rng(derive(self._seed, "crossing"))
            kept = np.sort(rng.choice(len(crossing), size=rows, replace=False))
            return crossing.take(kept).reset_index(drop=True)

        def _with_static_values(self, columns: Any) -> Any:
            existing = self.anon_df
            if self._static is None or existing is None or len(columns) != len(existing):
                return columns
            # A joined set is ordered by the column that it is joined on.
            in_order = columns
            if not columns.index.is_monotonic_increasing:
                in_order = columns.sort_index()
            return self._static.apply_to_columns(in_order, existing[self._static.identifier])

        def _generate_anon_series(self, col_name: str) -> Any:
            # Later columns may depend on earlier ones, so these need their static values first.
            frames, done = self.generated_dfs, self._static_until
            self.generated_dfs = [*frames[:done], *map(self._with_static_values, frames[done:])]
            self._static_until = len(self.generated_dfs)
            column = self.spec_dict["columns"][col_name]
            values = column.get("original_values")
            if isinstance(values, str) and values == REGEX:
                pattern, rows, uniques = column["anonymising_set"], self.num_rows, column["uniques"]
                return regex_columns.generate(pattern, col_name, rows, uniques, self._seed)
            generated = super()._generate_anon_series(col_name)
            if isinstance(generated, pd.DataFrame):
                # A ready-made set may have columns that the specification does not declare.
                declared = self.spec_dict["columns"]
                generated = generated[[name for name in generated.columns if name in declared]]
            return generated

    return Generator


def missing_generator(sampled: SampledEntities) -> Callable[..., Any]:
    """Return a step for missing data that keeps exactly the sampled entities' missing values.

    It carries out ``make_null`` and ``make_not_null`` of the unmodified specification, also of
    constraints that are applied later: in new records they precede all other actions.
    """
    return partial(_missing_generator_class(missing.MissingDataGenerator), sampled)


@cache
def _missing_generator_class(base: type) -> type:
    class Generator(base):
        def __init__(
            self, sampled: SampledEntities, spec_dict: Specification, data: pd.DataFrame
        ) -> None:
            metadata, columns = spec_dict["metadata"], spec_dict["columns"]
            names = set(sampled.entities.columns)
            other = [name for name in metadata["categorical_columns"] if name not in names]
            reduced = {
                **spec_dict,
                # Identifiers, static dates and static numbers are categorical here only to be
                # sampled; where one is missing, no number has to be regenerated.
                "metadata": {**metadata, "categorical_columns": [*sampled.categories, *other]},
                "columns": {name: c for name, c in columns.items() if name not in names},
                "constraints": {
                    **spec_dict["constraints"],
                    "custom_constraints": sampled.unmodified["constraints"]["custom_constraints"],
                },
            }
            super().__init__(reduced, data)
            self._sampled = sampled

        def _find_make_null_idx(self) -> list[tuple[Any, str]]:
            entities = self._sampled.entities
            gaps = [
                (self.nan_data.index[entities[name].isna().to_numpy()], name)
                for name in self._sampled.categories
            ]
            return [*self._selected("make_null"), *gaps]

        def _find_not_null_idx(self) -> list[tuple[Any, str]]:
            return self._selected("make_not_null")

        def _selected(self, action: str) -> list[tuple[Any, str]]:
            """Return the rows and the columns of an action; filters see the entities' gaps."""
            seen = self.nan_data.assign(**dict(self._sampled.entities.items()))
            found = []
            for constraint in (self.spec_dict["constraints"]["custom_constraints"] or {}).values():
                rows = self.nan_data.index[matching(seen, constraint.get("filter"))]
                for target, actions in constraint["targets"].items():
                    if action in (word.strip() for word in actions.split(",")):
                        outputs = [
                            out
                            for name in target.split(",")
                            for out in output_columns(self._sampled.unmodified, name.strip())
                        ]
                        found += [
                            (rows, name) for name in outputs if name not in self._sampled.entities
                        ]
            return found

    return Generator


def weight_columns(sampled: SampledEntities) -> list[str]:
    """Return the columns that numbers depend on, in an order independent of the hash seed."""
    return sorted(weights.target_columns_for_weights_table(sampled.unmodified))


def weights_table(sampled: SampledEntities, spec_dict: Specification, columns: list[str]) -> Any:
    """Return Exhibit's table of weights, with the unmodified weights of static columns (5.8)."""
    unmodified, names = sampled.unmodified, sampled.entities.columns
    other = {name: column for name, column in spec_dict["columns"].items() if name not in names}
    combined = {
        **spec_dict,
        "columns": {**unmodified["columns"], **other},
        "linked_columns": unmodified["linked_columns"],
    }
    return weights.generate_weights_table(combined, columns)


def _use_ready_made_values(specification: Specification, name: str) -> list[object] | None:
    """Replace the listed values of a static column by those of its ready-made set.

    Exhibit does so during a run of new records; weights belong to positions in the list. Returns
    the values by position, which may repeat; None where the listed ones stay.
    """
    column = specification["columns"][name]
    values = column["original_values"]
    ready_made = column["anonymising_set"] != "random" and not is_select(column["anonymising_set"])
    if not ready_made or not isinstance(values, pd.DataFrame):
        return None
    if column["uniques"] > specification["metadata"]["inline_limit"]:
        return None
    stock = categorical.CategoricalDataGenerator({**specification, "_rng": None}, 0)
    table = stock._generate_from_sql(name, column, complete=True)
    aliases = dict(zip(values[name].tolist()[:-1], table[name].unique(), strict=False))
    column["original_values"] = values.map(lambda value: aliases.get(value, value))
    return table[name].tolist()

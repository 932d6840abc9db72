"""Running Exhibit for the two parts of a period.

What is run is a deep copy of the part's specification against a scratch copy of the database;
what differs from stock Exhibit stands in ``existing_records`` and in ``core.plan.identifiers``.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from exhibit.core import exhibit as stock
from exhibit.core.generate import categorical, derived, missing, weights

from series_assets.core.plan import identifiers
from series_assets.core.plan.constraints import Violation
from series_assets.core.plan.seeds import derive
from series_assets.core.plan.series import Plan
from series_assets.core.spec.specification import Specification
from series_assets.engine import constant_seeds, derived_columns, existing_records, patches
from series_assets.engine.constraint_actions import CorrectedHandler
from series_assets.engine.enforce_constraints import broken_in_new, settle_new
from series_assets.engine.exhibit_messages import complaint
from series_assets.engine.missing_data import of_run
from series_assets.engine.restore_constraints import restore, to_remember
from series_assets.engine.sandbox import Clock, ExhibitMessages, SortedSet, isolated, patched
from series_assets.engine.static_columns import StaticValues
from series_assets.engine.vectorized import identifiers as fast_identifiers
from series_assets.engine.vectorized import registry


@dataclass(frozen=True)
class Outcome:
    """The records of one part of a period, and what Exhibit said while it made them."""

    records: pd.DataFrame
    """In the order Exhibit produced them, a fresh index from 0, no category dtypes."""
    exhibit_messages: tuple[str, ...]
    broken: tuple[Violation, ...] = ()
    """The constraints of the specification that some of the records do not meet."""


def generate_new_records(plan: Plan, database: Path, *, stock_exhibit: bool = False) -> Outcome:
    """Return the new records of a period (section 4), in Exhibit's order of rows and columns.

    ``database`` is a scratch copy; ``stock_exhibit`` runs Exhibit's own loops, not the fast ones of
    ``vectorized``. Raises GenerationError with what Exhibit complained of.
    """
    part = plan.new
    assert part is not None
    generate = identifiers.generate if stock_exhibit else fast_identifiers.generate
    by_column = {wanted.column: wanted for wanted in part.identifiers}
    static = StaticValues(part.identifiers[0].column, frozenset(part.static))

    def identifier_column(name: str, rows: int, *_: Any) -> "pd.Series[Any]":
        return generate(by_column[name], rows)

    seed = part.specification["metadata"]["random_seed"]
    with _run(plan, "new records", database, seed, stock_exhibit=stock_exhibit) as said:
        stand_ins: dict[str, Any] = {
            "generate_uuid_column": identifier_column,
            "CategoricalDataGenerator": existing_records.generator(None, seed, static),
        }
        if part.static:
            stand_ins |= _for_static_values(static)
        records = _exhibit(part.specification, stand_ins, static)
        records = settle_new(
            records, part.specification, static.columns, seed, derived_columns.compute
        )
        records = _without_duplicates(records, part.specification)
        return _outcome(records, said, broken_in_new(records, part.specification))


def _for_static_values(static: StaticValues) -> dict[str, Any]:
    """Return what lets all rows of an entity agree in the static columns, at each step."""
    missing_data, handler = stock.MissingDataGenerator, stock.ConstraintHandler
    make_numbers = stock.generate_continuous_column

    class SettledConstraints(handler):  # type: ignore[misc, valid-type]
        def process_constraints(self) -> pd.DataFrame:
            return static.apply_to(super().process_constraints())

    def settled_numbers(
        spec_dict: Specification, anon_df: pd.DataFrame, col_name: str
    ) -> "pd.Series[Any]":
        made = make_numbers(spec_dict=spec_dict, anon_df=anon_df, col_name=col_name)
        numbers: pd.Series[Any] = static.apply_to_made(made, anon_df[static.identifier])
        return numbers

    return {
        "MissingDataGenerator": partial(of_run, missing_data, static),
        "ConstraintHandler": SettledConstraints,
        "generate_continuous_column": settled_numbers,
    }


def generate_existing_records(
    plan: Plan, entities: pd.DataFrame, database: Path, *, stock_exhibit: bool = False
) -> Outcome:
    """Return the existing records of a period (section 5).

    ``entities`` has a row for each of them, with the identifiers and the static columns as they
    were first recorded. ``database`` and ``stock_exhibit`` are as for new records. Raises
    GenerationError with what Exhibit complained of.
    """
    part = plan.existing
    assert part is not None
    seed = part.specification["metadata"]["random_seed"]
    with _run(plan, "existing records", database, seed, stock_exhibit=stock_exhibit) as said:
        drawn = existing_records.prepare(entities, part.whole, seed)
        columns, known = (
            existing_records.weight_columns(drawn),
            to_remember(part.removed, part.whole),
        )
        stand_ins = {
            "CategoricalDataGenerator": existing_records.generator(drawn, seed),
            "MissingDataGenerator": known.around(existing_records.missing_generator(drawn)),
            "target_columns_for_weights_table": lambda _: columns,
            "generate_weights_table": lambda spec, names: existing_records.weights_table(
                drawn, spec, names
            ),
        }
        records = _exhibit(part.specification, stand_ins).reset_index(drop=True)
        # A run leaves the drawn columns as categories, or changed by a constraint's action.
        records[list(entities.columns)] = entities
        kept = frozenset(map(str, entities.columns))
        records, broken = restore(
            records, part.removed, part.whole, seed, derived_columns.compute, known, kept
        )
        return _outcome(records, said, broken)


@contextmanager
def _run(
    plan: Plan, part: str, database: Path, seed: int, *, stock_exhibit: bool
) -> Iterator[ExhibitMessages]:
    """Isolate a run; Exhibit's complaints leave it as GenerationErrors that say where."""
    lasting = _lasting(plan, database)
    if not stock_exhibit:
        lasting += registry.stand_ins()
    with (
        isolated(database, derive(seed, "process")) as said,
        constant_seeds.replaced_by(seed if plan.period.k else None),
        patched(lasting),
    ):
        try:
            yield said
        except Exception as error:
            found = complaint(error, said.lines())
            raise found.in_period(plan.series, plan.period.key, part) from error


def _lasting(plan: Plan, database: Path) -> list[tuple[ModuleType, Mapping[str, Any]]]:
    """Return what differs from stock Exhibit in every run; later ones go over earlier ones."""
    return [
        (derived, {"pd": Clock(pd.Timestamp(plan.period.start))}),
        *patches.stand_ins(database),
        (stock, {"ConstraintHandler": CorrectedHandler}),
    ]


def _exhibit(
    part: Specification, stand_ins: Mapping[str, Any], static: StaticValues | None = None
) -> pd.DataFrame:
    sets = {"set": SortedSet}
    specification = deepcopy(part)
    specification["derived_columns"] = {
        name: derived_columns.Calculation.of(name, text)
        for name, text in part["derived_columns"].items()
    }
    modules = [
        (
            stock,
            {
                **sets,
                **stand_ins,
                "count_core_rows": existing_records.rows_to_cross,
                "generate_derived_column": derived_columns.in_order(specification, static),
            },
        ),
        *((module, sets) for module in (categorical, missing, weights)),
    ]
    with patched(modules):
        made = stock.Exhibit(command="fromspec", source=specification, output="dataframe")
        records: pd.DataFrame = made.generate()
    return records


def _without_duplicates(records: pd.DataFrame, specification: Specification) -> pd.DataFrame:
    """Leave out rows that are the same to a reader, where the specification allows none.

    Exhibit has done so, but it tells the blank of an action from a missing value.
    """
    if specification["constraints"]["allow_duplicates"]:
        return records
    compared = records.drop(columns=specification["metadata"]["numerical_columns"])
    blank = [name for name in compared if _has_blanks(compared[name])]
    if not blank:
        return records
    for name in blank:
        column = compared[name].astype(object)
        compared[name] = column.where(column.notna(), "")
    return records[~compared.duplicated()]


def _has_blanks(column: "pd.Series[Any]") -> bool:
    return not pd.api.types.is_numeric_dtype(column.dtype) and bool(column.eq("").any())


def _outcome(
    records: pd.DataFrame, said: ExhibitMessages, broken: tuple[Violation, ...]
) -> Outcome:
    records = derived_columns.with_lengths_as_text(records.reset_index(drop=True))
    return Outcome(records, tuple(said.lines()), broken)

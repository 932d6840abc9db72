"""Running Exhibit for the two parts of a period.

What is run is a deep copy of the part's specification against a scratch copy of the database;
what differs from stock Exhibit stands in ``drawing`` and in ``core.identifiers``.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from exhibit.core import exhibit as stock
from exhibit.core.generate import categorical, derived, missing, weights

from series_assets.core import identifiers, mentions
from series_assets.core.changes import scale_target_sums
from series_assets.core.constraints import Broken
from series_assets.core.errors import GenerationError
from series_assets.core.seeds import derive
from series_assets.core.series import ExistingPart, NewPart, Plan
from series_assets.core.specification import Specification
from series_assets.engine import corrections, drawing
from series_assets.engine.actions import Handler
from series_assets.engine.fast import identifiers as fast_identifiers
from series_assets.engine.fast import replacing
from series_assets.engine.isolation import Clock, Said, SortedSet, isolated, standing_in
from series_assets.engine.restoring import restore, to_remember
from series_assets.engine.settling import broken_in_new, settle_new


@dataclass(frozen=True)
class Outcome:
    """The records of one part of a period, and what Exhibit said while it made them."""

    records: pd.DataFrame
    """In the order Exhibit produced them, a fresh index from 0, no category dtypes."""
    said: tuple[str, ...]
    broken: tuple[Broken, ...] = ()
    """The constraints of the specification that some of the records do not meet."""


def new_records(plan: Plan, database: Path) -> Outcome:
    """Return the new records of a period (section 4), in Exhibit's order of rows and columns.

    ``database`` is a scratch copy. Raises GenerationError with what Exhibit complained of.
    """
    part = plan.new
    assert part is not None
    generate = fast_identifiers.generate if replacing.wanted() else identifiers.generate
    by_column = {wanted.column: wanted for wanted in part.identifiers}

    def identifier_column(name: str, rows: int, *_: Any) -> "pd.Series[Any]":
        return generate(by_column[name], rows)

    seed = part.specification["metadata"]["random_seed"]
    with _run(plan, "new records", database, seed) as said:
        stand_ins = {
            "generate_uuid_column": identifier_column,
            "CategoricalDataGenerator": drawing.generator(None, seed),
        }
        records = _exhibit(_for_run(part), stand_ins)
        static = frozenset[str]()
        records = settle_new(records, part.specification, static, seed, _derived_column)
        records = _without_duplicates(records, part.specification).head(part.rows)
        return _outcome(records, said, broken_in_new(records, part.specification))


def existing_records(plan: Plan, entities: pd.DataFrame, database: Path) -> Outcome:
    """Return the existing records of a period (section 5).

    ``entities`` has a row for each of them, with the identifiers and the static columns as they
    were first recorded. ``database`` is a scratch copy. Raises GenerationError with what Exhibit
    complained of.
    """
    part = plan.existing
    assert part is not None
    seed = part.specification["metadata"]["random_seed"]
    with _run(plan, "existing records", database, seed) as said:
        drawn = drawing.prepare(entities, part.whole, part.run_rows, seed)
        columns, known = drawing.weight_columns(drawn), to_remember(part.removed, part.whole)
        stand_ins = {
            "CategoricalDataGenerator": drawing.generator(drawn, seed),
            "MissingDataGenerator": known.around(drawing.missing_generator(drawn)),
            "target_columns_for_weights_table": lambda _: columns,
            "generate_weights_table": lambda spec, names: drawing.weights_table(drawn, spec, names),
        }
        records = _exhibit(_for_run(part), stand_ins).head(part.rows).reset_index(drop=True)
        # A run leaves the drawn columns as categories, or changed by a constraint's action.
        records[list(entities.columns)] = entities
        static = frozenset(map(str, entities.columns))
        records, broken = restore(
            records, part.removed, part.whole, seed, _derived_column, known, static
        )
        return _outcome(records, said, broken)


def _for_run(part: NewPart | ExistingPart) -> Specification:
    """Return a copy to run: with cross-joined columns Exhibit needs a multiple of rows."""
    specification = deepcopy(part.specification)
    if part.run_rows != part.rows:
        specification["metadata"]["number_of_rows"] = part.run_rows
        scale_target_sums(specification, Fraction(part.run_rows, part.rows))
    return specification


@contextmanager
def _run(plan: Plan, part: str, database: Path, seed: int) -> Iterator[Said]:
    """Isolate a run; Exhibit's complaints leave it as GenerationErrors that say where."""
    clock = Clock(pd.Timestamp(plan.start))
    with (
        isolated(database, derive(seed, "process")) as said,
        standing_in(_lasting(database, clock)),
    ):
        try:
            yield said
        except Exception as error:
            where = f"{plan.series}, period {plan.key} ({part})"
            raise GenerationError(f"{where}: {_complaint(error, said)}") from error


def _lasting(database: Path, clock: Clock) -> list[tuple[ModuleType, Mapping[str, Any]]]:
    """Return what differs from stock Exhibit in every run; later ones go over earlier ones."""
    return [
        (derived, {"pd": clock}),
        *corrections.stand_ins(database),
        (stock, {"ConstraintHandler": Handler}),
        *(replacing.stand_ins() if replacing.wanted() else ()),
    ]


def _exhibit(specification: Specification, stand_ins: Mapping[str, Any]) -> pd.DataFrame:
    sets = {"set": SortedSet}
    modules = [
        (
            stock,
            {
                **sets,
                **stand_ins,
                "generate_derived_column": _early_or_not(specification),
            },
        ),
        *((module, sets) for module in (categorical, missing, weights)),
    ]
    with standing_in(modules):
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


def _outcome(records: pd.DataFrame, said: Said, broken: tuple[Broken, ...]) -> Outcome:
    records = records.reset_index(drop=True)
    for name in records.select_dtypes("timedelta64").columns:
        # As Exhibit writes them, but without its slip of cutting "0 days " out of "10 days ".
        texts = records[name].astype(str).str.replace(r"^0 days ", "", regex=True)
        records[name] = texts.astype(object).where(records[name].notna(), None)
    return Outcome(records, tuple(said.lines()), broken)


def _derived_column(records: pd.DataFrame, calculation: str) -> "pd.Series[Any]":
    """Compute a derived column by Exhibit's own function; a failure names the calculation."""
    needed = replacing.needed_for(records, calculation) if replacing.wanted() else records
    try:
        return derived.generate_derived_column(needed, calculation)
    except Exception as error:
        raise GenerationError(
            f"the derived column '{calculation}' cannot be computed: "
            f"{type(error).__name__}: {error}"
        ) from error


def _early_or_not(
    specification: Specification,
) -> Callable[[pd.DataFrame, str], "pd.Series[Any]"]:
    """Return a function for derived columns that waits for those they are computed from.

    After a custom constraint Exhibit computes them once too early, and in the end all again.
    """
    names = list(specification["derived_columns"])

    def derive(records: pd.DataFrame, calculation: str) -> "pd.Series[Any]":
        if mentions.in_derivation(calculation, names) - set(records.columns):
            return pd.Series(float("nan"), index=records.index)
        return _derived_column(records, calculation)

    return derive


def _complaint(error: Exception, said: Said) -> str:
    if isinstance(error, GenerationError):
        return str(error)
    lines = said.lines()
    if isinstance(error, RuntimeError) and any(line.startswith("VALIDATION") for line in lines):
        return "Exhibit refuses the specification: " + " ".join(lines)
    return f"Exhibit failed with {type(error).__name__}: {error}"

"""Running Exhibit for the two parts of a period.

Each run uses a deep copy of the part's specification and a scratch copy of the database.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from exhibit.core import constraints as stock_constraints
from exhibit.core import exhibit as stock
from exhibit.core.generate import categorical, derived, missing, weights

from series_assets.core.errors import GenerationError
from series_assets.core.plan import identifiers
from series_assets.core.plan.constraints import Violation
from series_assets.core.plan.seeds import derive
from series_assets.core.plan.series import Plan
from series_assets.core.spec.specification import Specification
from series_assets.engine import constant_seeds, derived_columns, existing_records, patches
from series_assets.engine.constraint_actions import CorrectedHandler
from series_assets.engine.enforce_constraints import (
    broken_in_new,
    enforce_on_new_records,
    violations,
)
from series_assets.engine.exhibit_messages import as_generation_error
from series_assets.engine.restore_constraints import RunSpecification, restore
from series_assets.engine.sandbox import (
    Clock,
    ExhibitMessages,
    Patches,
    SortedSet,
    isolated,
    patched,
)
from series_assets.engine.static_columns import StaticValues
from series_assets.engine.vectorized import identifiers as fast_identifiers
from series_assets.engine.vectorized import registry


@dataclass(frozen=True)
class Outcome:
    """The records of one part of a period, and what Exhibit reported while it generated them."""

    records: pd.DataFrame
    """In Exhibit's order, with an index from 0 and no categorical types."""
    exhibit_messages: tuple[str, ...]
    broken: tuple[Violation, ...] = ()
    """The constraints of the specification that some of the records do not meet."""


def generate_new_records(plan: Plan, database: Path, *, stock_exhibit: bool = False) -> Outcome:
    """Return the new records of a period (section 4), in Exhibit's order of rows and columns.

    ``database`` is a scratch copy; ``stock_exhibit`` runs Exhibit's own loops instead of
    ``vectorized``. Raises GenerationError with Exhibit's message.
    """
    part = plan.new
    assert part is not None
    generate = identifiers.generate if stock_exhibit else fast_identifiers.generate
    by_column = {identifier.column: identifier for identifier in part.identifiers}
    static = StaticValues(part.identifiers[0].column, frozenset(part.static))

    def identifier_column(name: str, rows: int, *_: Any) -> "pd.Series[Any]":
        return generate(by_column[name], rows)

    seed = part.specification["metadata"]["random_seed"]
    with _run(plan, "new records", database, seed, stock_exhibit=stock_exhibit) as messages:
        replacements: dict[str, Any] = {
            "generate_uuid_column": identifier_column,
            "CategoricalDataGenerator": existing_records.generator(None, seed, static),
        }
        if part.static:
            replacements |= _keeping_static_values(static)
        records = _run_exhibit(part.specification, replacements, static)
        if part.specification.get("models"):
            if part.specification["constraints"]["allow_duplicates"]:
                records = _as_many(records, part.rows)
            records = static.apply_to(records)
        records = enforce_on_new_records(
            records, part.specification, static.columns, seed, derived_columns.compute
        )
        records = _without_duplicates(records, part.specification)
        return _outcome(records, messages, broken_in_new(records, part.specification))


def _as_many(records: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return the records that models have changed. Raises GenerationError for other rows."""
    if len(records) != rows:
        raise GenerationError(
            f"the models returned {len(records):,} of {rows:,} rows; a model may not add or remove "
            "rows"
        )
    return records.reset_index(drop=True)


def _with_recorded_values(
    records: pd.DataFrame, entities: pd.DataFrame, unmodified: Specification
) -> pd.DataFrame:
    """Return records with what is recorded of their entities, in whatever order the rows are.

    Raises GenerationError where a model has changed the identifiers by which they are found.
    """
    first = unmodified["metadata"]["uuid_columns"][0]
    if not records[first].isin(entities[first]).all():
        raise GenerationError(f"the models changed '{first}'; a model may not change identifiers")
    recorded = entities.drop_duplicates(first).set_index(first)
    recorded = recorded.reindex(records[first].astype(object))
    return records.assign(**{str(name): recorded[name].array for name in recorded})


def _keeping_static_values(static: StaticValues) -> dict[str, Any]:
    """Return steps of Exhibit after each of which the rows of an entity agree in static columns."""
    missing_data, handler = stock.MissingDataGenerator, stock.ConstraintHandler
    generate_numbers = stock.generate_continuous_column

    class StaticConstraintHandler(handler):  # type: ignore[misc, valid-type]
        def process_basic_constraints(self, constraints: list[str]) -> pd.DataFrame:
            return static.apply_to(super().process_basic_constraints(constraints))

        def process_custom_constraints(self, constraints: dict[str, Any]) -> pd.DataFrame:
            for name, constraint in constraints.items():
                changed = super().process_custom_constraints({name: constraint})
                self.output = static.apply_to(changed)  # which the next constraint begins with
            return self.output

    def static_numbers(spec_dict: Specification, anon_df: pd.DataFrame, col_name: str) -> Any:
        numbers = generate_numbers(spec_dict=spec_dict, anon_df=anon_df, col_name=col_name)
        return static.apply_to_columns(numbers, anon_df[static.identifier])

    def static_missing_data(spec_dict: Specification, data: pd.DataFrame) -> Any:
        step = missing_data(spec_dict, data)
        step.static = static
        return step

    return {
        "MissingDataGenerator": static_missing_data,
        "ConstraintHandler": StaticConstraintHandler,
        "generate_continuous_column": static_numbers,
    }


def generate_existing_records(
    plan: Plan, entities: pd.DataFrame, database: Path, *, stock_exhibit: bool = False
) -> Outcome:
    """Return the existing records of a period (section 5).

    ``entities`` has a row for each record, with the identifiers and static columns as first
    recorded. ``database`` and ``stock_exhibit`` are as for new records. Raises GenerationError
    with Exhibit's message.
    """
    part = plan.existing
    assert part is not None
    seed = part.specification["metadata"]["random_seed"]
    with (
        _run(plan, "existing records", database, seed, stock_exhibit=stock_exhibit) as messages,
        patched([(stock_constraints, {"geo_make_regions": patches.regions_in_place})]),
    ):
        constraints, models = part.removed.constraint_plan, part.specification.get("models")
        specification = _without_deferred(part.specification, constraints.deferred)
        if models:  # Exhibit applies them last of all
            specification = {**specification, "models": None}
        ran = RunSpecification()
        sampled = existing_records.prepare(
            entities, specification, part.unmodified_specification, seed
        )
        weight_columns = existing_records.weight_columns(sampled)
        replacements = {
            "CategoricalDataGenerator": existing_records.generator(sampled, seed),
            "MissingDataGenerator": ran.recorded_by(existing_records.missing_generator(sampled)),
            "target_columns_for_weights_table": lambda _: weight_columns,
            "generate_weights_table": partial(existing_records.weights_table, sampled),
        }
        if part.removed.targets:
            replacements |= _keeping_targets(part.removed.targets)
        records = _run_exhibit(specification, replacements).reset_index(drop=True)
        # A run leaves the sampled columns as categories, or changed by a constraint's action.
        records[list(entities.columns)] = entities
        fixed = frozenset(map(str, entities.columns))
        records, broken = restore(
            records,
            part.removed,
            part.unmodified_specification,
            seed,
            derived_columns.compute,
            ran.content,
            fixed,
        )
        if models:
            records = _as_many(_with_models(records, models), len(records))
            records = _with_recorded_values(records, entities, part.unmodified_specification)
            broken = violations(records, part.unmodified_specification, constraints)
        return _outcome(records, messages, broken)


def _with_models(records: pd.DataFrame, models: Mapping[str, Any]) -> pd.DataFrame:
    """Return the records after all models of a specification, as Exhibit applies them.

    ``models`` has the settings of each; they are in Exhibit's folder (see ``docs/security.md``).
    """
    for name, settings in models.items():
        with Path(stock.package_dir("models", f"{name}.pickle")).open("rb") as stream:
            records = stock.dill.load(stream).apply_model(records, **settings)
    return records


def _without_deferred(
    specification: Specification, deferred: frozenset[tuple[str, str]]
) -> Specification:
    """Return the specification without custom constraints that ``restore`` applies in their place.

    Their effect in Exhibit's run, on values that are not final yet, could not be taken back.
    """
    if not deferred:
        return specification
    constraints = dict(specification["constraints"])
    run = {}
    for name, constraint in constraints["custom_constraints"].items():
        targets = {
            target: actions
            for target, actions in constraint["targets"].items()
            if (name, target) not in deferred
        }
        if targets:
            run[name] = {**constraint, "targets": targets}
    return {**specification, "constraints": {**constraints, "custom_constraints": run}}


def _keeping_targets(targets: frozenset[str]) -> dict[str, Any]:
    """Return steps of Exhibit that regenerate no number which a custom constraint acts on.

    Once a constraint has changed a category, Exhibit regenerates the other numbers; it spares the
    targets of the constraints that it runs, which here lack those that ``restore`` applies.
    """
    handler, generate_numbers = stock.ConstraintHandler, stock.generate_continuous_column
    are_applied = False

    class NotingConstraintHandler(handler):  # type: ignore[misc, valid-type]
        def process_constraints(self) -> pd.DataFrame:
            nonlocal are_applied
            are_applied = True
            return super().process_constraints()

    def numbers(spec_dict: Specification, anon_df: pd.DataFrame, col_name: str) -> Any:
        if are_applied and col_name in targets:
            return anon_df[col_name]
        return generate_numbers(spec_dict=spec_dict, anon_df=anon_df, col_name=col_name)

    return {"ConstraintHandler": NotingConstraintHandler, "generate_continuous_column": numbers}


@contextmanager
def _run(
    plan: Plan, part: str, database: Path, seed: int, *, stock_exhibit: bool
) -> Iterator[ExhibitMessages]:
    """Isolate a run; errors leave it as GenerationErrors that name the period and the part."""
    changes: Patches = [
        (derived, {"pd": Clock(pd.Timestamp(plan.period.start))}),
        *patches.corrections(database),
        (stock, {"ConstraintHandler": CorrectedHandler}),
        *(() if stock_exhibit else registry.replacements()),
    ]
    with (
        isolated(database, derive(seed, "process")) as messages,
        constant_seeds.replaced_by(seed if plan.run.index else None),
        patched(changes),
    ):
        try:
            yield messages
        except Exception as error:
            known = as_generation_error(error, messages.lines())
            raise known.in_period(plan.series, plan.key, part) from error


def _run_exhibit(
    part: Specification, replacements: Mapping[str, Any], static: StaticValues | None = None
) -> pd.DataFrame:
    """Return the records that Exhibit generates, with names of its main module replaced."""
    sets = {"set": SortedSet}
    specification = deepcopy(part)
    specification["derived_columns"] = {
        name: derived_columns.Calculation.of(name, text)
        for name, text in part["derived_columns"].items()
    }
    main = {
        **sets,
        **replacements,
        "count_core_rows": existing_records.rows_to_cross,
        "generate_derived_column": derived_columns.in_order(specification, static),
    }
    modules = [(stock, main), *((module, sets) for module in (categorical, missing, weights))]
    with patched(modules):
        exhibit = stock.Exhibit(command="fromspec", source=specification, output="dataframe")
        records: pd.DataFrame = exhibit.generate()
    return records


def _without_duplicates(records: pd.DataFrame, specification: Specification) -> pd.DataFrame:
    """Return the records without rows that are delivered alike, unless duplicates are allowed.

    Exhibit has removed duplicates, but treats a blank and a missing value as different.
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
    records: pd.DataFrame, messages: ExhibitMessages, broken: tuple[Violation, ...]
) -> Outcome:
    records = derived_columns.with_durations_as_text(records.reset_index(drop=True))
    return Outcome(records, tuple(messages.lines()), broken)

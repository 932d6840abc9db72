"""What the specification of existing records had to lose and can still hold, made true (5.7)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from exhibit.core import exhibit as stock
from exhibit.core.constants import MISSING_DATA_STR

from series_assets.core.plan.constraints import Violation
from series_assets.core.plan.seeds import derive
from series_assets.core.plan.spec_changes import Removed
from series_assets.core.spec import mentions
from series_assets.core.spec.specification import Specification, calculations_of, output_columns
from series_assets.engine.enforce_constraints import Enforcer, handler_of, matching

DeriveColumn = Callable[[pd.DataFrame, str], "pd.Series[Any]"]


@dataclass
class Remembered:
    """What a run of Exhibit knows before it leaves gaps, and what is still needed after it."""

    columns: frozenset[str]
    """The columns of which to keep the values without gaps."""
    specification: Specification = field(default_factory=dict)
    """The specification as Exhibit runs it: tables parsed, weights computed."""
    values: dict[str, "pd.Series[Any]"] = field(default_factory=dict)

    def around(self, missing_generator: Callable[..., Any]) -> Callable[..., Any]:
        """Return Exhibit's step for missing data, remembering what it is given."""

        def remembering(spec_dict: Specification, data: pd.DataFrame) -> Any:
            self.specification = spec_dict
            self.values = {n: data[n].copy() for n in data if n in self.columns}
            return missing_generator(spec_dict, data)

        return remembering


def to_remember(removed: Removed, whole: Specification) -> Remembered:
    """Return what has to be remembered of a run so that ``restore`` can do its work."""
    named = [name for _, name in removed.constraint_plan.gaps("make_not_null")]
    return Remembered(frozenset(out for name in named for out in output_columns(whole, name)))


def restore(
    records: pd.DataFrame,
    removed: Removed,
    whole: Specification,
    seed: int,
    derive_column: DeriveColumn,
    remembered: Remembered,
    drawn: frozenset[str],
) -> tuple[pd.DataFrame, tuple[Violation, ...]]:
    """Return the existing records with constraints applied and derived columns computed.

    With them comes what constraints they still do not meet. ``whole`` is the period's
    specification before anything was removed from it, ``drawn`` the columns that come from the
    reference table and are not changed; ``derive_column`` computes a column from the records and
    its calculation.
    """
    ran = records
    rng = np.random.default_rng(derive(seed, "constraints"))
    definition = _definition(whole, remembered.specification, drawn)
    records = _with_gaps(records, removed, definition, remembered)
    if removed.among_moved:
        handler = handler_of({**definition, "_rng": rng}, records)
        records = handler.process_basic_constraints(list(removed.among_moved))
    again = np.random.default_rng(derive(seed, "constraints", "again"))
    records = _with_custom(records, removed, {**definition, "_rng": again}, drawn)
    settler = Enforcer(definition, removed.constraint_plan, drawn, again)
    records = settler.improved(settler.settled(records)).copy()
    changed = {name for name in ran if not records[name].equals(ran[name])}
    calculations = calculations_of(whole)
    names, restored = {*whole["columns"], *calculations, *ran}, dict(removed.restored_derived)
    for name, calculation in calculations.items():
        concerned = mentions.in_derivation(calculation, names) & changed
        if name in restored or (concerned and name not in drawn):
            records[name] = derive_column(records, calculation)
            changed.add(name)
    return records, settler.broken(records)


def _definition(whole: Specification, ran: Specification, drawn: frozenset[str]) -> Specification:
    """Return the specification by which finished records are changed.

    Drawn columns are what they are in new records, others as Exhibit has run them.
    """
    columns = {**ran["columns"], **{n: c for n, c in whole["columns"].items() if n in drawn}}
    return {**ran, "columns": columns}


def _with_gaps(
    records: pd.DataFrame, removed: Removed, definition: Specification, remembered: Remembered
) -> pd.DataFrame:
    """Return the records with values blanked, and brought back, as the constraints say."""
    records = records.copy(deep=False)
    for condition, name in removed.constraint_plan.gaps("make_null"):
        rows = matching(records, condition)
        for output in output_columns(definition, name):
            records[output] = records[output].mask(rows)
    for condition, name in removed.constraint_plan.gaps("make_not_null"):
        rows = matching(records, condition)
        for output in output_columns(definition, name):
            rows_here = rows & records[output].isna().to_numpy()
            if rows_here.any():
                values = remembered.values[output].iloc[: len(records)].reset_index(drop=True)
                records[output] = records[output].mask(rows_here, values)
    return records


def _with_custom(
    records: pd.DataFrame, removed: Removed, definition: Specification, drawn: frozenset[str]
) -> pd.DataFrame:
    """Return the records with custom constraints applied, and numbers that fit what they did."""
    types = set()
    for constraint in removed.constraint_plan.custom.values():
        for target, actions in constraint["targets"].items():
            names = [name.strip() for name in target.split(",")]
            types |= {definition["columns"][name]["type"] for name in names}
            one = {**constraint, "targets": {target: actions}}
            made = _acted_on(records, one, definition)
            outputs = [out for name in names for out in output_columns(definition, name)]
            records = records.assign(**{name: made[name] for name in outputs})
    if "categorical" in types:
        return _with_numbers_again(records, removed, definition, drawn)
    return records


def _acted_on(
    records: pd.DataFrame, constraint: dict[str, Any], definition: Specification
) -> pd.DataFrame:
    """Return the records after one custom constraint, in the order they were in.

    Exhibit's ``geo_make_regions`` sorts them, and mixes rows up where it has a filter.
    """
    given = records.assign(**{_PLACE: np.arange(len(records))})
    places = any("geo_make_regions" in actions for actions in constraint["targets"].values())
    whole = {**constraint, "filter": None} if places else constraint
    made = handler_of(definition, given).process_custom_constraints({"one": whole})
    made = made.sort_values(_PLACE).set_index(records.index).drop(columns=_PLACE)
    rows = matching(records, constraint.get("filter"))
    return made.where(rows[:, None], records) if places and not rows.all() else made


_PLACE = "place of the row"


def _with_numbers_again(
    records: pd.DataFrame, removed: Removed, definition: Specification, drawn: frozenset[str]
) -> pd.DataFrame:
    """Return the records with numbers that have the weights of the categories as they now are.

    As Exhibit does after its constraints: not those that are targets, and gaps stay.
    """
    columns, metadata = definition["columns"], definition["metadata"]
    categories = [n for n in columns if columns[n]["type"] == "categorical" and n in records]
    known = records.copy(deep=False)
    for name in categories:
        known[name] = known[name].astype(object)
        known[name] = known[name].where(known[name].notna(), MISSING_DATA_STR)
    kept = drawn | removed.targets | set(definition["derived_columns"])
    for name in metadata["numerical_columns"]:
        there = records[name].notna() if name not in kept else pd.Series(False, records.index)
        if there.any():
            made = stock.generate_continuous_column(
                spec_dict=definition, anon_df=known.loc[there], col_name=name
            )
            records[name] = records[name].where(~there, made.reindex(records.index))
    return records

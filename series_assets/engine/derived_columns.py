"""Derived columns by Exhibit's function: in a run, and over a dataset (contract, section 4.8)."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
from exhibit.core.generate import derived

from series_assets.core.errors import GenerationError, InvalidValueError
from series_assets.core.plan.derived_columns import needed_for
from series_assets.core.plan.seeds import derive
from series_assets.core.plan.series import Plan, Series
from series_assets.core.records import delivered_array, typed
from series_assets.core.spec import expressions, mentions
from series_assets.core.spec.expressions.values import ANYTHING
from series_assets.core.spec.specification import Specification, calculations_of
from series_assets.engine.sandbox import Clock, isolated, patched
from series_assets.engine.static_columns import StaticValues
from series_assets.engine.vectorized import registry


class Calculation(str):
    """The calculation of a derived column, with the column's name."""

    name: str

    @classmethod
    def of(cls, name: str, text: str) -> "Calculation":
        """Return the calculation of a column."""
        calculation = cls(text)
        calculation.name = name
        return calculation


def compute(records: pd.DataFrame, calculation: str) -> "pd.Series[Any]":
    """Return a derived column of the records.

    Raises GenerationError where pandas cannot evaluate the calculation, or may not.
    """
    try:
        expressions.check_derivation(calculation, dict.fromkeys(records, ANYTHING))
        return derived.generate_derived_column(
            _blanks_as_missing(records, calculation), calculation
        )
    except Exception as error:
        problem, remedy = str(error), ""
        if isinstance(error, InvalidValueError):
            problem, remedy = error.problem, error.remedy
        name = type(error).__name__
        problem = f"the derived column '{calculation}' cannot be computed: {name}: {problem}"
        raise GenerationError(problem, remedy) from error


def _blanks_as_missing(records: pd.DataFrame, calculation: str) -> pd.DataFrame:
    """Return the records as they are delivered and recorded: an empty text is a missing value.

    It may come from a user's table of values. Only the columns that the calculation uses are
    searched, which takes long for many rows.
    """
    used = mentions.in_derivation(calculation, map(str, records))
    blanks = {
        name: where
        for name in used
        if records[name].dtype == object and (where := records[name].eq("")).any()
    }
    if not blanks:
        return records
    return records.assign(**{name: records[name].mask(at, None) for name, at in blanks.items()})


def in_order(
    specification: Specification, static: StaticValues | None
) -> Callable[[pd.DataFrame, str], "pd.Series[Any]"]:
    """Return a function that computes a derived column once the columns it uses exist.

    After a custom constraint Exhibit computes them too early, and all of them again at the end.
    Static ones are equal in all rows of an entity.
    """
    names = list(specification["derived_columns"])

    def compute_in_order(records: pd.DataFrame, calculation: str) -> "pd.Series[Any]":
        if mentions.in_derivation(calculation, names) - set(records.columns):
            return pd.Series(float("nan"), index=records.index)
        column = compute(records, calculation)
        if static is None or not isinstance(calculation, Calculation):
            return column
        if not isinstance(column, pd.Series):  # one value for all rows, such as @sysdate
            return column
        named = column.rename(calculation.name)
        return static.apply_to_columns(named, records[static.identifier])

    return compute_in_order


def with_columns_over_all_rows(
    series: Series, plan: Plan, texts: pa.Table, *, stock_exhibit: bool = False
) -> pa.Table:
    """Return a dataset, a table of text, with derived columns that depend on several rows computed.

    The derived columns that they use are recomputed, so that durations are not text, except for
    static ones. ``stock_exhibit`` runs Exhibit's own loops. Raises GenerationError.
    """
    wanted, static = series.cross_row_columns, series.roles.static
    used = needed_for(wanted, series.specification)
    computed = {**{name: text for name, text in used.items() if name not in static}, **wanted}
    records = typed(texts, series.kinds)
    records = records.drop(columns=[name for name in computed if name in records])
    fast = () if stock_exhibit else registry.replacements()
    with (
        isolated(None, derive(plan.random_seed, *plan.run.place, "whole dataset")),
        patched([(derived, {"pd": Clock(pd.Timestamp(plan.period.start))}), *fast]),
    ):
        try:
            for name in calculations_of(series.specification):
                if name in computed:
                    records[name] = compute(records, computed[name])
        except GenerationError as error:
            raise error.in_period(plan.series, plan.key, "dataset") from error
    results = with_durations_as_text(records[list(wanted)])
    columns = {name: texts[name] for name in texts.column_names}
    return pa.table(columns | {name: delivered_array(results[name]) for name in wanted})


def with_durations_as_text(records: pd.DataFrame) -> pd.DataFrame:
    """Return the records with durations as text.

    Exhibit does so too, but removes "0 days " even from "10 days ".
    """
    for name in records.select_dtypes("timedelta64").columns:
        texts = records[name].astype(str).str.replace(r"^0 days ", "", regex=True)
        records[name] = texts.astype(object).where(records[name].notna(), None)
    return records

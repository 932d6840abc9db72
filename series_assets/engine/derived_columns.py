"""Derived columns by Exhibit's own function: in a run, and over a whole dataset (section 4.8)."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pandas as pd
from exhibit.core.generate import derived

from series_assets.core.errors import GenerationError, InvalidValueError
from series_assets.core.plan.derived_columns import needed_for
from series_assets.core.plan.seeds import derive
from series_assets.core.plan.series import Plan
from series_assets.core.spec import expressions, mentions
from series_assets.core.spec.expressions.values import ANYTHING
from series_assets.core.spec.specification import Specification, calculations_of
from series_assets.engine.sandbox import Clock, isolated, patched
from series_assets.engine.static_columns import StaticValues
from series_assets.engine.vectorized import registry


class Calculation(str):
    """The text of a derived column, which knows the column's name."""

    name: str

    @classmethod
    def of(cls, name: str, text: str) -> "Calculation":
        """Return the text with the name of its column."""
        made = cls(text)
        made.name = name
        return made


def compute(records: pd.DataFrame, calculation: str) -> "pd.Series[Any]":
    """Return a derived column of the records.

    Raises GenerationError that names the calculation where pandas cannot do it, or must not.
    """
    try:
        expressions.check_derivation(calculation, dict.fromkeys(records, ANYTHING))
        return derived.generate_derived_column(records, calculation)
    except Exception as error:
        problem, remedy = str(error), ""
        if isinstance(error, InvalidValueError):
            problem, remedy = error.problem, error.remedy
        name = type(error).__name__
        problem = f"the derived column '{calculation}' cannot be computed: {name}: {problem}"
        raise GenerationError(problem, remedy) from error


def in_order(
    specification: Specification, static: StaticValues | None
) -> Callable[[pd.DataFrame, str], "pd.Series[Any]"]:
    """Return a function for derived columns that waits for those they are computed from.

    After a custom constraint Exhibit computes them once too early, and in the end all again.
    Those that are static are the same in all rows of an entity.
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
        settled: pd.Series[Any] = static.apply_to_made(
            column.rename(calculation.name), records[static.identifier]
        )
        return settled

    return compute_in_order


def over_whole_dataset(
    plan: Plan,
    records: pd.DataFrame,
    specification: Specification,
    wanted: Mapping[str, str],
    static: Collection[str],
    *,
    stock_exhibit: bool = False,
) -> pd.DataFrame:
    """Return derived columns computed over all rows of a dataset.

    ``records`` are its typed rows, in the order they are delivered in. ``wanted`` says what each
    column is; the derived columns that they are computed from are computed anew, so that a length
    of time is one and no text, but for the ``static`` ones. ``stock_exhibit`` runs Exhibit's own
    loops. Raises GenerationError.
    """
    calculations = calculations_of(specification)
    before = needed_for(wanted, specification)
    anew = {**{name: text for name, text in before.items() if name not in static}, **wanted}
    frame = records.drop(columns=[name for name in anew if name in records])
    seed = derive(plan.random_seed, plan.period.k, "whole dataset")
    fast = () if stock_exhibit else registry.stand_ins()
    with (
        isolated(None, seed),
        patched([(derived, {"pd": Clock(pd.Timestamp(plan.period.start))}), *fast]),
    ):
        try:
            for name in (name for name in calculations if name in anew):
                frame[name] = compute(frame, anew[name])
        except GenerationError as error:
            raise error.in_period(plan.series, plan.period.key, "dataset") from error
    return with_lengths_as_text(frame[list(wanted)])


def with_lengths_as_text(records: pd.DataFrame) -> pd.DataFrame:
    """Return the records with lengths of time as the text that Exhibit writes.

    Without its slip of cutting "0 days " out of "10 days ".
    """
    for name in records.select_dtypes("timedelta64").columns:
        texts = records[name].astype(str).str.replace(r"^0 days ", "", regex=True)
        records[name] = texts.astype(object).where(records[name].notna(), None)
    return records

"""A small period of a series in memory: what it looks like, what moves, what existing records keep.

Its rows are those of the series where a period has few of them. Existing records are about entities
of the first period, since earlier periods are not generated. No file is left.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.constraints import Violation
from series_assets.core.plan.series import Plan, Series
from series_assets.core.records import typed
from series_assets.core.spec.specification import calculations_of
from series_assets.pipeline.dataset import combined
from series_assets.pipeline.small_run import MOST_ROWS, SmallRun, smaller

ROWS = 100
"""Rows of a preview; more if the existing records of so few need more entities than there are."""
KEPT, AFRESH, CALCULATED = "kept", "generated afresh", "calculated"
BY_EXHIBIT, AFTERWARDS, NOT_KEPT = "applied", "applied afterwards", "not kept: "


@dataclass(frozen=True)
class Preview:
    """A small period of a series, in typed frames."""

    series: str
    period: str
    """The partition key: the first day."""
    dataset: pd.DataFrame
    """New and existing records, combined and shuffled."""
    new_records: pd.DataFrame
    """In Exhibit's order; empty if the period has none."""
    existing_records: pd.DataFrame
    """In Exhibit's order; empty if the period has none."""
    columns: pd.DataFrame
    """``column``, ``type``, and whether ``existing_records`` keep the value of their entity."""
    moved: pd.DataFrame
    """``column``, ``first_period`` and ``this_period``: the windows of the dates that move."""
    constraints: pd.DataFrame
    """``constraint`` and what becomes of it in ``existing_records``; empty without these."""
    notes: tuple[str, ...]
    """Constraints that some of the records do not meet."""


def preview_period(
    series: Series, key: str | None, source: Path, *, stock_exhibit: bool = False
) -> Preview:
    """Return a preview of the period that begins on ``key``, by default of the second one.

    ``source`` is the series' database, or the one to be copied for it; it is only read. Raises
    RequestError where there is no such period, GenerationError where Exhibit fails.
    """
    period = _period(series, key)
    with tempfile.TemporaryDirectory(prefix="series_assets_") as folder:
        scratch = Path(folder) / "exhibit.db"
        for most in (ROWS, MOST_ROWS, series.rows):
            run = SmallRun(smaller(series, most), source, scratch, stock_exhibit)
            first = run.texts(run.new_records(run.series.plan(0)))
            plan = run.series.plan(period.k)
            if run.has_entities(plan, first):
                break
        return _preview(run, plan, first)


def _period(series: Series, key: str | None) -> Period:
    if key is not None:
        return series.period_named(key, f"'{key}'")
    periods = series.calendar.periods
    return periods[min(1, len(periods) - 1)]


def _preview(run: SmallRun, plan: Plan, first: pa.Table) -> Preview:
    series = run.series
    new = existing = first.slice(length=0)
    notes: list[str] = []
    if plan.new is not None:
        outcome = run.new_records(plan)
        new = run.texts(outcome)
        notes += _notes("new records", outcome.broken)
    if plan.existing is not None:
        outcome = run.existing_records(plan, first)
        existing = run.texts(outcome).select(first.column_names)
        notes += _notes("existing records", outcome.broken)
    texts = combined(series, plan, (new, existing), run.stock_exhibit)
    return Preview(
        series=series.name,
        period=plan.period.key,
        dataset=typed(texts, series.kinds),
        new_records=typed(new, series.kinds),
        existing_records=typed(existing, series.kinds),
        columns=_frame(("column", "type", "existing_records"), _columns(series, new.column_names)),
        moved=_frame(("column", "first_period", "this_period"), _windows(series, plan)),
        constraints=_frame(("constraint", "existing_records"), _constraints(series, plan)),
        notes=tuple(notes),
    )


def _frame(names: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(names))


def _notes(part: str, broken: tuple[Violation, ...]) -> list[str]:
    return [one.describe(part) for one in broken]


def _columns(series: Series, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    kept, calculated = set(series.reference_columns), calculations_of(series.specification)
    for name in names:
        in_existing = KEPT if name in kept else CALCULATED if name in calculated else AFRESH
        yield name, series.kinds[name], in_existing


def _windows(series: Series, plan: Plan) -> Iterator[tuple[str, str, str]]:
    changed = series.specification_of(plan.period.k)
    for name in series.roles.moved:
        before, after = (spec["columns"][name] for spec in (series.specification, changed))
        yield name, _window(before), _window(after)


def _window(column: dict[str, str]) -> str:
    first, last = column.get("from"), column.get("to")
    if first and last:
        return first if first == last else f"{first} to {last}"
    return f"from {first}" if first else f"to {last}"


def _constraints(series: Series, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield each rule of the specification, and what becomes of it in existing records."""
    if plan.existing is None:
        return
    part = plan.existing
    removed = part.removed
    lost = {one.place: one.reason for one in removed.constraint_plan.unenforced}

    def outcome(place: str, is_removed: bool) -> str:
        if place in lost:
            return f"{NOT_KEPT}{lost[place]}"
        return AFTERWARDS if is_removed else BY_EXHIBIT

    constraints = part.unmodified_specification["constraints"]
    for text in constraints["basic_constraints"] or []:
        place = f"constraints.basic_constraints '{text}'"
        yield text, outcome(place, text in removed.basic_constraints)
    for name, constraint in (constraints["custom_constraints"] or {}).items():
        for target, actions in constraint["targets"].items():
            is_removed = bool({name, f"{name}: {target}"} & set(removed.custom_constraints))
            place = f"constraints.custom_constraints.{name}.targets.{target}"
            yield f"{name}: {target}: {actions}", outcome(place, is_removed)
    for name, text in calculations_of(part.unmodified_specification).items():
        place = f"derived_columns.{name} '{text}'"
        if place in lost:
            yield f"{name}: {text}", outcome(place, True)

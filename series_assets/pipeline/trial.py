"""Trial runs of a series: few rows are generated, and errors are reported as faults.

``core`` finds the faults that can be found without running anything. A trial finds the others,
such as a calculation that pandas cannot do. Its data is discarded.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from series_assets.core import records
from series_assets.core.errors import Fault, GenerationError
from series_assets.core.plan import sampling
from series_assets.core.plan.series import Series
from series_assets.core.plan.spec_changes import scale_target_sums
from series_assets.core.spec.specification import combinations
from series_assets.engine.run import generate_existing_records, generate_new_records
from series_assets.storage import sqlite

_MAX_ROWS = 400
"""Rows of a trial, unless cross-joined columns need more for all combinations."""


def faults_of_trial(
    series: Series,
    source: Path,
    notes: list[str] | None = None,
    *,
    stock_exhibit: bool = False,
) -> Iterator[Fault]:
    """Run the first period and the existing records of the second with few rows; yield faults.

    ``source`` is the series' database, or the one to be copied for it; it is only read. Violated
    constraints are added to ``notes``. ``stock_exhibit`` runs Exhibit's own loops.
    """
    small = _smaller(series)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "exhibit.db"
        try:
            _run(small, source, scratch, [] if notes is None else notes, stock_exhibit)
        except GenerationError as error:
            yield error.fault(series.specification_file)


def _smaller(series: Series) -> Series:
    crossed = combinations(series.specification)
    rows = min(series.rows, max(_MAX_ROWS, 2 * crossed))
    if rows == series.rows:
        return series
    specification = {
        **series.specification,
        "metadata": {**series.specification["metadata"], "number_of_rows": rows},
        "columns": {
            name: {**column, "distribution_parameters": dict(column["distribution_parameters"])}
            if "distribution_parameters" in column
            else column
            for name, column in series.specification["columns"].items()
        },
    }
    scale_target_sums(specification, Fraction(rows, series.rows))
    return replace(series, specification=specification)


def _run(
    series: Series, source: Path, scratch: Path, notes: list[str], stock_exhibit: bool
) -> None:
    first = series.plan(0)
    assert first.new is not None
    sqlite.copy_for_run(source, scratch, first.new.specification)
    new = generate_new_records(first, scratch, stock_exhibit=stock_exhibit)
    notes += [f"in a trial, {one.describe('new records')}" for one in new.broken]
    made = records.as_text(new.records)
    second = series.plan(1) if series.calendar.count > 1 else None
    if second is None or second.existing is None:
        return
    places = records.first_row_positions(made[series.first_identifier].tolist())
    part = second.existing
    if len(places) < part.entities:
        raise GenerationError(
            f"its existing rows need {part.entities} entities, but the first period has only "
            f"{len(places)}",
            "raise fraction_of_new",
            series=series.name,
            period=second.period.key,
        )
    ranks = sampling.sample_ranks(part.distribution, part.rows, len(places), second.random_seed, 1)
    drawn = made[series.reference_columns].take(places[ranks]).reset_index(drop=True)
    sqlite.copy_for_run(source, scratch, part.unmodified_specification)
    entities = records.typed(drawn, series.kinds)
    existing = generate_existing_records(second, entities, scratch, stock_exhibit=stock_exhibit)
    notes += [f"in a trial, {one.describe('existing records')}" for one in existing.broken]

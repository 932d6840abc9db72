"""Runs of few rows, for trials and previews: in a scratch database, nothing is delivered."""

import tempfile
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from series_assets.core import records
from series_assets.core.errors import Fault, GenerationError
from series_assets.core.plan import sampling
from series_assets.core.plan.series import Plan, Series
from series_assets.core.plan.spec_changes import resize
from series_assets.core.spec.specification import combinations
from series_assets.engine.run import Outcome, generate_existing_records, generate_new_records
from series_assets.pipeline.formats import in_format
from series_assets.storage import scratch_database

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_ROWS = 400
"""Rows of a small run, unless cross-joined columns need more for all combinations."""


def smaller(series: Series, most: int = MOST_ROWS) -> Series:
    """Return a series with ``most`` rows a period at most, its sums scaled accordingly.

    It has one shard: few rows need no more.
    """
    series = series.unsharded()
    crossed = combinations(series.specification)
    rows = min(series.rows, max(most, 2 * crossed))
    if rows == series.rows:
        return series
    specification = deepcopy(series.specification)
    resize(specification, rows)
    return replace(series, specification=specification)


@dataclass(frozen=True)
class SmallRun:
    """Runs both parts of periods of a series. ``source``, a database, is only read."""

    series: Series
    source: Path
    scratch: Path
    """Where a copy of the database is written for each run."""
    stock_exhibit: bool = False

    def new_records(self, plan: Plan) -> Outcome:
        """Return the new records of a period that has some. Raises GenerationError."""
        assert plan.new is not None
        scratch_database.copy_for_run(self.source, self.scratch, plan.new.specification)
        return generate_new_records(plan, self.scratch, stock_exhibit=self.stock_exhibit)

    def texts(self, outcome: Outcome) -> pa.Table:
        """Return records as a consumer reads them."""
        return in_format(self.series, records.as_delivered(outcome.records))

    def has_entities(self, plan: Plan, earlier: pa.Table) -> bool:
        """Return whether ``earlier`` has enough entities for the existing records of a period."""
        return plan.existing is None or len(self._places(earlier)) >= plan.existing.entities

    def _places(self, earlier: pa.Table) -> "NDArray[np.int64]":
        return records.first_row_positions(earlier[self.series.first_identifier])

    def existing_records(self, plan: Plan, earlier: pa.Table) -> Outcome:
        """Return the existing records of a period that has some, about entities of ``earlier``.

        ``earlier`` is the new records of the first period as text. Raises GenerationError.
        """
        part = plan.existing
        assert part is not None
        places = self._places(earlier)
        if len(places) < part.entities:
            raise GenerationError(
                f"its existing rows need {part.entities} entities, but the first period has only "
                f"{len(places)}",
                "raise fraction_of_new",
                series=self.series.name,
                period=plan.period.key,
            )
        ranks = sampling.sample_ranks(
            part.distribution, part.rows, len(places), plan.random_seed, plan.period.k
        )
        drawn = earlier.select(self.series.reference_columns).take(pa.array(places[ranks]))
        scratch_database.copy_for_run(self.source, self.scratch, part.unmodified_specification)
        entities = records.typed(drawn, self.series.kinds)
        return generate_existing_records(
            plan, entities, self.scratch, stock_exhibit=self.stock_exhibit
        )


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
    with tempfile.TemporaryDirectory() as folder:
        run = SmallRun(smaller(series), source, Path(folder) / "exhibit.db", stock_exhibit)
        try:
            _trial(run, [] if notes is None else notes)
        except GenerationError as error:
            yield error.fault(series.specification_file)


def _trial(run: SmallRun, notes: list[str]) -> None:
    series = run.series
    new = run.new_records(series.plan(0))
    notes += [f"in a trial, {one.describe('new records')}" for one in new.broken]
    second = series.plan(1) if series.calendar.count > 1 else None
    if second is None or second.existing is None:
        return
    existing = run.existing_records(second, run.texts(new))
    notes += [f"in a trial, {one.describe('existing records')}" for one in existing.broken]

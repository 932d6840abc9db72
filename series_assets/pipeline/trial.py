"""Trial runs of a series: few rows are generated, and errors are reported as faults.

``core`` finds the faults that can be found without running anything. A trial finds the others,
such as a calculation that pandas cannot do. Its data is discarded.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from series_assets.core import records
from series_assets.core.errors import Fault, GenerationError
from series_assets.core.plan.series import Series
from series_assets.pipeline.small_run import SmallRun, smaller


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
            _run(run, [] if notes is None else notes)
        except GenerationError as error:
            yield error.fault(series.specification_file)


def _run(run: SmallRun, notes: list[str]) -> None:
    series = run.series
    new = run.new_records(series.plan(0))
    notes += [f"in a trial, {one.describe('new records')}" for one in new.broken]
    second = series.plan(1) if series.calendar.count > 1 else None
    if second is None or second.existing is None:
        return
    existing = run.existing_records(second, records.as_delivered(new.records))
    notes += [f"in a trial, {one.describe('existing records')}" for one in existing.broken]

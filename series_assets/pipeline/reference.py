"""Phase 3 of a period: add its new entities to the reference table (contract, section 6)."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.records import first_row_positions, typed
from series_assets.pipeline.facts import Facts, summarize_records
from series_assets.pipeline.progress import counted
from series_assets.pipeline.workspace import Workspace


@dataclass(frozen=True)
class NewEntities:
    """The entities that are new in a period: the first row of each."""

    texts: pa.Table | None
    """As text; None if the period has no new records."""
    typed: pd.DataFrame | None = None
    """The same rows with their types."""

    @property
    def count(self) -> int:
        """The number of entities."""
        return 0 if self.texts is None else len(self.texts)

    @property
    def contents(self) -> str:
        """How many entities there are, for people."""
        return counted(self.count, "new entity")

    def facts(self, series: Series) -> Facts:
        """Return what is reported of them."""
        if self.texts is None:
            return Facts()
        return Facts(new_entities=self.count, records=summarize_records(series, self.texts))


def require_earlier(series: Series, period: Period, workspace: Workspace, folder: Path) -> None:
    """Raise RequestError, with what to do first, if earlier periods are not in the table."""
    table = workspace.reference_table(series)
    table.prepare(folder)
    if period.k:
        table.require_periods(period.k, period=period.key)


def select_new_entities(series: Series, new_records: pa.Table | None) -> NewEntities:
    """Return the first row of each entity among the new records of a period (text)."""
    if new_records is None:
        return NewEntities(None)
    places = first_row_positions(new_records[series.first_identifier])
    # A column's type is derived from all of its rows, not only those selected here.
    rows = typed(new_records, series.kinds)
    if len(places) == len(new_records):
        return NewEntities(new_records, rows)
    return NewEntities(new_records.take(places), rows.take(places).reset_index(drop=True))


def record_new_entities(
    series: Series,
    period: Period,
    entities: NewEntities,
    workspace: Workspace,
    folder: Path | None = None,
) -> None:
    """Store the entities of a period, replacing earlier ones. Raises SeriesError.

    ``folder`` is for temporary files.
    """
    [table] = workspace.reference_table(series).parts
    table.replace(period.k, entities.typed, folder)

"""Reads the history of a series: its datasets, one at a time, and its reference table.

Problems with files become sentences in the history.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.reporting.history import (
    History,
    PeriodHistory,
    RowsByOrigin,
    combine_histories,
)
from series_assets.storage import files
from series_assets.storage.entities import KEYS_PER_PERIOD, EntityLookup, EntityTable
from series_assets.storage.layout import Layout
from series_assets.storage.provenance import is_stale
from series_assets.storage.tables import reference_table


def read_history(series: Series, layout: Layout) -> History:
    """Return the history of a series. Memory does not grow with the number of periods.

    Raises RequestError if the reference table belongs to another series, GenerationError if the
    database is unreadable. An unreadable dataset leads to a remark.
    """
    table = reference_table(series, layout)
    table.check_owner()
    periods: list[PeriodHistory] = []
    recorded = True
    for part in table.parts:
        with _known(part) as known:
            ks = range(series.calendar.count)
            of_part = [_period(part.series, part.layout, known, k) for k in ks]
        periods = list(map(combine_histories, periods, of_part)) if periods else of_part
        recorded = recorded and bool(known.recorded)
    remarks: tuple[str, ...] = ()
    if any(period.delivered for period in periods) and not recorded:
        remarks = (
            f"{table.place}: holds no reference table of {series.name}, so its entities and "
            "their periods of origin are not known; regenerate reference_table",
        )
    return History(series.name, periods, remarks)


def values_in(path: Path, column: str, remedy: str) -> list[str | None]:
    """Return the values of a column in a file, None where one is missing.

    Raises RequestError if the file cannot be read.
    """
    with files.explain_read_errors(path, remedy):
        values: list[str | None] = files.read_table(path, [column])[column].to_pylist()
    return values


def _period(series: Series, layout: Layout, known: "_Known", k: int) -> PeriodHistory:
    key, (new, existing) = series.calendar.keys[k], series.counts(k)
    shown = series.key_of(series.calendar.period(k))
    path, remarks, delivered = layout.dataset(k + 1), [], None
    if path.exists():
        try:
            identifiers = values_in(path, series.first_identifier, "regenerate its period")
            delivered = known.look_up(k, identifiers)
        except RequestError as error:
            remarks.append(str(error))
        if is_stale(series, layout, series.calendar.period(k)):
            remarks.append(
                f"Period {shown} was generated from another version of the series' two files; "
                "regenerate it."
            )
    if delivered and delivered.unknown and known.recorded:
        remarks.append(
            f"Period {shown}: {delivered.unknown} rows are about entities that are not in the "
            "reference table for this period or an earlier one; regenerate reference_table and "
            "dataset."
        )
    recorded, operations, log = known.recorded.get(key), None, layout.changes(k + 1)
    if series.truth and delivered and log.exists():
        try:
            operations = Counter(str(op) for op in values_in(log, "op", "regenerate truth"))
        except RequestError as error:
            remarks.append(str(error))
    return PeriodHistory(k, key, new, existing, delivered, recorded, tuple(remarks), operations)


@dataclass(frozen=True)
class _Known:
    """The entities of the reference table, which can be looked up by identifier."""

    identifier: str
    entities: EntityLookup | None
    """None if there is no reference table."""
    recorded: Mapping[str, int]
    """The number of entities of each recorded period, by its key."""
    starts: Mapping[int, str]
    """The key of each recorded period, by its ``k`` in the table."""
    index: Mapping[str, int]
    """``k`` of each key of the series."""

    def look_up(self, k: int, identifiers: list[str | None]) -> RowsByOrigin:
        """Return the rows of the dataset of period ``k`` by the origin of their entities."""
        new, unknown, origins = sum(one is None for one in identifiers), 0, dict[int, int]()
        *before, own = list(self.index)[: k + 1]
        # An unknown entity counts as new if the period itself is the only one not recorded.
        unknown_is_new = own not in self.recorded and all(key in self.recorded for key in before)
        for key, rows in self._by_period([one for one in identifiers if one is not None]).items():
            origin = None if key is None else self.index.get(key)
            if origin is not None and origin < k:
                origins[origin] = rows
            elif origin == k or (origin is None and unknown_is_new):
                new += rows
            else:
                unknown += rows
        return RowsByOrigin(new, dict(sorted(origins.items())), unknown)

    def _by_period(self, identifiers: list[str]) -> Mapping[str | None, int]:
        """Return the number of rows about entities of each period, by its key."""
        if self.entities is None:
            return {None: len(identifiers)}
        keys = self.entities.keys(self.identifier, identifiers)
        return Counter(self.starts.get(key // KEYS_PER_PERIOD) for key in keys.tolist())


@contextmanager
def _known(table: EntityTable) -> Iterator[_Known]:
    """Open the entities of a reference table, if there is one."""
    identifier = table.series.first_identifier
    index = {key: k for k, key in enumerate(table.series.calendar.keys)}
    starts = table.recorded_periods()
    if starts is None:
        yield _Known(identifier, None, {}, {}, index)
        return
    recorded = {key: count for key, count in starts.values() if key in index}
    with table.lookup([identifier]) as entities:
        yield _Known(
            identifier, entities, recorded, {k: key for k, (key, _) in starts.items()}, index
        )

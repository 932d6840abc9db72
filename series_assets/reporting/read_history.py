"""Reading what became of a series: its datasets, one at a time, against its reference table.

Which numbers there are is said in ``reporting.history``. Faults of files become sentences here.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.reporting.history import History, PeriodHistory, RowsByOrigin
from series_assets.storage.files import Layout, read_csv
from series_assets.storage.provenance import is_stale
from series_assets.storage.reference_table import KEYS_PER_PERIOD, ReferenceTable

if TYPE_CHECKING:
    from series_assets.storage.entity_lookup import EntityLookup


def read_history(series: Series, layout: Layout) -> History:
    """Return what became of a series so far. The memory it takes does not grow with periods.

    Raises RequestError for a reference table of somebody else's, GenerationError for a database
    that cannot be read. A dataset that cannot be read is a remark.
    """
    table = ReferenceTable(series, layout)
    table.check_owner()
    with _known(table) as known:
        periods = [_period(series, layout, known, k) for k in range(series.calendar.count)]
    remarks: tuple[str, ...] = ()
    if any(period.delivered for period in periods) and not known.recorded:
        remarks = (
            f"{layout.database}: holds no reference table of {series.name}, so that its entities "
            "are not known, nor where they come from; make reference_table again",
        )
    return History(series.name, periods, remarks)


def identifiers_in(path: Path, column: str) -> list[str | None]:
    """Return the identifiers in a dataset, None where a row has none.

    Raises RequestError with a sentence where the file is not what it should be.
    """
    try:
        values: list[str | None] = read_csv(path, [column])[column].tolist()
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except KeyError:
        reason = f"it has no column '{column}', or more than one"
    except (ValueError, csv.Error) as error:  # pyarrow's errors are ValueErrors
        reason = " ".join(str(error).split())[:200]
    else:
        return values
    raise RequestError(f"cannot be read: {reason}", "make its period again", file=path)


def _period(series: Series, layout: Layout, known: "_Known", k: int) -> PeriodHistory:
    key, (new, existing) = series.calendar.keys[k], series.counts(k)
    path, remarks, delivered = layout.dataset(k + 1), [], None
    if path.exists():
        try:
            delivered = known.look_up(k, identifiers_in(path, series.first_identifier))
        except RequestError as error:
            remarks.append(str(error))
        if is_stale(series, layout, series.calendar.period(k)):
            remarks.append(
                f"Period {key} was made from other contents of the two files; make it again."
            )
    if delivered and delivered.unknown and known.recorded:
        remarks.append(
            f"Period {key}: {delivered.unknown} rows are about entities that the reference table "
            "does not know of this period or an earlier one; make reference_table and dataset "
            "again."
        )
    return PeriodHistory(k, key, new, existing, delivered, known.recorded.get(key), tuple(remarks))


@dataclass(frozen=True)
class _Known:
    """The entities of the reference table, to be looked up by their identifiers."""

    identifier: str
    entities: "EntityLookup | None"
    """None where there is no reference table."""
    recorded: Mapping[str, int]
    """Entities of each recorded period, by its key."""
    starts: Mapping[int, str]
    """The key of each recorded period, by its number from 0 in the table."""
    index: Mapping[str, int]
    """``k`` of each key of the series."""

    def look_up(self, k: int, identifiers: list[str | None]) -> RowsByOrigin:
        """Return whose the rows of a dataset of period ``k`` are."""
        new, unknown, origins = sum(one is None for one in identifiers), 0, dict[int, int]()
        *before, own = list(self.index)[: k + 1]
        # Whom nobody knows is new as long as only the period itself is not recorded.
        stranger_is_new = own not in self.recorded and all(key in self.recorded for key in before)
        for key, rows in self._by_period([one for one in identifiers if one is not None]).items():
            origin = None if key is None else self.index.get(key)
            if origin is not None and origin < k:
                origins[origin] = rows
            elif origin == k or (origin is None and stranger_is_new):
                new += rows
            else:
                unknown += rows
        return RowsByOrigin(new, dict(sorted(origins.items())), unknown)

    def _by_period(self, identifiers: list[str]) -> Mapping[str | None, int]:
        """Return how many rows are about entities of each period, by its key."""
        if self.entities is None:
            return {None: len(identifiers)}
        keys = self.entities.keys(self.identifier, identifiers)
        return Counter(self.starts.get(key // KEYS_PER_PERIOD) for key in keys.tolist())


@contextmanager
def _known(table: ReferenceTable) -> Iterator[_Known]:
    """Provide the entities of a reference table, if there is one."""
    from series_assets.storage.entity_lookup import entity_lookup

    identifier = table.series.first_identifier
    index = {key: k for k, key in enumerate(table.series.calendar.keys)}
    starts = table.recorded_periods()
    if starts is None:
        yield _Known(identifier, None, {}, {}, index)
        return
    recorded = {key: count for key, count in starts.values() if key in index}
    with entity_lookup(table, [identifier]) as entities:
        yield _Known(
            identifier, entities, recorded, {k: key for k, (key, _) in starts.items()}, index
        )

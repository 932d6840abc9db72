"""The expected history of a series: its files, and what it is as of any period.

An entity stays in its shard, so the history of a sharded series is that of its parts, one after the
other.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import Table

from series_assets.core.errors import RequestError, require_known
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.plan.truth import DATASET, STATE_DATASET, STATE_OPERATION, Truth
from series_assets.core.truth import dimensions, profiles
from series_assets.pipeline.state import (
    PeriodFold,
    read_delivered,
    recorded_fold,
    recorded_periods,
)
from series_assets.pipeline.workspace import Workspace
from series_assets.storage import files
from series_assets.storage.cleaning import remove_part
from series_assets.storage.tables import state_table


def write_truth(
    series: Series, period: Period, folded: PeriodFold, workspace: Workspace, folder: Path
) -> list[Path]:
    """Put the files of a period's history, or of a part of it, in place; return their paths.

    The states of the period are recorded by then. ``folder`` is for temporary files. Files that
    the settings no longer ask for are removed. Raises SeriesError.
    """
    layout, number = workspace.layout(series), period.number
    tables = dict(_tables(series, period, folded, workspace))
    prepared = {}
    for target, table in tables.items():
        name = target.relative_to(layout.truth).as_posix().replace("/", "_")
        prepared[target] = folder / f"truth_{name}"
        files.write_table(prepared[target], table)
    with workspace.exclusive_access():
        for target in layout.truth_files(number):
            if target in prepared:
                files.replace(prepared[target], target)
            elif series.shard is None:
                files.remove(target)
            else:
                remove_part(target)
    return list(tables)


def _tables(
    series: Series, period: Period, folded: PeriodFold, workspace: Workspace
) -> Iterator[tuple[Path, Table]]:
    layout, number = workspace.layout(series), period.number
    truth = _truth(series)
    yield layout.changes(number), profiles.with_part(folded.fold.changes, series.part)
    if truth.settings.cells:
        yield layout.cells(number), profiles.with_part(folded.fold.cells, series.part)
    for kind in truth.settings.write:
        yield layout.dimension(kind, number), expected(series, workspace, kind, period)


def expected(
    series: Series,
    workspace: Workspace,
    as_: str,
    at: Period | None = None,
    profile: str = profiles.PLAIN,
) -> Table:
    """Return the expected history as of a period: what ``expected_parts`` yields as one table."""
    return pa.concat_tables(list(expected_parts(series, workspace, as_, at, profile)))


def expected_parts(
    series: Series,
    workspace: Workspace,
    as_: str,
    at: Period | None = None,
    profile: str = profiles.PLAIN,
) -> Iterator[Table]:
    """Yield the expected history as of a period, by default the last one that is recorded.

    ``as_`` is ``scd1``, ``scd2`` or ``changes`` (the change log of all periods up to ``at``, with
    the number of the ``dataset`` first; for the profile ``plain`` alone). Tracked values and times
    are text, as in CSV; numbers of versions, datasets, parts and rows are int64, flags are bool.
    It is one table; of a sharded series one for each part, of a change log for each of each period.
    Raises RequestError where the states up to ``at`` are missing or come from other contents, or
    for another ``as_`` or ``profile``.
    """
    require_known("--as", as_, ("scd1", "scd2", "changes"))
    require_known("--profile", profile, tuple(profiles.PROFILES))
    truth = _truth(series)
    at = at or last_recorded(series, workspace)
    if series.is_sharded:  # refuse before the first part is given out
        _require_recorded(series, workspace, at)
    if as_ == "changes":
        if profile != profiles.PLAIN:
            raise RequestError(
                "profiles apply to scd1 and scd2 only, not to the change log",
                "leave out the profile",
                series=series.name,
            )
        logs = _change_logs(series, workspace, at)
        yield from logs if series.is_sharded else [pa.concat_tables(list(logs))]
        return
    if as_ == "scd2":
        _refuse_taken_names(series, truth, profile)
    for part in series.parts:
        states = state_table(part, workspace.layout(part)).changes(at.k)
        if as_ == "scd1":
            yield profiles.shaped_current(truth, dimensions.current(truth, states), profile)
        else:
            history = dimensions.history(truth, states)
            yield profiles.shaped_history(truth, history, profile, part.part)


def _require_recorded(series: Series, workspace: Workspace, at: Period) -> None:
    """Refuse unless all parts up to a period are recorded and current. Raises RequestError."""
    for part in series.parts:
        state_table(part, workspace.layout(part)).content(at.k)


def dimension_at(series: Series, workspace: Workspace, as_: str, at: Period) -> Table:
    """Return the versions (``scd2``) or the current state (``scd1``) as of a period.

    Their columns are those of ``dimensions.history`` and ``dimensions.current``.
    """
    dimension = dimensions.history if as_ == "scd2" else dimensions.current
    changes = (state_table(part, workspace.layout(part)).changes(at.k) for part in series.parts)
    return pa.concat_tables([dimension(_truth(series), of_part) for of_part in changes])


def tied_rows(series: Series, workspace: Workspace, at: Period) -> Table:
    """Return all rows that the place in the file alone decided between, up to a period.

    They are those of a series that is not divided, or of one shard. Columns ``STATE_DATASET`` and
    ``state_row`` (int64), ``STATE_OPERATION``, the key, the tracked columns. Among the rows of an
    entity in one dataset (with ``every_row``: on one day) the one whose operation is not
    ``superseded`` won; a pipeline may be right with any of them.
    """
    truth, parts = _truth(series), []
    for k in state_table(series, workspace.layout(series)).tied_periods(at.k):
        period = series.calendar.period(k)
        log = recorded_fold(series, period, workspace).fold.changes
        rows = read_delivered(series, period, workspace, [truth.key, *truth.track])
        chosen = pa.array(log["tied"].to_numpy().nonzero()[0])
        head = log.select(["row", "op"]).take(chosen)
        number = pa.array([period.number] * len(chosen), pa.int64())
        columns: dict[str, Any] = {STATE_DATASET: number, "state_row": head["row"]}
        columns |= {STATE_OPERATION: head["op"]}
        columns |= {name: rows[name].take(chosen) for name in rows.column_names}
        parts.append(pa.table(columns))
    if parts:
        return pa.concat_tables(parts)
    texts = dict.fromkeys((STATE_OPERATION, truth.key, *truth.track), pa.string())
    types = {STATE_DATASET: pa.int64(), "state_row": pa.int64(), **texts}
    return pa.schema(types).empty_table()


def last_recorded(series: Series, workspace: Workspace) -> Period:
    """Return the last period of which the history is recorded. Raises RequestError without any."""
    _truth(series)
    count = recorded_periods(series, workspace)
    if not count:
        raise RequestError(
            "nothing of its history is recorded yet",
            f"first run series-assets generate {series.name}",
            series=series.name,
        )
    return series.calendar.period(count - 1)


def period_named(series: Series, at: str | date | None) -> Period | None:
    """Return the period that begins on a day, if one is given. Raises RequestError."""
    if at is None:
        return None
    key = f"{at:%Y-%m-%d}" if isinstance(at, date) else str(at)
    return series.period_named(key, f"--at {key}")


def _change_logs(series: Series, workspace: Workspace, at: Period) -> Iterator[Table]:
    """Yield the change log of each part of each period up to one, with the dataset's number."""
    for period in series.calendar.periods[: at.k + 1]:
        for part in series.parts:
            log = recorded_fold(part, period, workspace).fold.changes
            number = pa.array([period.number] * log.num_rows, pa.int64())
            log = profiles.with_part(log, part.part)
            yield log.add_column(0, DATASET, number)


def _truth(series: Series) -> Truth:
    """Return what the series asks for. Raises RequestError where it asks for no history."""
    if series.truth is None:
        raise RequestError(
            "its user input has no truth block, so its history is not recorded",
            f"add truth: {{}} to {series.user_input_file}, then generate its periods again",
            series=series.name,
        )
    return series.truth


def _refuse_taken_names(series: Series, truth: Truth, profile: str) -> None:
    own = {name.lower() for name in (truth.key, *truth.track)}
    taken = [name for name in profiles.names_of(profile) if name.lower() in own]
    if taken:
        raise RequestError(
            f"the profile {profile} has a column '{taken[0]}' of its own, which is also a column "
            "of the data",
            "choose another profile, or leave the column out of truth.track",
            series=series.name,
        )

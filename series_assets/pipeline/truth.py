"""The expected history of a series: its files, and what it is as of any period."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import Table

from series_assets.core.errors import RequestError, did_you_mean
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.plan.truth import Truth
from series_assets.core.truth import dimensions, profiles
from series_assets.pipeline.state import PeriodFold, recorded_fold, state_table
from series_assets.pipeline.workspace import Workspace
from series_assets.storage import files


def write_truth(
    series: Series, period: Period, folded: PeriodFold, workspace: Workspace, folder: Path
) -> list[Path]:
    """Put the files of a period's history in their places, and return their paths.

    The states of the period are recorded by then. ``folder`` is for temporary files. Files that
    the settings no longer ask for are removed. Raises SeriesError.
    """
    layout, number = workspace.layout(series), period.number
    tables = dict(_tables(series, period, folded, workspace))
    prepared = {}
    for target, table in tables.items():
        prepared[target] = folder / f"truth_{target.name}"
        files.write_table(prepared[target], table)
    with workspace.exclusive_access():
        for target in layout.truth_files(number):
            if target in prepared:
                files.replace(prepared[target], target)
            else:
                files.remove_if_there(target)
    return list(tables)


def _tables(
    series: Series, period: Period, folded: PeriodFold, workspace: Workspace
) -> Iterator[tuple[Path, Table]]:
    layout, number = workspace.layout(series), period.number
    truth = _truth(series)
    yield layout.changes(number), folded.fold.changes
    if truth.settings.cells:
        yield layout.cells(number), folded.fold.cells
    for kind in truth.settings.write:
        yield layout.dimension(kind, number), expected(series, workspace, kind, period)


def expected(
    series: Series,
    workspace: Workspace,
    as_: str,
    at: Period | None = None,
    profile: str = profiles.PLAIN,
) -> Table:
    """Return the expected history as of a period, by default the last one that is recorded.

    ``as_`` is ``scd1``, ``scd2`` or ``changes`` (the change log of all periods up to ``at``, with
    the number of the ``dataset`` first; for the profile ``plain`` alone). Tracked values and times
    are text, as in CSV; numbers of versions, datasets and rows are int64, flags are bool.
    Raises RequestError where the states up to ``at`` are missing or come from other contents.
    """
    at = at or last_recorded(series, workspace)
    if as_ == "changes":
        if profile != profiles.PLAIN:
            raise RequestError(
                "no tool keeps a change log in columns of its own",
                "leave out the profile",
                series=series.name,
            )
        return _change_log(series, workspace, at)
    truth = _truth(series)
    if as_ == "scd1":
        return profiles.shaped_current(truth, current_at(series, workspace, at), profile)
    _refuse_taken_names(series, truth, profile)
    return profiles.shaped_history(truth, history_at(series, workspace, at), profile)


def history_at(series: Series, workspace: Workspace, at: Period) -> Table:
    """Return the versions as of a period, as ``dimensions.history`` has them. Raises as it does."""
    states = state_table(series, workspace).changes(at.k)
    return dimensions.history(_truth(series), states)


def current_at(series: Series, workspace: Workspace, at: Period) -> Table:
    """Return the current state as of a period, as ``dimensions.current`` has it."""
    states = state_table(series, workspace).changes(at.k)
    return dimensions.current(_truth(series), states)


def tied_rows(series: Series, workspace: Workspace, at: Period) -> Table:
    """Return all rows that the place in the file alone decided between, up to a period.

    Columns ``dataset`` and ``row`` (int64), ``op``, the key, the tracked columns. Among the rows of
    an entity in one dataset (with ``every_row``: on one day) the one whose ``op`` is not
    ``superseded`` won; a pipeline may be right with any of them.
    """
    truth, parts = _truth(series), []
    for k in state_table(series, workspace).tied_periods(at.k):
        period = series.calendar.period(k)
        log = recorded_fold(series, period, workspace).fold.changes
        path = workspace.layout(series).dataset(period.number)
        rows = files.read_table(path, [truth.key, *truth.track])
        chosen = pa.array(log["tied"].to_numpy().nonzero()[0])
        head = log.select(["row", "op"]).take(chosen)
        number = pa.array([period.number] * len(chosen), pa.int64())
        columns: dict[str, Any] = {"dataset": number, "row": head["row"], "op": head["op"]}
        columns |= {name: rows[name].take(chosen) for name in rows.column_names}
        parts.append(pa.table(columns))
    if parts:
        return pa.concat_tables(parts)
    texts = dict.fromkeys(("op", truth.key, *truth.track), pa.string())
    types = {"dataset": pa.int64(), "row": pa.int64(), **texts}
    return pa.schema(types).empty_table()


def last_recorded(series: Series, workspace: Workspace) -> Period:
    """Return the last period of which the history is recorded. Raises RequestError without any."""
    _truth(series)
    count = state_table(series, workspace).recorded_periods()
    if not count:
        raise RequestError(
            "nothing is recorded of its history yet",
            f"first run series-assets generate {series.name}",
            series=series.name,
        )
    return series.calendar.period(count - 1)


def period_named(series: Series, at: str) -> Period:
    """Return the period with a first day. Raises RequestError for a day that is none."""
    keys = series.calendar.keys
    if at not in keys:
        raise RequestError(
            f"--at {at} is not the first day of a period of {series.name}"
            + did_you_mean(at, keys if len(keys) <= 12 else (keys[0], keys[1], keys[-1]))
        )
    return series.calendar.period_for_key(at)


def _change_log(series: Series, workspace: Workspace, at: Period) -> Table:
    parts = []
    for period in series.calendar.periods[: at.k + 1]:
        log = recorded_fold(series, period, workspace).fold.changes
        number = pa.array([period.number] * log.num_rows, pa.int64())
        parts.append(log.add_column(0, "dataset", number))
    return pa.concat_tables(parts)


def _truth(series: Series) -> Truth:
    """Return what the series asks for. Raises RequestError where it asks for no history."""
    if series.truth is None:
        raise RequestError(
            "its user input has no truth block, so nothing is known about its history",
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

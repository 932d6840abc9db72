"""Checks the request for a run: which periods, and whether they can be generated."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from series_assets.core.errors import Fault, InputError, RequestError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.pipeline import executors
from series_assets.pipeline.workspace import Workspace
from series_assets.storage.lookup_tables import check_lookups
from series_assets.storage.manifests import require_manifest_before
from series_assets.storage.remote import check_access, is_remote
from series_assets.storage.tables import states_of


def chosen_periods(series: Series, span: str | None) -> Sequence[Period]:
    """Return the periods of a range ``FIRST..LAST``, or all for None. Raises RequestError."""
    periods = series.calendar.periods
    if span is None:
        return periods
    keys = series.calendar.keys
    ends = [end.strip() for end in span.split("..")]
    if len(ends) == 2 and "" in ends:
        missing = "first" if not ends[0] else "last"
        raise RequestError(f"--periods {span}: the {missing} period is missing; write FIRST..LAST")
    for end in ends:
        series.period_named(end, f"--periods {span}: '{end}'")
    if len(ends) > 2:
        raise RequestError(f"--periods {span} is not FIRST..LAST")
    first, last = keys.index(ends[0]), keys.index(ends[-1])
    if first > last:
        raise RequestError(f"--periods {span} ends before it begins; write FIRST..LAST")
    return periods[first : last + 1]


def check_request(series: Series, periods: Sequence[Period], workspace: Workspace) -> None:
    """Raise RequestError or InputError if a run is certain to fail."""
    layout, table = workspace.layout(series), workspace.reference_table(series)
    if not series.is_sharded:
        executors.refuse_dask(workspace.executor)
    if is_remote(layout.folder):
        check_access(layout.folder)
    check_lookups(series, layout.database, any_database=workspace.any_database)
    table.check_owner()
    if periods[0].k:
        table.require_periods(periods[0].k, period=periods[0].key)
    if series.truth:
        states = states_of(series, layout)
        states.check_owner()
        states.require_periods(periods[0].k)
    if series.user_input.manifest:
        require_manifest_before(series, layout, periods[0])
    if is_remote(layout.folder):
        return
    for folder in (layout.folder, *layout.inner_folders()):
        if folder == layout.folder or folder.exists():
            _check_writable(folder)


def _check_writable(folder: Path) -> None:
    """Raise InputError if no file can be created in a folder. Leaves nothing behind."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        for path in missing:
            if path.is_dir():
                path.rmdir()
        problem = f"cannot be written: {error.strerror}"
        remedy = "name another folder as --output, or as SERIES_ASSETS_DATA_DIR"
        raise InputError([Fault(str(folder), "", problem, remedy)]) from None

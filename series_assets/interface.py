"""The Python interface: generating and checking series with plain functions, without Dagster."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from series_assets.core.plan.series import Series
from series_assets.pipeline.progress import Progress
from series_assets.pipeline.requests import chosen_periods
from series_assets.pipeline.workspace import Workspace
from series_assets.settings import from_environment
from series_assets.storage.remote import resolved

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from series_assets.checks.run import CheckResult
    from series_assets.core.verify.report import VerificationReport
    from series_assets.pipeline.preview import Preview


def generate(
    series: Series,
    data_dir: str | Path,
    periods: str | None = None,
    *,
    flat: bool = False,
    executor: str = "auto",
    progress: Progress | None = None,
) -> list[Path]:
    """Generate periods of a series and return the paths of their datasets.

    ``data_dir`` gets a folder named after the series, or its files directly if ``flat``.
    ``periods`` is ``FIRST..LAST`` (first days), the first day of one, or None for all.
    ``executor`` is ``auto``, ``none``, ``processes:N`` or, if sharded, ``dask:tcp://HOST:PORT``.
    SERIES_ASSETS_ANY_DATABASE and SERIES_ASSETS_STOCK_EXHIBIT apply. Raises RequestError or
    InputError before anything runs, and GenerationError if a period fails, after the periods
    before it are complete.
    """
    from series_assets.pipeline.run import generate_periods

    workspace = _workspace(data_dir, executor, flat=flat)
    chosen = chosen_periods(series, periods)
    return generate_periods(series, chosen, workspace, progress or Progress())


def iter_datasets(series: Series) -> "Iterator[tuple[str, pd.DataFrame]]":
    """Yield the partition key and the dataset of each period, the first one first.

    Each is a typed frame as ``RecordsFile.load`` returns it, generated on demand in a temporary
    folder. No file is left, and a database that the user input names is only read. Raises the
    errors of ``generate``.
    """
    from series_assets.core.records import typed
    from series_assets.pipeline.run import generate_periods
    from series_assets.storage.files import read_records
    from series_assets.storage.lookup_tables import check_lookups
    from series_assets.storage.scratch_database import copy_for_run

    with TemporaryDirectory(prefix="series_assets_") as folder:
        workspace = _workspace(folder, "none")
        if series.database:
            lookups = Path(folder).resolve() / "lookups.db"
            check_lookups(series, series.database, any_database=workspace.any_database)
            copy_for_run(series.database, lookups, series.specification)
            series = replace(series, database=lookups)
            workspace = replace(workspace, any_database=True)
        for period in series.calendar.periods:
            [path] = generate_periods(series, [period], workspace, Progress())
            yield period.key, typed(read_records(path), series.kinds)


def preview(series: Series, period: str | None = None) -> "Preview":
    """Generate a small period in memory, to see what a series gives; no file is left.

    ``period`` is its first day, by default that of the second one. The preview has the typed
    frames ``dataset``, ``new_records`` and ``existing_records``; as frames too, ``moved`` lists the
    dates that move, ``columns`` and ``constraints`` say what becomes of each in existing records,
    which are about entities of the first period. Raises RequestError where there is no such period,
    InputError where the database lacks what the specification needs, GenerationError where Exhibit
    fails.
    """
    from series_assets.pipeline.preview import preview_period
    from series_assets.storage.lookup_tables import check_lookups
    from series_assets.storage.sqlite import installed_database

    settings = from_environment()
    source = series.database or installed_database()
    check_lookups(series, source, any_database=settings.any_database)
    return preview_period(series, period, source, stock_exhibit=settings.stock_exhibit)


def check(
    series: Series, data_dir: str | Path, periods: str | None = None, *, flat: bool = False
) -> "list[CheckResult]":
    """Evaluate the rules of a series on its datasets and return one result for each period.

    ``periods`` is as for ``generate``; None checks all existing datasets. Each result has ``key``,
    ``holds``, ``findings`` and ``complaints()``. Raises RequestError where there is no dataset.
    """
    from series_assets.checks.run import check_periods, keys_to_check

    table = Workspace(resolved(data_dir), flat=flat).reference_table(series)
    chosen = chosen_periods(series, periods) if periods else ()
    return list(check_periods(table, keys_to_check(table, chosen)))


def truth(
    series: Series,
    data_dir: str | Path,
    as_: str = "scd2",
    at: str | date | None = None,
    *,
    profile: str = "plain",
    flat: bool = False,
) -> "pd.DataFrame":
    """Return the history that a correct pipeline has after a period, as a typed frame.

    ``as_`` is ``scd1`` (the current state), ``scd2`` (all versions) or ``changes`` (what each row
    of each dataset did); ``at`` is the first day of the period, by default of the last one that
    was generated; ``profile`` names the columns as a tool does. Raises RequestError where the
    series has no ``truth`` block, or its states up to the period are not recorded or not current.
    """
    from series_assets.pipeline.truth import expected, period_named
    from series_assets.pipeline.truth_export import frame_of

    workspace = Workspace(resolved(data_dir), flat=flat)
    period = period_named(series, at)
    return frame_of(series, expected(series, workspace, as_, period, profile), profile)


def verify(
    table: "pd.DataFrame | pa.Table | str | Path",
    series: Series,
    data_dir: str | Path,
    at: str | date | None = None,
    *,
    flat: bool = False,
    **options: Any,
) -> "VerificationReport":
    """Compare a table of a pipeline with the history that a correct one has after a period.

    ``table`` is a data frame, an Arrow table, the path of a ``.csv`` or ``.parquet`` file, or an
    address such as ``sqlite:///FILE#TABLE``; ``at`` is as for ``truth``. ``options`` are the fields
    of ``VerifyOptions``: ``as_``, ``profile``, ``time``, ``loads``, ``tolerance``, ``columns``,
    ``valid_from``, ``valid_to``, ``current``, ``open_value``, ``interval``; ``loads`` may be the
    path of its CSV. The report has ``holds``, ``findings``, ``counts`` and ``lines()``. Raises
    RequestError where the two cannot be compared, TypeError for an option that does not exist.
    """
    from series_assets.core.verify.options import VerifyOptions
    from series_assets.pipeline.truth import period_named
    from series_assets.pipeline.verify import verify_table
    from series_assets.storage.foreign_tables import any_table, read_loads

    workspace = Workspace(resolved(data_dir), flat=flat)
    period = period_named(series, at)
    found, name = any_table(table)
    if isinstance(loads := options.get("loads"), str | Path):
        options["loads"] = read_loads(Path(loads))
    return verify_table(series, workspace, found, VerifyOptions(**options), period, name)


def _workspace(folder: str | Path, executor: str, *, flat: bool = False) -> Workspace:
    settings = replace(from_environment(), executor=executor)
    return settings.workspace(resolved(folder), flat=flat)

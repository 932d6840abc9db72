"""The Python interface: making and checking series in plain functions, without Dagster."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from series_assets.core.plan.series import Series
from series_assets.pipeline.progress import Progress
from series_assets.pipeline.requests import chosen_periods
from series_assets.pipeline.workspace import Workspace
from series_assets.settings import from_environment

if TYPE_CHECKING:
    import pandas as pd

    from series_assets.checks.run import CheckResult


def generate(
    series: Series,
    data_dir: str | Path,
    periods: str | None = None,
    *,
    flat: bool = False,
    executor: str = "auto",
    progress: Progress | None = None,
) -> list[Path]:
    """Make periods of a series and return the paths of their datasets.

    ``data_dir`` gets a folder named after the series, or its files directly if ``flat``;
    ``periods`` are ``FIRST..LAST`` or the first day of one, None for all; ``executor`` is ``auto``,
    ``none`` or ``processes:N``. SERIES_ASSETS_ANY_DATABASE and SERIES_ASSETS_STOCK_EXHIBIT apply.
    Raises RequestError or InputError before anything runs, GenerationError where a period fails:
    those before it are there by then.
    """
    from series_assets.pipeline.run import generate_periods

    workspace = _workspace(data_dir, flat=flat, executor=executor)
    chosen = chosen_periods(series, periods)
    return generate_periods(series, chosen, workspace, progress or Progress())


def iter_datasets(series: Series) -> "Iterator[tuple[str, pd.DataFrame]]":
    """Yield the partition key and the dataset of each period, the first one first.

    Each is a typed frame as ``RecordsFile.load`` returns it, made when it is asked for, in a
    temporary folder; no file is left, and a database that the user input names is only read.
    Raises as ``generate``.
    """
    from series_assets.core.records import typed
    from series_assets.pipeline.run import generate_periods
    from series_assets.storage.files import read_csv
    from series_assets.storage.lookup_tables import check_lookups
    from series_assets.storage.sqlite import copy_for_run

    with TemporaryDirectory(prefix="series_assets_") as folder:
        workspace = _workspace(folder, executor="none")
        if series.database:
            lookups = Path(folder).resolve() / "lookups.db"
            check_lookups(series, series.database, any_database=workspace.any_database)
            copy_for_run(series.database, lookups, series.specification)
            series = replace(series, database=lookups)
            workspace = replace(workspace, any_database=True)
        for period in series.calendar.periods:
            [path] = generate_periods(series, [period], workspace, Progress())
            yield period.key, typed(read_csv(path), series.kinds)


def check(
    series: Series, data_dir: str | Path, periods: str | None = None, *, flat: bool = False
) -> "list[CheckResult]":
    """Return what the rules of a series find in its datasets, one result a period.

    ``periods`` as for ``generate``; None for all that are there. Each result has ``key``,
    ``holds``, ``findings`` and ``complaints()``.
    """
    from series_assets.checks.run import check_periods, delivered_keys

    table = Workspace(Path(data_dir).resolve(), flat=flat).reference_table(series)
    chosen = [period.key for period in chosen_periods(series, periods)] if periods else None
    return list(check_periods(table, delivered_keys(table) if chosen is None else chosen))


def _workspace(folder: str | Path, *, flat: bool = False, executor: str) -> Workspace:
    settings = from_environment()
    return Workspace(
        Path(folder).resolve(),
        flat=flat,
        executor=executor,
        any_database=settings.any_database,
        stock_exhibit=settings.stock_exhibit,
    )

"""Series in the Python code of a host project: definitions and partitions from folders.

Both take folders rather than loaded series, so that a mistake in the files of one series shows as
an asset and never keeps the module that calls them from being imported.
"""

from pathlib import Path

import dagster as dg

from series_assets.core.errors import InputError
from series_assets.core.plan.series import Series
from series_assets.dagster.build import build_definitions, report_broken
from series_assets.dagster.options import NO_OPTIONS, AssetOptions
from series_assets.dagster.partitions import partitions_of
from series_assets.settings import from_environment
from series_assets.storage.loading import BrokenSeries, load_series
from series_assets.storage.paths import printable
from series_assets.storage.remote import resolved


def series_definitions(
    *folders: str | Path,
    data_dir: str | Path = "data",
    options: AssetOptions = NO_OPTIONS,
    strict: bool = False,
) -> dg.Definitions:
    """Return the definitions of the series in ``folders``, to be merged with those of a project.

    A folder holds ``specification.yml`` and ``user_input.yml``; the series is named after it.
    Relative paths are relative to the working directory. A broken series is an asset that says
    what is wrong, and a warning; with ``strict`` it raises InputError instead. ``options`` are
    attached to the assets of every series. The definitions bring no executor, and no resource that
    other assets see.
    """
    workspace = from_environment().workspace(resolved(data_dir))
    found = [_load(Path(folder)) for folder in folders]
    report_broken(found, strict=strict)
    return build_definitions(found, {"workspace": workspace}, executor=None, options=options)


def series_partitions(folder: str | Path) -> dg.PartitionsDefinition:
    """Return the partitions of the series in ``folder``, for assets that take it as an input.

    A broken series has none: its assets load, and have nothing to run for
    until the files are correct. What is wrong shows where the series is defined.
    """
    series = _load(Path(folder))
    if isinstance(series, BrokenSeries):
        return dg.StaticPartitionsDefinition([])
    return partitions_of(series)


def _load(folder: Path) -> Series | BrokenSeries:
    try:
        return load_series(folder)
    except InputError as error:
        return BrokenSeries(printable(folder.name), error)

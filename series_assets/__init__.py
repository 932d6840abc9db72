"""Series of periodic datasets, described by two YAML files and made by Exhibit.

What is offered here is imported when it is asked for. To make a series without Dagster::

    from series_assets import generate, load_series

    generate(load_series("series/clinic"), "data")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from series_assets.core.plan.series import Series
    from series_assets.dagster.component import SeriesComponent
    from series_assets.dagster.handles import RecordsFile, ReferenceTableSnapshot
    from series_assets.dagster.host import series_definitions, series_partitions
    from series_assets.dagster.options import AssetOptions
    from series_assets.dagster.partitions import partitions_of
    from series_assets.interface import check, generate, iter_datasets
    from series_assets.pipeline.progress import Progress
    from series_assets.storage.loading import load_series

__all__ = [
    "AssetOptions",
    "Progress",
    "RecordsFile",
    "ReferenceTableSnapshot",
    "Series",
    "SeriesComponent",
    "check",
    "generate",
    "iter_datasets",
    "load_series",
    "partitions_of",
    "series_definitions",
    "series_partitions",
]

_FOUND_IN = {
    "AssetOptions": "series_assets.dagster.options",
    "Progress": "series_assets.pipeline.progress",
    "RecordsFile": "series_assets.dagster.handles",
    "ReferenceTableSnapshot": "series_assets.dagster.handles",
    "Series": "series_assets.core.plan.series",
    "SeriesComponent": "series_assets.dagster.component",
    "check": "series_assets.interface",
    "generate": "series_assets.interface",
    "iter_datasets": "series_assets.interface",
    "load_series": "series_assets.storage.loading",
    "partitions_of": "series_assets.dagster.partitions",
    "series_definitions": "series_assets.dagster.host",
    "series_partitions": "series_assets.dagster.host",
}


def __getattr__(name: str) -> Any:
    """Import what the package offers when it is asked for."""
    if name in _FOUND_IN:
        return getattr(import_module(_FOUND_IN[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

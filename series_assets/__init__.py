"""Series of periodic datasets, described by two YAML files and made by Exhibit through Dagster."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from series_assets.dagster.component import SeriesComponent
    from series_assets.dagster.partitions import partitions_of
    from series_assets.storage.loading import load_series

__all__ = ["SeriesComponent", "load_series", "partitions_of"]

_FOUND_IN = {
    "SeriesComponent": "series_assets.dagster.component",
    "load_series": "series_assets.storage.loading",
    "partitions_of": "series_assets.dagster.partitions",
}


def __getattr__(name: str) -> Any:
    """Import what the package exports when it is asked for: most who import it ask for nothing."""
    if name in _FOUND_IN:
        return getattr(import_module(_FOUND_IN[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

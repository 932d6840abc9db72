"""Series of periodic datasets, described by two YAML files and made by Exhibit through Dagster."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from series_assets.component import SeriesComponent

__all__ = ["SeriesComponent"]


def __getattr__(name: str) -> Any:
    """Import what the package exports when it is asked for: most who import it ask for nothing."""
    if name in __all__:
        from series_assets import component

        return getattr(component, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

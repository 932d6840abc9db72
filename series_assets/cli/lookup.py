"""Finding the series that a command is about, and the place that its output goes to."""

from pathlib import Path

from series_assets.core.errors import Fault, InputError, RequestError, as_input_error, suggestion
from series_assets.core.plan.series import Series
from series_assets.settings import SHIPPED, Settings
from series_assets.storage.loading import SPECIFICATION, USER_INPUT, BrokenSeries, find_series
from series_assets.storage.paths import resolve_path
from series_assets.storage.remote import resolved


def all_series(settings: Settings) -> list[Series | BrokenSeries]:
    """Return the series of the series folder. Raises InputError if there are none."""
    folder = settings.series_dir
    found = find_series(folder)
    if not found:
        problem = "holds no series"
        remedy = "a series is a folder in it with specification.yml and user_input.yml"
        if (folder / SPECIFICATION).exists() or (folder / USER_INPUT).exists():
            problem = "is a series itself"
            remedy = "name its parent folder, which may hold more series"
        remedy += " (SERIES_ASSETS_SERIES_DIR)"
        raise InputError([Fault(str(folder), "", problem, remedy)])
    return found


def series_named(settings: Settings, name: str) -> Series | BrokenSeries:
    """Return a series of the series folder, which may be broken. Raises RequestError."""
    known = {one.name: one for one in all_series(settings)}
    if name not in known:
        shipped = settings.series_dir == SHIPPED
        where = " among the bundled series" if shipped else f" in {settings.series_dir}"
        remedy = suggestion(name, known)
        if shipped:  # the usual cause is a new shell
            remedy += "; for your own, set SERIES_ASSETS_SERIES_DIR to the folder that holds them"
        raise RequestError(f"there is no series '{name}'{where}", remedy)
    return known[name]


def valid_series(settings: Settings, name: str) -> Series:
    """Return a series of the series folder. Raises RequestError, or InputError if it is broken."""
    series = series_named(settings, name)
    if isinstance(series, BrokenSeries):
        raise series.error
    return series


def data_output(place: str) -> Path:
    """Return the whole path of a folder for data, which may be a URL. Raises InputError."""
    with as_input_error(f"--output {place[:100]}"):
        return resolved(place)


def absolute_output(path: Path, option: str = "--output") -> Path:
    """Return the whole path that an option names. Raises InputError if no path can be like that."""
    with as_input_error(f"{option} {str(path)[:100]}"):
        return resolve_path(path)

"""What an asset downstream of a series gets for its input: what the input's annotation asks for.

Nothing is read that was not asked for. A missing period, or an annotation that cannot be provided,
fails the step before the asset's function runs.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import dagster as dg

from series_assets.core.errors import RequestError
from series_assets.core.plain_text import one_line
from series_assets.dagster.handles import (
    Handle,
    RecordsFile,
    ReferenceTableSnapshot,
    StateSnapshot,
)
from series_assets.storage.remote import is_remote

ALLOW_MISSING = "allow_missing_partitions"
"""Set in an input's metadata, it lets a mapping leave out the periods that do not exist yet.

The name is that of Dagster's own IO managers."""
_ANYTHING: tuple[Any, ...] = (Any, object, None, dict, Mapping)
"""Annotations that say nothing about what is asked for."""


def load_as_annotated(context: dg.InputContext, found: Mapping[str, Handle]) -> Any:
    """Return what the input's annotation asks for of the periods in ``found``, by partition key.

    ``pd.DataFrame``, ``pa.Table``, ``pl.LazyFrame``, ``Path`` and the handles themselves stand for
    the only period of a run; with
    ``dict[str, …]`` around them they come as mappings from partition key, of any number of
    periods. Without an annotation it is a mapping of handles, of which those of missing periods
    refuse when they are loaded. Raises dagster.Failure where a period is missing whose contents
    are asked for, where one period is asked for and there is another number of them, and where the
    annotation is none of these.
    """
    asked = context.dagster_type.typing_type
    if asked in _ANYTHING:
        return dict(found)
    mapped = get_origin(asked) in (dict, Mapping) and get_args(asked)[0] in (str, Any)
    one = get_args(asked)[1] if mapped else asked
    if mapped and one in _ANYTHING:
        return dict(found)
    try:
        form = _form_of(one)
        if form is None:
            raise _unknown(context, asked)
        if not mapped:
            return form(_only(context, found, one.__name__))
        lenient = bool(context.definition_metadata.get(ALLOW_MISSING))
        return {key: form(handle) for key, handle in found.items() if handle.exists or not lenient}
    except RequestError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None


def _unknown(context: dg.InputContext, asked: Any) -> RequestError:
    name = asked.__qualname__ if isinstance(asked, type) else str(asked).replace("typing.", "")
    shown = one_line(name)
    return RequestError(
        f"the input '{context.name}' is annotated {shown[:100]}, which a series cannot provide",
        "annotate it pandas.DataFrame, pyarrow.Table, polars.LazyFrame, pathlib.Path, RecordsFile, "
        "ReferenceTableSnapshot or StateSnapshot for one period, dict[str, ...] around one of "
        "these for any number of periods, or not at all",
    )


def _form_of(asked: Any) -> Callable[[Handle], Any] | None:
    if not isinstance(asked, type):
        return None
    if asked is Path:
        return _local_path
    if asked in (ReferenceTableSnapshot, RecordsFile, StateSnapshot):
        return lambda handle: handle
    # An annotation names a class, whose library is there then: none is imported for others.
    library, name = asked.__module__.partition(".")[0], asked.__name__
    return _FORMS.get((library, name))


def _lazy_frame(handle: Handle) -> Any:
    """Return a lazy frame of polars, which reads the columns of a Parquet file that it needs."""
    import polars as pl

    if isinstance(handle, RecordsFile):
        paths = [part.path() for part in handle.parts()]
        if all(path.suffix == ".parquet" and not is_remote(path) for path in paths):
            return pl.scan_parquet(paths)
    return pl.DataFrame(handle.as_arrow()).lazy()


_FORMS: Mapping[tuple[str, str], Callable[[Handle], Any]] = {
    ("pandas", "DataFrame"): lambda handle: handle.load(),
    ("pyarrow", "Table"): lambda handle: handle.as_arrow(),
    ("polars", "LazyFrame"): _lazy_frame,
}
"""The classes of libraries that an annotation may name, and how to get one."""


def _local_path(handle: Handle) -> Path:
    """Return the path of a handle. Raises RequestError where it is on object storage."""
    path = handle.path()
    if is_remote(path):
        raise RequestError(
            f"{path} is on object storage, which has no pathlib.Path",
            "annotate the input pandas.DataFrame, or RecordsFile, whose path() is a UPath",
        )
    return path


def _only(context: dg.InputContext, found: Mapping[str, Handle], name: str) -> Handle:
    if len(found) == 1:
        return next(iter(found.values()))
    raise RequestError(
        f"the input '{context.name}' asks for {name}, which holds one period, but this run has "
        f"{len(found)}",
        f"annotate it dict[str, {name}] to get each under its partition key, or let the asset have "
        "the partitions of the series and run one at a time",
    )

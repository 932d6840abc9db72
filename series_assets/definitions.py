"""What Dagster loads: the series of the series folder, as the settings say."""

import warnings

import dagster as dg

from series_assets.core.errors import InputError
from series_assets.core.plain_text import one_line
from series_assets.core.plan.shared_identifiers import shared_identifiers
from series_assets.dagster.build import build_definitions
from series_assets.settings import Settings, from_environment
from series_assets.storage.loading import BrokenSeries, find_series


def load(settings: Settings) -> dg.Definitions:
    """Return the definitions of all series found. A broken series does not affect the others.

    Raises InputError with the faults of the broken ones if the settings are strict.
    """
    found = find_series(settings.series_dir)
    broken = [one for one in found if isinstance(one, BrokenSeries)]
    if broken and settings.strict:
        raise InputError(fault for one in broken for fault in one.error.faults)
    for one in broken:
        warnings.warn(f"series {one_line(one.name)} is broken:\n{one.error}", stacklevel=2)
    for shared in shared_identifiers(one for one in found if not isinstance(one, BrokenSeries)):
        warnings.warn(str(shared), stacklevel=2)
    return build_definitions(found, {"workspace": settings.workspace()})


defs = load(from_environment())

"""What Dagster loads: the series of the series folder, as the settings say."""

import warnings

import dagster as dg

from series_assets.core.plan.shared_identifiers import shared_identifiers
from series_assets.dagster.build import build_definitions, report_broken
from series_assets.settings import Settings, from_environment
from series_assets.storage.loading import BrokenSeries, find_series


def load(settings: Settings) -> dg.Definitions:
    """Return the definitions of all series found. A broken series does not affect the others.

    Raises InputError with the faults of the broken ones if the settings are strict.
    """
    found = find_series(settings.series_dir)
    report_broken(found, strict=settings.strict)
    for shared in shared_identifiers(one for one in found if not isinstance(one, BrokenSeries)):
        warnings.warn(str(shared), stacklevel=2)
    return build_definitions(found, {"workspace": settings.workspace()})


defs = load(from_environment())

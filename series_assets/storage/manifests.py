"""Manifests on disk: each names the one before it by its digest."""

import json
from hashlib import sha256

from series_assets.core.errors import RequestError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.storage.layout import Layout


def require_manifest_before(series: Series, layout: Layout, period: Period) -> str | None:
    """Return the SHA-256 of the manifest before a period's; None for the first period.

    Raises RequestError where it is missing or comes from other contents of the two files.
    """
    if not period.k:
        return None
    before = series.calendar.period(period.k - 1)
    path = layout.manifest(before.number)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        problem = "is missing, but the next manifest has to refer to it"
    else:
        if _fingerprint(content) == series.fingerprint:
            return sha256(content).hexdigest()
        problem = "was generated from another version of the series' two files"
    raise RequestError(
        problem,
        f"first run series-assets generate {series.name} --periods {before.key}, or materialize "
        "manifest of that partition",
        file=path,
        colon=False,
    )


def _fingerprint(content: bytes) -> str | None:
    try:
        return str(json.loads(content)["series"]["fingerprint"])
    except (ValueError, KeyError, TypeError):
        return None

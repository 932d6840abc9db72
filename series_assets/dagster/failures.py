"""How the failure of a period ends a step."""

import dagster as dg

from series_assets.core.errors import SeriesError
from series_assets.core.plain_text import escape_invisible


def failure_of(error: SeriesError, trace: str | None = None) -> dg.Failure:
    """Return the exception that ends a step with an error's message, its traceback as metadata."""
    text = dg.MetadataValue.text(escape_invisible(trace or ""))
    return dg.Failure(
        escape_invisible(str(error)),
        metadata={"traceback": text} if trace else None,
        allow_retries=False,
    )

"""Reading the metadata that Dagster records for an asset."""

from typing import Any


def table(entry: Any) -> list[dict[str, Any]]:
    """Return the rows of a table in the metadata."""
    return [dict(record.data) for record in entry.records]

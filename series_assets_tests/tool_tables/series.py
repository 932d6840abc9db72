"""The shipped series, with the histories that the tables of this folder are compared with."""

import shutil
from pathlib import Path
from typing import Any

import yaml

from series_assets import load_series
from series_assets.core.plan.series import Series
from series_assets.settings import SHIPPED

TRACKED: dict[str, dict[str, Any]] = {
    "school": {
        "track": ["class_year", "consent", "sessions_attended"],
        "order_by": "date_updated",
    },
    "clinic": {
        "track": ["urgency", "consultant", "outcome", "treatment_cost"],
        "order_by": "attendance_date",
    },
}
"""The ``truth`` block of each series."""


def with_truth(folder: Path, name: str) -> Series:
    """Write a shipped series into a folder, with its ``truth`` block, and return it."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(SHIPPED / name / "specification.yml", place)
    user_input = yaml.safe_load((SHIPPED / name / "user_input.yml").read_text("utf-8"))
    text = yaml.safe_dump(user_input | {"truth": TRACKED[name]})
    (place / "user_input.yml").write_text(text, encoding="utf-8")
    return load_series(place)

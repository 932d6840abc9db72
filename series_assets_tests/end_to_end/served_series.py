"""The series that the ``dagster dev`` of the end-to-end tests serves."""

from collections.abc import Callable
from typing import Any

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
SERIES: dict[str, dict[str, Any]] = {
    "alone": {"num_datasets": 2},
    "backfilled": {},
    "clicked": {},
    "edited": {"num_datasets": 2},
    "failing": {"num_datasets": 2, "release": "immediate"},
    "interrupted": {},
    "launched": {},
    "middle": {},
    "named": {},
    "ranged": {},
    "refused": {},
    "released": {"num_datasets": 2, "release": "calendar", "length_of_period": 1200},
    "rerun_dataset_from_asset_failure": {},
    "rerun_dataset_from_failure": {},
    "rerun_new_records_from_asset_failure": {},
    "rerun_new_records_from_failure": {},
    "retried_dataset": {},
    "retried_new_records": {},
    "sensed": {"num_datasets": 3, "release": "immediate"},
    "spoiled": {"num_datasets": 1},
    "traced": {"truth": {"order_by": "date"}, "manifest": True},
}
"""One series for each way to materialize it, with its user input, so that tests are isolated."""
ByCommandLine = Callable[[str], dict[str, bytes]]
